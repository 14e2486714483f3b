package host

import (
	"fmt"
	"strconv"

	"roost/tls"
)

// own is the certificate that a site brings, for its domains.
func (s *Site) own() tls.Own {
	o := tls.Own{Cert: s.Cert, Key: s.Key}
	for _, d := range s.Domains {
		if name, _ := canonicalDomain(d); name != "" {
			o.Names = append(o.Names, name)
		}
	}
	return o
}

// ownCertificate looks at the certificate that a site brings. certified has
// the site that brings one for a domain.
func (v *validator) ownCertificate(s *Site, at place, certified map[string]int) {
	for _, c := range tls.ValidateOwn(s.Cert, s.Key) {
		v.report(at, c.Key, c.What, c.Hint)
	}
	if s.Cert == "" {
		return
	}
	if len(s.Domains) == 0 {
		v.report(at, "cert", "a certificate of one's own is for domains, and the site lists none", "list them in domains")
	}
	for i, d := range s.Domains {
		name, _ := canonicalDomain(d)
		first, taken := certified[name]
		if !taken {
			certified[name] = at.n
		} else if other := v.config.Sites[first]; first != at.n && (other.Cert != s.Cert || other.Key != s.Key) {
			v.report(at, join("domains", strconv.Itoa(i)), fmt.Sprintf("another site has another certificate for %s: %s", name, other.Cert), "a domain has one certificate: name the same files, or leave them out of one of the sites")
		}
	}
}
