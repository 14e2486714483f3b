package host

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"roost/internal/httplint"
)

func TestRulesOfASiteLeadRequests(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	off := false
	c := Config{Sites: []Site{
		{
			Domains: []string{"localhost"}, RedirectHTTPS: &off,
			Target: Target{Root: b.folder(map[string]string{"index.html": "home", "page.html": "page", "shell.html": "shell", "img/a.txt": "a", "_redirects": "/file/* /img/:splat\n/twice /old/x\n"})},
			Routes: []Route{
				{Path: "/api/", Target: Target{App: "web"}, StripPrefix: true},
				{Path: "/whole/", Target: Target{App: "web"}},
				{Path: "/docs/", Target: Target{Root: b.folder(map[string]string{"a.txt": "docs", "index.html": "docs"})}},
				{Path: "/locked/", Target: Target{Root: b.folder(map[string]string{"a.txt": "locked", "shell.html": "locked"}), Protection: Protection{
					BasicAuth: &BasicAuth{Users: map[string]string{"ann": "$2a$10$7EqJtq98hPqEX7fNZaFWoOhi5B0x7x0b8N0l5c7kq0m3yXkqz0y1u"}}}}},
				{Path: "/secret/", Target: Target{Root: b.folder(map[string]string{"a.txt": "secret"}), Protection: Protection{Deny: []string{"127.0.0.0/8"}}}},
			},
			Redirects: []Redirect{
				{From: "/old/*", To: "/new/:splat"},
				{From: "/perm/:a-:b", To: "/:b/:a?x=:a", Status: 301},
				{From: "/api/v1/*", To: "https://api.example.org/:splat", Status: 308},
				{From: "/secret/gone", To: "/", Status: 307},
			},
			Rewrites: []Rewrite{
				{From: "/shown", To: "/page.html"},
				{From: "/rpc/*", To: "/api/:splat"},
				{From: "/img/a.txt", To: "/docs/a.txt"},
				{From: "/whole/x", To: "/whole/y"},
				{From: "/way/in", To: "/secret/a.txt"},
				{From: "/chain", To: "/shown"},
				{From: "/into/other", To: "/other/a.txt"},
				{From: "/into/locked", To: "/locked/a.txt"},
				{From: "/locked/own/*", To: "/locked/shell.html", Missing: true},
				{From: "/*", To: "/shell.html", Missing: true},
			},
			Headers: []HeaderRule{
				{Path: "/*", Set: map[string]string{"X-Site": "yes", "Cache-Control": "public, max-age=60", "Content-Security-Policy": "default-src 'self'"}},
				{Path: "/api/:rest", Set: map[string]string{"X-Api": "is :rest", "X-Site": "too"}, Remove: []string{"X-Content-Type-Options"}},
				{Path: "/img/*", Remove: []string{"x-site"}},
				{Path: "/page", Set: map[string]string{"Content-Type": "application/x-own"}},
			},
		},
		{Domains: []string{"localhost"}, Routes: []Route{{Path: "/other/", Target: Target{Root: b.folder(map[string]string{"a.txt": "other"})}}}},
		{Domains: []string{"moved.localhost"}, Redirects: []Redirect{{From: "/*", To: "https://localhost/:splat", Status: 301}}},
	}}
	testApp(t, &c, "web", "one", 1)
	b.settled(c)
	plain := func(path string) string { return " " + path + " https 127.0.0.1 localhost" }
	for _, http2 := range []bool{false, true} {
		client := b.client(http2)
		for _, test := range []struct {
			url, location string
			status        int
			body          string
		}{
			{"https://localhost/old/a/b?q=%20", "/new/a/b?q=%20", 302, ""},
			{"https://localhost/old//evil.example/", "/new/evil.example/", 302, ""},
			{"https://localhost/old/%5cevil%0d%0aX:y", "/new/%5Cevil%0D%0AX:y", 302, ""},
			{"https://localhost/x/../old/%2e%2e/old/a", "/new/a", 302, ""},
			{"https://localhost/perm/1-2-3", "/3/1-2?x=1-2", 301, ""},
			{"https://localhost/api/v1/users?x=1", "https://api.example.org/users?x=1", 308, ""},
			{"https://localhost/api/v2", "", 200, "one" + plain("/v2")},
			{"https://localhost/rpc/a%20b?x=1", "", 200, "one" + plain("/a%20b?x=1")},
			{"https://localhost/whole/x", "", 200, "one" + plain("/whole/y")},
			{"https://localhost/whole/z%2f", "", 200, "one" + plain("/whole/z%2f")},
			{"https://localhost/img/a.txt", "", 200, "docs"},
			{"https://localhost/chain", "", 404, ""}, // a rewrite is done once
			{"https://localhost/none%2fx", "", 200, "shell"},
			{"https://localhost/none", "", 200, "shell"},
			{"https://localhost/docs/none", "", 200, "shell"},
			{"https://localhost/shown", "", 200, "page"},
			{"https://localhost/page.html", "/page", 308, ""},
			{"https://localhost/docs", "/docs/", 308, ""},
			{"https://localhost/file/a.txt", "/img/a.txt", 302, ""}, // the folder's own
			{"https://localhost/twice", "/old/x", 302, ""},
			{"https://localhost/", "", 200, "home"},
			{"https://localhost/way/in", "", 403, ""},
			{"https://localhost/locked/a.txt", "", 401, ""},
			{"https://localhost/locked/none", "", 401, ""}, // not the shell: that would tell what is there
			{"https://localhost/locked/own/none", "", 401, ""},
			{"https://localhost/into/locked", "", 401, ""},
			{"https://localhost/into/other", "", 404, ""}, // another site's
			{"https://localhost/other/a.txt", "", 200, "other"},
			{"https://localhost/secret/gone", "", 403, ""},
			{"https://moved.localhost/a/b?c", "https://localhost/a/b?c", 301, ""},
		} {
			res, body := b.get(client, test.url)
			if res.StatusCode != test.status || test.location != "" && res.Header.Get("Location") != test.location || test.body != "" && body != test.body {
				t.Errorf("%s: %d %q %q, want %d %q %q", test.url, res.StatusCode, res.Header.Get("Location"), body, test.status, test.location, test.body)
			}
		}
		for _, test := range []struct{ url, name, want string }{
			{"https://localhost/", "X-Site", "yes"},
			{"https://localhost/", "Cache-Control", "public, max-age=60"},
			{"https://localhost/", "Content-Security-Policy", "default-src 'self'"},
			{"https://localhost/api/v2", "X-Api", "is v2"},
			{"https://localhost/api/v2", "X-Site", "yes, too"},
			{"https://localhost/api/v2", "X-Content-Type-Options", ""},
			{"https://localhost/api/a%0d%0ab", "X-Api", "is a%0D%0Ab"},
			{"https://localhost/img/a.txt", "X-Site", ""},
			{"https://localhost/rpc/a", "X-Api", ""}, // by the path that was asked for
			{"https://localhost/secret/a.txt", "Cache-Control", "no-store"},
			{"https://localhost/secret/a.txt", "X-Site", "yes"},
			{"https://moved.localhost/", "X-Site", ""},
		} {
			if res, _ := b.get(client, test.url); res.Header.Get(test.name) != test.want {
				t.Errorf("%s: %s is %q, want %q", test.url, test.name, res.Header.Get(test.name), test.want)
			}
		}
	}
	for ranges, want := range map[string]string{"": "application/x-own", "bytes=0-0": "application/x-own", "bytes=0-0,2-2": "multipart/byteranges; boundary="} {
		r, err := http.NewRequest("GET", "https://localhost/page", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header["Range"] = []string{ranges}
		res, err := b.client(false).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if !strings.HasPrefix(res.Header.Get("Content-Type"), want) {
			t.Errorf("%q is %d %s", ranges, res.StatusCode, res.Header.Get("Content-Type"))
		}
	}
	if res, err := b.client(false).Post("https://localhost/old/form", "text/plain", strings.NewReader("x")); err != nil || res.StatusCode != 302 {
		t.Errorf("a POST is not redirected: %v", err)
	} else {
		res.Body.Close()
	}
	// Its plain form is as good; a rule for a site that goes to HTTPS waits for that.
	if res, _ := b.get(b.client(false), "http://localhost/old/a"); res.StatusCode != 302 {
		t.Errorf("plain: %d", res.StatusCode)
	}
	if res, _ := b.get(b.client(false), "http://moved.localhost/a"); !strings.HasPrefix(res.Header.Get("Location"), "https://moved.localhost") {
		t.Errorf("plain leads to %q", res.Header.Get("Location"))
	}
}

func TestLinksOfASiteAreHintedAtEarly(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.settled(Config{Sites: []Site{{
		Domains: []string{"localhost"},
		Target:  Target{Root: b.folder(map[string]string{"index.html": "home", "_headers": "/*\n  Link: </a.css>; rel=preload; as=style\n"})},
		Headers: []HeaderRule{{Path: "/*", Set: map[string]string{"Link": "</b.js>; rel=modulepreload"}}},
	}}})
	var early []string
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		if code == http.StatusEarlyHints {
			early = append(early, h["Link"]...)
		}
		return nil
	}}
	r, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), "GET", "https://localhost/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	res, err := b.client(true).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	const all = "</a.css>; rel=preload; as=style, </b.js>; rel=modulepreload"
	if got := strings.Join(early, ", "); got != all || strings.Join(res.Header["Link"], ", ") != all {
		t.Errorf("hinted at %q, answered with %q, want %q", got, res.Header["Link"], all)
	}
}

func TestTheOtherDomainsLeadToTheCanonicalOne(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	off := false
	root := b.folder(map[string]string{"index.html": "home"})
	b.settled(Config{Sites: []Site{
		{Domains: []string{"www.localhost", "localhost", "*.any.localhost"}, Canonical: "Localhost", Target: Target{Root: root}, RedirectHTTPS: &off, Default: true,
			Redirects: []Redirect{{From: "/old", To: "/new"}}},
	}})
	client := b.client(false)
	for url, want := range map[string]string{
		"https://www.localhost/":                "https://localhost/",
		"https://WWW.localhost/a%20b/?x=%22#f":  "https://localhost/a%20b/?x=%22",
		"https://www.localhost//evil.example/":  "https://localhost//evil.example/",
		"https://a.any.localhost/old":           "https://localhost/old",
		"http://www.localhost/x":                "http://localhost/x",
		"https://localhost/":                    "",
		"https://localhost./":                   "",
		"http://unknown.localhost/":             "", // nobody's name: the default site answers
		"http://www.localhost/.well-known/acme": "http://localhost/.well-known/acme",
	} {
		res, _ := b.get(client, url)
		if status := map[bool]int{true: 200, false: 308}[want == ""]; res.StatusCode != status || res.Header.Get("Location") != want {
			t.Errorf("%s: %d %q, want %d %q", url, res.StatusCode, res.Header.Get("Location"), status, want)
		}
	}
	for host, want := range map[string]string{"www.localhost:8080": "http://localhost:8080/x", "www.localhost:": "http://localhost/x", "www.localhost.:80": "http://localhost:80/x"} {
		conn := b.dial("http")
		fmt.Fprintf(conn, "GET /x HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host)
		res, err := httplint.Read(t, bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := res.Header.Get("Location"); got != want {
			t.Errorf("%s leads to %q, want %q", host, got, want)
		}
	}
}

// A guard refuses such hosts on HTTP/1; what answers must not count on it.
func TestTheCanonicalDomainIsTheHostWhateverFollowsTheOther(t *testing.T) {
	s := &site{rules: siteRules{canonical: "localhost"}}
	for _, port := range []string{":80@evil.example", ":evil.example", ":+80", ":", ":65536", ""} {
		r := &http.Request{Host: "www.localhost" + port, URL: &url.URL{Path: "//evil.example/x"}}
		if got := s.canonical(r, "www.localhost", true); got != "http://localhost//evil.example/x" {
			t.Errorf("%s leads to %q", r.Host, got)
		}
	}
}

func TestChangedRulesOfASiteAreNotFelt(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	off := false
	site := Site{Domains: []string{"localhost"}, RedirectHTTPS: &off, Target: Target{Root: b.folder(map[string]string{"index.html": "home", "b": "b"})}}
	b.settled(Config{Sites: []Site{site}})
	conn := b.dial("http")
	reader := bufio.NewReader(conn)
	ask := func(path string) *http.Response {
		t.Helper()
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path)
		res, err := httplint.Read(t, reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			t.Fatal(err)
		}
		return res
	}
	if res := ask("/a"); res.StatusCode != 404 {
		t.Fatalf("got %d", res.StatusCode)
	}
	site.Redirects = []Redirect{{From: "/a", To: "/b"}}
	site.Headers = []HeaderRule{{Path: "/b", Set: map[string]string{"X-B": "1"}}}
	if err := b.want(Config{Host: Listen{HTTP: b.address("http"), HTTPS: b.address("https")}, Sites: []Site{site}}); err != nil {
		t.Fatal(err)
	}
	if res := ask("/a"); res.StatusCode != 302 || res.Header.Get("Location") != "/b" {
		t.Errorf("on the same connection: %d", res.StatusCode)
	}
	if res := ask("/b"); res.StatusCode != 200 || res.Header.Get("X-B") != "1" {
		t.Errorf("on the same connection: %d %v", res.StatusCode, res.Header)
	}
}

func TestBadRulesOfASiteAreToldWithTheirLines(t *testing.T) {
	wants(t, checked(t, `[[site]]
domains = ["example.com", "*.example.com"]
root = "public"
canonical = "www.example.com"

  [[site.redirect]]
  from = "/a"
  to = "/b"

  [[site.redirect]]
  from = "/a"
  to = "/c"
  status = 200

  [[site.redirect]]
  from = "/a"
  to = "/c"

  [[site.redirect]]
  from = "/blog/:year"
  to = "/:yaer"

  [[site.redirect]]
  from = "/*"
  to = "/index.html"

  [[site.redirect]]
  from = "/typo"
  too = "/x"

  [[site.redirect]]
  from = "relative"
  status = 99

  [[site.redirect]]
  from = "/x/:name%2f"
  to = "https://:name/"
  status = 304

  [[site.rewrite]]
  from = "/*"
  to = "/index.html"

  [[site.rewrite]]
  from = "/proxy"
  to = "http://169.254.169.254/"

  [[site.header]]
  path = "/*"
  set = { Connection = "close", "X Y" = "1", X-Empty = "" }
  remove = ["Content-Length"]

[[site]]
domains = ["app.example.com"]
app = "web"

  [[site.rewrite]]
  from = "/*"
  to = "/index"
  missing = true

[[app]]
name = "web"
command = "sleep 1"
`),
		`roost.toml:4: site example.com: canonical = "www.example.com" is none of the site's domains: list it in domains, without a *`,
		`roost.toml:11: site example.com: an earlier rule is for the same path /a: remove one of them; the first holds`,
		`roost.toml:13: site example.com: status = 200 does not redirect: want 301, 302, 303, 307 or 308; another page is shown by [[site.rewrite]]`,
		`roost.toml:16: site example.com: an earlier rule is for the same path /a: remove one of them; the first holds`,
		`roost.toml:21: site example.com: :yaer is no placeholder of /blog/:year: name it there, or escape the colon as %3A`,
		`roost.toml:25: site example.com: the rule redirects to itself, or to one that leads back: let it lead to a path that no such rule covers`,
		`roost.toml:29: unknown key "too" in [[site.redirect]]: did you mean "to"?`,
		`roost.toml:31: site example.com: to is missing: set it to a path such as "/new"`,
		`roost.toml:32: site example.com: from = "relative" does not begin with a slash: write "/relative"`,
		`roost.toml:33: site example.com: status = 99 does not redirect: want 301, 302, 303, 307 or 308; another page is shown by [[site.rewrite]]`,
		`roost.toml:36: site example.com: in /x/:name%2f: it has an escaped slash, which no path of a file has`,
		`roost.toml:37: site example.com: a request could choose the host of the target: let the host end in a domain, as in https://:name.example.com`,
		`roost.toml:38: site example.com: status = 304 does not redirect: want 301, 302, 303, 307 or 308; another page is shown by [[site.rewrite]]`,
		`roost.toml:42: site example.com: the rule covers the path that it leads to, and all that lies beside it: set missing = true to answer with files where there are some`,
		`roost.toml:46: site example.com: only a path of this site can be answered, not a URL: requests are not passed on to other sites; redirect with status 302 instead`,
		`roost.toml:50: site example.com: X-Empty has no value: take a field away with remove = ["X-Empty"]`,
		`roost.toml:50: site example.com: no header field is called X Y: a name has letters, digits and hyphens`,
		`roost.toml:50: site example.com: the field Connection is the server's own: leave it out; it is always right`,
		`roost.toml:51: site example.com: the field Content-Length is the server's own: leave it out; it is always right`,
		`roost.toml:60: site app.example.com: missing = true is for folders: what an app has is known to the app alone: remove it`,
	)
}

func TestNotesTellOfTheFoldersRules(t *testing.T) {
	dir := folderWith(t, "public/")
	if err := os.WriteFile(filepath.Join(dir, "public", "_redirects"), []byte("/a /b\n/bad\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for keys, want := range map[string]string{"": "public/_redirects:2: a rule has two or three words, not 1: write: /from /to 302", `rules = "off"`: ""} {
		c, problems := Check(filepath.Join(dir, "roost.toml"), []byte("[[site]]\nroot = \"public\"\n"+keys+"\n\n[[site.route]]\npath = \"/x/\"\nroot = \"public\"\n"+keys), "")
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		if got := strings.ReplaceAll(strings.Join(Notes(c), "\n"), dir+"/", ""); got != want {
			t.Errorf("with %q the notes are %q, want %q", keys, got, want)
		}
	}
}
