package tls

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"

	"github.com/caddyserver/certmagic"
)

// acmeIssuer is one CA of an issuance. certmagic asks those of an issuance in
// turn, while it holds a lock for the name.
//
// It is not certmagic's own type, which keeps certmagic from two things. Its
// foreground orders, the only ones that make a single attempt, would read an
// e-mail address from standard input. And its renewals would name the
// certificate that they replace (RFC 9773, section 5), which CAs refuse to
// another account, such as one with another e-mail address; certmagic would
// then ask for the same again until the certificate has ended.
type acmeIssuer struct {
	*certmagic.ACMEIssuer
	c    *Certs
	of   *issuance
	name string // by Config.name
}

// PreCheck implements certmagic.PreChecker; Issue does it, for certmagic forgets what it finds.
func (a *acmeIssuer) PreCheck(context.Context, []string, bool) error { return nil }

// Issue implements certmagic.Issuer. What one CA refuses for the sake of the
// name no other is asked for: it would say the same, and count it.
func (a *acmeIssuer) Issue(ctx context.Context, csr *x509.CertificateRequest) (*certmagic.IssuedCertificate, error) {
	name := subject(csr)
	var before falls
	if a.of.issuers[0] != certmagic.Issuer(a) {
		so, _ := a.of.falls.Load(name)
		before, _ = so.(falls)
		if ctx.Err() != nil || len(before) > 0 && before[len(before)-1].shared() {
			return nil, before
		}
		a.c.passed(name, before, a.name)
	}
	err := a.ACMEIssuer.PreCheck(ctx, []string{name}, false)
	if err == nil {
		var cert *certmagic.IssuedCertificate
		if cert, err = a.ACMEIssuer.Issue(ctx, csr); err == nil {
			a.of.falls.Delete(name)
			return cert, nil
		}
	}
	all := append(before[:len(before):len(before)], fall{a.name, err})
	a.of.falls.Store(name, all)
	return nil, all
}

// subject is the one name that csr is for.
func subject(csr *x509.CertificateRequest) string {
	if len(csr.IPAddresses) > 0 {
		return csr.IPAddresses[0].String()
	}
	return csr.DNSNames[0]
}

// passed notes that a CA has issued nothing for name and another is asked.
func (c *Certs) passed(name string, before falls, next string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[name]
	if e == nil || len(before) == 0 {
		return
	}
	last := before[len(before)-1]
	reason := explain(last.ca, name, last.err).Error()
	e.orders++
	e.failures++
	c.log.Warn("a CA issues nothing; another is asked", "name", name, "issuer", last.ca, "error", reason, "next", next)
	if c.o.Tell != nil {
		c.o.Tell(Event{Kind: EventFailed, Name: name, Issuer: last.ca, Reason: reason + "; " + next + " is asked"})
	}
}

// supersede removes from the storage what other CAs of i have issued for name:
// the dates of two CAs do not tell which of two certificates is the newer one.
func (i *issuance) supersede(ctx context.Context, name, key string) error {
	for _, issuer := range i.issuers {
		other := issuer.IssuerKey()
		if at := certmagic.StorageKeys.SiteCert(other, name); other == key || !i.obtain.Storage.Exists(ctx, at) {
			continue
		}
		if err := i.obtain.Storage.Delete(ctx, certmagic.StorageKeys.CertsSitePrefix(other, name)); err != nil {
			return err
		}
	}
	return nil
}

// named is the CA of i with a key of certmagic's.
func (i *issuance) named(key string) string {
	for _, issuer := range i.issuers {
		if a, ok := issuer.(*acmeIssuer); ok && a.IssuerKey() == key {
			return a.name
		}
	}
	return internalCA
}

// credit notes which CA of i issued cert, which was loaded from the storage.
func (c *Certs) credit(ctx context.Context, e *entry, i *issuance, cert certmagic.Certificate) {
	key := i.issuers[0].IssuerKey()
	for _, issuer := range i.issuers[1:] {
		other := issuer.IssuerKey()
		text, err := i.obtain.Storage.Load(ctx, certmagic.StorageKeys.SiteCert(other, e.name))
		if block, _ := pem.Decode(text); err == nil && block != nil && bytes.Equal(block.Bytes, cert.Leaf.Raw) {
			key = other
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e.issuer = i.named(key)
}
