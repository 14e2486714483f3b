package host

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"roost/internal/httplint"
	"roost/internal/unit"
)

// box is a running host with folders of its own.
type box struct {
	*Host
	t    *testing.T
	dir  string
	stop func() // waits until Run has returned

	logged int // lines of the access log that were read
}

func newBox(t *testing.T) *box {
	t.Helper()
	dir := t.TempDir()
	h, err := New(Options{RunDir: filepath.Join(dir, "run"), LogDir: filepath.Join(dir, "logs"), TLSDir: filepath.Join(dir, "tls"), Grace: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	b := &box{Host: h, t: t, dir: dir}
	b.stop = func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
			ended <- nil
		case <-time.After(30 * time.Second):
			buf := make([]byte, 1<<20)
			t.Fatalf("Run does not return:\n%s", buf[:runtime.Stack(buf, true)])
		}
	}
	t.Cleanup(b.stop)
	return b
}

// settled wants c on free ports of the loopback and waits for it.
func (b *box) settled(c Config) {
	b.t.Helper()
	if err := b.want(c); err != nil {
		b.t.Fatal(err)
	}
}

func (b *box) want(c Config) error {
	if c.Host.HTTP == "" {
		c.Host.HTTP = "127.0.0.1:0"
	}
	if c.Host.HTTPS == "" {
		c.Host.HTTPS = "127.0.0.1:0"
	}
	if c.TLS.Issuer == "" {
		c.TLS.Issuer = "internal"
	}
	b.Want(c)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return b.Settle(ctx)
}

// folder writes files and returns the folder's name.
func (b *box) folder(files map[string]string) string {
	b.t.Helper()
	dir, err := os.MkdirTemp(b.dir, "site")
	if err != nil {
		b.t.Fatal(err)
	}
	for name, text := range files {
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			b.t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
			b.t.Fatal(err)
		}
	}
	return dir
}

// route has a handler answer the route with that prefix of the site for all names.
func (b *box) route(prefix string, handler http.HandlerFunc) {
	d := *b.front.router.Load().fallback
	d.routes = slices.Clone(d.routes)
	i := slices.IndexFunc(d.routes, func(r route) bool { return r.prefix == prefix })
	d.routes[i].target = handler
	b.front.router.Store(&router{fallback: &d})
}

func (b *box) address(kind string) string {
	for _, l := range b.Status().Listeners {
		if l.Kind == kind {
			return l.Address
		}
	}
	b.t.Helper()
	b.t.Fatalf("no listener for %s", kind)
	return ""
}

func (b *box) roots() *x509.CertPool {
	b.t.Helper()
	ca, err := b.CA()
	if err != nil {
		b.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(ca.Certificate))
	return pool
}

// client reaches the box whatever the host of the URL is, and follows no redirects.
func (b *box) client(http2 bool) *http.Client {
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		kind := "https"
		if strings.HasSuffix(address, ":80") {
			kind = "http"
		}
		return new(net.Dialer).DialContext(ctx, "tcp", b.address(kind))
	}
	t := &httplint.Transport{T: b.t, Base: &http.Transport{DialContext: dial, TLSClientConfig: &tls.Config{RootCAs: b.roots()}, ForceAttemptHTTP2: http2, DisableCompression: true}}
	b.t.Cleanup(t.CloseIdleConnections)
	return &http.Client{
		Transport: t, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (b *box) get(c *http.Client, url string) (*http.Response, string) {
	b.t.Helper()
	res, err := c.Get(url)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res, string(body)
}

func (b *box) dial(kind string) net.Conn {
	b.t.Helper()
	c, err := net.Dial("tcp", b.address(kind))
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { c.Close() })
	return c
}

func (b *box) dialTLS(name string, protocols ...string) *tls.Conn {
	b.t.Helper()
	c := tls.Client(b.dial("https"), &tls.Config{RootCAs: b.roots(), ServerName: name, NextProtos: protocols})
	if err := c.Handshake(); err != nil {
		b.t.Fatal(err)
	}
	return c
}

// until polls for what comes by itself.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !done(); {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
		runtime.Gosched()
		<-time.After(5 * time.Millisecond)
	}
}

func no() *bool { f := false; return &f }

func TestASiteAnswersOverHTTPAndHTTPS(t *testing.T) {
	b := newBox(t)
	b.settled(Config{Sites: []Site{
		{Domains: []string{"localhost", "*.localhost"}, Target: Target{Root: b.folder(map[string]string{"index.html": "hello", "a b.txt": "spaced"})}},
		{Domains: []string{"plain.localhost"}, RedirectHTTPS: no(), Target: Target{Root: b.folder(map[string]string{"index.html": "plain"})}},
	}})
	for _, test := range []struct {
		http2 bool
		proto string
	}{{false, "HTTP/1.1"}, {true, "HTTP/2.0"}} {
		c := b.client(test.http2)
		for url, want := range map[string]string{
			"https://localhost/": "hello", "https://x.LOCALHOST/a%20b.txt": "spaced", "https://plain.localhost/": "plain",
		} {
			res, body := b.get(c, url)
			if res.StatusCode != 200 || body != want || res.Proto != test.proto {
				t.Errorf("%s: %d %s %q", url, res.StatusCode, res.Proto, body)
			}
		}
	}
	_, port, _ := net.SplitHostPort(b.address("https"))
	c := b.client(false)
	for url, want := range map[string]string{
		"http://localhost/a%20b.txt?x=1;2&y=%2F": "https://localhost:" + port + "/a%20b.txt?x=1;2&y=%2F",
		"http://LocalHost:80/":                   "https://LocalHost:" + port + "/",
		"http://localhost//evil.example/":        "https://localhost:" + port + "//evil.example/",
		"http://plain.localhost/":                "",
	} {
		res, body := b.get(c, url)
		if got := res.Header.Get("Location"); got != want || (want != "") != (res.StatusCode == 308) {
			t.Errorf("%s: %d to %q, want %q (%s)", url, res.StatusCode, got, want, body)
		}
	}
}

func TestPlainHTTPIsServedWhereNoCertificateIsToBeHad(t *testing.T) {
	b := newBox(t)
	b.settled(Config{Sites: []Site{{Target: Target{Root: b.folder(map[string]string{"index.html": "any"})}}}})
	c := b.client(false)
	for url, want := range map[string]int{"http://203.0.113.7/": 200, "http://example.com/": 200, "http://localhost/": 308, "http://127.0.0.1/": 308, "http://box.internal/": 308} {
		if res, _ := b.get(c, url); res.StatusCode != want {
			t.Errorf("%s: %d, want %d", url, res.StatusCode, want)
		}
	}
	if res, body := b.get(c, "https://127.0.0.1/"); body != "any" {
		t.Errorf("over TLS to an address: %d %s", res.StatusCode, body)
	}
}

func TestBothFamiliesAreServed(t *testing.T) {
	b := newBox(t)
	b.settled(Config{Host: Listen{HTTP: ":0", HTTPS: "off"}, Sites: []Site{{Target: Target{Root: b.folder(map[string]string{"index.html": "any"})}}}})
	_, port, _ := net.SplitHostPort(b.address("http"))
	addresses := []string{"127.0.0.1"}
	if l, err := net.Listen("tcp", "[::1]:0"); err == nil { // the system has IPv6
		l.Close()
		addresses = append(addresses, "[::1]")
	}
	for _, a := range addresses {
		res, err := http.Get("http://" + a + ":" + port + "/")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != 200 {
			t.Errorf("%s: %d", a, res.StatusCode)
		}
	}
}

func TestNothingListensWithoutASite(t *testing.T) {
	b := newBox(t)
	b.settled(Config{})
	if l := b.Status().Listeners; len(l) != 0 {
		t.Errorf("%+v", l)
	}
	site := Site{Target: Target{Root: b.folder(nil)}}
	b.settled(Config{Sites: []Site{site}})
	address := b.address("http")
	b.settled(Config{})
	if c, err := net.Dial("tcp", address); err == nil {
		c.Close()
		t.Error("still listening after the last site is gone")
	}
}

func TestErrorPagesAreTheSitesOrBuiltIn(t *testing.T) {
	b := newBox(t)
	pages := b.folder(map[string]string{"404.html": "<p>ours</p>"})
	b.settled(Config{Sites: []Site{
		{Domains: []string{"own.localhost"}, ErrorPages: pages, Target: Target{Root: b.folder(map[string]string{"index.html": "x"})}},
		{Domains: []string{"found.localhost"}, ErrorPages: pages, Target: Target{Root: b.folder(map[string]string{"404.html": "the folder's"})}},
		{Domains: []string{"built.localhost"}, Target: Target{Root: b.folder(nil)}, Routes: []Route{{Path: "/gone/", Target: Target{App: "gone"}}}},
	}})
	c := b.client(true)
	for _, test := range []struct {
		url, accept string
		status      int
		kind, has   string
	}{
		{"https://own.localhost/x", "", 404, "text/html; charset=utf-8", "<p>ours</p>"},
		{"https://own.localhost/x", "application/json", 404, "application/json", `"status":404`},
		{"https://own.localhost/x", "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8", 404, "text/html; charset=utf-8", "ours"},
		{"https://found.localhost/x", "", 404, "text/html; charset=utf-8", "the folder's"},
		{"https://built.localhost/x", "*/*", 404, "text/html; charset=utf-8", "<h1>404</h1><h2>Not Found</h2>"},
		{"https://built.localhost/gone/x", "", 404, "text/html; charset=utf-8", "<h1>404</h1>"},
	} {
		r, _ := http.NewRequest("GET", test.url, nil)
		if test.accept != "" {
			r.Header.Set("Accept", test.accept)
		}
		res, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != test.status || res.Header.Get("Content-Type") != test.kind || !strings.Contains(string(body), test.has) {
			t.Errorf("%s (%s): %d %v %s", test.url, test.accept, res.StatusCode, res.Header, body)
		}
	}
	res, err := c.Post("https://built.localhost/", "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 405 || res.Header.Get("Allow") == "" || res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("POST to a folder: %d %v", res.StatusCode, res.Header)
	}
	if res, err := c.Head("https://built.localhost/x"); err != nil || res.StatusCode != 404 || res.ContentLength <= 0 {
		t.Errorf("HEAD: %v %v", res, err)
	}
}

func TestAnUnknownDomainGetsAPlainPage(t *testing.T) {
	b := newBox(t)
	b.settled(Config{Sites: []Site{{Domains: []string{"known.localhost"}, Target: Target{Root: b.folder(nil)}}}})
	res, body := b.get(b.client(false), "http://unknown.localhost/x")
	if res.StatusCode != 404 || strings.Contains(body, "known.localhost") || res.Header.Get("Location") != "" || res.Header.Get("Server") != "" {
		t.Errorf("%d %v %s", res.StatusCode, res.Header, body)
	}
	if s := b.Status(); s.Unknown.Requests != 1 || s.Unknown.Classes[3] != 1 {
		t.Errorf("unknown: %+v", s.Unknown)
	}
	if _, err := b.client(false).Get("https://unknown.localhost/"); err == nil {
		t.Error("a handshake for an unknown name succeeded")
	}
}

func TestTheAccessLogTellsOfEachRequest(t *testing.T) {
	b := newBox(t)
	root := b.folder(map[string]string{"index.html": "hello"})
	quiet := Site{Domains: []string{"quiet.localhost"}, AccessLog: no(), Target: Target{Root: root}}
	c := Config{Sites: []Site{{Domains: []string{"log.localhost"}, Target: Target{Root: root}}, quiet}}
	b.settled(c)
	r, _ := http.NewRequest("GET", "https://log.localhost/?q=\"1\"", nil)
	r.Header = http.Header{"User-Agent": {"tést \"agent\"\\"}, "Referer": {"https://a.example/"}, "Authorization": {"Bearer secret"}, "Cookie": {"id=secret"}}
	client := b.client(true)
	for _, r := range []*http.Request{r, httptest.NewRequest("GET", "https://quiet.localhost/", nil), httptest.NewRequest("HEAD", "http://log.localhost/x", nil), httptest.NewRequest("GET", "http://nobody.example/", nil)} {
		r.RequestURI = ""
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
	}
	c.Host.AccessLogFormat = "combined"
	b.settled(c)
	b.get(client, "https://log.localhost/")
	b.stop()

	text, err := os.ReadFile(filepath.Join(b.dir, "logs", "access.log"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != 4 || strings.Contains(string(text), "secret") || strings.Contains(string(text), "quiet") {
		t.Fatalf("log:\n%s", text)
	}
	var first, second, third map[string]any
	for i, into := range []*map[string]any{&first, &second, &third} {
		if err := json.Unmarshal([]byte(lines[i]), into); err != nil {
			t.Fatalf("%v in %s", err, lines[i])
		}
	}
	for key, want := range map[string]any{
		"site": "log.localhost", "client": "127.0.0.1", "method": "GET", "host": "log.localhost", "path": "/?q=\"1\"", "proto": "HTTP/2.0", "status": 200.0, "bytes": 5.0,
		"referer": "https://a.example/", "user_agent": "tést \"agent\"\\", "lane": "full", "app": "", "tls": "1.3",
	} {
		if first[key] != want {
			t.Errorf("%s is %v, want %v", key, first[key], want)
		}
	}
	if at, err := time.Parse(time.RFC3339, first["time"].(string)); err != nil || time.Since(at) > time.Minute {
		t.Errorf("time %v", first["time"])
	}
	if second["status"] != 308.0 || second["bytes"] != 0.0 || second["tls"] != "" || second["method"] != "HEAD" || third["site"] != "" || third["status"] != 404.0 {
		t.Errorf("second %v, third %v", second, third)
	}
	if !strings.HasPrefix(lines[3], `127.0.0.1 - - [`) || !strings.Contains(lines[3], `] "GET / HTTP/2.0" 200 5 "-" "Go-http-client/2.0"`) {
		t.Errorf("combined: %s", lines[3])
	}
}

func TestFiguresAndMetrics(t *testing.T) {
	b := newBox(t)
	b.settled(Config{Sites: []Site{{Domains: []string{"a.localhost"}, Target: Target{Root: b.folder(map[string]string{"index.html": "hello"})}}}})
	c := b.client(false)
	for range 3 {
		b.get(c, "https://a.localhost/")
	}
	b.get(c, "https://a.localhost/missing")
	until(t, "four requests counted", func() bool { return b.Status().Sites[0].Requests == 4 })
	s := b.Status().Sites[0]
	if s.Classes != [5]uint64{0, 3, 0, 1, 0} || s.PerMinute != 4 || s.P50 <= 0 || s.P99 < s.P50 || s.InFlight != 0 || s.Bytes < 15 {
		t.Errorf("%+v", s)
	}
	w := httplint.Record(t, b.Metrics(), httptest.NewRequest("GET", "/metrics", nil))
	text := w.Body.String()
	for _, line := range []string{
		`roost_site_requests_total{class="2xx",site="a.localhost"} 3`,
		`roost_site_requests_total{class="4xx",site="a.localhost"} 1`,
		`roost_site_request_duration_seconds_count{site="a.localhost"} 4`,
		`roost_site_request_duration_seconds_bucket{site="a.localhost",le="+Inf"} 4`,
		`roost_listening{listener="https"} 1`,
		`roost_certificate_expiry_timestamp_seconds{issuer="internal",name="a.localhost"}`,
		`roost_certificate_failing{issuer="internal",name="a.localhost"} 0`,
		`roost_certificate_orders_total{issuer="internal",name="a.localhost"} 1`,
		`roost_certificate_order_failures_total{issuer="internal",name="a.localhost"} 0`,
		`go_goroutines`, `process_resident_memory_bytes`,
	} {
		if !strings.Contains(text, line) {
			t.Errorf("no %s in\n%s", line, text)
		}
	}
}

func TestAHijackedConnectionIsNotWatchedForFraming(t *testing.T) {
	b := newBox(t)
	b.settled(Config{Sites: []Site{{RedirectHTTPS: no(), Target: Target{Root: b.folder(nil)}}}})
	b.front.router.Store(newRouter(Config{Sites: []Site{{RedirectHTTPS: no(), Target: Target{App: "x"}}}}, handlerTargets{handler: asApp(func(w http.ResponseWriter, r *http.Request) {
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
		io.Copy(c, rw)
	})}))
	for _, c := range []net.Conn{b.dial("http"), b.dialTLS("localhost", "http/1.1")} {
		c.SetDeadline(time.Now().Add(30 * time.Second))
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		r := bufio.NewReader(c)
		for _, want := range []string{"HTTP/1.1 101 Switching Protocols\r\n", "\r\n"} {
			if line, err := r.ReadString('\n'); line != want {
				t.Fatalf("%q, %v", line, err)
			}
		}
		const rude = "\x00 no \n HTTP\n"
		io.WriteString(c, rude)
		got := make([]byte, len(rude))
		if _, err := io.ReadFull(r, got); err != nil || string(got) != rude {
			t.Errorf("echo %q, %v", got, err)
		}
		c.Close()
	}
	until(t, "both counted as 101", func() bool { return b.conns.count()["http"] == 0 })
}

// handlerTargets leads everything to one handler.
type handlerTargets struct {
	fakeTargets
	handler http.Handler
}

func (h handlerTargets) app(string) (http.Handler, *figures) { return h.handler, newFigures() }

// asApp has h answer as an app does, whose answers are its own.
func asApp(h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(httplint.FromApp, "test")
		h(w, r)
	})
}

func TestAHandlerThatPanicsIsAnswered500(t *testing.T) {
	b := newBox(t)
	b.settled(Config{Sites: []Site{{Domains: []string{"localhost"}, Target: Target{Root: b.folder(nil)}}}})
	b.front.router.Store(newRouter(Config{Sites: []Site{{Target: Target{App: "x"}}}}, handlerTargets{handler: asApp(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/late" {
			io.WriteString(w, strings.Repeat("x", 100<<10))
		}
		panic("oops")
	})}))
	if res, _ := b.get(b.client(false), "https://localhost/"); res.StatusCode != 500 {
		t.Errorf("%d, want 500", res.StatusCode)
	}
	res, err := b.client(false).Get("https://localhost/late")
	if err == nil {
		_, err = io.ReadAll(res.Body)
		res.Body.Close()
	}
	if err == nil {
		t.Error("an answer that broke off looks whole")
	}
}

func TestShutdownFinishesWhatHasBegun(t *testing.T) {
	b := newBox(t)
	b.settled(Config{Sites: []Site{{RedirectHTTPS: no(), Target: Target{Root: b.folder(nil)}}}})
	entered, leave := make(chan bool), make(chan bool)
	b.front.router.Store(newRouter(Config{Sites: []Site{{RedirectHTTPS: no(), Target: Target{App: "x"}}}}, handlerTargets{handler: asApp(func(w http.ResponseWriter, r *http.Request) {
		entered <- true
		<-leave
		io.WriteString(w, "finished")
	})}))
	address := b.address("http")
	idle := b.dial("http") // a connection in store is not waited for
	answer := make(chan string)
	go func() {
		res, err := http.Get("http://" + address + "/")
		if err != nil {
			answer <- err.Error()
			return
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		answer <- string(body) + errorText(err)
	}()
	<-entered
	stopped := make(chan bool)
	go func() { b.stop(); close(stopped) }()
	until(t, "new connections are refused", func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	idle.SetReadDeadline(time.Now().Add(30 * time.Second))
	if _, err := idle.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) && !strings.Contains(err.Error(), "reset") {
		t.Errorf("the idle connection: %v", err)
	}
	close(leave)
	if got := <-answer; got != "finished" {
		t.Errorf("the request in flight got %q", got)
	}
	<-stopped
	if err := b.Settle(context.Background()); !errors.Is(err, ErrEnded) {
		t.Errorf("Settle after the end: %v", err)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func milliseconds(n int) unit.Duration { return unit.Duration(time.Duration(n) * time.Millisecond) }
