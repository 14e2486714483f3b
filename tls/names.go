package tls

import (
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
)

// sharedSpace is the address space of carrier-grade NAT (RFC 6598), which no public CA knows either.
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

// Internal reports whether the internal CA serves name without being asked to:
// no public CA can. So are localhost and all below it (RFC 6761), .local (RFC
// 6762), .internal, .home.arpa (RFC 8375), names of one label, and addresses
// that are loopback, link-local or private (RFC 1918, RFC 4193, RFC 6598). A
// wildcard is as internal as what it covers.
func Internal(name string) bool {
	if addr, err := netip.ParseAddr(name); err == nil {
		return internalAddr(addr)
	}
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	_, rest, dotted := strings.Cut(name, ".")
	if !dotted {
		return name != "" && name != "*"
	}
	if name[0] == '*' && !strings.Contains(rest, ".") {
		return true // "*.lan": below a single label
	}
	for _, end := range [...]string{".localhost", ".local", ".internal", ".home.arpa"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}

func internalAddr(addr netip.Addr) bool {
	addr = addr.Unmap()
	return addr.IsLoopback() || addr.IsPrivate() || addr.IsLinkLocalUnicast() || sharedSpace.Contains(addr)
}

// canonical returns the one form that name has everywhere in this package:
// lower case, without a final dot, in ASCII (RFC 5890), addresses in their
// shortest form and without a zone.
func canonical(name string) (string, error) {
	if addr, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return addr.Unmap().WithZone("").String(), nil
	}
	star, rest := "", strings.TrimSuffix(strings.ToLower(name), ".")
	if after, ok := strings.CutPrefix(rest, "*."); ok {
		star, rest = "*.", after
	}
	if !ascii(rest) {
		encoded, err := idna.Lookup.ToASCII(rest)
		if err != nil {
			return "", fmt.Errorf("%q is not a domain name: %w", name, err)
		}
		rest = encoded
	}
	if !hostname(rest) {
		return "", fmt.Errorf("%q is neither a domain name nor an address", name)
	}
	return star + rest, nil
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// hostname reports whether name, in lower case, is made as DNS names of hosts
// are (RFC 1123, section 2.1); the underscore is let through, as browsers do.
func hostname(name string) bool {
	if name == "" || len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if b := label[i]; (b < 'a' || b > 'z') && (b < '0' || b > '9') && b != '-' && b != '_' {
				return false
			}
		}
	}
	return true
}
