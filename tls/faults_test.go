package tls

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddyserver/certmagic"

	"roost/internal/testca"
)

// fault answers instead of a CA, or does something to it, and reports whether it has answered.
type fault func(pebble http.Handler, w http.ResponseWriter, r *http.Request) bool

// says is a fault that always says the same.
func says(kind, body string) fault {
	return func(_ http.Handler, w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Type", kind)
		io.WriteString(w, body)
		return true
	}
}

func TestFaultsOfACAAreToldAndPass(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]struct {
		fault fault
		said  string // in status; empty: it issues all the same
	}{
		"half an answer": {func(_ http.Handler, w http.ResponseWriter, _ *http.Request) bool {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"newNonce\":")
				conn.Close()
			}
			return true
		}, "unexpected EOF"},
		"half of JSON":     {says("application/json", `{"newNonce":`), "JSON"},
		"JSON of no sense": {says("application/json", `[{"newNonce":{}}]`), "JSON"},
		"a page to log in": {says("text/html", "<html>"), "text/html"},
		"a problem without sense": {func(_ http.Handler, w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, `<html>`)
			return true
		}, "403"},
		"most nonces are refused": {func() fault {
			var n atomic.Int32
			return func(pebble http.Handler, w http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodPost || n.Add(1)%3 == 0 {
					return false
				}
				another := r.Clone(r.Context())
				another.Method, another.URL.Path, another.Body = http.MethodHead, "/nonce-plz", http.NoBody
				pebble.ServeHTTP(&keptBody{ResponseWriter: w}, another)
				w.Header().Del("Content-Length")
				w.Header().Set("Content-Type", "application/problem+json")
				w.WriteHeader(http.StatusBadRequest)
				io.WriteString(w, `{"type":"urn:ietf:params:acme:error:badNonce","detail":"no good","status":400}`)
				return true
			}
		}(), ""},
		"slow answers": {func(_ http.Handler, _ http.ResponseWriter, r *http.Request) bool {
			timer := time.NewTimer(100 * time.Millisecond)
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-r.Context().Done():
			}
			return false
		}, ""},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			name := unique("fault")
			b := newBox(t, Options{}, true, true, func(c *Certs) { c.backoff = soon })
			ca := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort})
			ca.fault.Store(&test.fault)
			b.Want(Want{Config: Config{Issuer: ca.directory, CARoot: ca.root, Email: name[:12] + "@example.com"}, Names: []string{name, "localhost"}})
			settle(t, b.Certs)
			if _, err := dial(b.https, client(t, b.Certs, "localhost")); err != nil {
				t.Errorf("localhost: %v", err)
			}
			if test.said != "" {
				failing(t, b, name, test.said)
				if ca.orders.Load() != 0 {
					t.Errorf("%d orders", ca.orders.Load())
				}
				ca.fault.Store(nil)
			}
			if s := b.valid(t, name); s.Error != "" || test.said == "" && s.Failures != 0 {
				t.Errorf("status: %+v", s)
			}
		})
	}
}

func TestAClockThatIsFarFromTheCAsIsSuspected(t *testing.T) {
	t.Parallel()
	// To a clock that is ahead, what the CA shows has expired.
	signer := testca.New(t, "Root")
	pair, err := tls.X509KeyPair(signer.Site(func(as *x509.Certificate) { as.NotAfter = time.Now().Add(-time.Hour) }, "127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	directory := httptest.NewUnstartedServer(http.NotFoundHandler())
	directory.Config.ErrorLog = log.New(io.Discard, "", 0)
	directory.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	directory.StartTLS()
	defer directory.Close()
	roots := filepath.Join(t.TempDir(), "roots.pem")
	writeFile(t, roots, string(signer.RootPEM()))
	b := newBox(t, Options{}, true, true, func(c *Certs) { c.backoff = soon })
	b.Want(Want{Config: Config{Issuer: directory.URL + "/dir", CARoot: roots}, Names: []string{"clock.example.com"}})
	failing(t, b, "clock.example.com", "has expired")
	if s := status(b.Certs, "clock.example.com"); !strings.Contains(s.Hint, "see that the clock of this box is right: it says "+time.Now().Format("2006-")) || !strings.Contains(s.Problem, s.Hint) {
		t.Errorf("status: %+v", s)
	}
}

func TestAClockThatIsWrongMakesNoStormOfOrders(t *testing.T) {
	// By itself, for certmagic's queue of renewals is one for the process.
	for what, test := range map[string]struct {
		from, until time.Duration // of what is issued, to the clock of this box
		most        int
	}{
		"behind by a day":          {24 * time.Hour, 91 * 24 * time.Hour, 1},
		"ahead by a day":           {-25 * time.Hour, 89 * 24 * time.Hour, 1},
		"ahead by more than lives": {-100 * 24 * time.Hour, -10 * 24 * time.Hour, 5},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &asked{}
				signer := testca.New(t, "Root")
				name := unique("time")
				c, stop := runningUntil(t, Options{Log: nolog, HTTPPort: func() int { return 80 }}, func(c *Certs) {
					c.directories = map[string]string{LetsEncrypt: "https://ca.example.com/dir"}
					c.issue = func(_ string, csr *x509.CertificateRequest, _ *ear) (*certmagic.IssuedCertificate, error) {
						a.add()
						return issued(t, signer, csr, test.from, test.until), nil
					}
				})
				c.Want(Want{Config: Config{Issuer: LetsEncrypt}, Names: []string{name}})
				settle(t, c)
				time.Sleep(time.Hour)
				if s := status(c, name); test.from > 0 && (s.State != Valid || !strings.Contains(s.Problem, "is not valid before ") || !strings.Contains(s.Problem, "clock")) {
					t.Errorf("status: %+v", s)
				}
				time.Sleep(3 * 24 * time.Hour)
				if n := a.count(); n > test.most || n == 0 {
					t.Errorf("%d orders", n)
				}
				if s := status(c, name); test.until < 0 && !strings.Contains(s.Error+s.Problem, "clock") {
					t.Errorf("status: %+v", s)
				}
				stop()
				time.Sleep(time.Minute) // certmagic's locks are let go of
			})
		})
	}
}

// issued is a certificate for what csr asks for.
func issued(t *testing.T, signer *testca.CA, csr *x509.CertificateRequest, from, until time.Duration) *certmagic.IssuedCertificate {
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), DNSNames: csr.DNSNames, NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(until),
	}, signer.Root, csr.PublicKey, signer.Key)
	if err != nil {
		t.Error(err)
	}
	return &certmagic.IssuedCertificate{Certificate: append(certificatePEM(der), signer.RootPEM()...)}
}
