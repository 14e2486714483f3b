package tls

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"

	"roost/tls/redisstore"
)

// link is the shared storage that is wanted. It never changes.
type link struct {
	sharing
	key  redisstore.Key
	to   *shared  // nil: cannot be used, wrong says why
	stop func()   // has nobody follow it any more
	bad  *Failure // what is wrong with what the Config says
}

// stalled is an error that is about the storage: no CA was asked, and it is
// told of once, not of each name.
type stalled struct{ *Failure }

func (s stalled) Unwrap() error { return s.Failure }

// connect makes c.linked the storage that is wanted. Only Run's loop calls it.
func (c *Certs) connect(ctx context.Context, started *sync.WaitGroup) {
	c.mu.Lock()
	want := c.want.Config.sharing()
	c.mu.Unlock()
	now := c.linked.Load()
	if want == (sharing{}) {
		if now != nil {
			c.linked.Store(nil)
			now.stop()
			c.hurry()
		}
		return
	}
	key, err := redisstore.ReadKey(want.keyFile)
	same := now != nil && now.sharing == want
	if same && now.to != nil {
		if err == nil && !key.Equal(now.key) {
			now.to.Rekey(key)
			c.linked.Store(&link{sharing: want, key: key, to: now.to, stop: now.stop})
		}
		return
	}
	next := &link{sharing: want, key: key, stop: func() {}}
	if err == nil {
		next.to, err = c.share(want, key)
	}
	if err != nil {
		next.bad = &Failure{"the storage cannot be used: " + err.Error(), "correct it and apply the config again; what is there is served meanwhile"}
		if !same || now.bad.Text != next.bad.Text {
			c.log.Error("the shared storage cannot be used", "error", err)
		}
	}
	if next.to != nil {
		own, cancel := context.WithCancel(ctx)
		next.stop = func() {
			cancel()
			next.to.Retire()
		}
		started.Go(func() { c.follow(own, next.to) })
	}
	c.linked.Store(next)
	if now != nil {
		now.stop()
	}
	c.hurry()
}

func (c *Certs) share(want sharing, key redisstore.Key) (*shared, error) {
	o := redisstore.Options{URL: string(want.url), Key: key, Password: want.password(), Lease: c.lease, Patience: c.patience}
	if want.caRoot != "" {
		var err error
		if o.Roots, err = readRoots(want.caRoot); err != nil {
			return nil, err
		}
	}
	redis, err := redisstore.New(o)
	if err != nil {
		return nil, err
	}
	c.opened = append(c.opened, redis)
	return &shared{Redis: redis, copies: c.storage, log: c.log}, nil
}

// storageOf is where certificates of public names are kept, as config says.
func (c *Certs) storageOf(config Config) (storage, error) {
	want := config.sharing()
	if want == (sharing{}) {
		return c.storage, nil
	}
	switch now := c.linked.Load(); {
	case now == nil || now.sharing != want:
		return nil, stalled{&Failure{Text: "the storage is not looked at yet"}}
	case now.to == nil:
		return nil, stalled{now.bad}
	default:
		return now.to, nil
	}
}

// stalled makes err one about the storage of i where that is in trouble.
func (i *issuance) stalled(err error) error {
	if s, ok := i.storage.(*shared); ok && err != nil {
		if t := s.Trouble(); t != nil {
			return stalled{&Failure{t.Text, t.Hint}}
		}
	}
	return err
}

// StorageProblem is what is wrong with the shared storage and what to do about
// it, for people; empty when nothing is, or there is none.
func (c *Certs) StorageProblem() string {
	now := c.linked.Load()
	switch {
	case now == nil:
		return ""
	case now.bad != nil:
		return now.bad.Text + ": " + now.bad.Hint
	}
	if t := now.to.Trouble(); t != nil {
		return t.Text + ": " + t.Hint
	}
	return ""
}

// hurry has all keepers that wait try now.
func (c *Certs) hurry() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.entries {
		select {
		case e.nudge <- struct{}{}:
		default:
		}
	}
}

// follow has what other boxes store served by this one, until ctx ends.
func (c *Certs) follow(ctx context.Context, s *shared) {
	var hearing sync.WaitGroup
	defer hearing.Wait()
	hearing.Go(func() { s.Run(ctx) })
	since, said := int64(0), ""
	for {
		now, err := c.catchUp(ctx, s, since)
		if err == nil {
			since = now
		}
		if ctx.Err() != nil {
			return
		}
		wait := jitter(45 * time.Second) // messages may be lost
		if t := s.Trouble(); t != nil {
			if wait = jitter(3 * time.Second); said != t.Text {
				c.log.Warn("the shared storage is in trouble; what is there is served", "error", t.Text, "hint", t.Hint)
			}
			said = t.Text
		} else if said != "" {
			said = ""
			c.log.Info("the shared storage answers again", "storage", s.String())
			c.hurry()
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-s.News:
		}
		timer.Stop()
	}
}

// catchUp takes what was stored after the change of number since.
func (c *Certs) catchUp(ctx context.Context, s *shared, since int64) (now int64, err error) {
	keys, now, err := s.Changed(ctx, since)
	if err == nil {
		err = c.tickets.share(ctx, s)
	}
	if err != nil || len(keys) == 0 && now >= since {
		return now, err
	}
	type place struct {
		*entry
		issuer certmagic.Issuer
	}
	at := map[string]place{} // by key of the certificate
	c.mu.Lock()
	for _, e := range c.entries {
		i := c.issuance(e.internal, e.from)
		if e.internal || e.own != nil || e.refused || i == nil || i.storage != storage(s) {
			continue
		}
		for _, issuer := range i.issuers {
			at[certmagic.StorageKeys.SiteCert(issuer.IssuerKey(), e.name)] = place{e, issuer}
		}
	}
	c.mu.Unlock()
	for _, key := range keys {
		if p, ok := at[key]; ok {
			if err := c.takeOver(ctx, s, p.entry, key); err != nil && s.Trouble() != nil {
				return since, err
			}
		}
	}
	if now < since { // it has forgotten everything
		for _, p := range at {
			if _, err := s.bring(ctx, p.issuer, p.name); err != nil {
				return since, err
			}
		}
	}
	return now, nil
}

// takeOver serves the certificate at key where it is another than that of e.
func (c *Certs) takeOver(ctx context.Context, s *shared, e *entry, key string) error {
	text, err := s.Redis.Load(ctx, key)
	block, _ := pem.Decode(text)
	c.mu.Lock()
	i := c.issuance(false, e.from)
	waits := e.cert == nil || e.old
	same := !waits && block != nil && (bytes.Equal(block.Bytes, e.cert.Certificate[0]) || older(block.Bytes, e.cert.Leaf))
	c.mu.Unlock()
	switch {
	case errors.Is(err, fs.ErrNotExist) || same || i == nil:
		return nil
	case waits: // its keeper loads it
		select {
		case e.nudge <- struct{}{}:
		default:
		}
		return nil
	}
	var cert certmagic.Certificate
	if err == nil || unusable(err) {
		cert, err = c.load(ctx, i, e.name)
	}
	if err != nil {
		c.log.Warn("cannot take over what another box has stored", "name", e.name, "error", err)
		return fmt.Errorf("cannot load %s: %w", key, err)
	}
	if c.wants(e.name) {
		c.log.Info("certificate taken over from another box", "name", e.name)
		c.credit(ctx, e, i, cert)
		c.take(e, i, cert)
	}
	return nil
}

// older reports whether a stored certificate is of before that which is served:
// a server that has lost its last writes, or was given back what it had, may
// have one that has ended.
func older(der []byte, served *x509.Certificate) bool {
	stored, err := x509.ParseCertificate(der)
	return err == nil && stored.NotBefore.Before(served.NotBefore) && stored.NotAfter.Before(served.NotAfter)
}
