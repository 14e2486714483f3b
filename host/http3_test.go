package host

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"roost/internal/httplint"
)

// client3 speaks HTTP/3 to the box whatever the host of the URL is.
func (b *box) client3() *http.Client {
	t := &httplint.Transport{T: b.t, Base: &http3.Transport{TLSClientConfig: &tls.Config{RootCAs: b.roots()}, DisableCompression: true, Dial: func(ctx context.Context, _ string, c *tls.Config, q *quic.Config) (*quic.Conn, error) {
		return b.dialQUIC(ctx, c, q)
	}}}
	b.t.Cleanup(func() { t.Base.(io.Closer).Close() })
	return &http.Client{Transport: t, Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// dialQUIC connects, on a socket that ends with the test.
func (b *box) dialQUIC(ctx context.Context, c *tls.Config, q *quic.Config) (*quic.Conn, error) {
	udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	t := &quic.Transport{Conn: udp}
	b.t.Cleanup(func() { t.Close(); udp.Close() })
	to, err := net.ResolveUDPAddr("udp", b.address("http3"))
	if err != nil {
		return nil, err
	}
	return t.Dial(ctx, to, c, q)
}

func TestASiteAnswersOverHTTP3(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	large := make([]byte, 5<<20)
	rand.Read(large)
	root := b.folder(map[string]string{"index.html": "hello", "page.css": strings.Repeat("a { color: red }\n", 300), "large.bin": string(large)})
	c := Config{Host: Listen{HTTP3: true}, Sites: []Site{{Domains: []string{"localhost", "*.localhost"}, Target: Target{Root: root}}}}
	b.settled(c)
	client := b.client3()
	ask := func(method, path string, fields ...string) (*http.Response, string) {
		t.Helper()
		r, _ := http.NewRequest(method, "https://localhost"+path, nil)
		for i := 0; i < len(fields); i += 2 {
			r.Header.Set(fields[i], fields[i+1])
		}
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res, string(body)
	}
	res, body := ask("GET", "/")
	if res.StatusCode != 200 || body != "hello" || res.Proto != "HTTP/3.0" || res.ContentLength != 5 || res.Header.Get("Alt-Svc") != "" {
		t.Errorf("%d %s %v %q", res.StatusCode, res.Proto, res.Header, body)
	}
	tag := res.Header.Get("Etag")
	if res, body := ask("HEAD", "/"); res.StatusCode != 200 || body != "" || res.ContentLength != 5 || res.Header.Get("Etag") != tag {
		t.Errorf("HEAD: %d %v", res.StatusCode, res.Header)
	}
	if res, body := ask("GET", "/", "If-None-Match", tag); res.StatusCode != 304 || body != "" {
		t.Errorf("304: %d %v", res.StatusCode, res.Header)
	}
	if res, body := ask("GET", "/", "Range", "bytes=1-3"); res.StatusCode != 206 || body != "ell" || res.Header.Get("Content-Range") != "bytes 1-3/5" {
		t.Errorf("206: %d %v %q", res.StatusCode, res.Header, body)
	}
	if res, body := ask("GET", "/large.bin"); res.StatusCode != 200 || body != string(large) || res.ContentLength != int64(len(large)) {
		t.Errorf("large: %d, %d bytes, the same: %v", res.StatusCode, len(body), body == string(large))
	}
	if res, body := ask("GET", "/large.bin", "Range", "bytes=1000000-3999999"); body != string(large[1000000:4000000]) {
		t.Errorf("part of large: %d, %d bytes", res.StatusCode, len(body))
	}
	if res, body := ask("GET", "/missing"); res.StatusCode != 404 || !strings.Contains(body, "<h1>404</h1>") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if res, _ := ask("DELETE", "/"); res.StatusCode != 405 || res.Header.Get("Connection") != "" {
		t.Errorf("DELETE: %d %v", res.StatusCode, res.Header)
	}
	// Many at once on the one connection.
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			res, err := client.Get("https://localhost/page.css")
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			if n, err := io.Copy(io.Discard, res.Body); n != 17*300 || err != nil {
				t.Errorf("%d bytes, %v", n, err)
			}
		})
	}
	all.Wait()
	if n := b.Status().Connections["http3"]; n != 1 {
		t.Errorf("%d connections", n)
	}
	// What is listened for is announced, and told; and no longer once it is not.
	_, port, _ := net.SplitHostPort(b.address("http3"))
	for _, two := range []bool{false, true} {
		if res, _ := b.get(b.client(two), "https://localhost/"); res.Header.Get("Alt-Svc") != `h3=":`+port+`"; ma=86400` {
			t.Errorf("%s: Alt-Svc %q", res.Proto, res.Header.Get("Alt-Svc"))
		}
	}
	if res, _ := b.get(b.client(false), "http://localhost/"); res.Header.Get("Alt-Svc") != "" {
		t.Errorf("plain: %v", res.Header)
	}
	w := httplint.Record(t, b.Metrics(), httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range []string{`roost_listening{listener="http3"} 1`, `roost_connections{listener="http3"} 1`} {
		if !strings.Contains(w.Body.String(), line) {
			t.Errorf("no %s", line)
		}
	}
	c.Host.HTTP3 = false
	b.settled(c)
	if res, _ := b.get(b.client(false), "https://localhost/"); res.Header.Get("Alt-Svc") != "" || len(b.Status().Listeners) != 2 {
		t.Errorf("%v, %+v", res.Header, b.Status().Listeners)
	}
	if _, body := ask("GET", "/"); body != "hello" {
		t.Errorf("the open connection: %q", body)
	}
	b.stop()
	text, err := os.ReadFile(filepath.Join(b.dir, "logs", "access.log"))
	if err != nil {
		t.Fatal(err)
	}
	var first map[string]any
	line, _, _ := strings.Cut(string(text), "\n")
	if err := json.Unmarshal([]byte(line), &first); err != nil {
		t.Fatal(err)
	}
	if first["proto"] != "HTTP/3.0" || first["tls"] != "1.3" || first["bytes"] != 5.0 || first["client"] != "127.0.0.1" {
		t.Errorf("%s", line)
	}
}

func TestANameThatNobodyHasGetsNoHTTP3(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.settled(Config{Host: Listen{HTTP3: true}, Sites: []Site{{Domains: []string{"localhost"}, Target: Target{Root: b.folder(map[string]string{"index.html": "x"})}}, {Default: true, Target: Target{Root: b.folder(nil)}}}})
	var failure *quic.TransportError
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	_, err := b.dialQUIC(ctx, &tls.Config{RootCAs: b.roots(), ServerName: "nobody.example", NextProtos: []string{"h3"}}, nil)
	if !errors.As(err, &failure) || failure.ErrorCode != 0x100+112 { // unrecognized_name
		t.Errorf("an unknown name: %v", err)
	}
	// Without a name, by address: the socket is told apart from TCP's.
	c, err := b.dialQUIC(ctx, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h3"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if names := c.ConnectionState().TLS.PeerCertificates[0].IPAddresses; len(names) != 1 || names[0].String() != "127.0.0.1" {
		t.Errorf("the certificate is for %v", names)
	}
	if _, err := b.dialQUIC(ctx, &tls.Config{RootCAs: b.roots(), ServerName: "localhost", NextProtos: []string{"h2"}}, nil); err == nil {
		t.Error("something else than HTTP/3 was agreed on")
	}
}
