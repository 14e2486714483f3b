package static

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"roost/internal/httplint"
)

func TestPathsAreMadeCanonical(t *testing.T) {
	s := newSite(t, Config{}, files{
		"index.html": "home", "file.txt": "f", "dir/index.html": "d", "dir/sub/x": "x", "empty/": "",
		"evil.com/index.html": "e", "ünï/index.html": "u", "dir/index.html.d/index.html": "dd",
	})
	for target, want := range map[string]string{
		"/dir":                "308 /dir/",
		"/dir?a=b&c=%2f%2f":   "308 /dir/?a=b&c=%2f%2f",
		"/dir?":               "308 /dir/?",
		"/file.txt/":          "308 /file.txt",
		"/file.txt/?q":        "308 /file.txt?q",
		"//file.txt":          "308 /file.txt",
		"///dir//":            "308 /dir/",
		"//dir":               "308 /dir/",
		"/dir//sub/x":         "308 /dir/sub/x",
		"//evil.com":          "308 /evil.com/",
		"//evil.com/":         "308 /evil.com/",
		"/%2fevil.com/":       "404",
		"/%2f%2fevil.com":     "404",
		"/\\evil.com":         "404",
		"/%5cevil.com/":       "404",
		"/%09/evil.com":       "404",
		"/evil.com/%2e%2e":    "404",
		"//":                  "308 /",
		"//google.com/%2f..":  "404",
		"/%c3%bcn%c3%af":      "308 /%C3%BCn%C3%AF/",
		"/empty":              "404",
		"/empty/":             "404",
		"/dir/sub":            "404",
		"/dir/sub/":           "404",
		"/dir/sub/x/":         "308 /dir/sub/x",
		"/dir/index.html.d":   "308 /dir/index.html.d/",
		"/dir/.":              "404",
		"/./file.txt":         "404",
		"/dir/../file.txt":    "404",
		"http://x//dir":       "308 /dir/",
		"http://x":            "200 home",
		"http://x/dir?a#frag": "308 /dir/?a%23frag",
	} {
		a := s.raw(target)
		if got := brief(a); !strings.HasPrefix(got+" ", want) {
			t.Errorf("%s: %s, want %s", target, got, want)
		}
		if to := a.Header.Get("Location"); to != "" {
			if strings.HasPrefix(to, "//") || strings.HasPrefix(to, "/\\") || to[0] != '/' {
				t.Errorf("%s: leads to another host: %s", target, to)
			}
			if u, err := url.Parse(to); err != nil || u.Host != "" {
				t.Errorf("%s: Location %s: %v", target, to, err)
			}
		}
	}
}

func TestNearest404PageAnswers(t *testing.T) {
	s := newSite(t, Config{}, files{
		"404.html": "top", "docs/404.html": "docs", "docs/api/x": "x", "blog/x": "x", "large/404.html": strings.Repeat("l", maxInMemory+1),
	})
	for path, want := range map[string]string{
		"/none":                "top",
		"/none/deeper/":        "top",
		"/docs/none":           "docs",
		"/docs/api/none.css":   "docs",
		"/docs/none/none/none": "docs",
		"/docs/":               "docs",
		"/docs":                "top",
		"/blog/none":           "top",
		"/bl%00og/x":           "top",
		"/.hidden":             "top",
		"/docs%2fnone":         "docs",
		"/large/none":          strings.Repeat("l", maxInMemory+1),
	} {
		a := s.raw(path, "If-None-Match: *", "Range: bytes=0-0")
		if a.StatusCode != 404 || a.body != want {
			t.Errorf("%s: %d %.20q, want %.20q", path, a.StatusCode, a.body, want)
		}
		if a.Header.Get("Content-Type") != "text/html; charset=utf-8" || a.Header.Get("Cache-Control") != "no-store" ||
			a.Header.Get("Etag") != "" || a.Header.Get("Last-Modified") != "" || a.Header.Get("Accept-Ranges") != "" {
			t.Errorf("%s: %v", path, a.Header)
		}
	}
	if a := s.get("/404"); a.StatusCode != 200 || a.body != "top" {
		t.Errorf("the page itself: %s", brief(a))
	}
}

func TestSinglePageAppGetsItsNavigations(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{Serving: Serving{SPA: true}}, files{
		"index.html": "app", "404.html": "none", "real/index.html": "real", "assets/a.js": "js", "bare/x": "",
	})
	const page, part = "Accept: text/html,application/xhtml+xml,*/*;q=0.8", "Accept: */*"
	for _, c := range []struct{ path, field, want string }{
		{"/", part, "200 app"},
		{"/users/7", page, "200 app"},
		{"/users/7/", page, "200 app"},
		{"/users/7", "Sec-Fetch-Mode: navigate", "200 app"},
		{"/items/a%2Fb", page, "200 app"},
		{"/bare/", page, "200 app"},
		{"/users/7", part, "404 none"},
		{"/users/7", "Accept: text/html;q=0, text/*", "404 none"},
		{"/users/7", "Accept: application/json", "404 404 Not Found"},
		{"/users/7.css", "Sec-Fetch-Mode: navigate", "404 none"},
		{"/logo.svg", page, "404 none"},
		{"/users/7.json", page, "404 none"},
		{"/assets/b.js", page, "404 none"},
		{"/v1.2/users", page, "200 app"},
		{"/.well-known/x", page, "404 none"},
		{"/.well-known", page, "404 none"},
		{"/.git/config", page, "404 none"},
		{"/users//7", page, "404 none"},
		{"/users/../7", page, "404 none"},
		{"/users/%00", page, "404 none"},
		{"/assets/a.js", page, "200 js"},
		{"/real", page, "308 /real/"},
		{"/real/", page, "200 real"},
	} {
		a := s.raw(c.path, c.field)
		if got := brief(a); got != c.want {
			t.Errorf("%s with %s: %s, want %s", c.path, c.field, got, c.want)
		}
	}
	// What the browser says counts for more than what a script asks for.
	for mode, want := range map[string]string{"navigate": "200 app", "cors": "404 none", "no-cors": "404 none", "same-origin": "404 none"} {
		a := s.raw("/users/7", page, "Sec-Fetch-Mode: "+mode)
		if got := brief(a); got != want || a.Header.Get("Vary") != "Accept, Sec-Fetch-Mode" {
			t.Errorf("a request in mode %s: %s %v, want %s", mode, got, a.Header, want)
		}
	}
	head := s.ask("HEAD", "/users/7", page)
	if head.StatusCode != 200 || head.ContentLength != 3 || head.body != "" {
		t.Errorf("HEAD: %d, %d bytes", head.StatusCode, head.ContentLength)
	}
	below := newSite(t, Config{Prefix: "/app/", Serving: Serving{SPA: true}}, files{"index.html": "app"})
	for path, want := range map[string]string{"/app/users/7": "200 app", "/app": "308 /app/", "/app/x.js": "404 404 Not Found", "/users/7": "404 404 Not Found"} {
		if got := brief(below.raw(path, page)); got != want {
			t.Errorf("with a prefix, %s: %s, want %s", path, got, want)
		}
	}
	w := httptest.NewRecorder()
	w.Header().Set("Vary", "Origin") // what was said before stays said
	r := with(httptest.NewRequest("GET", "/users/7", nil), "Sec-Fetch-Mode", "navigate")
	s.ServeHTTP(w, r)
	httplint.Recorded(t, w, r)
	if got := strings.Join(w.Header()["Vary"], ", "); w.Code != 200 || got != "Origin, Accept, Sec-Fetch-Mode, Accept-Encoding" {
		t.Errorf("with another Vary: %d %s", w.Code, got)
	}
	a := s.raw("/users/7", page)
	if a.Header.Get("Vary") != "Accept, Sec-Fetch-Mode" || a.Header.Get("Etag") != s.get("/").Header.Get("Etag") {
		t.Errorf("%v", a.Header)
	}
	if a := s.raw("/users/7", page, "If-None-Match: "+a.Header.Get("Etag")); a.StatusCode != 304 {
		t.Errorf("revalidation: %d", a.StatusCode)
	}
}

func TestTraversalLeadsNowhere(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	write(t, top, files{"secret": "SECRET", "public/a/b.txt": "ok", "public/index.html": "home", "publicity/secret": "SECRET"})
	s := newSite(t, Config{Root: top + "/public"}, nil)
	up := []string{
		"..", "%2e%2e", "%2E.", ".%2e", "..%2f", "%2e%2e%2f", "..%5c", "%2e%2e%5c", "..\\", "..;", "..%00", "..%20", "..%09",
		"%252e%252e", "%252e%252e%252f", "%c0%ae%c0%ae", "%c0%ae%c0%ae%c0%af", "%e0%80%ae%e0%80%ae", "%uff0e%uff0e", "..%c0%af", "..%c1%9c",
		"....", "....//", "...", "..%ff", "%2e%2e;/", ".%00.", "..%01", "\x2e\x2e", "a/..", "a/../..", "a/b.txt/../../..", "%ef%bc%8e%ef%bc%8e",
	}
	var targets []string
	for _, u := range up {
		for _, deep := range []int{1, 2, 5} {
			steps := strings.Repeat(u+"/", deep)
			for _, end := range []string{"secret", "public/../secret", "publicity/secret", "etc/passwd"} {
				targets = append(targets, "/"+steps+end, "/a/"+steps+end, "//"+steps+end, "http://x/"+steps+end)
			}
		}
	}
	targets = append(targets, top+"/secret", "/"+top+"/secret", "//"+top+"/secret", "/%2f"+top+"/secret", "/a/b.txt/../../../secret",
		"/a%00/../../secret", "/secret%00.txt", "/C:/secret", "/file:///"+top+"/secret", "/\\\\?\\C:\\secret", "/public/../../secret",
		"/proc/self/environ", "/a/b.txt%00", "/a/b.txt%20", "/a/b.txt.", "/a/b.txt::$DATA", "/A/B.TXT", "/a/b.txt%ff")
	for _, target := range targets {
		a := s.raw(target)
		if strings.Contains(a.body, "SECRET") || strings.Contains(a.body, "root:") {
			t.Errorf("%q leads out of the folder", target)
		}
		if a.StatusCode != 404 && a.StatusCode != 400 {
			t.Errorf("%q: %s", target, brief(a))
		}
	}
	if a := s.raw("/a/b.txt"); a.body != "ok" {
		t.Errorf("%s", brief(a))
	}
}
