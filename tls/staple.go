package tls

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
	"sync"
	"time"
)

// staple is what handshakes have with a certificate whose CA runs a responder
// (RFC 6066, section 8): its last answer, until that ends. It is asked when
// half of that time is over, and after a failure again and again; handshakes
// never wait for it. Answers are stored, for a start while it is down.
type staple struct {
	plain *tls.Certificate
	cert  *tls.Certificate // with the answer; nil: there is none that can be used
	ends  time.Time        // of the answer
	// looked says that the storage was searched; tried that the responder was asked.
	looked, tried bool
	asking        bool
	next          time.Time // when it is asked
	failures      int       // in a row
	revoked       time.Time // by the CA; zero: it is not
	err           error     // of the last attempt
}

// stapler is what Certs staple with.
type stapler struct {
	responders *http.Client
	again      time.Duration         // between questions to a responder, at least; tests set it before Run
	unstapled  chan struct{}         // to the loop of staple; holds one
	staples    map[stapleKey]*staple // guarded by Certs.mu
}

func newStapler() stapler {
	return stapler{
		responders: &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment}},
		again:      time.Minute,
		unstapled:  make(chan struct{}, 1),
		staples:    map[stapleKey]*staple{},
	}
}

// searched reports whether what was stored is in use. The caller holds Certs.mu.
func (s *stapler) searched() bool {
	for _, one := range s.staples {
		if !one.looked {
			return false
		}
	}
	return true
}

type stapleKey [sha256.Size]byte

func (k stapleKey) path() string { return path.Join("ocsp", hex.EncodeToString(k[:])) } // certmagic cleans there

func keyOf(cert *tls.Certificate) stapleKey { return sha256.Sum256(cert.Leaf.Raw) }

// stapled is cert as handshakes are to have it; before is what they have had
// under the same name. The caller holds c.mu.
func (c *Certs) stapled(cert, before *tls.Certificate, now time.Time) *tls.Certificate {
	if cert == nil || len(cert.Leaf.OCSPServer) == 0 {
		return cert
	}
	key := keyOf(cert)
	s := c.staples[key]
	if s == nil {
		s = &staple{plain: cert}
		c.staples[key] = s
		c.unstaple()
	}
	if s.plain != cert { // read anew, with other certificates behind it perhaps
		if s.plain = cert; s.cert != nil {
			s.cert = with(s.cert.OCSPStaple, cert)
		}
	}
	switch {
	case s.cert != nil && now.Before(s.ends):
		return s.cert
	case !s.tried && mustStaple(cert.Leaf) && before != nil && now.Before(before.Leaf.NotAfter):
		return before // clients refuse the new one until it has its staple
	case len(cert.OCSPStaple) > 0:
		return with(nil, cert) // certmagic's, which serves it beyond its end
	}
	return cert
}

func with(staple []byte, cert *tls.Certificate) *tls.Certificate {
	stapled := *cert
	stapled.OCSPStaple = staple
	return &stapled
}

// unsteady is what there is to say of a certificate for what its responder
// says; nil: nothing. The caller holds c.mu.
func (c *Certs) unsteady(cert *tls.Certificate, now time.Time) error {
	if cert == nil || len(cert.Leaf.OCSPServer) == 0 {
		return nil
	}
	s := c.staples[keyOf(cert)]
	switch {
	case s == nil:
		return nil
	case !s.revoked.IsZero():
		return &Failure{"its CA has revoked the certificate, on " + s.revoked.UTC().Format(time.DateOnly) + ": clients that ask the CA refuse it", "get another, with another key where the old one may be known"}
	case mustStaple(cert.Leaf) && s.err != nil && (s.cert == nil || !now.Before(s.ends)):
		return &Failure{fmt.Sprintf("the certificate is good with an answer of its CA's responder only (must-staple), and there is none: %v", s.err), "see that this box reaches " + cert.Leaf.OCSPServer[0] + "; it is asked again and again"}
	}
	return nil
}

// unstaple has the loop of staple look.
func (c *Certs) unstaple() {
	select {
	case c.unstapled <- struct{}{}:
	default:
	}
}

// staple asks responders until ctx ends.
func (c *Certs) staple(ctx context.Context) {
	var asked sync.WaitGroup
	defer c.responders.CloseIdleConnections()
	defer asked.Wait()
	slots := make(chan struct{}, 16)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.unstapled:
		case <-timer.C:
		}
		due, next := c.dueStaples(time.Now())
		for key, s := range due {
			asked.Go(func() { c.refresh(ctx, slots, key, s) })
		}
		timer.Reset(time.Until(next))
	}
}

// dueStaples takes out what nobody serves any more and what has ended, marks
// those whose responder is to be asked now, and says when to look again.
func (c *Certs) dueStaples(now time.Time) (due map[stapleKey]*staple, next time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	served := map[stapleKey]bool{}
	for e := range c.every {
		if e.cert != nil && len(e.cert.Leaf.OCSPServer) > 0 {
			served[keyOf(e.cert)] = true
		}
	}
	due, next = map[stapleKey]*staple{}, now.Add(time.Hour)
	ended := false
	for key, s := range c.staples {
		if !served[key] {
			delete(c.staples, key)
			continue
		}
		if s.cert != nil && !now.Before(s.ends) {
			s.cert, ended = nil, true
		}
		if s.cert != nil {
			next = earlier(next, s.ends)
		}
		if s.asking {
			continue
		}
		if now.Before(s.next) {
			next = earlier(next, s.next)
			continue
		}
		s.asking = true
		due[key] = s
	}
	if ended {
		c.publish()
	}
	return due, next
}

// refresh gets an answer for s: at first the stored one, then from the responder.
func (c *Certs) refresh(ctx context.Context, slots chan struct{}, key stapleKey, s *staple) {
	cert, looked := c.plain(s)
	if !looked {
		raw, err := c.storage.Load(ctx, key.path())
		var v *verdict
		if err == nil {
			v, _ = read(raw, cert, time.Now())
		}
		c.note(func(now time.Time) {
			if s.looked = true; v != nil {
				c.hold(s, v, now)
				s.asking = false
			}
		})
		if v != nil {
			return
		}
	}
	select {
	case slots <- struct{}{}:
	case <-ctx.Done():
		return
	}
	v, err := ask(ctx, c.responders, cert)
	<-slots
	if ctx.Err() != nil {
		return
	}
	if err == nil && v.revoked.IsZero() {
		if err := c.storage.Store(ctx, key.path(), v.raw); err != nil {
			c.log.Warn("cannot store the answer of a responder", "error", err)
		}
	}
	c.note(func(now time.Time) {
		s.asking, s.tried, s.err = false, true, err
		if err == nil {
			c.hold(s, v, now)
			return
		}
		if s.failures++; s.failures == 1 {
			c.log.Warn("no answer of the responder of a certificate's CA; the one before is served until it ends", "names", cert.Leaf.DNSNames, "responder", cert.Leaf.OCSPServer[0], "error", err)
		}
		s.next = now.Add(jitter(min(c.again<<min(s.failures-1, 10), time.Hour)))
	})
}

func (c *Certs) plain(s *staple) (cert *tls.Certificate, looked bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return s.plain, s.looked
}

// note changes a staple, and has handshakes and the loop see it.
func (c *Certs) note(change func(now time.Time)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(time.Now())
	c.publish()
	c.stir()
	c.unstaple()
}

// hold takes over an answer. The caller holds c.mu.
func (c *Certs) hold(s *staple, v *verdict, now time.Time) {
	if s.revoked.IsZero() && !v.revoked.IsZero() {
		c.log.Error("a certificate is revoked by its CA", "names", s.plain.Leaf.DNSNames, "on", v.revoked.Format(time.RFC3339))
	}
	s.cert, s.ends, s.revoked, s.failures = nil, v.ends, v.revoked, 0
	if v.revoked.IsZero() {
		s.cert = with(v.raw, s.plain)
	}
	s.next = v.from.Add(v.ends.Sub(v.from) / 2)
	// Not at once again where answers are old when they are given.
	if least := now.Add(max(c.again, min(v.ends.Sub(now)/2, time.Hour))); s.next.Before(least) {
		s.next = least
	}
}
