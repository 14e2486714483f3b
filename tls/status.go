package tls

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/certmagic"
)

// CertState says how it stands with a certificate.
type CertState string

// The states of a certificate.
const (
	// Valid: there is a certificate, and it is served.
	Valid CertState = "valid"
	// Waiting: there is none from this issuer yet, and nothing has gone wrong.
	Waiting CertState = "waiting"
	// Failing: the last attempt to get or to renew it failed; Error says why.
	// A certificate from before is served as long as Expires is in the future.
	Failing CertState = "failing"
)

// Certificate tells how it stands with the certificate for one wanted name.
type Certificate struct {
	// Name is a DNS name (a leading "*." is a wildcard) or an address.
	Name string `json:"name"`
	// Issuer is as in Config: "internal", "letsencrypt", "zerossl" or a URL, or "letsencrypt-staging"; "file" when the certificate is the user's own.
	Issuer string    `json:"issuer"`
	State  CertState `json:"state"`
	// OnDemand says that nobody lists the name: a client came for it.
	OnDemand bool `json:"on_demand,omitempty"`
	// KeyType is such as "ecdsa-p256" or "rsa-2048"; empty without a certificate, as are the times.
	KeyType   string    `json:"key_type,omitempty"`
	NotBefore time.Time `json:"not_before,omitzero"`
	Expires   time.Time `json:"expires,omitzero"`
	// Renews is when it is due by its age; the CA may ask for it earlier (RFC 9773).
	Renews time.Time `json:"renews,omitzero"`
	// Error is why the last attempt failed, Hint what a person can do, Tried when
	// it was and Retry when the next is, where that is known.
	Error string    `json:"error,omitempty"`
	Hint  string    `json:"hint,omitempty"`
	Tried time.Time `json:"tried,omitzero"`
	Retry time.Time `json:"retry,omitzero"`
	// Problem is what a person should look at: a failure, or that it ends within
	// 14 days and is not being renewed, with what to do.
	Problem string `json:"problem,omitempty"`
	// Orders counts the attempts to get or renew it, Failures those that failed,
	// since it was wanted from this issuer.
	Orders   uint64 `json:"orders"`
	Failures uint64 `json:"failures"`
}

// Status tells of each wanted name, and of those on demand that are in memory, in the order of the names.
func (c *Certs) Status() []Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	list := make([]Certificate, 0, len(c.entries)+len(c.demanded.entries))
	for e := range c.every {
		s := e.status()
		if err := c.unsteady(e.cert, now); err != nil && s.Error == "" {
			s.State, s.Error, s.Hint = Failing, err.Error(), hintOf(err)
		}
		if !e.noLonger() {
			s.Problem = s.problem(now)
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b Certificate) int {
		return cmp.Or(strings.Compare(strings.TrimPrefix(a.Name, "*."), strings.TrimPrefix(b.Name, "*.")), strings.Compare(a.Name, b.Name))
	})
	return list
}

// status tells of e. The caller holds Certs.mu.
func (e *entry) status() Certificate {
	s := Certificate{Name: e.name, Issuer: e.issuer, State: Waiting, OnDemand: e.demand != nil, Tried: e.tried, Retry: e.retry, Orders: e.orders, Failures: e.failures}
	if e.cert != nil {
		leaf := e.cert.Leaf
		if s.KeyType = keyType(leaf); !e.old {
			s.State = Valid
		}
		s.NotBefore, s.Expires = leaf.NotBefore, leaf.NotAfter
		if e.own == nil {
			s.Renews = renewal(leaf)
		}
	}
	if e.err != nil {
		s.State, s.Error, s.Hint = Failing, e.err.Error(), hintOf(e.err)
	}
	return s
}

// renewal is when a certificate is due by its age: a third of its life before it ends.
func renewal(leaf *x509.Certificate) time.Time {
	life := leaf.NotAfter.Sub(leaf.NotBefore)
	return leaf.NotAfter.Add(-time.Duration(float64(life) * certmagic.DefaultRenewalWindowRatio))
}

func keyType(leaf *x509.Certificate) string {
	switch key := leaf.PublicKey.(type) {
	case *ecdsa.PublicKey:
		return "ecdsa-" + strings.ToLower(strings.ReplaceAll(key.Params().Name, "-", ""))
	case *rsa.PublicKey:
		return fmt.Sprintf("rsa-%d", key.N.BitLen())
	case ed25519.PublicKey:
		return "ed25519"
	}
	return "unknown"
}
