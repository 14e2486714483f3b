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
}

// bindTCP listens on both families where the address names neither.
func bindTCP(address string) (net.Listener, error) { return net.Listen("tcp", address) }

// ListenError says why the host does not listen where it should.
type ListenError struct {
	Kind    string // "http" or "https"
	Address string
	// Holder is the process that has the port, as far as this user may see; empty when unknown.
	Holder string
	Err    error
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
	switch {
	case portTaken(e.Err) && e.Holder != "":
		return "stop it, " + set
	case portTaken(e.Err):
		return holderHint(e.Address) + ", " + set
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
// missing or "off" are closed. New doors open before old ones close. It
// returns the kinds of which something else is wanted than before; calling it
// again with the same tries again.
func (l *listening) want(ctx context.Context, wanted map[string]string) (changed []string) {
	for _, kind := range []string{"http", "https"} {
		was, had := l.wanted[kind]
		if is, has := wanted[kind]; has && (!had || was != is) {
			changed = append(changed, kind)
		}
	}
	l.wanted = wanted
	var old []*door
	for kind, d := range l.doors {
		if w, ok := wanted[kind]; !ok || w == "off" || w != d.wanted {
			old = append(old, d)
			delete(l.doors, kind)
		}
	}
	for kind := range l.failed {
		if w, ok := wanted[kind]; !ok || w == "off" {
			delete(l.failed, kind)
		}
	}
	for _, kind := range []string{"http", "https"} {
		w, ok := wanted[kind]
		if !ok || w == "off" || l.doors[kind] != nil {
			continue
		}
		d, err := l.open(kind, w, &old)
		if err != nil {
			l.fail(err)
			continue
		}
		delete(l.failed, kind)
		l.doors[kind] = d
		var certs *tls.Certs
		if kind == "https" {
			certs = l.certs
		}
		d.start(ctx, certs)
		l.log.Info("listening", "for", kind, "address", d.address)
	}
	for _, d := range old {
		l.shut(d)
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

// open binds the first address that may be bound. Where one of the old doors
// has the port, which no other can, it is closed first.
func (l *listening) open(kind, wanted string, old *[]*door) (*door, *ListenError) {
	var err error
	var address string
	for _, address = range addresses(kind, wanted) {
		var tcp net.Listener
		tcp, err = l.bind(address)
		if portTaken(err) && l.shutPort(address, old) {
			tcp, err = l.bind(address)
		}
		if err == nil {
			return &door{
				kind: kind, wanted: wanted, address: tcp.Addr().String(), tcp: tcp.(*net.TCPListener),
				servers: l.servers, conns: l.conns, log: l.log,
			}, nil
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
		failure.Holder = portHolder(portOf(address))
	}
	return nil, failure
}

// shutPort closes those of the old doors that have the port of address.
func (l *listening) shutPort(address string, old *[]*door) bool {
	var rest []*door
	for _, d := range *old {
		if d.port() == portOf(address) {
			l.shut(d)
		} else {
			rest = append(rest, d)
		}
	}
	shut := len(rest) < len(*old)
	*old = rest
	return shut
}

func (l *listening) shut(d *door) {
	d.close()
	l.log.Info("not listening any more", "for", d.kind, "address", d.address)
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
