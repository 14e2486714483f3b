package tls

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestACertificateIsRenewedWhenAPersonAsks(t *testing.T) {
	t.Parallel()
	b := newBox(t, Options{}, true, true, func(c *Certs) { c.backoff = soon })
	ca := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort})
	b.Want(Want{Config: Config{Issuer: ca.directory, CARoot: ca.root}, Names: []string{"renewed.example.com", "renewed.localhost"}})
	settle(t, b.Certs)
	b.valid(t, "renewed.example.com")
	for _, name := range []string{"renewed.example.com", "renewed.localhost", "Renewed.Example.com."} {
		key, _ := canonical(name)
		before, _ := b.table.Load().find(key)
		orders := ca.orders.Load()
		if err := b.Renew(t.Context(), name); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		after, _ := b.table.Load().find(key)
		if after.cert == nil || after.cert.Leaf.SerialNumber.Cmp(before.cert.Leaf.SerialNumber) == 0 {
			t.Errorf("%s: the same certificate is served", name)
		}
		if s := status(b.Certs, key); s.State != Valid || s.Error != "" {
			t.Errorf("%s: %+v", name, s)
		}
		if ca.orders.Load() == orders && key == "renewed.example.com" {
			t.Errorf("%s: no order", name)
		}
	}
	// One that does not wait for the CA, which goes on.
	left, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Renew(left, "renewed.localhost"); !errors.Is(err, context.Canceled) && err != nil {
		t.Errorf("whoever has left: %v", err)
	}
	eventually(t, "it can be asked for again", func() bool { return b.Renew(t.Context(), "renewed.localhost") == nil })
}

func TestARenewalThatFailsSaysWhyAndKeepsWhatIsServed(t *testing.T) {
	t.Parallel()
	b := newBox(t, Options{}, true, true, func(c *Certs) { c.backoff = soon })
	ca := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort})
	b.Want(Want{Config: Config{Issuer: ca.directory, CARoot: ca.root}, Names: []string{"kept.example.com"}})
	b.valid(t, "kept.example.com")
	before, _ := b.table.Load().find("kept.example.com")
	ca.limited.Store(true)
	err := b.Renew(t.Context(), "kept.example.com")
	var failure *Failure
	if !errors.As(err, &failure) || !strings.Contains(failure.Text, "too many certificates already issued") || !strings.Contains(failure.Hint, "wait") {
		t.Errorf("limited: %v, %+v", err, failure)
	}
	if s := status(b.Certs, "kept.example.com"); s.State != Failing || !strings.Contains(s.Error, "cannot renew: ") || s.Hint == "" || s.Expires.IsZero() {
		t.Errorf("status: %+v", s)
	}
	if after, _ := b.table.Load().find("kept.example.com"); after.cert != before.cert {
		t.Error("another certificate is served")
	}
	// CAs count failures: not again at once.
	ca.limited.Store(false)
	orders := ca.orders.Load()
	if err := b.Renew(t.Context(), "kept.example.com"); !errors.Is(err, ErrSoon) || !errors.As(err, &failure) || ca.orders.Load() != orders {
		t.Errorf("at once: %v", err)
	}
	b.mu.Lock()
	b.entries["kept.example.com"].tried = time.Now().Add(-gap)
	b.mu.Unlock()
	if err := b.Renew(t.Context(), "kept.example.com"); err != nil || status(b.Certs, "kept.example.com").State != Valid {
		t.Errorf("a minute later: %v, %+v", err, status(b.Certs, "kept.example.com"))
	}
}

func TestWhatCannotBeRenewedIsRefused(t *testing.T) {
	c, stop := runningUntil(t, Options{}, nil)
	c.Want(Want{Names: []string{"localhost", "bad name"}})
	settle(t, c)
	if err := c.Renew(t.Context(), "other.localhost"); !errors.Is(err, ErrUnknown) {
		t.Errorf("not wanted: %v", err)
	}
	if err := c.Renew(t.Context(), "bad name"); err == nil || !strings.Contains(err.Error(), "neither a domain name nor an address") {
		t.Errorf("no name: %v", err)
	}
	// A storage that cannot be written.
	if err := os.RemoveAll(filepath.Join(c.o.Dir, "certificates")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.o.Dir, "certificates"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.Renew(t.Context(), "localhost"); err == nil || status(c, "localhost").State != Failing {
		t.Errorf("without storage: %v, %+v", err, status(c, "localhost"))
	}
	stop()
	if err := c.Renew(t.Context(), "localhost"); err == nil || !strings.Contains(err.Error(), "do not run") {
		t.Errorf("after the end: %v", err)
	}
}
