package tls

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/mholt/acmez/v3"
)

// table is what handshakes read: immutable, published whole.
type table struct {
	names   map[string]place     // DNS names
	below   map[string]place     // wildcards, "*.example.com" under "example.com"
	addrs   map[netip.Addr]place // addresses, without zone
	nat     place                // of the only public one in addrs
	any     bool                 // private names and the box's own addresses too
	demands *demands             // of names that nobody lists; nil: none
	trusts  trusts               // whom clients' certificates are taken from
}

// place is where a certificate is, or will be.
type place struct {
	cert     *tls.Certificate // nil: none yet
	internal bool             // the internal CA may make one on the spot
	from     source           // the public CAs
}

// publish makes the table of what the entries are now. The caller holds c.mu.
func (c *Certs) publish() {
	t := &table{
		names:   make(map[string]place, len(c.entries)),
		below:   map[string]place{},
		addrs:   map[netip.Addr]place{},
		any:     c.want.AnyName,
		demands: c.demanded.wanted,
		trusts:  c.trusts,
	}
	if len(c.staples) > 0 {
		c.restaple()
	}
	outside := 0
	now, old := time.Now(), c.table.Load()
	for name, e := range c.entries {
		before, _ := old.find(name)
		p := place{cert: c.stapled(e.cert, before.cert, now), internal: e.internal, from: e.from}
		if p.internal && p.cert != nil && now.After(p.cert.Leaf.NotAfter) {
			p.cert = nil // the box was off for long; better one from the mint than this
		}
		if addr, err := netip.ParseAddr(name); err == nil {
			t.addrs[addr] = p
			if !internalAddr(addr) {
				outside++
				t.nat = p
			}
		} else if base, ok := strings.CutPrefix(name, "*."); ok {
			if p.internal && !strings.Contains(base, ".") {
				p.cert = nil // browsers refuse "*.localhost" and its like: mint for the very name
			}
			t.below[base] = p
		} else {
			t.names[name] = p
		}
	}
	if outside != 1 {
		t.nat = place{}
	}
	c.table.Store(t)
}

// find returns the place of a wanted name as it was wanted, wildcards by their own name.
func (t *table) find(name string) (place, bool) {
	if base, ok := strings.CutPrefix(name, "*."); ok {
		p, ok := t.below[base]
		return p, ok
	}
	if p, ok := t.names[name]; ok {
		return p, true
	}
	addr, err := netip.ParseAddr(name)
	if err != nil {
		return place{}, false
	}
	p, ok := t.addrs[addr]
	return p, ok
}

// ServerConfig returns what the listener does handshakes by: TLS 1.2 and later,
// forward secrecy and authenticated encryption only, HTTP/2 and HTTP/1.1, and
// the ACME challenge of RFC 8737. All share the keys of session tickets.
//
// A name that nobody wants is refused with the alert unrecognized_name (RFC
// 6066, section 3). So far as a public name has no certificate yet, its
// handshakes fail with internal_error: any other certificate would only teach
// people to click warnings away.
func (c *Certs) ServerConfig() *tls.Config {
	config := c.config("")
	config.GetConfigForClient = c.asking
	return config
}

// config is a Config whose sessions are not taken up under another trust.
func (c *Certs) config(trust string) *tls.Config {
	config := &tls.Config{
		MinVersion: tls.VersionTLS12,
		// Of TLS 1.2; those of 1.3 are all good and cannot be chosen.
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
			tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
		NextProtos:     []string{"h2", "http/1.1", acmez.ACMETLS1Protocol},
		GetCertificate: c.certificate,
	}
	c.tickets.give(config, trust)
	return config
}

// certificate chooses the certificate of a handshake. With neither certificate
// nor error, crypto/tls sends unrecognized_name.
func (c *Certs) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if challenge(hello) {
		if i := c.challenged(hello.ServerName); i != nil {
			return i.renew.GetCertificate(hello)
		}
		return nil, errors.New("no CA was asked for anything")
	}
	t := c.table.Load()
	name := strings.ToLower(hello.ServerName) // does not allocate when it is so already
	if p, ok := t.names[name]; ok {
		return c.serve(p, name)
	}
	if i := strings.IndexByte(name, '.'); i > 0 {
		if p, ok := t.below[name[i+1:]]; ok && hostname(name) {
			return c.serve(p, name)
		}
	}
	if t.demands != nil {
		if cert := c.demanded.find(name); cert != nil {
			return cert, nil
		}
		if d := t.demands.of(name); d != nil && Public(name) {
			return c.get(hello, d, name)
		}
	}
	local := localAddr(hello.Conn)
	if name != "" {
		// RFC 6066 has no names that are addresses, but some clients send them all the same.
		addr, err := netip.ParseAddr(name)
		switch {
		case err == nil && (addr.Unmap() == local || addr.IsLoopback()):
			local = addr.Unmap()
		case err != nil && t.any && Internal(name) && hostname(name):
			return c.mint.certificate(name)
		default:
			return nil, nil
		}
	}
	p, ok := t.addrs[local]
	switch {
	case !ok && t.nat.cert != nil && name == "" && internalAddr(local) && !local.IsLoopback():
		return t.nat.cert, nil // from outside, translated: the public address is not on any interface here
	case p.cert != nil:
		return p.cert, nil
	case ok:
		return c.serve(p, local.String())
	case t.any && local.IsValid():
		return c.mint.certificate(local.String())
	}
	return nil, nil
}

func (c *Certs) serve(p place, name string) (*tls.Certificate, error) {
	switch {
	case p.cert != nil:
		return p.cert, nil
	case p.internal:
		return c.mint.certificate(name)
	}
	return nil, fmt.Errorf("no certificate for %s yet", name)
}

// localAddr is the box's own address of conn; invalid when it has none.
func localAddr(conn net.Conn) netip.Addr {
	var ip net.IP
	switch at := conn.LocalAddr().(type) {
	case *net.TCPAddr:
		ip = at.IP
	case *net.UDPAddr: // QUIC
		ip = at.IP
	}
	addr, _ := netip.AddrFromSlice(ip)
	return addr.Unmap()
}

// challenged is the issuance to answer challenges of a host at the ports with,
// nil when no CA was asked for anything yet. certmagic keeps those that are open
// for the process, so for them any will do; what another box has been asked is
// in the storage, below its CA.
func (c *Certs) challenged(host string) *issuance {
	all := c.sources()
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	t, name := c.table.Load(), strings.ToLower(host)
	p, listed := t.find(name)
	if listed && p.from.by != byDNS && all[p.from] != nil {
		return all[p.from]
	}
	if d := t.demands.of(name); !listed && d != nil && Public(name) && c.linked.Load() != nil {
		// Clients may have come for it to another box alone.
		if e := c.demandedEntry(d, name); !e.internal {
			if i, err := c.public(e); err == nil {
				return i
			}
		}
	}
	for from, i := range all {
		if from.by != byDNS {
			return i
		}
	}
	return nil
}

// Plain answers what of plain HTTP is about certificates, whatever the Host, and
// gives all other requests to next: the HTTP challenge (RFC 8555, section 8.3),
// and where wanted the root of the internal CA. It goes outermost on the plain
// HTTP listener, before redirects and before the Host is looked at.
func (c *Certs) Plain(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rest, ok := strings.CutPrefix(r.URL.Path, wellKnown); ok {
			if strings.HasPrefix(rest, "acme-challenge/") {
				if i := c.challenged(r.Host); i != nil && i.acme.HandleHTTPChallenge(w, r) {
					return
				}
			}
			if root := c.root.Load(); root != nil && r.URL.Path == RootPath {
				root.ServeHTTP(w, r)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}
