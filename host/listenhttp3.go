package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// announceFor is for how long clients may believe that HTTP/3 is spoken here
// (RFC 7838 section 3.1): not for long past the change of mind of a box.
const announceFor = 24 * time.Hour

// wantHTTP3 listens for HTTP/3 where the door of https is, and announces it
// while that works. It reports whether something else is wanted than before.
// Where there is no such door, it is that which is in trouble.
func (l *listening) wantHTTP3(ctx context.Context, wanted bool) (changed bool) {
	d := l.doors["https"]
	wanted = wanted && d != nil
	at := ""
	if wanted {
		at = d.address
	}
	changed = at != l.wanted3
	l.wanted3 = at
	switch {
	case !wanted:
		l.unlisten()
		delete(l.failed, "http3")
	case l.http3 == nil || l.http3.wanted != at:
		p, err := l.openPackets(at, portOf(d.wanted) == 0 && d.wanted != "")
		if err != nil {
			l.fail(err)
			break
		}
		delete(l.failed, "http3")
		l.unlisten()
		if !slices.Contains(l.packets, p) {
			l.packets = append(l.packets, p)
		}
		if err := p.listen(ctx, l.certs); err != nil {
			l.fail(&ListenError{Kind: "http3", Address: at, Err: err}) // its socket was closed just now: try again
			break
		}
		l.http3 = p
		l.log.Info("listening", "for", "http3", "address", p.address)
	default:
		delete(l.failed, "http3")
	}
	l.announce()
	return changed
}

// openPackets binds the address of UDP, or any port of its host when the one
// of https was any; or finds the socket that has it still. One that has only
// connections left and is in the way gives way.
func (l *listening) openPackets(address string, anyPort bool) (*packets, *ListenError) {
	l.packets = slices.DeleteFunc(l.packets, func(p *packets) bool { return p.gone() })
	if i := slices.IndexFunc(l.packets, func(p *packets) bool { return p.wanted == address }); i >= 0 {
		return l.packets[i], nil
	}
	bind := address
	if anyPort {
		host, _, _ := net.SplitHostPort(address)
		bind = net.JoinHostPort(host, "0")
	}
	udp, err := l.bindUDP(bind)
	if portTaken(err) {
		for _, p := range l.packets {
			if portOf(p.address) == portOf(address) {
				p.cut()
			}
		}
		udp, err = l.bindUDP(bind)
	}
	if err == nil {
		return newPackets(address, udp.(*net.UDPConn), l.servers, l.conns, l.log), nil
	}
	var reason syscall.Errno
	if errors.As(err, &reason) {
		err = reason
	}
	failure := &ListenError{Kind: "http3", Address: address, Err: err}
	if portTaken(err) {
		failure.Holder, failure.looked = l.holder("http3", address)
	}
	return nil, failure
}

// unlisten accepts nothing more over HTTP/3; connections live on.
func (l *listening) unlisten() {
	if l.http3 != nil {
		l.log.Info("not listening any more", "for", "http3", "address", l.http3.address)
		l.http3.unlisten()
		l.http3 = nil
	}
}

// announce publishes what answers over TLS say of HTTP/3.
func (l *listening) announce() {
	if l.http3 == nil {
		l.altSvc.Store(nil)
		return
	}
	port := strconv.Itoa(portOf(l.http3.address))
	if was := l.altSvc.Load(); was == nil || l.announced != port {
		l.announced = port
		l.altSvc.Store(&[]string{fmt.Sprintf(`h3=":%s"; ma=%d`, port, int(announceFor.Seconds()))})
	}
}

// bindPackets is net.ListenPacket for UDP, on both families where the address names neither.
func bindPackets(address string) (net.PacketConn, error) { return net.ListenPacket("udp", address) }
