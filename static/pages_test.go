package static

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// pagesSite has pages of every kind: at the top, beside each other, and beside a file of their name.
var pagesSite = files{
	"index.html": "home", "page.html": "page", "dir/index.html": "dir", "dir/sub.html": "sub",
	"both.html": "both.html", "both/index.html": "both/index.html",
	"bin": "bin", "bin.html": "bin.html", "twice.html.html": "twice", "noext/index": "index", "noext/index.html": "noext",
	"a.txt": "text", "empty/x.txt": "x", "evil.com.html": "evil",
}

// TestPagesHaveOnePathInEachMode is the table of Cloudflare's html_handling.
func TestPagesHaveOnePathInEachMode(t *testing.T) {
	t.Parallel()
	modes := []string{"auto-trailing-slash", "force-trailing-slash", "drop-trailing-slash", "none"}
	sites := map[string]*site{}
	for _, mode := range modes {
		sites[mode] = newSite(t, Config{Serving: Serving{HTMLHandling: mode}}, pagesSite)
	}
	sites["auto-trailing-slash"] = newSite(t, Config{}, pagesSite) // the default
	for _, row := range []struct{ path, auto, force, drop, none string }{
		{"/", "200 home", "200 home", "200 home", "404"},
		{"/index", "308 /", "308 /", "308 /", "404"},
		{"/index.html", "308 /", "308 /", "308 /", "200 home"},
		{"/index.html/", "308 /", "308 /", "308 /", "404"},

		{"/page", "200 page", "308 /page/", "200 page", "404"},
		{"/page/", "308 /page", "200 page", "308 /page", "404"},
		{"/page.html", "308 /page", "308 /page/", "308 /page", "200 page"},
		{"/page.html/", "308 /page", "308 /page/", "308 /page", "404"},
		{"/page/index", "308 /page", "308 /page/", "308 /page", "404"},
		{"/page/index.html", "308 /page", "308 /page/", "308 /page", "404"},
		{"/page?a=b&c=%2f", "200 page", "308 /page/?a=b&c=%2f", "200 page", "404"},
		{"/page/?a=b&c=%2f", "308 /page?a=b&c=%2f", "200 page", "308 /page?a=b&c=%2f", "404"},
		{"/page.html?", "308 /page?", "308 /page/?", "308 /page?", "200 page"},

		{"/dir", "308 /dir/", "308 /dir/", "200 dir", "404"},
		{"/dir/", "200 dir", "200 dir", "308 /dir", "404"},
		{"/dir.html", "308 /dir/", "308 /dir/", "308 /dir", "404"},
		{"/dir/index", "308 /dir/", "308 /dir/", "308 /dir", "404"},
		{"/dir/index.html", "308 /dir/", "308 /dir/", "308 /dir", "200 dir"},
		{"/dir/sub", "200 sub", "308 /dir/sub/", "200 sub", "404"},
		{"/dir/sub.html", "308 /dir/sub", "308 /dir/sub/", "308 /dir/sub", "200 sub"},

		{"/both", "200 both.html", "308 /both/", "200 both.html", "404"},
		{"/both/", "200 both/index.html", "200 both/index.html", "308 /both", "404"},
		{"/both.html", "308 /both", "200 both.html", "308 /both", "200 both.html"},
		{"/both/index", "308 /both/", "308 /both/", "308 /both", "404"},
		{"/both/index.html", "308 /both/", "308 /both/", "200 both/index.html", "200 both/index.html"},

		{"/bin", "200 bin", "200 bin", "200 bin", "200 bin"},
		{"/bin/", "308 /bin", "200 bin.html", "308 /bin", "404"},
		{"/bin.html", "200 bin.html", "308 /bin/", "200 bin.html", "200 bin.html"},
		{"/noext/index", "200 index", "200 index", "200 index", "200 index"},
		{"/noext/index.html", "308 /noext/", "308 /noext/", "308 /noext", "200 noext"},
		{"/twice", "404", "404", "404", "404"},
		{"/twice.html", "200 twice", "308 /twice.html/", "200 twice", "404"},
		{"/twice.html.html", "308 /twice.html", "308 /twice.html/", "308 /twice.html", "200 twice"},

		{"/a.txt", "200 text", "200 text", "200 text", "200 text"},
		{"/a.txt/", "308 /a.txt", "308 /a.txt", "308 /a.txt", "404"},
		{"/a.txt.html", "404", "404", "404", "404"},
		{"/empty", "404", "404", "404", "404"},
		{"/empty/", "404", "404", "404", "404"},
		{"/.html", "404", "404", "404", "404"},
		{"/dir/.html", "404", "404", "404", "404"},

		// One step to the one path, however it is spelt; never to another host.
		{"//page", "308 /page", "308 /page/", "308 /page", "404"},
		{"//page.html", "308 /page", "308 /page/", "308 /page", "308 /page.html"},
		{"/dir//index.html", "308 /dir/", "308 /dir/", "308 /dir", "308 /dir/index.html"},
		{"//dir//", "308 /dir/", "308 /dir/", "308 /dir", "404"},
		{"//evil.com", "308 /evil.com", "308 /evil.com/", "308 /evil.com", "404"},
		{"//evil.com/", "308 /evil.com", "308 /evil.com/", "308 /evil.com", "404"},
		{"//evil.com.html", "308 /evil.com", "308 /evil.com/", "308 /evil.com", "308 /evil.com.html"},
		{"//evil.com/index.html", "308 /evil.com", "308 /evil.com/", "308 /evil.com", "404"},
		{"/%2fevil.com.html", "404", "404", "404", "404"},
		{"/%2f%2fevil.com", "404", "404", "404", "404"},
		{"/\\evil.com.html", "404", "404", "404", "404"},
		{"/%5cevil.com.html", "404", "404", "404", "404"},
		{"/%09/evil.com.html", "404", "404", "404", "404"},
		{"/evil.com/%2e%2e", "404", "404", "404", "404"},
		{"/evil.com/%2e%2e/page.html", "404", "404", "404", "404"},
	} {
		for i, want := range []string{row.auto, row.force, row.drop, row.none} {
			a := sites[modes[i]].raw(row.path)
			if got := brief(a); got != want && !(want == "404" && strings.HasPrefix(got, "404 ")) {
				t.Errorf("%s %s: %s, want %s", modes[i], row.path, got, want)
			}
		}
	}
}

func TestPagesBelowAPrefixStayBelowIt(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string][]string{
		"auto-trailing-slash":  {"200 home", "308 /some%20docs/", "308 /some%20docs/page?q", "308 /some%20docs/dir/"},
		"force-trailing-slash": {"200 home", "308 /some%20docs/", "308 /some%20docs/page/?q", "308 /some%20docs/dir/"},
		"drop-trailing-slash":  {"200 home", "308 /some%20docs/", "308 /some%20docs/page?q", "308 /some%20docs/dir"},
		"none":                 {"404 404 Not Found", "308 /some%20docs/", "200 page", "200 dir"},
		"plain":                {"200 home", "308 /some%20docs/", "200 page", "200 dir"},
	} {
		s := newSite(t, Config{Prefix: "/some docs/", Serving: Serving{HTMLHandling: mode}}, pagesSite)
		for i, path := range []string{"/some%20docs/", "/some%20docs", "/some%20docs/page.html?q", "/some%20docs/dir/index.html"} {
			if got := brief(s.raw(path)); got != want[i] {
				t.Errorf("%s %s: %s, want %s", mode, path, got, want[i])
			}
		}
	}
}

func TestListedFoldersKeepTheirPathInEachMode(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string]map[string]string{
		"auto-trailing-slash":  {"/empty": "308 /empty/", "/empty/": "list", "/x": "200 x.html", "/x/": "list", "/dir/": "200 dir", "/dir": "308 /dir/"},
		"force-trailing-slash": {"/empty": "308 /empty/", "/empty/": "list", "/x": "308 /x/", "/x/": "200 x.html", "/dir/": "200 dir"},
		"drop-trailing-slash":  {"/empty": "308 /empty/", "/empty/": "list", "/x": "200 x.html", "/x/": "list", "/dir/": "308 /dir", "/dir": "200 dir"},
		"none":                 {"/empty": "308 /empty/", "/empty/": "list", "/x": "308 /x/", "/x/": "list", "/dir/": "list", "/dir": "308 /dir/", "/": "list"},
		"plain":                {"/empty": "308 /empty/", "/empty/": "list", "/x": "308 /x/", "/x/": "list", "/dir/": "200 dir", "/dir": "308 /dir/", "/dir/index.html": "200 dir"},
	} {
		s := newSite(t, Config{Serving: Serving{HTMLHandling: mode, Browse: true}}, pagesSite)
		write(t, s.root, files{"x.html": "x.html", "x/y": "y"})
		s = newSite(t, Config{Root: s.root, Serving: Serving{HTMLHandling: mode, Browse: true}}, nil)
		for path, want := range want {
			got := brief(s.raw(path))
			if strings.HasPrefix(got, "200 <!DOCTYPE") {
				got = "list"
			}
			if got != want {
				t.Errorf("%s %s: %s, want %s", mode, path, got, want)
			}
		}
	}
}

func TestPageAtACleanURLAllocatesNothing(t *testing.T) {
	const long = "/a-folder-with-quite-a-long-name/and-a-page-with-a-long-name"
	s := newSite(t, Config{}, files{long + ".html": "page", "index.html": "home", "dir/index.html": "dir"})
	for _, path := range []string{long, "/", "/dir/"} {
		w := &discard{header: http.Header{}}
		r := httptest.NewRequest("GET", path, nil)
		s.ServeHTTP(w, r)
		if n := testing.AllocsPerRun(100, func() {
			clear(w.header)
			s.ServeHTTP(w, r)
		}); n > 0 || w.status != 200 {
			t.Errorf("%s: %v allocations for %d", path, n, w.status)
		}
	}
}

// What people who come from nginx or Caddy have: no page leads to another path of it.
func TestPlainPathsAreThoseOfTheFiles(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{Serving: Serving{HTMLHandling: "plain"}}, pagesSite)
	for path, want := range map[string]string{
		"/": "200 home", "/index.html": "200 home", "/index": "404", "/?a=b": "200 home",
		"/page.html": "200 page", "/page": "404", "/page/": "404", "/page.html/": "308 /page.html", "/page/index.html": "404",
		"/dir/": "200 dir", "/dir/index.html": "200 dir", "/dir": "308 /dir/", "/dir?a=b": "308 /dir/?a=b", "/dir.html": "404", "/dir/index": "404",
		"/dir/sub.html": "200 sub", "/dir/sub": "404",
		"/both.html": "200 both.html", "/both": "308 /both/", "/both/": "200 both/index.html", "/both/index.html": "200 both/index.html",
		"/bin": "200 bin", "/bin/": "308 /bin", "/bin.html": "200 bin.html", "/noext/index": "200 index", "/noext/index.html": "200 noext",
		"/a.txt": "200 text", "/a.txt/": "308 /a.txt", "/empty": "404", "/empty/": "404", "/.html": "404",
		"//page.html": "308 /page.html", "//dir": "308 /dir/", "//dir//": "308 /dir/", "//evil.com": "404", "//evil.com.html": "308 /evil.com.html", "/%2fevil.com.html": "404",
	} {
		if got := brief(s.raw(path)); got != want && !(want == "404" && strings.HasPrefix(got, "404 ")) {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}
