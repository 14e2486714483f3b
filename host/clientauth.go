package host

import (
	"net"
	"net/http"
	"net/netip"
	"strconv"

	"roost/tls"
)

// refuseConnection says which status a request gets for the connection that it
// came on; 0: none. Where a site asks clients for certificates, a request has
// to be for the site whose name its handshake was for, or what was asked there,
// or not asked, would count here; 421 sends it to a connection of its own (RFC
// 9110 section 15.5.20). Sent is what the connection's handshake was, whatever
// a proxy says; stale, that it is of no use for the site any more.
func (f *front) refuseConnection(router *router, x *exchange, r *http.Request, sent *tls.ConnectionState, named bool) (status int, stale bool) {
	if sent != nil {
		// Without a name, an address that is translated before the box cannot be told from another.
		open := sent.ServerName == "" && isAddress(x.domain) && x.site != nil && x.site.clients == ""
		if !open && !router.same(serverName(r, sent), x.domain, x.site) {
			return http.StatusMisdirectedRequest, false
		}
		if x.site != nil && x.site.clients != "" && !f.certs.Admits(sent, x.site.clients) {
			return http.StatusMisdirectedRequest, true // older than the question
		}
		return 0, false
	}
	if x.site == nil || x.site.clients == "" || f.certs.Admits(nil, x.site.clients) {
		return 0, false
	}
	if r.TLS == nil && x.site.redirects(x.domain, named) && redirectHTTPS(r, f.httpsPort()) != "" {
		return 0, false // and that is all it gets
	}
	return http.StatusForbidden, false
}

// serverName is what a handshake was for: the name that the client sent, or
// else the address that it came to.
func serverName(r *http.Request, state *tls.ConnectionState) string {
	if state.ServerName != "" {
		return requestDomain(state.ServerName)
	}
	if at, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		return requestDomain(at.String())
	}
	return ""
}

func isAddress(domain string) bool {
	_, err := netip.ParseAddr(domain)
	return err == nil
}

// same reports whether a handshake for name is one for s, which answers domain.
func (r *router) same(name, domain string, s *site) bool {
	if name == domain {
		return true
	}
	d, _ := r.find(name)
	if d == nil {
		return false
	}
	for i := range d.routes {
		if d.routes[i].site == s {
			return true
		}
	}
	return false
}

// clientAuth looks at whom a site takes certificates of clients from. asked has
// the ID of that for each domain before.
func (v *validator) clientAuth(s *Site, at place, asked map[string]string) {
	here := at
	here.path = join(at.path, "client_auth")
	for _, c := range tls.ValidateClientAuth(s.ClientAuth) {
		v.report(here, c.Key, c.What, c.Hint)
	}
	if s.ClientAuth != nil {
		if len(s.Domains) == 0 || s.Default {
			v.report(at, "client_auth", "client_auth is for the domains of a site, and this one answers others too", "list domains, and leave default out")
		}
		if v.config.Host.HTTPS == "off" {
			v.report(at, "client_auth", "client_auth asks in the handshake, and https is off", "leave https on, or client_auth out")
		}
	}
	for i, d := range s.Domains {
		name, _ := canonicalDomain(d)
		if other, taken := asked[name]; taken && other != s.ClientAuth.ID() {
			v.report(at, join("domains", strconv.Itoa(i)), "another site of "+name+" has another client_auth, or none", "the handshake is over before the path is known: give all sites of a domain the same")
		}
		asked[name] = s.ClientAuth.ID()
	}
}
