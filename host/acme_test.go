package host

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"

	"roost/internal/httplint"
)

// pebble is a real ACME CA in this process, which finds every name at
// 127.0.0.1 and the box at these ports.
func pebble(t *testing.T, httpPort, httpsPort int) (directory, rootFile string, trusted *x509.CertPool) {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	names, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	started, ended := make(chan bool), make(chan error, 1)
	resolver := &dns.Server{Listener: names, NotifyStartedFunc: func() { close(started) }, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		answer := new(dns.Msg).SetReply(q)
		if q.Question[0].Qtype == dns.TypeA {
			answer.Answer = append(answer.Answer, &dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4(127, 0, 0, 1).To4()})
		}
		w.WriteMsg(answer)
	})}
	go func() { ended <- resolver.ActivateAndServe() }()
	<-started
	t.Cleanup(func() { resolver.Shutdown(); <-ended })

	quiet, store := log.New(io.Discard, "", 0), db.NewMemoryStore()
	authority := ca.New(quiet, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {Description: "the only one", ValidityPeriod: 90 * 24 * 3600}})
	validation := va.New(quiet, httpPort, httpsPort, false, names.Addr().String(), store)
	front := wfe.New(quiet, store, validation, authority, nil, false, false, 0, 0)
	server := httptest.NewUnstartedServer(front.Handler())
	server.Config.ErrorLog = quiet
	server.StartTLS()
	t.Cleanup(server.Close)
	rootFile = filepath.Join(t.TempDir(), "acme.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(rootFile, text, 0o600); err != nil {
		t.Fatal(err)
	}
	root, err := x509.ParseCertificate(authority.GetRootCert(0).DER)
	if err != nil {
		t.Fatal(err)
	}
	trusted = x509.NewCertPool()
	trusted.AddCert(root)
	return server.URL + "/dir", rootFile, trusted
}

// TestCertificatesComeFromACMEThroughOurListeners has a CA ask the box itself:
// over both listeners, and over that of HTTPS alone.
func TestCertificatesComeFromACMEThroughOurListeners(t *testing.T) {
	for _, test := range []struct{ name, domain, http string }{
		{"HTTP-01 or TLS-ALPN-01", "both.example", "127.0.0.1:0"},
		{"TLS-ALPN-01", "alpn.example", "off"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBox(t)
			root := b.folder(map[string]string{"index.html": "hello"})
			c := Config{Host: Listen{HTTP: test.http, HTTPS: "127.0.0.1:0"}, Sites: []Site{{Domains: []string{"private.localhost"}, Target: Target{Root: root}}}}
			b.settled(c)
			port := func(kind string) int {
				_, text, _ := strings.Cut(b.address(kind), ":")
				n, _ := strconv.Atoi(text)
				return n
			}
			httpPort := 1
			if test.http != "off" {
				httpPort = port("http")
			}
			directory, rootFile, trusted := pebble(t, httpPort, port("https"))
			c.TLS.Issuer, c.TLS.CARoot = directory, rootFile
			c.Sites = append(c.Sites, Site{Domains: []string{test.domain}, Target: Target{Root: root}})
			b.settled(c) // does not wait for the CA
			client := &http.Client{Timeout: 30 * time.Second, Transport: &httplint.Transport{T: t, Base: &http.Transport{
				TLSClientConfig: &tls.Config{RootCAs: trusted}, ForceAttemptHTTP2: true,
				DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
					return new(net.Dialer).DialContext(ctx, "tcp", b.address("https"))
				},
			}}}
			t.Cleanup(client.CloseIdleConnections)
			until(t, "a certificate of the CA", func() bool {
				res, err := client.Get("https://" + test.domain + "/")
				if err != nil {
					return false
				}
				defer res.Body.Close()
				body, _ := io.ReadAll(res.Body)
				return string(body) == "hello" && res.ProtoMajor == 2
			})
			if test.http == "off" {
				return
			}
			plain := b.client(false)
			if res, _ := b.get(plain, "http://"+test.domain+"/.well-known/acme-challenge/unknown"); res.StatusCode != 308 && res.StatusCode != 404 {
				t.Errorf("an unknown challenge: %d", res.StatusCode)
			}
			if _, body := b.get(b.client(true), "https://private.localhost/"); body != "hello" {
				t.Errorf("the private site: %s", body)
			}
		})
	}
}

// TestAHostStartsWhileItsCADoesNotAnswer has a CA that takes connections and says nothing.
func TestAHostStartsWhileItsCADoesNotAnswer(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	b := newBox(t)
	root := b.folder(map[string]string{"index.html": "hello"})
	c := Config{Sites: []Site{
		{Domains: []string{"public.example"}, Target: Target{Root: root}, RedirectHTTPS: no()},
		{Domains: []string{"private.localhost"}, Target: Target{Root: root}},
	}}
	c.TLS.Issuer = "https://" + silent.Addr().String() + "/dir"
	b.settled(c)
	asked, err := silent.Accept() // the order is under way
	if err != nil {
		t.Fatal(err)
	}
	defer asked.Close()
	if res, body := b.get(b.client(false), "http://public.example/"); res.StatusCode != http.StatusOK || body != "hello" {
		t.Errorf("plain: %d %s", res.StatusCode, body)
	}
	if _, body := b.get(b.client(true), "https://private.localhost/"); body != "hello" {
		t.Errorf("the private site: %s", body)
	}
}
