package tls

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	pebbleca "github.com/letsencrypt/pebble/v2/ca"
	pebblecore "github.com/letsencrypt/pebble/v2/core"
	pebbledb "github.com/letsencrypt/pebble/v2/db"
	pebbleva "github.com/letsencrypt/pebble/v2/va"
	pebblewfe "github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"

	"roost/internal/httplint"
	"roost/internal/testport"
)

// Orders take a second or two, most of it waiting, so the tests that order run
// side by side. Each has a name of its own, for certmagic keeps its challenges
// and jobs by name, for the whole process.

// acmeCA is a real ACME CA (pebble) in this process. It finds every name at
// 127.0.0.1, and the box at the ports it was made for.
type acmeCA struct {
	directory string
	root      string // file of the certificate to trust its directory by
	pool      *x509.CertPool
	orders    atomic.Int32 // made; the CA refuses some nonces, and what it refused is asked again
	down      atomic.Bool  // answers 503
	fault     atomic.Pointer[fault]
	limited   atomic.Bool            // refuses orders, as too many
	after     atomic.Int32           // and says to come again after as many seconds
	refused   atomic.Int32           // orders, for that
	replacing atomic.Int32           // orders that were made and said which certificate they replace
	polled    atomic.Bool            // wants to be asked at once for when to renew
	early     atomic.Bool            // and says now, for every certificate
	ordering  atomic.Pointer[func()] // called once, before an order is made
	authority *pebbleca.CAImpl
	accounts  atomic.Int32 // made
	bound     atomic.Int32 // with a binding
	roots     []*x509.Certificate
}

type acmeOptions struct {
	httpPort, tlsPort int
	life              uint64    // of certificates, in seconds; 90 days when 0
	shortlived        bool      // there is a profile of this name, of 160 hours
	eab               [2]string // key id and key; an account needs them
	eabOptional       bool      // or may do without
	alternates        int       // roots that chains may lead to, beside the first
	dns               string    // where it asks for names; of nameServer when empty
	ocsp              string    // the responder that certificates name; its keys are RSA then, which pebble hands out
}

func newACME(t *testing.T, o acmeOptions) *acmeCA {
	t.Helper()
	quiet := log.New(io.Discard, "", 0)
	if o.life == 0 {
		o.life = 90 * 24 * 3600
	}
	if o.dns == "" {
		o.dns = nameServer(t)
	}
	store := pebbledb.NewMemoryStore()
	profiles := map[string]pebbleca.Profile{"default": {Description: "of 90 days or as said", ValidityPeriod: o.life}}
	if o.shortlived {
		profiles["shortlived"] = pebbleca.Profile{Description: "of 160 hours", ValidityPeriod: 160 * 3600}
	}
	kind := "ecdsa"
	if o.ocsp != "" {
		kind = "rsa"
	}
	authority := pebbleca.New(quiet, store, o.ocsp, kind, o.alternates, 1, profiles)
	validation := pebbleva.New(quiet, o.httpPort, o.tlsPort, false, o.dns, store)
	if o.eab[0] != "" {
		if err := store.AddExternalAccountKeyByID(o.eab[0], o.eab[1]); err != nil {
			t.Fatal(err)
		}
	}
	front := pebblewfe.New(quiet, store, validation, authority, nil, false, o.eab[0] != "" && !o.eabOptional, 0, 0)
	handler := front.Handler()
	a := &acmeCA{pool: x509.NewCertPool(), authority: authority}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.down.Load() {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		if fault := a.fault.Load(); fault != nil && (*fault)(handler, w, r) {
			return
		}
		if strings.HasPrefix(r.URL.Path, "/order-plz") {
			if a.limited.Load() {
				a.refused.Add(1)
				w.Header().Set("Content-Type", "application/problem+json")
				if after := a.after.Load(); after > 0 {
					w.Header().Set("Retry-After", fmt.Sprint(after))
				}
				w.WriteHeader(http.StatusTooManyRequests)
				io.WriteString(w, `{"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many certificates already issued, retry after 2030-01-01","status":429}`)
				return
			}
			var order struct{ Replaces string } // RFC 9773, section 5
			payload(t, r, &order)
			seen := &codeWriter{ResponseWriter: w}
			if f := a.ordering.Swap(nil); f != nil {
				(*f)()
			}
			handler.ServeHTTP(seen, r)
			if seen.code == http.StatusCreated {
				a.orders.Add(1)
				if order.Replaces != "" {
					a.replacing.Add(1)
				}
			}
			return
		}
		if strings.HasPrefix(r.URL.Path, "/sign-me-up") {
			var account struct{ ExternalAccountBinding json.RawMessage }
			payload(t, r, &account)
			seen := &codeWriter{ResponseWriter: w}
			handler.ServeHTTP(seen, r)
			if seen.code == http.StatusCreated {
				a.accounts.Add(1)
				if account.ExternalAccountBinding != nil {
					a.bound.Add(1)
				}
			}
			return
		}
		if strings.Contains(r.URL.Path, "/renewalInfo/") {
			a.renewalInfo(t, handler, w, r)
			return
		}
		if id, ok := strings.CutPrefix(r.URL.Path, "/certZ/"); ok {
			replaceable(t, store, id)
		}
		handler.ServeHTTP(w, r)
	}))
	server.Config.ErrorLog = quiet
	server.StartTLS()
	t.Cleanup(server.Close)
	a.directory = server.URL + "/dir"
	a.root = filepath.Join(t.TempDir(), "acme.pem")
	if err := os.WriteFile(a.root, certificatePEM(server.Certificate().Raw), 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range 1 + o.alternates {
		root, err := x509.ParseCertificate(authority.GetRootCert(i).DER)
		if err != nil {
			t.Fatal(err)
		}
		a.roots = append(a.roots, root)
	}
	a.pool.AddCert(a.roots[0])
	return a
}

// nameServer says that every name is at 127.0.0.1, and returns its address.
func nameServer(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &dns.Server{Listener: listener, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		answer := new(dns.Msg)
		answer.SetReply(q)
		if q.Question[0].Qtype == dns.TypeA {
			answer.Answer = append(answer.Answer, &dns.A{
				Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4(127, 0, 0, 1).To4(),
			})
		}
		w.WriteMsg(answer)
	})}
	ended := make(chan error, 1)
	started := make(chan struct{})
	server.NotifyStartedFunc = func() { close(started) }
	go func() { ended <- server.ActivateAndServe() }()
	<-started
	t.Cleanup(func() {
		server.Shutdown()
		<-ended
	})
	return listener.Addr().String()
}

// box is Certs behind real listeners for HTTP and HTTPS.
type box struct {
	*Certs
	httpPort, httpsPort int
	https               string
	plain               string
	challenged          atomic.Int32 // requests that Challenge answered
}

// newBox listens for HTTP and HTTPS, or only for one of them.
func newBox(t *testing.T, o Options, http_, https bool, edit func(*Certs)) *box {
	t.Helper()
	b := &box{}
	var inner, plain net.Listener
	for _, l := range []struct {
		on   bool
		l    *net.Listener
		port *int
	}{{http_, &plain, &b.httpPort}, {https, &inner, &b.httpsPort}} {
		if !l.on {
			continue
		}
		var err error
		if *l.l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		*l.port = (*l.l).Addr().(*net.TCPAddr).Port
	}
	o.HTTPPort = func() int { return b.httpPort }
	o.HTTPSPort = func() int { return b.httpsPort }
	b.Certs = running(t, o, edit)
	if https {
		b.https = listening(t, Listen(inner, b.ServerConfig(), ListenOptions{Log: b.log}))
	}
	if http_ {
		b.plain = plain.Addr().String()
		handler := b.Plain(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Error(w, "next", http.StatusTeapot) }))
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen := &codeWriter{ResponseWriter: w, code: http.StatusOK}
			handler.ServeHTTP(seen, r)
			if seen.code == http.StatusOK {
				b.challenged.Add(1)
			}
		})}
		ended := make(chan struct{})
		go func() { defer close(ended); server.Serve(plain) }()
		t.Cleanup(func() { server.Close(); <-ended })
	}
	return b
}

// replaceable has store know the order of a certificate before anybody has the
// certificate. Pebble notes it only after it has said that the order is done,
// and by the serial number without the zero that is before a first bit of 1 in
// DER, so that it would not find it, and say serverInternal, when it is replaced.
func replaceable(t *testing.T, store *pebbledb.MemoryStore, id string) {
	id, _, _ = strings.Cut(id, "/") // "/alternate/1"
	order, err := store.GetOrderByIssuedSerial(id)
	for deadline := time.Now().Add(30 * time.Second); err != nil; order, err = store.GetOrderByIssuedSerial(id) {
		if time.Now().After(deadline) {
			t.Errorf("the CA does not know what it has issued: %v", err)
			return
		}
		<-time.After(time.Millisecond)
	}
	if id < "80" {
		return
	}
	if _, err := store.GetOrderByIssuedSerial("00" + id); err != nil {
		order.RLock()
		again := &pebblecore.Order{Order: order.Order, ID: order.ID, AccountID: order.AccountID, CertificateObject: &pebblecore.Certificate{ID: "00" + id}}
		order.RUnlock()
		if err := store.AddOrderByIssuedSerial(again); err != nil {
			t.Error(err)
		}
	}
}

type codeWriter struct {
	http.ResponseWriter
	code int
}

func (w *codeWriter) WriteHeader(code int) {
	w.code = code
	w.ResponseWriter.WriteHeader(code)
}

// valid waits until name has its certificate.
func (b *box) valid(t *testing.T, name string) Certificate {
	t.Helper()
	eventually(t, name+" has a certificate", func() bool { return status(b.Certs, name).State == Valid })
	return status(b.Certs, name)
}

func TestACertificateIsHadByTheHTTPChallenge(t *testing.T) {
	t.Parallel()
	b := newBox(t, Options{}, true, true, func(c *Certs) { c.backoff = soon })
	// The HTTPS port is not where the CA looks: only HTTP-01 can succeed.
	ca := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: 1})
	b.Want(Want{Config: Config{Issuer: ca.directory, CARoot: ca.root, Email: "ops@example.com"}, Names: []string{"http.example.com", "localhost"}})
	settle(t, b.Certs)
	s := b.valid(t, "http.example.com")
	if s.Issuer != ca.directory || s.KeyType != "ecdsa-p256" || s.Error != "" {
		t.Errorf("status: %+v", s)
	}
	if b.challenged.Load() == 0 {
		t.Error("Challenge answered nothing")
	}
	if _, err := dial(b.https, &tls.Config{ServerName: "http.example.com", RootCAs: ca.pool}); err != nil {
		t.Error(err)
	}
	// All else goes to the next handler, also what only looks like a challenge.
	for _, path := range []string{"/", "/.well-known/acme-challenge/unknown", "/.well-known/other"} {
		response, err := (&http.Client{Transport: &httplint.Transport{T: t, Base: &http.Transport{DisableKeepAlives: true}}}).Get("http://" + b.plain + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusTeapot {
			t.Errorf("%s: %s", path, response.Status)
		}
	}
	// Another Want with the same names orders nothing.
	before := ca.orders.Load()
	b.Want(Want{Config: b.want.Config, Names: []string{"http.example.com"}})
	settle(t, b.Certs)
	if b.valid(t, "http.example.com"); ca.orders.Load() != before {
		t.Error("ordered again")
	}
}

// soon is a backoff for tests.
func soon(int) time.Duration { return 50 * time.Millisecond }

func TestACertificateIsHadByTheTLSChallenge(t *testing.T) {
	t.Parallel()
	b := newBox(t, Options{}, false, true, func(c *Certs) { c.backoff = soon })
	ca := newACME(t, acmeOptions{httpPort: 1, tlsPort: b.httpsPort})
	b.Want(Want{Config: Config{Issuer: ca.directory, CARoot: ca.root}, Names: []string{"tls.example.com"}})
	settle(t, b.Certs)
	b.valid(t, "tls.example.com")
	if _, err := dial(b.https, &tls.Config{ServerName: "tls.example.com", RootCAs: ca.pool}); err != nil {
		t.Error(err)
	}
}

func TestAStoredPublicCertificateIsServedWithoutItsCA(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var want Want
	var pool *x509.CertPool
	t.Run("get it", func(t *testing.T) {
		b := newBox(t, Options{Dir: dir}, true, true, func(c *Certs) { c.backoff = soon })
		ca := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort})
		want, pool = Want{Config: Config{Issuer: ca.directory}, Names: []string{"stored.example.com"}}, ca.pool
		first := want
		first.CARoot = ca.root
		b.Want(first)
		b.valid(t, "stored.example.com")
	})
	// The CA is gone, and so is the box's way to it.
	b := newBox(t, Options{Dir: dir}, true, true, nil)
	b.Want(want)
	settle(t, b.Certs)
	if _, err := dial(b.https, &tls.Config{ServerName: "stored.example.com", RootCAs: pool}); err != nil {
		t.Error(err)
	}
}

func TestACAThatCannotBeReachedHoldsUpNothingElseAndIsToldInStatus(t *testing.T) {
	checkLeaks(t)
	b := newBox(t, Options{}, true, true, func(c *Certs) {
		c.backoff = func(int) time.Duration { return time.Hour }
	})
	b.Want(Want{Config: Config{Issuer: "https://" + testport.Address(t) + "/dir"}, Names: []string{"www.example.com", "localhost"}})
	start := time.Now()
	settle(t, b.Certs)
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("Settle waited %v for the CA", took)
	}
	if _, err := dial(b.https, client(t, b.Certs, "localhost")); err != nil {
		t.Errorf("localhost: %v", err)
	}
	eventually(t, "the failure is known", func() bool { return status(b.Certs, "www.example.com").State == Failing })
	s := status(b.Certs, "www.example.com")
	if !strings.Contains(s.Error, "connection refused") || time.Until(s.Retry) < 50*time.Minute || s.Tried.IsZero() {
		t.Errorf("status: %+v", s)
	}
	if _, err := dial(b.https, &tls.Config{ServerName: "www.example.com"}); err == nil || !strings.Contains(err.Error(), "internal error") {
		t.Errorf("handshake: %v, want internal error", err)
	}
	text, err := json.Marshal(b.Status())
	if err != nil || !strings.Contains(string(text), `"name":"localhost","issuer":"internal","state":"valid","key_type":"ecdsa-p256","not_before":"`) {
		t.Errorf("JSON: %s, %v", text, err)
	}
}

func TestAFailedOrderIsTriedAgain(t *testing.T) {
	t.Parallel()
	b := newBox(t, Options{}, true, true, func(c *Certs) { c.backoff = soon })
	ca := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort})
	// First the file holds another CA's root.
	file := filepath.Join(t.TempDir(), "roots.pem")
	other, err := b.ca.rootPEM()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, other, 0o600); err != nil {
		t.Fatal(err)
	}
	failing := func(with string) {
		t.Helper()
		eventually(t, "the failure is known", func() bool {
			s := status(b.Certs, "again.example.com")
			return s.State == Failing && strings.Contains(s.Error, with)
		})
	}
	b.Want(Want{Config: Config{Issuer: ca.directory, CARoot: file}, Names: []string{"again.example.com"}})
	failing("unknown authority")
	ca.down.Store(true)
	right, err := os.ReadFile(ca.root)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, right, 0o600); err != nil {
		t.Fatal(err)
	}
	failing("503")
	ca.down.Store(false)
	if s := b.valid(t, "again.example.com"); s.Error != "" || !s.Retry.IsZero() {
		t.Errorf("status: %+v", s)
	}
}

func TestTheCAsOwnWordsAreInStatus(t *testing.T) {
	t.Parallel()
	b := newBox(t, Options{}, true, true, func(c *Certs) { c.backoff = soon })
	// The CA looks at ports where nobody is.
	ca := newACME(t, acmeOptions{httpPort: 1, tlsPort: 1})
	b.Want(Want{Config: Config{Issuer: ca.directory, CARoot: ca.root}, Names: []string{"words.example.com"}})
	var said string
	eventually(t, "the CA's words are known", func() bool {
		said = status(b.Certs, "words.example.com").Error
		return strings.Contains(said, "says: ") && strings.Contains(said, "127.0.0.1:1")
	})
	if !strings.Contains(said, "80 and 443") {
		t.Errorf("status: %s", said)
	}
}

func TestAnotherIssuerTakesOverWithoutAGap(t *testing.T) {
	t.Parallel()
	b := newBox(t, Options{}, true, true, func(c *Certs) { c.backoff = soon })
	one := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort})
	two := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort})
	want := func(config Config) {
		b.Want(Want{Config: config, Names: []string{"another.example.com"}})
		settle(t, b.Certs)
	}
	want(Config{Issuer: one.directory, CARoot: one.root})
	b.valid(t, "another.example.com")
	two.down.Store(true)
	want(Config{Issuer: two.directory, CARoot: two.root})
	eventually(t, "the second fails", func() bool { return status(b.Certs, "another.example.com").State == Failing })
	if _, err := dial(b.https, &tls.Config{ServerName: "another.example.com", RootCAs: one.pool}); err != nil {
		t.Errorf("while the second is down: %v", err)
	}
	two.down.Store(false)
	b.valid(t, "another.example.com")
	eventually(t, "the second's is served", func() bool {
		_, err := dial(b.https, &tls.Config{ServerName: "another.example.com", RootCAs: two.pool})
		return err == nil
	})
	// And back: what the first has issued is still in the storage.
	orders := one.orders.Load()
	want(Config{Issuer: one.directory, CARoot: one.root})
	eventually(t, "the first's is served", func() bool {
		_, err := dial(b.https, &tls.Config{ServerName: "another.example.com", RootCAs: one.pool})
		return err == nil
	})
	if s := b.valid(t, "another.example.com"); s.Issuer != one.directory || one.orders.Load() != orders {
		t.Errorf("ordered %d times more, %+v", one.orders.Load()-orders, s)
	}
	want(Config{Issuer: "internal"})
	if _, err := dial(b.https, client(t, b.Certs, "another.example.com")); err != nil {
		t.Errorf("internal: %v", err)
	}
}

func TestZeroSSLGetsItsCredentialsByMail(t *testing.T) {
	t.Parallel()
	const id, key = "kid-1", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
	told := &testLog{t: t}
	var asked atomic.Int32
	desk := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch asked.Add(1) {
		case 1:
			w.WriteHeader(http.StatusBadGateway)
			io.WriteString(w, "<html>")
		case 2:
			io.WriteString(w, `{"success":false,"error":{"code":2900,"type":"email_rejected"}}`)
		default:
			if r.Method != http.MethodPost || r.FormValue("email") != "ops@example.com" {
				t.Errorf("%s for %q", r.Method, r.FormValue("email"))
			}
			fmt.Fprintf(w, `{"success":true,"eab_kid":%q,"eab_hmac_key":%q}`, id, key)
		}
	}))
	defer desk.Close()
	directory := map[string]string{}
	b := newBox(t, Options{Log: slogTo(told)}, true, true, func(c *Certs) {
		c.backoff = soon
		c.zeroSSLURL, c.directories = desk.URL, directory
	})
	ca := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort, eab: [2]string{id, key}})
	directory[ZeroSSL] = ca.directory // nobody looks before Want
	b.Want(Want{Config: Config{Issuer: ZeroSSL, Email: "ops@example.com", CARoot: ca.root}, Names: []string{"zerossl.example.com"}})
	if s := b.valid(t, "zerossl.example.com"); s.Issuer != ZeroSSL {
		t.Errorf("status: %+v", s)
	}
	for _, want := range []string{"status 502", "email_rejected (2900)"} {
		if !strings.Contains(told.String(), want) {
			t.Errorf("the log does not say %q", want)
		}
	}
	if _, err := base64.RawURLEncoding.DecodeString(key); err != nil {
		t.Error(err)
	}
}

func TestARootFileThatCannotBeReadIsToldInStatus(t *testing.T) {
	b := newBox(t, Options{}, true, true, func(c *Certs) { c.backoff = soon })
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, pem.EncodeToMemory(&pem.Block{Type: "OTHER"}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{filepath.Join(t.TempDir(), "none.pem"), empty} {
		b.Want(Want{Config: Config{Issuer: "https://127.0.0.1:1/dir", CARoot: file}, Names: []string{"www.example.com"}})
		settle(t, b.Certs)
		eventually(t, "the failure is known", func() bool { return strings.Contains(status(b.Certs, "www.example.com").Error, file) })
	}
}

func TestChallengesAreLeftAloneBeforeAnyCAWasAsked(t *testing.T) {
	b := newBox(t, Options{}, true, true, nil)
	response, err := (&http.Client{Transport: &httplint.Transport{T: t, Base: &http.Transport{DisableKeepAlives: true}}}).Get("http://" + b.plain + "/.well-known/acme-challenge/x")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusTeapot {
		t.Errorf("answer: %s", response.Status)
	}
	if _, err := dial(b.https, &tls.Config{ServerName: "www.example.com", NextProtos: []string{"acme-tls/1"}, InsecureSkipVerify: true}); err == nil {
		t.Error("a challenge that nobody has was answered")
	}
}

func TestAnOrderEndsWithItsContext(t *testing.T) {
	checkLeaks(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts in the kernel, never answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	c, stop := runningUntil(t, Options{HTTPPort: func() int { return 80 }}, nil)
	c.Want(Want{Config: Config{Issuer: "https://" + silent.Addr().String() + "/dir"}, Names: []string{"www.example.com"}})
	settle(t, c)
	conn, err := silent.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	start := time.Now()
	stop()
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("Run took %v to end", took)
	}
}

func TestAPublicCertificateIsRenewedAndAFailureToldInTime(t *testing.T) {
	t.Parallel()
	name := unique("renewed")
	b := newBox(t, Options{}, true, true, func(c *Certs) {
		c.backoff = soon
		c.check = 100 * time.Millisecond
	})
	ca := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort, life: 4})
	config := Config{Issuer: ca.directory, CARoot: ca.root, Email: "old@example.com"}
	b.Want(Want{Config: config, Names: []string{name}})
	first := b.valid(t, name)
	config.Email = "new@example.com" // another account
	b.Want(Want{Config: config, Names: []string{name}})
	eventually(t, "another certificate is served", func() bool {
		p, _ := b.table.Load().find(name)
		return p.cert.Leaf.NotAfter.After(first.Expires)
	})
	ca.down.Store(true)
	eventually(t, "the failure is known", func() bool { return status(b.Certs, name).State == Failing })
	if s := status(b.Certs, name); !strings.Contains(s.Error, "cannot renew: ") || s.Expires.IsZero() || s.Tried.IsZero() {
		t.Errorf("status: %+v", s)
	}
}

func TestAskingAgainTriesAgain(t *testing.T) {
	t.Parallel()
	b := newBox(t, Options{}, true, true, func(c *Certs) {
		c.backoff = func(try int) time.Duration {
			if try == 1 {
				return time.Hour
			}
			return soon(try)
		}
	})
	ca := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort})
	ca.down.Store(true)
	want := Want{Config: Config{Issuer: ca.directory, CARoot: ca.root}, Names: []string{"hurry.example.com"}}
	b.Want(want)
	eventually(t, "the failure is known", func() bool { return status(b.Certs, "hurry.example.com").State == Failing })
	ca.down.Store(false)
	b.mu.Lock()
	b.entries["hurry.example.com"].tried = time.Now().Add(-2 * time.Minute)
	b.mu.Unlock()
	b.Want(want)
	b.valid(t, "hurry.example.com")
}

func TestTheHostMayListenLater(t *testing.T) {
	t.Parallel()
	var listens atomic.Bool
	b := newBox(t, Options{}, false, true, func(c *Certs) {
		c.backoff = soon
		port := c.o.HTTPSPort
		c.o.HTTPSPort = func() int {
			if listens.Load() {
				return port()
			}
			return 0
		}
	})
	ca := newACME(t, acmeOptions{tlsPort: b.httpsPort, httpPort: 1})
	b.Want(Want{Config: Config{Issuer: ca.directory, CARoot: ca.root}, Names: []string{"later.example.com"}})
	settle(t, b.Certs)
	eventually(t, "it waits", func() bool { return !status(b.Certs, "later.example.com").Retry.IsZero() })
	if s := status(b.Certs, "later.example.com"); s.State != Waiting || ca.orders.Load() != 0 {
		t.Errorf("status: %+v", s)
	}
	listens.Store(true)
	b.valid(t, "later.example.com")
}
