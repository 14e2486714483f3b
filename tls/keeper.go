package tls

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"time"

	"github.com/caddyserver/certmagic"
)

// errNotListening: a CA could not reach the box yet. It is not the CA's failure, nor anybody's.
var errNotListening = errors.New("the host does not listen yet")

// keep works until e's name has its certificate or ctx ends. From then on the
// cache renews.
func (c *Certs) keep(ctx context.Context, e *entry) {
	defer func() {
		if ctx.Err() != nil && !c.wants(e.name) {
			c.forget(e.name) // it may have come in just as the name was dropped
		}
	}()
	for try := 0; ; {
		i, err := c.attempt(ctx, e, try)
		if err == nil || ctx.Err() != nil {
			return
		}
		until, held := heldUntil(err)
		if i != nil {
			err = c.explain(ctx, i, e, err)
		}
		var wait time.Duration
		switch {
		case errors.Is(err, errNotListening):
			wait = time.Second
		case errors.As(err, new(stalled)):
			wait = jitter(30 * time.Second) // or until the storage answers
		case e.internal:
			try++
			wait = min(c.backoff(try), 10*time.Minute) // there is no CA to be gentle with
		default:
			try++
			wait = c.backoff(try)
			if left := time.Until(until); left > wait {
				wait = left + rand.N(left/10+1) // more names may be waiting for the same
			}
		}
		c.failed(e, err, wait, held)
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-e.nudge:
		}
		timer.Stop()
	}
}

// attempt loads the certificate of e's name or, when there is none, orders it,
// once. try counts the failures so far. The error is that of the issuance.
func (c *Certs) attempt(ctx context.Context, e *entry, try int) (*issuance, error) {
	i := c.internal
	if !e.internal {
		var err error
		if i, err = c.public(e); err != nil {
			c.looked(e)
			return nil, err
		}
	}
	cert, err := c.load(ctx, i, e.name)
	if err == nil {
		c.credit(ctx, e, i, cert)
	}
	c.looked(e)
	if errors.Is(err, fs.ErrNotExist) {
		if i.acme != nil && e.by != byDNS && i.httpPort == 0 && i.httpsPort == 0 {
			return nil, errNotListening
		}
		if err = c.order(ctx, i, e.name, try, false); err == nil {
			cert, err = c.load(ctx, i, e.name)
		}
	}
	if err == nil {
		c.take(e, i, cert)
	}
	if err = i.stalled(err); errors.As(err, new(stalled)) {
		return nil, err
	}
	return i, err
}

// take has handshakes and renewals go on with cert, which the cache has got.
func (c *Certs) take(e *entry, i *issuance, cert certmagic.Certificate) {
	// What the cache has of other issuers is now out of date.
	var others []string
	for _, other := range c.cache.AllMatchingCertificates(e.name) {
		if other.Names[0] == e.name && other.Hash() != cert.Hash() {
			others = append(others, other.Hash())
		}
	}
	c.cache.Remove(others)
	if cert.NeedsRenewal(i.renew) {
		c.hasten()
	}
	c.mu.Lock()
	e.err, e.retry = nil, time.Time{}
	e.old = e.old && e.hash != cert.Hash() // until collect has it
	c.mu.Unlock()
	c.poke()
}

// hasten has what is due renewed now, not when the cache next looks.
func (c *Certs) hasten() {
	select {
	case c.due <- struct{}{}:
	default:
	}
}

// renewDue does what hasten asks for, until ctx ends. It is not for Run's loop:
// before it renews, the cache asks CAs one after the other about each
// certificate, and they may be slow to answer.
func (c *Certs) renewDue(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.due:
			if err := c.cache.RenewManagedCertificates(ctx); err != nil {
				c.log.Warn("cannot renew certificates", "error", err)
			}
		}
	}
}

// load brings the certificate from the storage into the cache; the error is
// fs.ErrNotExist when there is none that can be used.
func (c *Certs) load(ctx context.Context, i *issuance, name string) (certmagic.Certificate, error) {
	select {
	case c.loads <- struct{}{}:
		defer func() { <-c.loads }()
	case <-ctx.Done():
		return certmagic.Certificate{}, ctx.Err()
	}
	cert, err := i.obtain.CacheManagedCertificate(ctx, name)
	if unusable(err) && ctx.Err() == nil {
		cert, err = c.setAside(ctx, i, name)
	}
	if s, ok := i.storage.(*shared); ok && errors.Is(err, fs.ErrNotExist) {
		for _, issuer := range i.issuers {
			if there, wrong := s.bring(ctx, issuer, name); wrong != nil {
				return cert, wrong
			} else if there {
				return i.obtain.CacheManagedCertificate(ctx, name)
			}
		}
	}
	return cert, err
}

// order makes one attempt to get a certificate from the CA into the storage;
// with again, also when there is one already.
func (c *Certs) order(ctx context.Context, i *issuance, name string, try int, again bool) error {
	select {
	case c.orders <- struct{}{}:
		defer func() { <-c.orders }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if s, ok := i.storage.(*shared); ok {
		if err := s.bringAccounts(ctx); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute+time.Duration(i.config.DNS.Propagation))
	defer cancel()
	ctx = context.WithValue(ctx, certmagic.AttemptsCtxKey, &try)
	if again {
		return i.obtain.RenewCertSync(ctx, name, true)
	}
	return i.obtain.ObtainCertSync(ctx, name)
}

// collect takes what the cache has for each name into the table. Only Run's loop calls it.
func (c *Certs) collect() {
	c.collectDemanded()
	c.mu.Lock()
	found := make(map[string]certmagic.Certificate, len(c.entries))
	var looked []*entry
	for name, e := range c.entries {
		if e.own != nil {
			continue
		}
		found[name] = certmagic.Certificate{}
		if e.looked && !e.shown {
			looked = append(looked, e)
		}
	}
	c.mu.Unlock()
	for name := range found {
		found[name] = c.newest(name)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, e := range c.entries {
		cert := found[name]
		if e.own != nil || !e.differs(cert) {
			continue
		}
		e.old = e.old && e.hash == cert.Hash()
		e.cert, e.hash = new(tls.Certificate), cert.Hash()
		*e.cert = cert.Certificate
	}
	c.publish()
	for _, e := range looked {
		e.shown = true
	}
	c.stir()
}

// newest is what the cache has for the very name.
func (c *Certs) newest(name string) (best certmagic.Certificate) {
	for _, cert := range c.cache.AllMatchingCertificates(name) {
		if cert.Names[0] == name && (best.Leaf == nil || cert.Leaf.NotBefore.After(best.Leaf.NotBefore)) {
			best = cert
		}
	}
	return best
}

// differs reports whether cert is another than that of e.
func (e *entry) differs(cert certmagic.Certificate) bool {
	return cert.Leaf != nil && (e.cert == nil || e.hash != cert.Hash() || !bytes.Equal(e.cert.OCSPStaple, cert.OCSPStaple))
}

// event is called by certmagic. What becomes of an order its keeper knows; of a
// renewal nobody else.
func (c *Certs) event(ctx context.Context, event string, data map[string]any) error {
	name, _ := data["identifier"].(string)
	renewal, _ := data["renewal"].(bool)
	switch event {
	case "cert_obtaining":
		return c.mayObtain(ctx, name, renewal)
	case "cert_obtained":
		key, _ := data["issuer"].(string)
		var from *issuance
		c.mu.Lock()
		if e := c.entry(name); e != nil && e.own == nil {
			if from = c.issuance(e.internal, e.from); from != nil {
				e.issuer = from.named(key)
			}
			c.got(e, renewal)
			if e.demand != nil {
				c.demanded.changed[name] = true
			}
		}
		c.mu.Unlock()
		if from != nil {
			if err := from.supersede(ctx, name, key); err != nil {
				c.log.Warn("cannot remove the certificate of another CA", "name", name, "error", err)
			}
		}
		c.poke()
	case "cert_failed":
		err, _ := data["error"].(error)
		if !renewal || err == nil {
			break
		}
		c.notRenewed(ctx, name, err)
	}
	return nil
}

// notRenewed notes that the cache could not renew a certificate; it will try again.
func (c *Certs) notRenewed(ctx context.Context, name string, err error) {
	until, held := heldUntil(err)
	c.mu.Lock()
	e := c.entry(name)
	// Whoever asks for it is told; and for one from files no CA is asked any more.
	// Nor is one that wants to be left alone, which is told of once.
	skip := e == nil || e.renewing || e.own != nil || held && e.err != nil
	c.mu.Unlock()
	if skip {
		return
	}
	if i := c.issuance(e.internal, e.from); i != nil {
		err = c.explain(ctx, i, e, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e.retry = until
	c.fell(e, "certificate not renewed", fmt.Errorf("cannot renew: %w", err))
}

// issuance returns the newest one for names of a kind; nil before the first is needed.
func (c *Certs) issuance(internal bool, from source) *issuance {
	if internal {
		return c.internal
	}
	return c.sources()[from]
}

// configFor tells the cache how to renew cert. It takes no lock, for it is called under those of the cache.
func (c *Certs) configFor(cert certmagic.Certificate) (*certmagic.Config, error) {
	name := cert.Names[0]
	at, known := c.table.Load().find(name)
	if h := c.demanded.hold(name); !known && h != nil {
		at, known = h.place, true
	}
	if i := c.issuance(known && at.internal || !known && Internal(name), at.from); i != nil {
		return i.renew, nil
	}
	return nil, fmt.Errorf("cannot renew the certificate of %s: it is not wanted", name)
}

// failed notes why there is no certificate for e yet, and when the next attempt is; with held, no CA was asked.
func (c *Certs) failed(e *entry, err error, wait time.Duration, held bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e.retry = time.Now().Add(wait)
	if errors.Is(err, errNotListening) || errors.As(err, new(stalled)) || held && e.err != nil {
		return
	}
	c.fell(e, "cannot get a certificate", err)
}

func (c *Certs) looked(e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e.looked = true
	c.poke()
}

// wants reports whether a CA is to be asked for name, or a client has just come for it.
func (c *Certs) wants(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entry(name)
	return e != nil && e.own == nil || e == nil && c.demanded.flights[name] != nil
}

// forget takes the certificates of name out of the cache, so that they are not renewed.
func (c *Certs) forget(name string) {
	if !c.wants(name) {
		c.cache.RemoveManaged([]certmagic.SubjectIssuer{{Subject: name}})
	}
}

// clean removes what has long ended from the storage.
func (c *Certs) clean(ctx context.Context) {
	if err := c.storage.sweep(); err != nil {
		c.log.Warn("cannot remove what was left half written", "error", err)
	}
	all := []certmagic.Storage{c.storage}
	if now := c.linked.Load(); now != nil && now.to != nil {
		all = append(all, now.to)
	}
	for _, one := range all {
		err := certmagic.CleanStorage(ctx, one, certmagic.CleanStorageOptions{
			Logger:                 zapTo(c.log, true),
			Interval:               23 * time.Hour,
			OCSPStaples:            true,
			ExpiredCerts:           true,
			ExpiredCertGracePeriod: 14 * 24 * time.Hour,
		})
		if err != nil && ctx.Err() == nil {
			c.log.Warn("cannot clean the storage of certificates", "error", err)
		}
	}
}
