package tls

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"

	"github.com/mholt/acmez/v3"
)

// ClientAuth is the table [site.client_auth]: clients show a certificate in their handshake.
type ClientAuth struct {
	// CA is a PEM file with the roots that certificates of clients are signed by, or by a CA of theirs.
	CA string `toml:"ca" json:"ca"`
	// Mode is "require", when absent too, or "verify_if_given": one that is shown must be good, and none needs to be.
	Mode string `toml:"mode" json:"mode,omitempty"`
}

const (
	requireClient = "require"
	verifyClient  = "verify_if_given"
)

// ID tells one ClientAuth from another; for a nil one it is empty.
func (a *ClientAuth) ID() string {
	if a == nil {
		return ""
	}
	if a.Mode == "" {
		return requireClient + " " + a.CA
	}
	return a.Mode + " " + a.CA
}

// Clients are the names whose clients are asked for a certificate.
type Clients struct {
	ClientAuth
	Names []string
}

// ValidateClientAuth returns what is wrong with a; nothing when it is nil.
func ValidateClientAuth(a *ClientAuth) (all []Complaint) {
	if a == nil {
		return nil
	}
	switch a.Mode {
	case "", requireClient, verifyClient:
	default:
		all = append(all, Complaint{"mode", fmt.Sprintf("unknown mode %q", a.Mode), `use "require" or "verify_if_given"`})
	}
	if a.CA == "" {
		return append(all, Complaint{"ca", "ca is missing", "set it to a PEM file with the CA that certificates of clients are signed by"})
	}
	if _, wrong := readPeople(a.CA); wrong != nil {
		return append(all, *wrong)
	}
	return all
}

// rootsOf reads roots; both are nil when there are none.
func rootsOf(text string) (pool *x509.CertPool, known map[string]bool) {
	for _, b := range blocks([]byte(text), func(kind string) bool { return kind == "CERTIFICATE" }) {
		root, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			continue
		}
		if pool == nil {
			pool, known = x509.NewCertPool(), map[string]bool{}
		}
		pool.AddCert(root)
		known[string(root.Raw)] = true
	}
	return pool, known
}

// trust is one ClientAuth at work. It never changes.
type trust struct {
	config   *tls.Config // of handshakes under its names
	required bool
	roots    map[string]bool // DER
}

func (c *Certs) newTrust(a ClientAuth, text string) *trust {
	pool, known := rootsOf(text)
	if pool == nil {
		pool = x509.NewCertPool() // nil would be the system's roots
	}
	sum := sha256.Sum256([]byte(text))
	t := &trust{roots: known, required: a.Mode != verifyClient}
	t.config = c.config(a.Mode + " " + hex.EncodeToString(sum[:]))
	t.config.ClientCAs, t.config.ClientAuth = pool, tls.VerifyClientCertIfGiven
	if t.required {
		t.config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return t
}

// trusts are whom names take certificates of clients from, as handshakes look
// them up: the name, then the longest wildcard at any depth, as requests are
// led to sites. So no name leads to a site without its question.
type trusts struct {
	byID, exact, below map[string]*trust
	addrs              map[netip.Addr]*trust
}

// newTrusts are for files by their name, which it has one of for each a.CA.
func (c *Certs) newTrusts(all []Clients, files map[string]*rootsFile) (t trusts) {
	if len(all) == 0 {
		return t
	}
	t = trusts{map[string]*trust{}, map[string]*trust{}, map[string]*trust{}, map[netip.Addr]*trust{}}
	for _, a := range all {
		one := t.byID[a.ID()]
		if one == nil {
			one = c.newTrust(a.ClientAuth, files[a.CA].text)
			t.byID[a.ID()] = one
		}
		for _, name := range a.Names {
			name, err := canonical(name)
			if base, ok := strings.CutPrefix(name, "*."); ok {
				t.below[base] = one
			} else if addr, ok := address(name); ok {
				t.addrs[addr] = one
			} else if err == nil {
				t.exact[name] = one
			}
		}
	}
	return t
}

func (t trusts) of(name string) *trust {
	if one := t.exact[name]; one != nil {
		return one
	}
	for {
		_, rest, ok := strings.Cut(name, ".")
		if !ok {
			return nil
		}
		if one := t.below[rest]; one != nil {
			return one
		}
		name = rest
	}
}

// asking returns the Config of handshakes whose client is asked for a
// certificate; nil for all others.
func (c *Certs) asking(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	t := c.table.Load()
	if t.trusts.byID == nil || challenge(hello) {
		return nil, nil
	}
	name := strings.ToLower(hello.ServerName)
	one := t.trusts.of(name)
	if addr, ok := address(name); ok {
		one = t.trusts.addrs[addr]
	} else if name == "" {
		one = t.trusts.addrs[localAddr(hello.Conn)]
	}
	if one != nil {
		return one.config, nil
	}
	return nil, nil
}

// address is a name that is an address, without zone. For other names it allocates no error.
func address(name string) (netip.Addr, bool) {
	if name == "" || !strings.Contains(name, ":") && (name[len(name)-1] < '0' || name[len(name)-1] > '9') {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(name)
	return addr.Unmap().WithZone(""), err == nil
}

// challenge reports whether a handshake is that of a CA (RFC 8737).
func challenge(hello *tls.ClientHelloInfo) bool {
	return len(hello.SupportedProtos) == 1 && hello.SupportedProtos[0] == acmez.ACMETLS1Protocol
}

// Admits reports whether what a client has shown in its handshake is enough
// for the ClientAuth of that ID, as it is wanted now: a connection may be older
// than the wish. It is not for an ID that is not wanted.
func (c *Certs) Admits(state *tls.ConnectionState, id string) bool {
	one := c.table.Load().trusts.byID[id]
	switch {
	case one == nil:
		return false
	case state == nil || len(state.PeerCertificates) == 0:
		return !one.required
	}
	for _, chain := range state.VerifiedChains {
		if one.roots[string(chain[len(chain)-1].Raw)] {
			return true
		}
	}
	return false
}
