package host

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"roost/tls"
)

// proxies are the networks of the proxies in front of the box that are
// believed. Anyone else's X-Forwarded-* is what a stranger says.
type proxies []netip.Prefix

// trusted are the proxies of a Config, nil when there are none.
func (l Listen) trusted() *proxies {
	if len(l.TrustedProxies) == 0 {
		return nil
	}
	p := proxies(networks(l.TrustedProxies))
	return &p
}

// reveal makes of a request that a trusted proxy has passed on what it would
// have been had the client itself connected: its RemoteAddr, without a port,
// and its TLS. Limits, address rules, the access log, what apps are told and
// stickiness all go by these, and so by the one client.
func (p proxies) reveal(r *http.Request) {
	peer := clientAddr(r)
	if !within(p, peer) {
		return
	}
	if client := p.client(peer, r.Header["X-Forwarded-For"]); client != peer {
		r.RemoteAddr = netip.AddrPortFrom(client, 0).String()
	}
	if said := r.Header["X-Forwarded-Proto"]; len(said) > 0 {
		last := said[len(said)-1] // of several, the nearest proxy's
		switch last = strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:]); {
		case strings.EqualFold(last, "https") && r.TLS == nil:
			r.TLS = tls.Elsewhere
		case strings.EqualFold(last, "http"):
			r.TLS = nil
		}
	}
}

// client goes from the peer back through the addresses that the proxies have
// noted, each at the end of the list, until one of them is no trusted proxy:
// that one is the client. What stands before it, the client may have made up.
func (p proxies) client(peer netip.Addr, forwarded []string) netip.Addr {
	for i := len(forwarded) - 1; i >= 0; i-- {
		for rest, more := forwarded[i], true; more; {
			var last string
			if cut := strings.LastIndexByte(rest, ','); cut >= 0 {
				rest, last = rest[:cut], rest[cut+1:]
			} else {
				last, more = rest, false
			}
			before := forwardedAddr(strings.TrimSpace(last))
			if !before.IsValid() {
				return peer // "unknown", or nonsense: the last one that is known
			}
			if peer = before; !within(p, peer) {
				return peer
			}
		}
	}
	return peer
}

// forwardedAddr reads an address as proxies write it: some with a port.
func forwardedAddr(text string) netip.Addr {
	if a, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return a.Unmap().WithZone("")
	}
	if a, err := netip.ParseAddrPort(text); err == nil {
		return a.Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}

// clientAddr is the address of the client, IPv4 as such and without a zone.
func clientAddr(r *http.Request) netip.Addr {
	a, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr().Unmap().WithZone("")
}

// clientAddress is the address of the client as text.
func clientAddress(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}

// clientKey tells clients apart: by the address, and of IPv6 by the network of
// 64 bits, in which one client has as many as it likes (RFC 8981).
func clientKey(r *http.Request) string {
	a := clientAddr(r)
	b := a.As16()
	if a.Is4() {
		return string(b[12:])
	}
	return string(b[:8])
}
