package host

import (
	"fmt"
	"strconv"

	"roost/tls"
)

// issuer looks at where a site wants its certificates from. issued has the
// site that says so for a domain.
func (v *validator) issuer(s *Site, at place, issued map[string]int) {
	if s.Issuer == "" {
		return
	}
	for _, c := range tls.ValidateIssuer(v.config.TLS, s.Issuer) {
		if c.Key == "email" {
			c.Hint = "set email in [tls]"
		}
		v.report(at, "issuer", c.What, c.Hint)
	}
	switch {
	case s.Cert != "":
		v.report(at, "issuer", "no issuer is asked where a site brings its certificate", "remove issuer, or cert and key")
	case len(s.Domains) == 0 && s.OnDemand == nil:
		v.report(at, "issuer", "an issuer is for domains, and the site lists none", "list them in domains")
	}
	for i, d := range s.Domains {
		name, _ := canonicalDomain(d)
		first, taken := issued[name]
		if !taken {
			issued[name] = at.n
		} else if other := v.config.Sites[first].Issuer; other != s.Issuer {
			v.report(at, join("domains", strconv.Itoa(i)), fmt.Sprintf("another site has another issuer for %s: %s", name, other), "a domain has one certificate: name the same issuer, or leave it out of one of the sites")
		}
	}
}
