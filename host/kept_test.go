package host

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"roost/host/express"
	"roost/internal/unit"
	"roost/tls"
)

// TestKeptHeadsAreThoseOfTheFullLane asks for files again and again, through
// changes of all that a head comes of: the full lane keeps none.
func TestKeptHeadsAreThoseOfTheFullLane(t *testing.T) {
	t.Parallel()
	var gz strings.Builder
	w := gzip.NewWriter(&gz)
	_, _ = w.Write([]byte(strings.Repeat("body { margin: 0 }\n", 1000)))
	_ = w.Close()
	files := map[string]string{
		"index.html": "a page", "a.txt": "the same", "b.txt": "the same", "b.html": "the same", "c.txt": "as long.", "head.txt": "head first", "known.txt": "known first",
		"app.3f2a1b9c.js": "js", "style.css": strings.Repeat("body { margin: 0 }\n", 1000), "style.css.gz": gz.String(), "style.css.gz.gz": "another", "empty.txt": "", "get.zip": "zip",
	}
	var root string
	config := func(b *box) Config {
		if root == "" {
			root = b.folder(files)
		}
		target := Target{Root: root}
		target.Serving.Compress = no() // done better in the background, when is up to the machine
		page, get, hsts := target, target, unit.Duration(1e9)
		page.Serving.SPA, get.Serving.Download = true, []string{"*.zip"}
		secret := Protection{BasicAuth: &BasicAuth{Users: map[string]string{"ann": hashOf(t, "right")}}}
		return Config{Sites: []Site{
			{Domains: []string{"files.test"}, RedirectHTTPS: no(), Target: target, Rewrites: []Rewrite{{From: "/re/*", To: "/:splat"}}, Routes: []Route{
				{Path: "/spa/", Target: page}, {Path: "/get/", Target: get},
				{Path: "/shared/", Target: Target{Root: root, Protection: Protection{CORS: &CORS{Origins: []string{"https://other.test"}}}}},
				{Path: "/slow/", Target: Target{Root: root, Protection: Protection{Bandwidth: &Bandwidth{Rate: 1 << 30}}}},
				{Path: "/secret/", Target: Target{Root: root, Protection: secret}},
			}},
			{Domains: []string{"strict.test"}, RedirectHTTPS: no(), Target: with(target, Protection{HSTS: &hsts})},
			{Domains: []string{"bare.test"}, RedirectHTTPS: no(), Target: with(target, Protection{SecurityHeaders: no()})},
		}}
	}
	l := newLanes(t, config)
	asked := func(name string) {
		t.Helper()
		var sent strings.Builder
		for range 2 {
			for _, line := range []string{
				"HEAD /head.txt", "GET /head.txt", "HEAD /head.txt", "GET /known.txt\r\nIf-None-Match: *", "GET /known.txt", "GET /known.txt\r\nIf-None-Match: *",
				"GET /", "GET /a.txt", "GET /b.txt", "GET /b", "GET /c.txt", "GET /a.txt\r\nRange: bytes=1-2", "GET /a.txt", "GET /empty.txt", "GET /re/a.txt",
				"GET /app.3f2a1b9c.js", "GET /re/app.3f2a1b9c.js", "GET /app.3f2a1b9c.js", "GET /style.css", "GET /style.css\r\nAccept-Encoding: gzip", "GET /style.css.gz",
				"GET /style.css\r\nAccept-Encoding: gzip\r\nIf-None-Match: *", "GET /get/get.zip", "GET /get.zip", "GET /spa/", "GET /spa/x\r\nAccept: text/html", "GET /spa/x",
				"GET /shared/a.txt\r\nOrigin: https://other.test", "GET /shared/a.txt", "GET /shared/a.txt\r\nOrigin: https://x.test", "GET /slow/a.txt",
				"GET /secret/a.txt\r\nAuthorization: Basic YW5uOnJpZ2h0", "GET /secret/a.txt",
			} {
				target, fields, _ := strings.Cut(line, "\r\n")
				if fields != "" {
					fields += "\r\n"
				}
				for _, site := range []string{"files.test", "strict.test", "bare.test"} {
					sent.WriteString(target + " HTTP/1.1\r\nHost: " + site + "\r\n" + fields + "\r\n")
				}
			}
		}
		sent.WriteString("GET /a.txt HTTP/1.1\r\nHost: files.test\r\nConnection: close\r\n\r\n")
		l.same(t, name, []byte(sent.String()), "plain", "TLS", "plain")
	}
	asked("at first")
	for name, service := range map[string]*[]string{"announced elsewhere": {`h3=":1"`}, "announced anew": {`h2=":2"`}, "no longer announced": nil} { // with one router
		l.express.front.altSvc.Store(service)
		l.full.front.altSvc.Store(service)
		asked(name)
	}
	l.express.front.altSvc.Store(nil)
	l.full.front.altSvc.Store(nil)
	was := config(l.express.box)
	for _, change := range []struct {
		name string
		of   func(*Config)
	}{
		{"fields of the site", func(c *Config) {
			c.Sites[0].Headers = []HeaderRule{{Path: "/a.txt", Set: map[string]string{"X-Site": "yes", "Cache-Control": "max-age=60"}}}
		}},
		{"as before", func(*Config) {}},
		{"other HSTS", func(c *Config) { *c.Sites[1].HSTS = unit.Duration(2e9) }},
		{"no HSTS", func(c *Config) { c.Sites[1].HSTS = nil }},
		{"no fields for security", func(c *Config) { c.Sites[0].SecurityHeaders = no() }},
		{"HTTP/3", func(c *Config) { c.Host.HTTP3 = true }},
		{"no HTTP/3", func(*Config) {}},
		{"fields of answers in the log", func(c *Config) { c.Host.AccessLogFormat = "$request_uri $sent_http_etag $sent_http_content_length" }},
	} {
		for _, a := range []*attacked{l.express, l.full} {
			c := was
			c.Sites = append([]Site(nil), was.Sites...)
			change.of(&c)
			if a == l.full {
				c.Host.Express = no()
			}
			a.settled(c)
		}
		asked(change.name)
	}
	// What the log tells is in the heads, kept or not.
	l.express.stop()
	text, err := os.ReadFile(filepath.Join(l.express.dir, "logs", "access.log"))
	_, text, _ = bytes.Cut(text, []byte("}\n/head.txt "))
	if n := bytes.Count(text, []byte("\n/a.txt ")); err != nil || n < 6 || bytes.Contains(text, []byte("\n/a.txt - ")) {
		t.Errorf("%d lines of /a.txt, or some without its tag, %v\n%.2000s", n, err, text)
	}
}

func TestAFileThatIsReplacedHasAnotherHead(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	root := b.folder(map[string]string{"a.txt": "one", "_redirects": "/x /y\n"})
	b.settled(Config{Sites: []Site{{Domains: []string{"localhost"}, RedirectHTTPS: no(), Target: Target{Root: root}}}})
	client := b.client(false)
	for _, text := range []string{"one", "two", "three"} { // of one length, and of another
		if err := os.WriteFile(filepath.Join(root, "a.txt"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		until(t, "the file is seen to be another", func() bool {
			_, body := b.get(client, "http://localhost/a.txt")
			return body == text
		})
		tags := map[string]bool{}
		for range 3 {
			res, body := b.get(client, "http://localhost/a.txt")
			if tags[res.Header.Get("Etag")] = true; body != text || len(tags) > 1 {
				t.Errorf("%q has the tags %v", body, tags)
			}
		}
	}
}

// TestAHeadIsKeptOnce says what is kept, so that it is known that heads are.
func TestAHeadIsKeptOnce(t *testing.T) {
	t.Parallel()
	var at atomic.Value
	written := func(change func(*exchange)) (x *exchange, done bool) {
		x = &exchange{ResponseWriter: new(express.Answer), request: new(http.Request), link: new(link), site: new(site), format: new(logFormat)}
		change(x)
		return x, x.WriteKept(&at, http.StatusNotModified, 1)
	}
	write := func(change func(*exchange)) bool {
		x, done := written(change)
		if !done {
			x.WriteHeader(http.StatusNotModified)
		}
		return done
	}
	heads := []*answerHead{nil, {private: true}, {hsts: nosniff}, {hsts: closing}, {private: true, hsts: closing}}
	of := func(i int) func(*exchange) { return func(x *exchange) { x.head = heads[i] } }
	for i := range maxKept {
		if write(of(i)) || !write(of(i)) || !write(of(i)) {
			t.Errorf("head %d is not kept once", i)
		}
	}
	if !write(of(0)) || write(of(maxKept)) || !write(of(maxKept)) || write(of(0)) {
		t.Errorf("more than %d heads are kept", maxKept)
	}
	for name, change := range map[string]func(*exchange){
		"TLS":                     func(x *exchange) { x.request.TLS = tls.Elsewhere },
		"a log of answers":        func(x *exchange) { x.format.tellsAnswer = true },
		"a bound of bandwidth":    func(x *exchange) { x.pace = new(pace) },
		"an origin":               func(x *exchange) { x.cors = http.Header{} },
		"another kind of writer":  func(x *exchange) { x.ResponseWriter = struct{ http.ResponseWriter }{} },
		"HTTP/3 that is just new": func(x *exchange) { x.altSvc = &closing },
	} {
		if _, done := written(change); done {
			t.Errorf("%s has a head that was kept without", name)
		}
	}
}

func with(t Target, p Protection) Target {
	t.Protection = p
	return t
}
