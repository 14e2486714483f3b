package tls

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
)

// payload reads what r asks of an ACME CA, and leaves it to be read.
func payload(t *testing.T, r *http.Request, into any) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var signed struct{ Payload string }
	if err := json.Unmarshal(body, &signed); err != nil {
		t.Errorf("a request that is not JSON: %v", err)
		return
	}
	text, err := base64.RawURLEncoding.DecodeString(signed.Payload)
	if err != nil || json.Unmarshal(text, into) != nil {
		t.Errorf("a request that cannot be read: %s", body)
	}
}

// keptBody keeps the body from whoever asks.
type keptBody struct {
	http.ResponseWriter
	body bytes.Buffer
}

func (*keptBody) WriteHeader(int) {}

func (k *keptBody) Write(b []byte) (int, error) { return k.body.Write(b) }

// renewalInfo is what pebble says of when to renew (RFC 9773, section 4.2). For
// a revoked certificate it is as long as that of Let's Encrypt, half an hour:
// pebble's second is none to acmez.
func (a *acmeCA) renewalInfo(t *testing.T, pebble http.Handler, w http.ResponseWriter, r *http.Request) {
	said := &keptBody{ResponseWriter: w}
	pebble.ServeHTTP(said, r)
	var info struct {
		SuggestedWindow struct {
			Start time.Time `json:"start"`
			End   time.Time `json:"end"`
		} `json:"suggestedWindow"`
	}
	if err := json.Unmarshal(said.body.Bytes(), &info); err != nil {
		http.Error(w, said.body.String(), http.StatusNotFound)
		return
	}
	window := &info.SuggestedWindow
	if a.early.Load() {
		window.Start = time.Now().Add(-time.Hour)
		window.End = window.Start
	}
	if window.End.Sub(window.Start) <= time.Second {
		window.End = window.Start.Add(30 * time.Minute)
	}
	w.Header().Del("Content-Length")
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Retry-After", "21600")
	if a.polled.Load() {
		w.Header().Set("Retry-After", "0")
	}
	json.NewEncoder(w).Encode(info)
}

func TestACertificateIsRenewedWhenItsCASaysSo(t *testing.T) {
	t.Parallel()
	name := unique("early")
	b := newBox(t, Options{}, true, true, func(c *Certs) { c.backoff, c.check = soon, 50*time.Millisecond })
	ca := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort})
	ca.polled.Store(true)
	b.Want(Want{Config: Config{Issuer: ca.directory, CARoot: ca.root, Email: "early@example.com"}, Names: []string{name}})
	first := b.leaf(t, name)
	if ca.replacing.Load() != 0 {
		t.Error("the first order said that it replaces something")
	}
	ca.early.Store(true)
	eventually(t, "another certificate is served", func() bool {
		return b.leaf(t, name).SerialNumber.Cmp(first.SerialNumber) != 0
	})
	// The CA knows what is replaced a moment after it was issued, or never, so not each order says it.
	eventually(t, "an order says what it replaces", func() bool { return ca.replacing.Load() > 0 })
	ca.early.Store(false)
	if s := status(b.Certs, name); s.State != Valid || s.Failures != 0 {
		t.Errorf("status: %+v", s)
	}
	// One that a person asks for says so as well, and to another account says nothing.
	eventually(t, "a person may ask", func() bool {
		replacing, orders := ca.replacing.Load(), ca.orders.Load()
		if err := b.Renew(t.Context(), name); err != nil && !errors.Is(err, ErrSoon) {
			t.Fatal(err)
		}
		return ca.replacing.Load() > replacing && ca.orders.Load() > orders
	})
	b.Want(Want{Config: Config{Issuer: ca.directory, CARoot: ca.root, Email: "late@example.com"}, Names: []string{name}})
	settle(t, b.Certs)
	replacing := ca.replacing.Load()
	eventually(t, "it is renewed by another account", func() bool { return b.Renew(t.Context(), name) == nil })
	if ca.replacing.Load() != replacing {
		t.Error("an order of another account was taken with what it replaces")
	}
}

func TestACAThatStumblesOverWhatIsReplacedIsAskedWithout(t *testing.T) {
	t.Parallel()
	name := unique("stumbles")
	b := newBox(t, Options{}, true, true, func(c *Certs) { c.backoff = soon })
	ca := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort})
	b.Want(Want{Config: Config{Issuer: ca.directory, CARoot: ca.root}, Names: []string{name}})
	settle(t, b.Certs)
	b.valid(t, name)
	var stumbled atomic.Int32
	stumbles := fault(func(_ http.Handler, w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.URL.Path, "/order-plz") {
			return false
		}
		var order struct{ Replaces string }
		if payload(t, r, &order); order.Replaces == "" {
			return false
		}
		stumbled.Add(1)
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusInternalServerError)
		io.WriteString(w, `{"type":"urn:ietf:params:acme:error:serverInternal","detail":"no such order","status":500}`)
		return true
	})
	ca.fault.Store(&stumbles)
	if err := b.Renew(t.Context(), name); err != nil {
		t.Error(err)
	}
	if stumbled.Load() == 0 || ca.orders.Load() != 2 || ca.replacing.Load() != 0 {
		t.Errorf("stumbled %d times; %d orders, %d of them said what they replace", stumbled.Load(), ca.orders.Load(), ca.replacing.Load())
	}
}

func TestACAThatIsSlowToSayWhenToRenewHoldsUpNothing(t *testing.T) {
	t.Parallel()
	name := unique("slow")
	b := newBox(t, Options{}, true, true, func(c *Certs) { c.backoff = soon })
	ca := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort})
	ca.polled.Store(true)
	config := Config{Issuer: ca.directory, CARoot: ca.root}
	b.Want(Want{Config: config, Names: []string{name}})
	b.leaf(t, name)
	waits, release := make(chan struct{}, 1), make(chan struct{})
	t.Cleanup(func() { close(release) })
	silent := fault(func(_ http.Handler, _ http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, "/renewalInfo/") {
			return false
		}
		select {
		case waits <- struct{}{}:
		default:
		}
		select {
		case <-release:
		case <-r.Context().Done():
		}
		return true
	})
	ca.fault.Store(&silent)
	eventually(t, "it is asked when to renew", func() bool {
		b.hasten()
		select {
		case <-waits:
			return true
		default:
			return false
		}
	})
	b.Want(Want{Config: config, Names: []string{name, "localhost"}})
	settle(t, b.Certs)
	other := unique("meanwhile") // of the internal CA: the other one is asked within an order, too
	b.Want(Want{Config: config, Names: []string{name, "localhost"}, OnDemand: []Demand{{OnDemand: OnDemand{Allow: []string{other}}, Names: []string{"*"}, Issuer: internalCA}}})
	serves(t, b.https, other, roots(t, b.Certs))
}

func TestARevokedCertificateIsReplaced(t *testing.T) {
	t.Parallel()
	name := unique("revoked")
	b := newBox(t, Options{}, true, true, func(c *Certs) { c.backoff, c.check = soon, 50*time.Millisecond })
	ca := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort})
	ca.polled.Store(true)
	config := Config{Issuer: ca.directory, CARoot: ca.root, Email: "revoked@example.com"}
	b.Want(Want{Config: config, Names: []string{name}})
	first := b.leaf(t, name)
	issuer := b.sources()[config.source(byPorts)].acme
	if err := issuer.PreCheck(t.Context(), []string{name}, false); err != nil {
		t.Fatal(err)
	}
	if err := issuer.Revoke(t.Context(), certmagic.CertificateResource{CertificatePEM: certificatePEM(first.Raw)}, 4); err != nil {
		t.Fatal(err)
	}
	eventually(t, "another certificate is served", func() bool {
		return b.leaf(t, name).SerialNumber.Cmp(first.SerialNumber) != 0
	})
}
