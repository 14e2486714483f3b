package tls

import (
	"context"
	"crypto/x509"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
)

// acmeIssuer is one CA of an issuance. certmagic asks those of an issuance in
// turn, while it holds a lock for the name.
//
// It is not certmagic's own type, for the foreground orders of that, the only
// ones that make a single attempt, would read an e-mail address from standard
// input, and its renewals would name the certificate that they replace to an
// account that did not get it, over and over.
type acmeIssuer struct {
	*certmagic.ACMEIssuer
	c    *Certs
	of   *issuance
	name string // by Config.name
	eab  EAB
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
			a.of.falls.Delete(name)
			return nil, before
		}
		a.c.passed(name, before, a.name)
	}
	cert, f := a.ask(ctx, name, csr)
	if f.err == nil {
		a.of.falls.Delete(name)
		return cert, nil
	}
	all := append(before[:len(before):len(before)], f)
	if last := a.of.issuers[len(a.of.issuers)-1]; last == certmagic.Issuer(a) {
		a.of.falls.Delete(name)
	} else {
		a.of.falls.Store(name, all)
	}
	return nil, all
}

// ask asks the CA, unless that is not to be asked yet.
func (a *acmeIssuer) ask(ctx context.Context, name string, csr *x509.CertificateRequest) (*certmagic.IssuedCertificate, fall) {
	once, hears := *a.ACMEIssuer, &ear{Core: zapTo(a.c.log, false).Core()}
	once.Logger = zap.New(hears)
	challenges := 1
	if once.DNS01Solver == nil && !once.DisableHTTPChallenge && !once.DisableTLSALPNChallenge {
		challenges = 2
	}
	select {
	case a.c.asks <- struct{}{}:
		defer func() { <-a.c.asks }()
	case <-ctx.Done():
		return nil, fall{ca: a.name, err: ctx.Err(), held: true}
	}
	try, _ := ctx.Value(certmagic.AttemptsCtxKey).(*int)
	trial := try != nil && *try > 0 && once.TestCA != "" // certmagic begins with Let's Encrypt's staging side then
	counted := a.name == LetsEncrypt && !trial
	if until, err := a.c.limits.admit(a.name, name, counted, challenges); err != nil {
		return nil, fall{a.name, err, until, true}
	}
	var cert *certmagic.IssuedCertificate
	err := a.c.rebind(ctx, a.of.storage, &once, a.eab)
	if err == nil && once.Email != "" {
		// Without, certmagic would look for an address among the accounts that are stored. When it looks while one is being
		// stored, it takes "default" for one, the folder of an account that has none, for as long as the process lives.
		err = once.PreCheck(ctx, []string{name}, false)
	}
	switch {
	case a.c.issue != nil:
		cert, err = a.c.issue(a.name, csr, hears)
	case err == nil:
		old := a.stored(ctx, name)
		cert, err = once.Issue(replacing{ctx, old}, csr)
		if old != nil && unordered(err) {
			cert, err = once.Issue(ctx, csr) // got by another account, or not known any more
		}
	}
	heard := hears.heard()
	if heard.unchained {
		a.c.log.Warn("the CA offers no chain to the root that is preferred; its own choice is taken", "name", name, "issuer", a.name, "preferred", once.PreferredChains.RootCommonName[0])
	}
	return cert, fall{a.name, err, a.c.limits.note(a.name, name, counted, err, heard.failed, heard.after), false}
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
		if a, ok := issuer.(*acmeIssuer); ok && cert.Leaf.Equal(a.stored(ctx, e.name)) {
			key = a.IssuerKey()
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e.issuer = i.named(key)
}
