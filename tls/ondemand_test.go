package tls

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"roost/internal/testca"
)

// oracle is a service that says which names may have a certificate.
type oracle struct {
	*httptest.Server
	asked atomic.Int32
	// answer is the status for a name; set before anybody asks, or with a lock of its own.
	answer func(name string) int
}

func newOracle(t *testing.T, answer func(name string) int) *oracle {
	t.Helper()
	o := &oracle{answer: answer}
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.asked.Add(1)
		if r.Method != http.MethodGet || r.URL.Query().Get("key") != "secret" {
			t.Errorf("%s %s", r.Method, r.URL)
		}
		if status := o.answer(r.URL.Query().Get("domain")); status != 0 {
			w.Header().Set("Location", "/elsewhere?key=secret&domain=any.example.com")
			w.WriteHeader(status)
			return
		}
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(o.Close)
	return o
}

func (o *oracle) ask() string { return o.URL + "/allowed?key=secret" }

// wantAny is all public names, from ca, as o says.
func wantAny(ca *acmeCA, o OnDemand) Want {
	w := Want{Config: Config{Issuer: internalCA}, OnDemand: []Demand{{OnDemand: o, Names: []string{"*"}}}}
	if ca != nil {
		w.Config = Config{Issuer: ca.directory, CARoot: ca.root}
	}
	return w
}

// serves waits until a handshake for name succeeds with what pool trusts.
func serves(t *testing.T, address, name string, pool *x509.CertPool) (leaf *x509.Certificate) {
	t.Helper()
	var err error
	eventually(t, name+" is served", func() bool {
		var state tls.ConnectionState
		if state, err = dial(address, &tls.Config{ServerName: name, RootCAs: pool}); err == nil {
			leaf = state.PeerCertificates[0]
		}
		return err == nil
	})
	return leaf
}

// refuses expects an alert.
func refuses(t *testing.T, address, name, alert string) {
	t.Helper()
	if _, err := dial(address, &tls.Config{ServerName: name, InsecureSkipVerify: true}); err == nil || !strings.Contains(err.Error(), alert) {
		t.Errorf("%s: %v, want the alert %s", name, err, alert)
	}
}

// from is what a handshake for name by a client at an address is answered with.
func (c *Certs) from(t *testing.T, client, name string) (cert *tls.Certificate, err error) {
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	config := c.ServerConfig()
	config.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		cert, err = c.certificate(hello)
		return nil, nil
	}
	go tls.Client(theirs, &tls.Config{ServerName: name, InsecureSkipVerify: true}).HandshakeContext(t.Context())
	tls.Server(remoteConn{ours, &net.TCPAddr{IP: net.ParseIP(client), Port: 1}}, config).HandshakeContext(t.Context())
	return cert, err
}

type remoteConn struct {
	net.Conn
	remote net.Addr
}

func (c remoteConn) RemoteAddr() net.Addr { return c.remote }

const (
	unknownName = "unrecognized name"
	notNow      = "internal error"
)

func TestACertificateIsHadOnDemandForNamesThatAreAllowed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		challenge string
		http      bool // the box listens for it
	}{{"http", true}, {"tls", false}} {
		t.Run(test.challenge, func(t *testing.T) {
			t.Parallel()
			told := &happened{}
			b := newBox(t, Options{Tell: told.tell}, test.http, true, func(c *Certs) { c.backoff = soon })
			ports := acmeOptions{httpPort: b.httpPort, tlsPort: 1}
			if !test.http {
				ports = acmeOptions{httpPort: 1, tlsPort: b.httpsPort}
			}
			ca := newACME(t, ports)
			name, below := test.challenge+"-listed.example.com", "a.b."+test.challenge+".example.org"
			b.Want(wantAny(ca, OnDemand{Allow: []string{strings.ToUpper(name), "*." + test.challenge + ".example.org"}}))
			settle(t, b.Certs)
			refuses(t, b.https, "other.example.com", unknownName)
			refuses(t, b.https, test.challenge+".example.org", unknownName)
			if n := ca.orders.Load(); n != 0 || len(b.Status()) != 0 {
				t.Errorf("%d orders, %+v", n, b.Status())
			}
			serves(t, b.https, name, ca.pool)
			serves(t, b.https, below, ca.pool)
			if s := status(b.Certs, name); !s.OnDemand || s.State != Valid || s.Issuer != ca.directory || s.Error != "" || s.Renews.IsZero() {
				t.Errorf("status: %+v", s)
			}
			orders := ca.orders.Load()
			serves(t, b.https, name, ca.pool)
			if ca.orders.Load() != orders {
				t.Error("ordered what was there")
			}
			if f := b.OnDemand(); f.Names != 2 || f.Denied != 2 || f.Asked != 0 {
				t.Errorf("%+v", f)
			}
			if kinds := told.kinds(name); !slices.Contains(kinds, EventObtained) {
				t.Errorf("told: %v", kinds)
			}
			// A person may renew it, and config that knows nothing of it ends it.
			if err := b.Renew(t.Context(), name); err != nil || ca.orders.Load() == orders {
				t.Errorf("renew: %v", err)
			}
			b.Want(Want{})
			refuses(t, b.https, name, unknownName)
		})
	}
}

func TestAServiceIsAskedWhichNamesMayHaveACertificate(t *testing.T) {
	t.Parallel()
	answers := map[string]int{"yes.example.com": 200, "nothing.example.com": 204, "gone.example.com": 410, "created.example.com": 201, "xn--caf-dma.example.com": 200}
	o := newOracle(t, func(name string) int {
		if answers[name] == 0 {
			return 404
		}
		return answers[name]
	})
	b := newBox(t, Options{}, true, true, func(c *Certs) { c.backoff = soon })
	ca := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort})
	b.Want(wantAny(ca, OnDemand{Ask: o.ask(), Allow: []string{"listed.example.com"}}))
	for _, name := range []string{"no.example.com", "nothing.example.com", "gone.example.com", "created.example.com"} {
		before := o.asked.Load()
		refuses(t, b.https, name, unknownName)
		refuses(t, b.https, strings.ToUpper(name), unknownName)
		if n := o.asked.Load() - before; n != 1 {
			t.Errorf("%s: asked %d times", name, n)
		}
	}
	before := o.asked.Load()
	serves(t, b.https, "listed.example.com", ca.pool)
	for _, name := range []string{
		"localhost", "a.localhost", "box.local", "db.internal", "printer", "192.0.2.1", "::1", "10.0.0.1", "1.2.3", "-a.example.com", "a_b.example.com",
		"xn--a.example.com", strings.Repeat("a", 64) + ".example.com", "*.example.com",
	} {
		if cert, err := b.certificate(&tls.ClientHelloInfo{ServerName: name, Conn: remoteConn{remote: &net.TCPAddr{}, Conn: fakeConn{local: &net.TCPAddr{IP: net.ParseIP("127.0.0.1")}}}}); cert != nil || err != nil {
			t.Errorf("%s: %v, %v", name, cert, err)
		}
	}
	if o.asked.Load() != before {
		t.Error("asked about a name that is listed, or about what no CA would issue for")
	}
	serves(t, b.https, "yes.example.com", ca.pool)
	serves(t, b.https, "xn--caf-dma.example.com", ca.pool)
	if n := o.asked.Load() - before; n != 2 {
		t.Errorf("asked %d times about 2 names", n)
	}
	if f := b.OnDemand(); f.Asked != uint64(o.asked.Load()) || f.Undecided != 0 || f.Denied != 8 || len(f.Problems) != 0 {
		t.Errorf("%+v", f)
	}
}

func TestAnAppIsAskedWhichNamesMayHaveACertificate(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	var asked atomic.Value
	b := newBox(t, Options{AskApp: func(ctx context.Context, app, target, domain string) (int, error) {
		asked.Store(app + " " + target + " " + domain)
		if status.Load() == 0 {
			return 0, errors.New("the app is gone")
		}
		return int(status.Load()), nil
	}}, false, true, func(c *Certs) { c.demanded.no, c.demanded.undecided = 0, 0 })
	w := wantAny(nil, OnDemand{Ask: "/allowed?a=b"})
	w.OnDemand[0].App = "web"
	b.Want(w)
	settle(t, b.Certs)
	refuses(t, b.https, "app.example.com", notNow)
	if f := b.OnDemand(); f.Undecided != 1 || len(f.Problems) != 1 || f.Problems[0] != "cannot ask app web at /allowed?a=b: the app is gone" {
		t.Errorf("%+v", f)
	}
	status.Store(503)
	refuses(t, b.https, "app.example.com", notNow)
	status.Store(404)
	refuses(t, b.https, "app.example.com", unknownName)
	status.Store(200)
	serves(t, b.https, "app.example.com", roots(t, b.Certs))
	if asked.Load() != "web /allowed?a=b&domain=app.example.com app.example.com" {
		t.Errorf("asked: %s", asked.Load())
	}
	if f := b.OnDemand(); f.Undecided != 2 || len(f.Problems) != 0 {
		t.Errorf("%+v", f)
	}
}

func TestAStoredCertificateIsServedWhileNobodyCanBeAsked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var w Want
	var pool *x509.CertPool
	t.Run("get it", func(t *testing.T) {
		o := newOracle(t, func(string) int { return 200 })
		b := newBox(t, Options{Dir: dir}, true, true, func(c *Certs) { c.backoff = soon })
		ca := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort})
		w, pool = wantAny(ca, OnDemand{Ask: o.ask()}), ca.pool
		b.Want(w)
		serves(t, b.https, "kept.example.com", pool)
		o.Close()
		serves(t, b.https, "kept.example.com", pool)
		refuses(t, b.https, "new.example.com", notNow)
	})
	// Another start: the service is gone, and so is the CA.
	w.CARoot = ""
	b := newBox(t, Options{Dir: dir}, true, true, nil)
	b.Want(w)
	if _, err := dial(b.https, &tls.Config{ServerName: "kept.example.com", RootCAs: pool}); err != nil {
		t.Error(err)
	}
	if f := b.OnDemand(); f.Asked != 0 {
		t.Errorf("%+v", f)
	}
	refuses(t, b.https, "new.example.com", notNow)
	if f := b.OnDemand(); f.Asked != 1 || f.Undecided != 1 || len(f.Problems) != 1 || !strings.Contains(f.Problems[0], "/allowed: ") || strings.Contains(f.Problems[0], "secret") {
		t.Errorf("%+v", f)
	}
}

func TestManyHandshakesForANameAskAndOrderOnce(t *testing.T) {
	t.Parallel()
	begun := make(chan struct{})
	o := newOracle(t, func(string) int { <-begun; return 200 })
	b := newBox(t, Options{}, true, true, func(c *Certs) { c.demanded.patience = 20 * time.Second })
	ca := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort})
	b.Want(wantAny(ca, OnDemand{Ask: o.ask()}))
	settle(t, b.Certs)
	results := make(chan error)
	for range 50 {
		go func() {
			_, err := b.from(t, "127.0.0.1", "many.example.com")
			results <- err
		}()
	}
	eventually(t, "all wait", func() bool { b.mu.Lock(); defer b.mu.Unlock(); return b.demanded.handshook == 50 })
	close(begun)
	for range 50 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if a, n := o.asked.Load(), ca.orders.Load(); a != 1 || n != 1 {
		t.Errorf("asked %d times, ordered %d times", a, n)
	}
	if _, err := dial(b.https, &tls.Config{ServerName: "many.example.com", RootCAs: ca.pool}); err != nil {
		t.Error(err)
	}
}

func TestAHandshakeDoesNotWaitForeverAndTheOrderGoesOn(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	o := newOracle(t, func(name string) int {
		if name == "slow.example.com" {
			<-release
		}
		return 200
	})
	b := newBox(t, Options{}, false, true, func(c *Certs) { c.demanded.patience = 50 * time.Millisecond })
	b.Want(wantAny(nil, OnDemand{Ask: o.ask()}))
	settle(t, b.Certs)
	refuses(t, b.https, "slow.example.com", notNow)
	serves(t, b.https, "quick.example.com", roots(t, b.Certs)) // is not held up
	close(release)
	serves(t, b.https, "slow.example.com", roots(t, b.Certs))
	if f := b.OnDemand(); f.Asked != 2 || f.Undecided != 0 {
		t.Errorf("%+v", f)
	}
}

func TestAnAnswerIsNotWaitedForLongAndRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	release := make(chan struct{})
	o := newOracle(t, func(name string) int {
		if name == "silent.example.com" {
			<-release
		}
		return int(status.Load())
	})
	defer close(release)
	b := newBox(t, Options{}, false, true, func(c *Certs) { c.demanded.undecided, c.demanded.patience = 0, 20*time.Second })
	b.Want(wantAny(nil, OnDemand{Ask: o.ask()}))
	settle(t, b.Certs)
	for at, said := range map[int32]string{
		0: "EOF", 302: "answered 302: redirects are not followed", 308: "answered 308",
		500: "answered 500", 503: "answered 503", 429: "answered 429", 408: "answered 408",
	} {
		status.Store(at)
		before := o.asked.Load()
		refuses(t, b.https, "unsaid.example.com", notNow)
		f := b.OnDemand()
		if len(f.Problems) != 1 || !strings.Contains(f.Problems[0], said) {
			t.Errorf("%d: %q", at, f.Problems)
		}
		if n := o.asked.Load() - before; n != 1 && at != 0 { // net/http asks again when a kept connection breaks
			t.Errorf("%d: asked %d times", at, n)
		}
	}
	status.Store(200)
	serves(t, b.https, "unsaid.example.com", roots(t, b.Certs))

	short := running(t, Options{}, func(c *Certs) {
		c.demanded.askTime, c.demanded.patience = 50*time.Millisecond, 20*time.Second
	})
	short.Want(wantAny(nil, OnDemand{Ask: o.ask()}))
	settle(t, short)
	if _, err := short.from(t, "192.0.2.1", "silent.example.com"); err == nil || !strings.Contains(err.Error(), "/allowed did not answer within 50ms") {
		t.Error(err)
	}
}

func TestOrdersAreLimitedForEachClientAndInTotal(t *testing.T) {
	t.Parallel()
	c := running(t, Options{}, nil)
	o := OnDemand{Allow: []string{"*.example.com"}, PerHour: 4, PerHourPerClient: 2}
	c.Want(wantAny(nil, o))
	settle(t, c)
	got := func(client, name string, want error) {
		t.Helper()
		cert, err := c.from(t, client, name+".example.com")
		if err != want || (cert == nil) != (want != nil) {
			t.Errorf("%s for %s: %v, want %v", name, client, err, want)
		}
	}
	got("192.0.2.1", "a", nil)
	got("192.0.2.1", "b", nil)
	got("192.0.2.1", "c", errLimited)
	got("192.0.2.1", "a", nil) // what is there costs nothing
	got("2001:db8::1", "c", nil)
	got("2001:db8::2", "d", nil) // the same /64
	o.Allow = append(o.Allow, "example.org")
	c.Want(wantAny(nil, o)) // limits go on counting
	got("2001:db8::3", "e", errLimited)
	got("192.0.2.2", "e", errLimited) // the total
	if f := c.OnDemand(); f.Limited != 3 || f.Names != 4 {
		t.Errorf("%+v", f)
	}
	of := func(ip string) netip.Prefix {
		return clientOf(remoteConn{remote: &net.TCPAddr{IP: net.ParseIP(ip)}})
	}
	if of("2001:db8::1") != of("2001:db8::ffff:0:0:2") || of("2001:db8::1") == of("2001:db8:0:1::1") || of("::ffff:192.0.2.1") != of("192.0.2.1") || of("192.0.2.1") == of("192.0.2.2") {
		t.Error("a client is an address, of IPv6 a /64")
	}
	scarce, client := newQuota(OnDemand{PerHour: 1}), netip.MustParsePrefix("192.0.2.1/32")
	if err := scarce.order(client); err != nil {
		t.Error(err)
	}
	if left := scarce.of(client).orders.Tokens(); scarce.order(client) != errLimited || scarce.of(client).orders.Tokens() < left {
		t.Error("a client pays for an order that is refused for the total")
	}
	if n := newQuota(OnDemand{}); n.total.Burst() != 60 || n.perClient != 10 {
		t.Errorf("usual: %d, %d", n.total.Burst(), n.perClient)
	}
}

func TestAFloodOfNamesIsBoundedAndHoldsUpNoKnownName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	release := make(chan struct{})
	var busy atomic.Bool
	o := newOracle(t, func(name string) int {
		switch {
		case strings.HasPrefix(name, "known"):
			return 200
		case busy.Load():
			<-release
		}
		return 404
	})
	w := wantAny(nil, OnDemand{Ask: o.ask()})
	first, stop := runningUntil(t, Options{Dir: dir}, nil)
	first.Want(w)
	settle(t, first)
	for _, name := range []string{"known1.example.com", "known2.example.com"} {
		if cert, err := first.from(t, "192.0.2.1", name); cert == nil {
			t.Fatal(err)
		}
	}
	stop()

	c := running(t, Options{Dir: dir}, func(c *Certs) {
		c.demanded.most, c.demanded.asks, c.demanded.patience = 64, 4, 20*time.Second
	})
	c.Want(w)
	settle(t, c)
	if cert, err := c.from(t, "192.0.2.1", "known1.example.com"); cert == nil {
		t.Fatal(err)
	}
	for i := range 300 {
		if cert, err := c.from(t, fmt.Sprintf("192.0.%d.%d", i/100, i%100), fmt.Sprintf("no%d.example.com", i)); cert != nil || err != nil {
			t.Fatalf("%v, %v", cert, err)
		}
	}
	d := c.demanded.wanted.any
	if n := len(d.no.young) + len(d.no.old); n > 64 || n < 32 {
		t.Errorf("%d refusals are remembered", n)
	}
	if len(c.demanded.flights) != 0 || len(c.demanded.entries) != 1 || len(c.demanded.clients) != 0 {
		t.Errorf("%d flights, %d names, %d clients", len(c.demanded.flights), len(c.demanded.entries), len(c.demanded.clients))
	}
	// One client alone is stopped before it keeps the service busy.
	asked := o.asked.Load()
	for i := range 100 {
		c.from(t, "198.51.100.1", fmt.Sprintf("alone%d.example.com", i))
	}
	if n := o.asked.Load() - asked; n < questions || n > questions+60 {
		t.Errorf("one client had %d questions asked", n)
	}
	// Many that are answered slowly.
	busy.Store(true)
	asked = o.asked.Load()
	results := make(chan error)
	for i := range c.demanded.asks {
		go func() {
			cert, err := c.from(t, fmt.Sprintf("203.0.113.%d", i), fmt.Sprintf("slow%d.example.com", i))
			if cert != nil {
				err = errors.New("a certificate")
			}
			results <- err
		}()
	}
	eventually(t, "all are asked about", func() bool { return o.asked.Load()-asked == int32(c.demanded.asks) })
	if _, err := c.from(t, "203.0.113.200", "slow.example.com"); err != errBusy {
		t.Errorf("%v, want %v", err, errBusy)
	}
	for _, name := range []string{"known1.example.com", "known2.example.com"} { // in memory, in the storage
		if cert, err := c.from(t, "203.0.113.201", name); cert == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if f := c.OnDemand(); f.Limited == 0 {
		t.Errorf("%+v", f)
	}
	close(release)
	for range c.demanded.asks {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}

func TestHandshakesThatWaitAreBounded(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	o := newOracle(t, func(string) int { <-release; return 200 })
	c := running(t, Options{}, func(c *Certs) {
		c.demanded.waiting, c.demanded.perClient, c.demanded.patience = 3, 2, 20*time.Second
	})
	c.Want(wantAny(nil, OnDemand{Ask: o.ask()}))
	settle(t, c)
	results := make(chan error)
	come := func(client string) {
		go func() {
			_, err := c.from(t, client, "wait.example.com")
			results <- err
		}()
	}
	waiting := func(n int) {
		t.Helper()
		eventually(t, "they wait", func() bool { c.mu.Lock(); defer c.mu.Unlock(); return c.demanded.handshook == n })
	}
	come("192.0.2.1")
	waiting(1)
	come("192.0.2.1")
	waiting(2)
	if _, err := c.from(t, "192.0.2.1", "wait.example.com"); err != errBusy {
		t.Errorf("a third of a client: %v", err)
	}
	come("192.0.2.2")
	waiting(3)
	if _, err := c.from(t, "192.0.2.3", "wait.example.com"); err != errBusy {
		t.Errorf("a fourth in all: %v", err)
	}
	close(release)
	for range 3 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	waiting(0)
}

func TestCertificatesOnDemandInMemoryAreBounded(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	c := running(t, Options{AskApp: func(context.Context, string, string, string) (int, error) { asked.Add(1); return 200, nil }}, func(c *Certs) { c.demanded.most = 16 })
	w := wantAny(nil, OnDemand{Ask: "/", PerHour: 100, PerHourPerClient: 100})
	w.OnDemand[0].App = "web"
	c.Want(w)
	settle(t, c)
	come := func(i int) {
		t.Helper()
		if cert, err := c.from(t, fmt.Sprintf("192.0.2.%d", i), fmt.Sprintf("lru%d.example.com", i)); cert == nil {
			t.Fatal(err)
		}
	}
	old := func(i int) { // makes it the least recently used
		c.demanded.hold(fmt.Sprintf("lru%d.example.com", i)).used.Store(int64(i))
	}
	for i := range 16 {
		come(i)
		old(i)
	}
	come(0) // and that is used again
	for i := 16; i < 20; i++ {
		come(i)
	}
	names := map[string]bool{}
	for _, s := range c.Status() {
		names[s.Name] = true
	}
	if len(names) > 16 || len(names) < 14 || !names["lru0.example.com"] || names["lru1.example.com"] || !names["lru19.example.com"] {
		t.Errorf("%d names: %v", len(names), names)
	}
	eventually(t, "the cache lets go as well", func() bool { return len(c.cache.AllMatchingCertificates("lru1.example.com")) == 0 })
	orders, n := asked.Load(), c.demanded.wanted.any.quota.total.Tokens()
	come(1)
	if asked.Load() != orders || c.demanded.wanted.any.quota.total.Tokens() < n {
		t.Error("what is in the storage was asked about or ordered again")
	}
}

// store puts a certificate of the internal CA, as it seems, into the storage.
func store(t *testing.T, dir, name string, begins, ends time.Duration) (serial string) {
	t.Helper()
	cert, key := testca.New(t, "Root").Site(func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(begins), time.Now().Add(ends)
	}, name)
	dir = filepath.Join(dir, "certificates", "internal", name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string][]byte{".crt": cert, ".key": key, ".json": []byte(`{"sans":["` + name + `"]}`)} {
		if err := os.WriteFile(filepath.Join(dir, name+file), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	block, _ := pem.Decode(cert)
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return leaf.SerialNumber.String()
}

func TestAConfigThatChangesWhileACertificateIsOrderedOnDemand(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		change string
		edit   func(*Want, string)
		served bool
	}{
		{"gone", func(w *Want, _ string) { *w = Want{} }, false},
		{"listed", func(w *Want, name string) { w.Names = []string{name} }, true},
		{"another site", func(w *Want, _ string) { w.OnDemand[0].PerHour = 7 }, true},
		{"the same", func(*Want, string) {}, true},
	} {
		t.Run(test.change, func(t *testing.T) {
			t.Parallel()
			name := unique("meanwhile")
			b := newBox(t, Options{}, true, true, func(c *Certs) { c.backoff, c.demanded.patience = soon, 30*time.Second })
			ca := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort})
			held, release := make(chan struct{}, 8), make(chan struct{})
			slow := fault(func(_ http.Handler, _ http.ResponseWriter, r *http.Request) bool {
				if strings.Contains(r.URL.Path, "/finalize") {
					held <- struct{}{}
					<-release
				}
				return false
			})
			ca.fault.Store(&slow)
			b.Want(wantAny(ca, OnDemand{Allow: []string{name}}))
			settle(t, b.Certs)
			result := make(chan error, 1)
			go func() {
				_, err := b.from(t, "127.0.0.1", name)
				result <- err
			}()
			<-held
			w := wantAny(ca, OnDemand{Allow: []string{name}})
			test.edit(&w, name)
			b.Want(w)
			close(release)
			if err := <-result; err != nil {
				t.Errorf("who came before: %v", err)
			}
			if test.served {
				serves(t, b.https, name, ca.pool)
				if s := b.valid(t, name); s.OnDemand != (len(w.Names) == 0) || ca.orders.Load() != 1 {
					t.Errorf("%d orders, %+v", ca.orders.Load(), s)
				}
			} else {
				refuses(t, b.https, name, unknownName)
			}
			eventually(t, "the cache has what is wanted", func() bool { return (b.newest(name).Leaf != nil) == test.served })
			if n := len(b.Status()); test.served && n != 1 {
				t.Errorf("it is listed %d times", n)
			}
			eventually(t, "nobody waits", func() bool {
				b.mu.Lock()
				defer b.mu.Unlock()
				return len(b.demanded.flights)+b.demanded.pending+b.demanded.handshook == 0
			})
		})
	}
}

func TestANameIsListedAndOnDemandAgainWithoutAGap(t *testing.T) {
	t.Parallel()
	name := unique("moves")
	b := newBox(t, Options{}, true, true, func(c *Certs) { c.backoff = soon })
	ca := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort})
	w := wantAny(ca, OnDemand{Allow: []string{name}})
	b.Want(w)
	first := serves(t, b.https, name, ca.pool)
	ca.down.Store(true)
	listed := w
	listed.Names = []string{name}
	for range 3 {
		b.Want(listed)
		if cert, err := b.from(t, "127.0.0.1", name); cert == nil || !cert.Leaf.Equal(first) {
			t.Errorf("as soon as it is listed: %v", err)
		}
		eventually(t, "it is one of those listed", func() bool { s := status(b.Certs, name); return s.State == Valid && !s.OnDemand })
		b.Want(w)
		if cert, err := b.from(t, "127.0.0.1", name); cert == nil || !cert.Leaf.Equal(first) {
			t.Errorf("as soon as it is not: %v", err)
		}
		settle(t, b.Certs)
		if s := status(b.Certs, name); s.State != Valid || !s.OnDemand {
			t.Errorf("status: %+v", s)
		}
		if b.newest(name).Leaf == nil {
			t.Error("the cache does not have it, so it is not renewed")
		}
	}
	ca.down.Store(false)
	if err := b.Renew(t.Context(), name); err != nil {
		t.Error(err)
	}
}

func TestAnExpiredCertificateOnDemandIsNotServedButReplaced(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store(t, dir, "ended.example.com", -48*time.Hour, -time.Hour)
	var status atomic.Int32
	status.Store(404)
	o := newOracle(t, func(string) int { return int(status.Load()) })
	b := newBox(t, Options{Dir: dir}, false, true, func(c *Certs) { c.demanded.no = 0 })
	b.Want(wantAny(nil, OnDemand{Ask: o.ask()}))
	settle(t, b.Certs)
	refuses(t, b.https, "ended.example.com", unknownName)
	status.Store(200)
	first := serves(t, b.https, "ended.example.com", roots(t, b.Certs))
	// The same once it ends in memory.
	store(t, dir, "ended.example.com", -48*time.Hour, -time.Hour)
	over := *b.demanded.hold("ended.example.com").cert
	leaf := *over.Leaf
	over.Leaf, leaf.NotAfter = &leaf, time.Now().Add(-time.Hour)
	b.mu.Lock()
	e := b.demanded.entries["ended.example.com"]
	e.cert = &over
	b.show(e)
	b.mu.Unlock()
	if next := serves(t, b.https, "ended.example.com", roots(t, b.Certs)); next.SerialNumber.Cmp(first.SerialNumber) == 0 {
		t.Error("the same is served")
	}
}

func TestACertificateOnDemandIsRenewedOnlyWhileItsNameIsAllowed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		answer  int
		error   string
		problem bool
	}{
		{"stays", 200, "", false},
		{"leaves", 404, "cannot renew: the name may have no certificate any more: this one is served until it ends", false},
		{"unsaid", 503, "/allowed answered 503", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o := newOracle(t, func(string) int { return test.answer })
			// certmagic remembers failed renewals by name, for the process.
			name := fmt.Sprintf("%s-%x.example.com", test.name, time.Now().UnixNano())
			dir := t.TempDir()
			old := store(t, dir, name, -48*time.Hour, time.Hour)
			b := newBox(t, Options{Dir: dir}, false, true, nil)
			b.Want(wantAny(nil, OnDemand{Ask: o.ask()}))
			settle(t, b.Certs)
			first, err := dial(b.https, &tls.Config{ServerName: name, InsecureSkipVerify: true})
			if err != nil || first.PeerCertificates[0].SerialNumber.String() != old {
				t.Fatalf("what is stored is not served at once: %v", err)
			}
			if test.answer == 200 {
				serves(t, b.https, name, roots(t, b.Certs))
				return
			}
			var s Certificate
			eventually(t, "it is not renewed", func() bool { s = status(b.Certs, name); return s.Error != "" })
			if !strings.Contains(s.Error, test.error) || s.State != Failing || (s.Problem != "") != test.problem {
				t.Errorf("%+v", s)
			}
			if err := b.Renew(t.Context(), name); err == nil {
				t.Error("renewed all the same")
			}
			next, err := dial(b.https, &tls.Config{ServerName: name, InsecureSkipVerify: true})
			if err != nil || next.PeerCertificates[0].SerialNumber.String() != old {
				t.Errorf("what is there is not served on: %v", err)
			}
		})
	}
}

func TestAHitOnDemandAllocatesNothing(t *testing.T) {
	c := running(t, Options{}, nil)
	w := wantAny(nil, OnDemand{Allow: []string{"*.example.com"}})
	w.Names = []string{"example.com", "*.example.net"}
	c.Want(w)
	settle(t, c)
	if cert, err := c.from(t, "192.0.2.1", "www.example.com"); cert == nil {
		t.Fatal(err)
	}
	hello := &tls.ClientHelloInfo{ServerName: "www.example.com"}
	n := testing.AllocsPerRun(100, func() {
		if cert, err := c.certificate(hello); cert == nil || err != nil {
			t.Fatalf("%v, %v", cert, err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
	c.mu.Lock() // and waits for nobody
	defer c.mu.Unlock()
	if cert, err := c.certificate(hello); cert == nil || err != nil {
		t.Errorf("%v, %v", cert, err)
	}
}
