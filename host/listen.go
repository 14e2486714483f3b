package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"roost/tls"
)

// listening is the doors that are open and those that should be. Host's loop
// owns it.
type listening struct {
	servers *atomic.Pointer[servers]
	conns   *connections
	certs   *tls.Certs
	log     *slog.Logger

	wanted map[string]string       // address by kind; "": the default
	doors  map[string]*door        // by kind
	failed map[string]*ListenError // by kind; tried again until it works or is not wanted
	ports  map[string]*atomic.Int32
	bind   func(address string) (net.Listener, error) // a seam: bindTCP

	wanted3   string     // where HTTP/3 should be; empty: nowhere
	http3     *packets   // what accepts it; nil: nothing
	packets   []*packets // all whose socket is open
	altSvc    *atomic.Pointer[[]string]
	announced string                                       // the port in altSvc
	bindUDP   func(address string) (net.PacketConn, error) // a seam: bindPackets
}

// bindTCP listens on both families where the address names neither.
func bindTCP(address string) (net.Listener, error) { return net.Listen("tcp", address) }

// ListenError says why the host does not listen where it should.
type ListenError struct {
	Kind    string // "http", "https" or "http3"
	Address string
	// Holder is the process that has the port, as far as this user may see; empty when unknown.
	Holder string
	Err    error

	looked time.Time // for Holder
}

func (e *ListenError) Error() string {
	reason := e.Err.Error()
	switch {
	case portTaken(e.Err) && e.Holder != "":
		reason = "the port is taken by " + e.Holder
	case portTaken(e.Err):
		reason = "the port is taken by another process"
	case mayNotBind(e.Err):
		reason = "this user may not bind that port"
	}
	return fmt.Sprintf("cannot listen on %s for %s: %s", e.Address, e.Kind, reason)
}

// Hint says what to do about it.
func (e *ListenError) Hint() string {
	set := fmt.Sprintf("or set %s in [host] to another address", e.Kind)
	if e.Kind == "http3" {
		set = "or set http3 = false in [host]"
	}
	switch {
	case portTaken(e.Err) && e.Holder != "":
		return "stop it, " + set
	case portTaken(e.Err):
		return holderHint(e.Kind, e.Address) + ", " + set
	case mayNotBind(e.Err):
		return "run as root or install the service, " + set
	case noSuchAddress(e.Err):
		return "no interface of this box has that address; wait for it, " + set
	}
	return set[len("or "):]
}

func (e *ListenError) Unwrap() error { return e.Err }

// defaultAddresses are tried in turn when the config names none: the second is
// for users who may not bind the first.
var defaultAddresses = map[string][]string{"http": {":80", ":8080"}, "https": {":443", ":8443"}}

// addresses are what to try for a wanted address.
func addresses(kind, wanted string) []string {
	if wanted == "" {
		return defaultAddresses[kind]
	}
	return []string{wanted}
}

// want opens and closes doors until they are those wanted; kinds that are
// missing or "off" are closed. A door is closed only once the one in its place
// is open: where that cannot be, the old one stays. want returns the kinds of
// which something else is wanted than before; calling it again with the same
// tries again.
func (l *listening) want(ctx context.Context, wanted map[string]string) (changed []string) {
	for kind, is := range wanted {
		if was, had := l.wanted[kind]; !had || was != is {
			changed = append(changed, kind)
		}
	}
	l.wanted = wanted
	for _, kind := range kinds {
		if w, ok := wanted[kind]; !ok || w == "off" {
			l.shut(kind)
			delete(l.failed, kind)
		}
	}
	for _, kind := range kinds {
		w, ok := wanted[kind]
		if !ok || w == "off" {
			continue
		}
		if d := l.doors[kind]; d != nil && d.wanted == w {
			delete(l.failed, kind)
			continue
		}
		if d, err := l.open(ctx, kind, w); err != nil {
			l.fail(err)
		} else {
			delete(l.failed, kind)
			l.shut(kind)
			l.start(ctx, d)
		}
	}
	for kind, port := range l.ports {
		n := 0
		if d := l.doors[kind]; d != nil {
			n = d.port()
		}
		port.Store(int32(n))
	}
	return changed
}

var kinds = []string{"http", "https"}

// open binds the first address that may be bound. Where a door that is to be
// replaced has the port, it is closed first, and opened again if that was in vain.
func (l *listening) open(ctx context.Context, kind, wanted string) (*door, *ListenError) {
	var err error
	var address string
	for _, address = range addresses(kind, wanted) {
		var tcp net.Listener
		tcp, err = l.bind(address)
		if portTaken(err) {
			inTheWay := l.shutReplaced(portOf(address))
			if tcp, err = l.bind(address); err != nil {
				l.reopen(ctx, inTheWay)
			}
		}
		if err == nil {
			return l.newDoor(kind, wanted, tcp), nil
		}
		if !mayNotBind(err) {
			break
		}
	}
	var reason syscall.Errno
	if errors.As(err, &reason) {
		err = reason // without what the net package says around it
	}
	failure := &ListenError{Kind: kind, Address: address, Err: err}
	if portTaken(err) {
		failure.Holder, failure.looked = l.holder(kind, address)
	}
	return nil, failure
}

// holder finds who has the port; it reads the whole of /proc, and so not at
// every attempt.
func (l *listening) holder(kind, address string) (name string, looked time.Time) {
	if was := l.failed[kind]; was != nil && was.Address == address && time.Since(was.looked) < lookAgain {
		return was.Holder, was.looked
	}
	return portHolder(kind, portOf(address)), time.Now()
}

const lookAgain = 30 * time.Second

func (l *listening) newDoor(kind, wanted string, tcp net.Listener) *door {
	return &door{
		kind: kind, wanted: wanted, address: tcp.Addr().String(), tcp: tcp.(*net.TCPListener),
		servers: l.servers, conns: l.conns, log: l.log,
	}
}

func (l *listening) start(ctx context.Context, d *door) {
	var certs *tls.Certs
	if d.kind == "https" {
		certs = l.certs
	}
	l.doors[d.kind] = d
	d.start(ctx, certs)
	l.log.Info("listening", "for", d.kind, "address", d.address)
}

func (l *listening) shut(kind string) {
	if d := l.doors[kind]; d != nil {
		delete(l.doors, kind)
		d.close()
		l.log.Info("not listening any more", "for", d.kind, "address", d.address)
	}
}

// shutReplaced closes the doors on port whose place another is to take.
func (l *listening) shutReplaced(port int) (shut []*door) {
	for _, kind := range kinds {
		if d := l.doors[kind]; d != nil && d.port() == port && d.wanted != l.wanted[kind] {
			l.shut(kind)
			shut = append(shut, d)
		}
	}
	return shut
}

func (l *listening) reopen(ctx context.Context, doors []*door) {
	for _, d := range doors {
		if tcp, err := l.bind(d.address); err == nil {
			l.start(ctx, l.newDoor(d.kind, d.wanted, tcp))
		}
	}
}

// fail keeps a failure and says so, once for each different one.
func (l *listening) fail(e *ListenError) {
	if was := l.failed[e.Kind]; was == nil || was.Error() != e.Error() {
		l.log.Error(e.Error(), "hint", e.Hint())
	}
	l.failed[e.Kind] = e
}

func portOf(address string) int {
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		return 0
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return port
}
