package host

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"roost/internal/httplint"
)

// fakeTargets answers with where a request was led and the path that it sees there.
type fakeTargets struct{}

func (fakeTargets) folder(t Target, prefix string) http.Handler {
	return asApp(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, t.Root+" "+prefix+" "+r.URL.Path)
	})
}

func (fakeTargets) app(name string) (http.Handler, *figures) {
	if name == "gone" {
		return nil, nil
	}
	return asApp(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, name+" "+r.URL.EscapedPath())
	}), newFigures()
}

func (fakeTargets) locks() *locks { return newLocks(newEchoes(nil)) }

func (fakeTargets) site(string) *figures { return newFigures() }

func TestRequestsAreLedByDomainAndPath(t *testing.T) {
	c := Config{Sites: []Site{
		{Domains: []string{"example.com", "WWW.Example.com", "bücher.example"}, Target: Target{Root: "root"}, Routes: []Route{
			{Path: "/docs/", Target: Target{Root: "docs"}},
			{Path: "/docs/api", Target: Target{App: "api"}},
			{Path: "/plain", Target: Target{Root: "plain"}},
			{Path: "/app/", Target: Target{App: "app"}, StripPrefix: true},
			{Path: "/keep", Target: Target{App: "keep"}},
			{Path: "/with space/", Target: Target{App: "space"}},
		}},
		{Domains: []string{"*.example.com"}, Target: Target{Root: "wild"}},
		{Domains: []string{"*.b.example.com"}, Target: Target{Root: "wilder"}},
		{Domains: []string{"routes.test"}, Routes: []Route{{Path: "/only/", Target: Target{Root: "only"}}}},
		{Domains: []string{"split.test"}, Target: Target{Root: "one"}},
		{Domains: []string{"split.test"}, Routes: []Route{{Path: "/two/", Target: Target{Root: "two"}}}},
		{Domains: []string{"gone.test"}, Target: Target{App: "gone"}},
		{Domains: []string{"fallback.test"}, Target: Target{Root: "fallback"}, Default: true},
		{Domains: []string{"127.0.0.1", "::1"}, Target: Target{Root: "address"}},
	}}
	off := false
	for i := range c.Sites {
		c.Sites[i].RedirectHTTPS = &off
	}
	f := &front{unknown: newFigures(), httpsPort: func() int { return 443 }, access: newAccessLog(t.TempDir()+"/access.log", nil)}
	f.router.Store(newRouter(c, fakeTargets{}))
	for _, test := range []struct{ host, target, want string }{
		{"example.com", "/", "root / /"},
		{"EXAMPLE.com.:8080", "/x", "root / /x"},
		{"www.example.com", "/x", "root / /x"},
		{"xn--bcher-kva.example", "/x", "root / /x"},
		{"a.example.com", "/x", "wild / /x"},
		{"a.c.example.com", "/x", "wild / /x"},
		{"a.b.example.com", "/x", "wilder / /x"},
		{"b.example.com", "/x", "wild / /x"},
		{".example.com", "/x", "fallback / /x"},
		{"example.com.evil.test", "/x", "fallback / /x"},
		{"127.0.0.1:80", "/x", "address / /x"},
		{"[::1]:80", "/x", "address / /x"},

		{"example.com", "/docs/x", "docs /docs/ /docs/x"},
		{"example.com", "/docs", "308 /docs/"},
		{"example.com", "/docs?a=b;c", "308 /docs/?a=b;c"},
		{"example.com", "/docsx", "root / /docsx"},
		{"example.com", "/DOCS/x", "root / /DOCS/x"},
		{"example.com", "/docs/api", "api /docs/api"},
		{"example.com", "/docs/api/x", "api /docs/api/x"},
		{"example.com", "/docs/apix", "docs /docs/ /docs/apix"},
		{"example.com", "/plain", "308 /plain/"},
		{"example.com", "/plain/x", "plain /plain/ /plain/x"},
		{"example.com", "/app", "308 /app/"},
		{"example.com", "/app/", "app /"},
		{"example.com", "/app/x", "app /x"},
		{"example.com", "/app/a%2Fb", "app /a%2Fb"},
		{"example.com", "/app//x", "app //x"},
		{"example.com", "/%61pp/x%2Fy", "app /x/y"},
		{"example.com", "/app%2Fx", "app /x"},
		{"example.com", "/keep", "keep /keep"},
		{"example.com", "/keep/", "keep /keep/"},
		{"example.com", "/keep//x", "keep /keep//x"},
		{"example.com", "/keep/http://x/", "keep /keep/http://x/"},
		{"example.com", "/with%20space/x", "space /with%20space/x"},
		{"example.com", "/with%20space", "308 /with%20space/"},

		// The path that decides is the path that is served, whatever it is spelt like.
		{"example.com", "/x/../docs/y", "docs /docs/ /docs/y"},
		{"example.com", "/docs/../y", "root / /y"},
		{"example.com", "/docs/%2e%2e/y", "root / /y"},
		{"example.com", "/docs%2f..%2fy", "root / /y"},
		{"example.com", "/keep/../y", "root / /y"},
		{"example.com", "/keep/%2e%2e%2fkeep/y", "keep /keep/y"},
		{"example.com", "/./keep/y", "keep /keep/y"},
		{"example.com", "//keep/y", "keep /keep/y"},
		{"example.com", "//docs/y", "docs /docs/ /docs/y"},
		{"example.com", "/docs/./", "docs /docs/ /docs/"},
		{"example.com", "/docs/.well-known/x", "docs /docs/ /docs/.well-known/x"},
		{"example.com", "/../../etc/passwd", "root / /etc/passwd"},
		{"example.com", "http://example.com", "root / /"},

		{"routes.test", "/only/x", "only /only/ /only/x"},
		{"routes.test", "/", "404"},
		{"split.test", "/", "one / /"},
		{"split.test", "/two/", "two /two/ /two/"},
		{"gone.test", "/", "404"},
		{"nobody.test", "/x", "fallback / /x"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		if strings.HasPrefix(test.target, "//") { // NewRequest takes it for a host
			r.URL.Path, r.RequestURI = test.target, test.target
		} else {
			r = httptest.NewRequest("GET", test.target, nil)
		}
		r.Host = test.host
		w := httplint.Record(t, f, r)
		got := w.Body.String()
		switch {
		case w.Code == 308:
			got = "308 " + w.Header().Get("Location")
		case w.Code == 404:
			got = "404"
		}
		if got != test.want {
			t.Errorf("%s%s: %s, want %s", test.host, test.target, got, test.want)
		}
	}
}

func TestUnknownDomainsAreToldNothing(t *testing.T) {
	f := &front{unknown: newFigures(), httpsPort: func() int { return 443 }, access: newAccessLog("", nil)}
	f.router.Store(newRouter(Config{Sites: []Site{{Domains: []string{"secret.example"}, Target: Target{Root: "root"}}}}, fakeTargets{}))
	r := httptest.NewRequest("GET", "/x", nil)
	r.Host = "other.example"
	w := httplint.Record(t, f, r)
	if w.Code != 404 || strings.Contains(w.Body.String(), "secret") || strings.Contains(strings.ToLower(w.Body.String()), "roost") || w.Header().Get("Location") != "" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}

func TestPathsAreCleanedInOneWay(t *testing.T) {
	for path, want := range map[string]string{
		"": "/", "/": "/", "/a": "/a", "/a/": "/a/", "a": "/a", "//": "/", "//a": "/a", "/a//b": "/a/b", "/a/.": "/a/", "/a/./b": "/a/b",
		"/a/..": "/", "/a/../": "/", "/a/b/..": "/a/", "/..": "/", "/.a": "/.a", "/a/..b": "/a/..b", "/a/.../b": "/a/.../b",
	} {
		if got := cleanPath(path); got != want {
			t.Errorf("cleanPath(%q) = %q, want %q", path, got, want)
		}
	}
	for path, want := range map[string]bool{
		"/": false, "/a": false, "/.a": false, "/a.": false, "/...": false, "/..a": false, "/a..": false,
		"/.": true, "/..": true, "/./a": true, "/../a": true, "/a/.": true, "/a/..": true, "/a/../b": true, "/.a/..": true,
	} {
		if got := hasDotSegments(path); got != want {
			t.Errorf("hasDotSegments(%q) = %v", path, got)
		}
	}
}
