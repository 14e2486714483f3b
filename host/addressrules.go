package host

import (
	"fmt"
	"net/netip"
)

// addressRules say which clients are answered: none of deny; where there is an
// allow, only those.
type addressRules struct{ allow, deny []netip.Prefix }

// newAddressRules is nil when everyone is answered.
func newAddressRules(p Protection) *addressRules {
	if len(p.Allow) == 0 && len(p.Deny) == 0 {
		return nil
	}
	return &addressRules{networks(p.Allow), networks(p.Deny)}
}

// admit says whether a client is answered. One without an address, which no
// network can have, is not.
func (a *addressRules) admit(client netip.Addr) bool {
	return a == nil || client.IsValid() && !within(a.deny, client) && (len(a.allow) == 0 || within(a.allow, client))
}

func within(networks []netip.Prefix, a netip.Addr) bool {
	for _, n := range networks {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// networks reads what validation has let pass.
func networks(texts []string) []netip.Prefix {
	out := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		if n, what, _ := parseNetwork(text); what == "" {
			out = append(out, n)
		}
	}
	return out
}

// parseNetwork reads an address or a network. IPv4 written as IPv6
// (::ffff:10.0.0.1) is IPv4, as clients' addresses are.
func parseNetwork(text string) (n netip.Prefix, what, hint string) {
	const form = `write an address such as "192.0.2.7" or a network such as "10.0.0.0/8" or "2001:db8::/32"`
	a, err := netip.ParseAddr(text)
	switch {
	case err == nil && a.Zone() != "":
		return n, "has a zone", "leave out what follows %"
	case err == nil:
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), "", ""
	}
	n, err = netip.ParsePrefix(text)
	if err != nil {
		return n, "is not an address or a network", form
	}
	if n.Addr().Is4In6() && n.Bits() >= 96 {
		n = netip.PrefixFrom(n.Addr().Unmap(), n.Bits()-96)
	}
	if n != n.Masked() {
		return n, fmt.Sprintf("has bits set beyond its first %d", n.Bits()), fmt.Sprintf("write %q for the network, or the address alone", n.Masked())
	}
	return n, "", ""
}
