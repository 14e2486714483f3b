package rules

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// expression is what Cloudflare makes of a path without escapes.
func expression(from string) (*regexp.Regexp, bool) {
	text := regexp.QuoteMeta(from)
	text = strings.ReplaceAll(text, `\*`, `(?P<splat>(?s:.*))`)
	text = regexp.MustCompile(`:([A-Za-z]\w*)`).ReplaceAllString(text, `(?P<$1>[^/]+)`)
	e, err := regexp.Compile(`^` + text + `$`)
	return e, err == nil
}

func FuzzPatternMatchesAsARegularExpressionDoes(f *testing.F) {
	for _, seed := range [][2]string{
		{"/a/*", "/a/b/c"}, {"/:a-:b", "/1-2-3"}, {"/:a-*-:b.x", "/1-2/3-4-5.x"}, {"/*/x/:y", "/a/x/x/b"}, {"/a:b.c/:d/", "/axx.c/d/"}, {"/x-:a-y*", "/x-1-y-y/z"},
		{"/*a:b", "/aaab"}, {"/*", "/"}, {"/", "/"}, {"/:a/:b/*c", "/1/2/3c"}, {"/a*b:c-", "/axbxb-b--"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, from, path string) {
		if from == "" || from[0] != '/' || path == "" || path[0] != '/' || strings.Contains(from, "%") {
			return
		}
		p, what, _ := parsePattern(from, false)
		e, ok := expression(from)
		if what != "" || !ok || len(p.names) > maxNames {
			return
		}
		var v values
		got, want := p.match(path, v[:]), e.FindStringSubmatch(path)
		if got != (want != nil) {
			t.Fatalf("%q matches %q: %v, want %v", from, path, got, want)
		}
		if got && !slices.Equal(v[:len(p.names)], want[1:]) {
			t.Fatalf("%q of %q: %q, want %q", from, path, v[:len(p.names)], want[1:])
		}
	})
}

// FuzzRules has no file, path, query or cookie make a Location of another host
// or of two lines, or a path with dots.
func FuzzRules(f *testing.F) {
	f.Add("/go/* /:splat 302", "/go//evil.example", "a=b", "c=d")
	f.Add("/a/:x https://:x.example.com/:x?q=:x#:x", "/a/%\\\r\n", "#", "")
	f.Add("/s id=:id /b/:id/:id 200!\n/* /x/.:splat 404", "/s", "id=..%2f", "beta=1")
	f.Add("/x /y 302 Cookie=a,b Language=en\nhttp://a/b/* /c/:splat", "/x", "", "a=1")
	f.Fuzz(func(t *testing.T, text, path, query, cookie string) {
		if path == "" || path[0] != '/' {
			return
		}
		r := &http.Request{Host: "example.com", URL: &url.URL{Path: path, RawQuery: query}, Header: http.Header{"Cookie": {cookie}, "Accept-Language": {cookie}}}
		for _, d := range []Dialect{Cloudflare, Netlify} {
			s, problems := ParseRedirects([]byte(text), d)
			for _, p := range problems {
				if p.What == "" || p.Line < 1 || p.Line > strings.Count(text, "\n")+1 {
					t.Fatalf("%+v", p)
				}
			}
			for _, ask := range []func(*http.Request, string, string) (Answer, bool){s.Before, s.Missing} {
				a, ok := ask(r, path, "/p")
				if !ok {
					continue
				}
				switch to, err := url.Parse(a.Location); {
				case a.Location == "" && (a.Path == "" || a.Path[0] != '/' || strings.Contains(a.Path, "//") || slices.Contains(strings.Split(a.Path, "/"), "..")):
					t.Fatalf("%q leads %q to the file %q", text, path, a.Path)
				case a.Location == "":
				case err != nil || strings.ContainsFunc(a.Location, func(c rune) bool { return c <= ' ' || c >= 0x7f }):
					t.Fatalf("%q leads %q to %q: %v", text, path, a.Location, err)
				case to.Host == "" && (!strings.HasPrefix(a.Location, "/p/") || strings.HasPrefix(a.Location, "//")):
					t.Fatalf("%q leads %q to %q", text, path, a.Location)
				case to.Host != "" && to.User != nil:
					t.Fatalf("%q leads %q to %q", text, path, a.Location)
				case to.Host != "" && !strings.Contains(strings.ToLower(text), hostTail(to.Host)):
					t.Fatalf("%q leads %q to the host %q", text, path, to.Host)
				}
			}
		}
	})
}

// hostTail is what stands behind the first label of a name that has three.
func hostTail(host string) string {
	host = strings.ToLower(host)
	if labels := strings.Split(host, "."); len(labels) > 2 {
		return strings.Join(labels[len(labels)-2:], ".")
	}
	return host
}

func FuzzHeaders(f *testing.F) {
	f.Add("/*\n  X-A: :splat\n  ! Vary\n/:a/b\n  X-A: :a\n  Link: <:a>", "/x/b", 200)
	f.Add("https://:sub.example.com/*\n X: :sub :splat\n Set-Cookie: a\n Set-Cookie: :sub", "/\r\n", 404)
	f.Fuzz(func(t *testing.T, text, path string, status int) {
		if path == "" || path[0] != '/' {
			return
		}
		for _, d := range []Dialect{Cloudflare, Netlify} {
			s, _ := ParseHeaders([]byte(text), d)
			h := http.Header{"Content-Length": {"1"}, "Cache-Control": {"no-store"}, "Vary": {"Accept-Encoding"}}
			s.Apply(h, &http.Request{Host: "www.example.com", URL: &url.URL{Path: path}}, path, status)
			for name, values := range h {
				for _, value := range values {
					if strings.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c >= 0x7f }) {
						t.Fatalf("%q: %q is %q", text, name, value)
					}
				}
			}
			if h.Get("Content-Length") != "1" || !strings.HasPrefix(h.Get("Vary"), "Accept-Encoding") || status >= 400 && h.Get("Cache-Control") != "no-store" {
				t.Fatalf("%q: %v", text, h)
			}
		}
	})
}
