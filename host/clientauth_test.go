package host

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"roost/internal/httplint"
	"roost/internal/testca"
	rtls "roost/tls"
)

// person is a certificate of a client.
func person(ca *testca.CA, name string) tls.Certificate {
	cert, key := ca.Sign(&x509.Certificate{Subject: pkix.Name{CommonName: name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}
}

// speaker asks the box over one protocol, under a server name of its own
// choice, with a certificate or none. It keeps its connection.
func (b *box) speaker(protocol, name string, cert *tls.Certificate) func(host string) (int, error) {
	b.t.Helper()
	config := &tls.Config{ServerName: name, RootCAs: b.roots()}
	if cert != nil {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
	}
	var transport *httplint.Transport
	if protocol == "h3" {
		transport = &httplint.Transport{T: b.t, Base: &http3.Transport{TLSClientConfig: config, Dial: func(ctx context.Context, _ string, c *tls.Config, q *quic.Config) (*quic.Conn, error) {
			return b.dialQUIC(ctx, c, q)
		}}}
		b.t.Cleanup(func() { transport.Base.(io.Closer).Close() })
	} else {
		transport = &httplint.Transport{T: b.t, Base: &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: protocol == "h2", DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", b.address("https"))
		}}}
		b.t.Cleanup(transport.CloseIdleConnections)
	}
	client := &http.Client{Transport: transport, Timeout: 30 * time.Second}
	return func(host string) (int, error) {
		r, err := http.NewRequest(http.MethodGet, "https://"+name+"/", nil)
		if err != nil {
			return 0, err
		}
		r.Host = host
		res, err := client.Do(r)
		if err != nil {
			return 0, err
		}
		defer res.Body.Close()
		io.Copy(io.Discard, res.Body)
		if want := map[string]int{"h1": 1, "h2": 2, "h3": 3}[protocol]; res.ProtoMajor != want {
			b.t.Errorf("HTTP/%d, want %d", res.ProtoMajor, want)
		}
		return res.StatusCode, nil
	}
}

var protocols = []string{"h1", "h2", "h3"}

func TestASiteThatAsksClientsForCertificatesIsReachedNoOtherWay(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	people, others := testca.New(t, "People"), testca.New(t, "Others")
	ann, eve := person(people, "ann"), person(others, "eve")
	root := b.folder(map[string]string{"index.html": "hello"})
	ca := filepath.Join(b.dir, "people.pem")
	people.WriteRoot(ca)
	site := func(auth *rtls.ClientAuth, domains ...string) Site {
		return Site{Domains: domains, Target: Target{Root: root}, ClientAuth: auth}
	}
	c := Config{Host: Listen{HTTP3: true}, Sites: []Site{
		site(nil, "open.localhost", "also.localhost"),
		site(nil, "other.localhost", "203.0.113.9"),
		site(nil, "secret.localhost"),
		site(nil, "maybe.localhost"),
		{Target: Target{Root: root}},
	}}
	b.settled(c)
	old := map[string]func(string) (int, error){}
	for _, p := range protocols {
		ask := b.speaker(p, "open.localhost", nil)
		if status, err := ask("other.localhost"); status != 200 || err != nil {
			t.Errorf("%s: where no site asks, one connection is for all: %d, %v", p, status, err)
		}
		old[p] = b.speaker(p, "secret.localhost", nil)
		if status, err := old[p]("secret.localhost"); status != 200 || err != nil {
			t.Errorf("%s: before it asks: %d, %v", p, status, err)
		}
	}
	c.Sites = slices.Clone(c.Sites)
	c.Sites[2].ClientAuth = &rtls.ClientAuth{CA: ca}
	c.Sites[3].ClientAuth = &rtls.ClientAuth{CA: ca, Mode: "verify_if_given"}
	b.settled(c)
	for _, p := range protocols {
		if status, err := old[p]("secret.localhost"); status != 421 || err != nil {
			t.Errorf("%s: on a connection from before it asked: %d, %v", p, status, err)
		}
		for _, test := range []struct {
			sni, host string
			cert      *tls.Certificate
			want      int // 0: no handshake
		}{
			{"secret.localhost", "secret.localhost", &ann, 200},
			{"secret.localhost", "secret.localhost", nil, 0},
			{"secret.localhost", "secret.localhost", &eve, 0},
			{"secret.localhost", "SECRET.localhost.:443", &ann, 200},
			{"secret.localhost", "open.localhost", &ann, 421},
			{"open.localhost", "secret.localhost", nil, 421},
			{"open.localhost", "secret.localhost", &ann, 421},
			{"open.localhost", "Secret.localhost:443", nil, 421},
			{"open.localhost", "open.localhost", nil, 200},
			{"open.localhost", "also.localhost", nil, 200},
			{"open.localhost", "other.localhost", nil, 421},
			{"open.localhost", "nobody.localhost", nil, 421},
			{"any.localhost", "secret.localhost", nil, 421},
			{"any.localhost", "any.localhost", nil, 200},
			{"127.0.0.1", "secret.localhost", nil, 421}, // no name is sent
			{"127.0.0.1", "127.0.0.1", nil, 200},
			{"127.0.0.1", "203.0.113.9", nil, 200}, // as behind a router that translates
			{"open.localhost", "203.0.113.9", nil, 421},
			{"maybe.localhost", "maybe.localhost", nil, 200},
			{"maybe.localhost", "maybe.localhost", &ann, 200},
			{"maybe.localhost", "maybe.localhost", &eve, 0},
			{"maybe.localhost", "secret.localhost", &ann, 421},
			{"secret.localhost", "maybe.localhost", &ann, 421},
		} {
			status, err := b.speaker(p, test.sni, test.cert)(test.host)
			if status != test.want || (err != nil) != (test.want == 0) {
				t.Errorf("%s: handshake for %s, certificate %v, request for %s: %d, %v; want %d", p, test.sni, test.cert != nil, test.host, status, err, test.want)
			}
		}
	}
	// Other roots in the same file: on connections of before as well.
	kept := b.speaker("h2", "secret.localhost", &ann)
	if status, err := kept("secret.localhost"); status != 200 || err != nil {
		t.Error(status, err)
	}
	others.WriteRoot(ca)
	until(t, "roots that are gone count no more", func() bool {
		status, err := kept("secret.localhost")
		if err != nil {
			t.Fatal(err)
		}
		return status == 421
	})
	if status, err := b.speaker("h2", "secret.localhost", &eve)("secret.localhost"); status != 200 || err != nil {
		t.Errorf("signed by the new ones: %d, %v", status, err)
	}
}

func TestPlainRequestsDoNotReachASiteThatAsksForCertificates(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	people := testca.New(t, "People")
	ca := filepath.Join(b.dir, "people.pem")
	people.WriteRoot(ca)
	root := b.folder(map[string]string{"index.html": "hello"})
	c := Config{Host: Listen{TrustedProxies: []string{"127.0.0.0/8"}}}
	for domain, auth := range map[string]*rtls.ClientAuth{"secret.localhost": {CA: ca}, "bare.localhost": {CA: ca}, "maybe.localhost": {CA: ca, Mode: "verify_if_given"}, "open.localhost": nil} {
		s := Site{Domains: []string{domain}, Target: Target{Root: root}, ClientAuth: auth}
		if domain != "secret.localhost" {
			s.RedirectHTTPS = no()
		}
		c.Sites = append(c.Sites, s)
	}
	b.settled(c)
	client := b.client(false)
	for _, test := range []struct {
		domain, said string
		want         int
	}{
		{"secret.localhost", "", 308},
		{"secret.localhost", "https", 403}, // a proxy's handshake is not ours
		{"bare.localhost", "", 403},
		{"bare.localhost", "https", 403},
		{"maybe.localhost", "", 200},
		{"open.localhost", "https", 200},
	} {
		r, _ := http.NewRequest(http.MethodGet, "http://"+test.domain+"/", nil)
		if test.said != "" {
			r.Header.Set("X-Forwarded-Proto", test.said)
		}
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != test.want {
			t.Errorf("%s, X-Forwarded-Proto %q: %d, want %d", test.domain, test.said, res.StatusCode, test.want)
		}
	}
}

func TestAClientAuthThatCannotBeHasItsLine(t *testing.T) {
	dir := folderWith(t, "public/")
	testca.New(t, "People").WriteRoot(filepath.Join(dir, "people.pem"))
	_, problems := Check(filepath.Join(dir, "roost.toml"), []byte(`[host]
https = "off"

[[site]]
domains = ["a.example.com"]
root = "public"
  [site.client_auth]
  ca = "missing.pem"
  mode = "ask"

[[site]]
domains = ["a.example.com"]
  [[site.route]]
  path = "/more/"
  root = "public"

[[site]]
root = "public"
client_auth = { ca = "people.pem" }

[[site]]
domains = ["b.example.com"]
root = "public"
client_auth = { file = "people.pem" }
`), "")
	want := []string{
		`roost.toml:7: site a.example.com: client_auth asks in the handshake, and https is off: leave https on, or client_auth out`,
		`roost.toml:8: site a.example.com: cannot read the file: open missing.pem: no such file or directory: name a PEM file that this user can read`,
		`roost.toml:9: site a.example.com: unknown mode "ask": use "require" or "verify_if_given"`,
		`roost.toml:12: site a.example.com: another site of a.example.com has another client_auth, or none: the handshake is over before the path is known: give all sites of a domain the same`,
		`roost.toml:19: site *: client_auth asks in the handshake, and https is off: leave https on, or client_auth out`,
		`roost.toml:19: site *: client_auth is for the domains of a site, and this one answers others too: list domains, and leave default out`,
		`roost.toml:24: unknown key "file" in [site.client_auth]: known are ca, mode`,
	}
	got := problemLines(dir, problems)
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("lacks %s", w)
		}
	}
	if t.Failed() {
		t.Logf("got\n%s", strings.Join(got, "\n"))
	}
}
