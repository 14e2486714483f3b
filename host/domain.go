package host

import (
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
)

// toASCII does what browsers do before they look a name up (UTS 46, lower
// case, no transitional forms).
var toASCII = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(false), idna.ValidateLabels(true), idna.VerifyDNSLength(true))

// isHostname refuses what the DNS name of a host cannot be (RFC 1123 section
// 2.1), but for the underscore, which browsers let through.
func isHostname(name string) bool {
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if c := label[i]; !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
				return false
			}
		}
	}
	return true
}

// canonicalDomain writes a domain of the config as requests are compared with:
// lower case, punycode, no trailing dot; IP addresses in their shortest form.
// When it cannot be one, hint says why.
func canonicalDomain(domain string) (canonical, hint string) {
	name, wildcard := strings.CutPrefix(domain, "*.")
	switch {
	case domain == "":
		return "", "remove it, or leave out domains to answer every name"
	case domain == "*":
		return "", "leave out domains to answer every name"
	case strings.Contains(domain, "://"):
		return "", "write the name without the scheme"
	case strings.Contains(domain, "/"):
		return "", "write the name without a path; paths go into [[site.route]]"
	case strings.Contains(name, "*"):
		return "", "a wildcard stands only at the front, as in \"*.example.com\""
	}
	if ip, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil && !wildcard {
		return ip.Unmap().WithZone("").String(), ""
	}
	if strings.Contains(domain, ":") {
		return "", "write the name without the port; ports go into [host]"
	}
	ascii, err := toASCII.ToASCII(strings.TrimSuffix(name, "."))
	if err != nil || !isHostname(ascii) {
		return "", "use letters, digits, hyphens and dots, as in \"www.example.com\""
	}
	if wildcard {
		ascii = "*." + ascii
	}
	return ascii, ""
}

// requestDomain writes the Host of a request as canonicalDomain writes the
// config's: port and trailing dot cut off, lower case. What cannot be a name
// comes back as it is and equals none.
func requestDomain(host string) string {
	name := host
	if strings.HasPrefix(name, "[") { // an IPv6 address, RFC 3986 section 3.2.2
		end := strings.IndexByte(name, ']')
		if end < 0 {
			return name
		}
		name = name[1:end]
		if ip, err := netip.ParseAddr(name); err == nil {
			return ip.Unmap().WithZone("").String()
		}
		return name
	}
	if colon := strings.IndexByte(name, ':'); colon >= 0 {
		name = name[:colon]
	}
	return strings.ToLower(strings.TrimSuffix(name, "."))
}
