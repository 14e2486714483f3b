package static

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"roost/internal/httplint"
)

func TestRulesOfTheFolderLeadRequests(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{Serving: Serving{Browse: true}}, files{
		"_redirects": "/old/* /new/:splat 301\n/home /\n/gone https://example.org/ 307\n/users/* /user.html 200\n/raw /data.txt 200\n/nowhere /none.txt 200\n/index.html /other 303\n/wrong\n",
		"_headers":   "/*\n  X-All: yes\n  Cache-Control: public, max-age=60\n/data.txt\n  X-Data: 1\n  ! Last-Modified\n  ! X-All\n/users/:name\n  X-User: :name\n",
		"index.html": "index", "user.html": "user", "data.txt": "0123456789", "404.html": "none", "new/a.txt": "new",
	})
	for _, c := range []struct {
		path, location string
		status         int
		body           string
	}{
		{"/old/a.txt?x=1", "/new/a.txt?x=1", 301, ""},
		{"/old//evil.example", "/new/evil.example", 301, ""},
		{"/old/%5cevil%0d%0aX:%20y", "/new/%5Cevil%0D%0AX:%20y", 301, ""},
		{"/home", "/", 302, ""},
		{"/gone", "https://example.org/", 307, ""},
		{"/index.html", "/other", 303, ""}, // though there is such a file
		{"/users/ann", "", 200, "user"},
		{"/raw", "", 200, "0123456789"},
		{"/nowhere", "", 404, "none"},
		{"/old%2fa.txt", "", 404, "none"}, // an escaped slash is no slash
		{"/", "", 200, "index"},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			a := s.ask(method, c.path)
			if body := map[bool]string{true: c.body}[method == "GET"]; a.StatusCode != c.status || a.Header.Get("Location") != c.location || a.body != body {
				t.Errorf("%s %s: %d %q %q, want %d %q %q", method, c.path, a.StatusCode, a.Header.Get("Location"), a.body, c.status, c.location, body)
			}
			if a.Header.Get("X-All") != "yes" {
				t.Errorf("%s %s: %v", method, c.path, a.Header)
			}
		}
	}
	for _, c := range []struct {
		path, field, name, want string
		status                  int
	}{
		{"/data.txt", "", "X-Data", "1", 200},
		{"/data.txt", "", "X-All", "", 200},
		{"/data.txt", "", "Cache-Control", "public, max-age=60", 200},
		{"/data.txt", "Range: bytes=1-2", "X-Data", "1", 206},
		{"/data.txt", "Range: bytes=1-2,5-6", "X-Data", "1", 206},
		{"/data.txt", "If-None-Match: *", "Cache-Control", "public, max-age=60", 304},
		{"/users/a%0d%0ab", "", "X-User", "a%0D%0Ab", 200},
		{"/none", "", "Cache-Control", "no-store", 404},
		{"/none", "", "X-All", "yes", 404},
		{"/new", "", "X-All", "yes", 308},
		{"/new/", "", "X-All", "yes", 200}, // a listing
		{"/user.html", "", "X-All", "yes", 308},
	} {
		var fields []string
		if c.field != "" {
			fields = append(fields, c.field)
		}
		if a := s.get(c.path, fields...); a.StatusCode != c.status || a.Header.Get(c.name) != c.want {
			t.Errorf("%s %s: %d, %s is %q, want %d %q", c.path, c.field, a.StatusCode, c.name, a.Header.Get(c.name), c.status, c.want)
		}
	}
	if a := s.ask("POST", "/old/a"); a.StatusCode != 405 {
		t.Errorf("POST is answered with %d", a.StatusCode)
	}
	for _, want := range []string{"_redirects:8", "a rule has two or three words, not 1", "_headers:6", "the server's own"} {
		if n := strings.Count(s.logs.String(), want); n != 1 {
			t.Errorf("the log has %q %d times:\n%s", want, n, s.logs)
		}
	}
}

func TestRulesOfNetlifyComeBehindFiles(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{Prefix: "/app/", Serving: Serving{Rules: "netlify"}}, files{
		"_redirects": "/page /elsewhere\n/forced.txt /page 302!\n/lang /de 302 Language=de\n/q id=:id /item/:id\n/admin/* /login 302! Role=admin\n/teapot /page.html 404\n/* /index.html 200\n",
		"index.html": "index", "page.html": "page", "forced.txt": "file",
	})
	for _, c := range []struct {
		path, location string
		status         int
		body           string
	}{
		{"/app/page", "", 200, "page"},
		{"/app/forced.txt", "/app/page", 302, ""},
		{"/app/lang", "/app/de", 302, ""},
		{"/app/q?id=7&x=y", "/app/item/7?x=y", 301, ""},
		{"/app/admin/x", "", 200, "index"}, // the rule with a role is left out
		{"/app/teapot", "", 404, "page"},
		{"/app/any/where", "", 200, "index"},
		{"/app", "/app/", 308, ""},
	} {
		a := s.get(c.path, "Accept-Language: de-AT")
		if a.StatusCode != c.status || a.Header.Get("Location") != c.location || a.body != c.body {
			t.Errorf("%s: %d %q %q, want %d %q %q", c.path, a.StatusCode, a.Header.Get("Location"), a.body, c.status, c.location, c.body)
		}
	}
	if vary := s.get("/app/lang", "Accept-Language: de").Header.Get("Vary"); vary != "Accept-Language" {
		t.Errorf("a rule of languages varies by %q", vary)
	}
}

func TestFilesWithRulesAreNeverServed(t *testing.T) {
	t.Parallel()
	for _, dialect := range []string{"", "netlify", "off"} {
		s := newSite(t, Config{Serving: Serving{Rules: dialect, Browse: true}}, files{
			"_redirects": "/a /b", "_headers": "/*\n  X-A: secret", "docs/_headers": "a page like any", "a": "file",
		})
		for _, path := range []string{
			"/_redirects", "/_headers", "/_headers/", "//_headers", "/%5fheaders", "/_header%73", "/./_headers", "/docs/../_headers", "/_Headers", "/_REDIRECTS", "/_redirects?x", "/_headers.html",
		} {
			if a := s.raw(path); a.StatusCode == 200 || strings.Contains(a.body, "secret") {
				t.Errorf("rules %q: %s is served: %d %q", dialect, path, a.StatusCode, a.body)
			}
		}
		if a := s.get("/"); strings.Contains(a.body, "_redirects") || strings.Contains(a.body, "_headers") || !strings.Contains(a.body, "docs") {
			t.Errorf("they are listed: %s", a.body)
		}
		if a := s.get("/docs/_headers"); a.body != "a page like any" {
			t.Errorf("below the top: %d", a.StatusCode)
		}
		status, field := map[bool]int{true: 302, false: 200}[dialect == ""], map[bool]string{true: "", false: "secret"}[dialect == "off"]
		if a := s.get("/a"); a.StatusCode != status || a.Header.Get("X-A") != field {
			t.Errorf("rules %q: /a is answered with %d and %q", dialect, a.StatusCode, a.Header.Get("X-A"))
		}
	}
	// Some systems find them in any case.
	s := newSite(t, Config{Serving: Serving{Browse: true}}, files{"_Headers": "# secret", "_REDIRECTS": "# secret", "a": "file"})
	for _, path := range []string{"/_Headers", "/_REDIRECTS", "/_headers", "/_redirects"} {
		if a := s.get(path); a.StatusCode != 404 {
			t.Errorf("%s is served: %d", path, a.StatusCode)
		}
	}
	if a := s.get("/"); strings.Contains(a.body, "_Headers") || strings.Contains(a.body, "_REDIRECTS") {
		t.Errorf("they are listed: %s", a.body)
	}
}

func TestChangedRulesHoldWithinASecond(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{}, files{"a.txt": "a"}).run()
	location := func(path, want string) {
		t.Helper()
		within(t, time.Second, path+" leads to "+want, func() bool { return s.get(path).Header.Get("Location") == want })
	}
	if a := s.get("/old"); a.StatusCode != 404 {
		t.Fatalf("got %d", a.StatusCode)
	}
	write(t, s.root, files{"_redirects": "/old /a.txt\n"})
	location("/old", "/a.txt")
	// One that is wrong in part keeps what is right, and says so.
	write(t, s.root, files{"_redirects": "/old /b.txt\n/bad\n"})
	location("/old", "/b.txt")
	if n := strings.Count(s.logs.String(), "_redirects:2"); n != 1 {
		t.Errorf("the log tells of line 2 %d times", n)
	}
	write(t, s.root, files{"_headers": "/*\n  X-A: 1\n"})
	within(t, time.Second, "_headers holds", func() bool { return s.get("/a.txt").Header.Get("X-A") == "1" })
	// By a rename, as editors do.
	write(t, s.root, files{".next": "/old /c.txt\n/bad\n"})
	check(t, os.Rename(filepath.Join(s.root, ".next"), filepath.Join(s.root, "_redirects")))
	location("/old", "/c.txt")
	if n := strings.Count(s.logs.String(), "_redirects:2"); n != 1 {
		t.Errorf("the log tells of line 2 %d times", n)
	}
	check(t, os.Remove(filepath.Join(s.root, "_redirects")))
	check(t, os.Remove(filepath.Join(s.root, "_headers")))
	location("/old", "")
	within(t, time.Second, "no rule is left", func() bool { return s.get("/a.txt").Header.Get("X-A") == "" })
	// What else changes leaves them alone.
	write(t, s.root, files{"_redirects": "/old /a.txt\n", "dir/b.txt": "b"})
	location("/old", "/a.txt")
	write(t, s.root, files{"dir/c.txt": "c"})
	s.shows("/dir/c.txt", 200, "c")
	location("/old", "/a.txt")
}

func TestChangedRulesHoldWithoutEvents(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]*site{
		"polled": newSite(t, Config{}, files{"a.txt": "a"}),
		"links":  newSite(t, Config{}, files{"a.txt": "a", "b.txt": "->a.txt"}),
	} {
		if name == "polled" {
			s.watcher = func(string) (*watcher, error) { return nil, errRemote }
		}
		s.run()
		for _, to := range []string{"/a.txt", "/b.txt", ""} {
			if to == "" {
				check(t, os.Remove(filepath.Join(s.root, "_redirects")))
			} else {
				write(t, s.root, files{"_redirects": "/old " + to + "\n"})
			}
			within(t, time.Second, name+": /old leads to "+to, func() bool { return s.get("/old").Header.Get("Location") == to })
		}
	}
}

func TestRulesThatAreBeingWrittenAreHeldBack(t *testing.T) {
	t.Parallel()
	f := newSite(t, Config{}, files{"_redirects": "/old /a.txt\n", "_headers": "/*\n  X-A: 1\n"})
	old := f.table.Load()
	write(t, f.root, files{"_redirects": "/old /half", "_headers": "/*\n  X-A: 2\n"})
	s := f.scanner(old.root, old)
	var held []string
	s.hold = func(path string, _ time.Time) bool {
		held = append(held, path)
		return path == "/_redirects"
	}
	r, err := http.NewRequest("GET", "/old", nil)
	check(t, err)
	now := s.rules()
	if a, _ := now.redirects.Before(r, "/old", ""); a.Location != "/a.txt" || len(held) != 2 {
		t.Errorf("half a file leads to %q; asked about %q", a.Location, held)
	}
	if got := now.headers.Values(r, "/old", "X-A"); len(got) != 1 || got[0] != "2" {
		t.Errorf("a whole one is held back: %q", got)
	}
	s.hold = func(string, time.Time) bool { return false }
	if a, _ := s.rules().redirects.Before(r, "/old", ""); a.Location != "/half" {
		t.Errorf("a file that rests leads to %q", a.Location)
	}
	if got := f.scanner(old.root, &table{rules: now}).rules(); got.files[1].stamp != now.files[1].stamp || got == now {
		t.Error("it is not read again")
	}
}

func TestRuleFilesThatAreNoneAreTold(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{}, files{"_redirects": strings.Repeat("# a comment\n", 100_000), "_headers/": "", "a.txt": "a"})
	if a := s.get("/a.txt"); a.StatusCode != 200 {
		t.Errorf("got %d", a.StatusCode)
	}
	for _, want := range []string{"larger than 1024 KiB", "not a regular file"} {
		if !strings.Contains(s.logs.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, s.logs)
		}
	}
	notes := Notes(s.config)
	if len(notes) != 2 || !strings.Contains(notes[0], "_redirects: cannot be read: larger than") || !strings.Contains(notes[1], "_headers: cannot be read") {
		t.Errorf("the notes are %q", notes)
	}
	check(t, os.WriteFile(filepath.Join(s.root, "_redirects"), []byte("\n/x /y 999\n/x http://169.254.169.254/ 200\n"), 0o644))
	check(t, os.Remove(filepath.Join(s.root, "_headers")))
	if notes := strings.Join(Notes(s.config), "\n"); notes != s.root+"/_redirects:2: the status is 999: want 200, 301, 302, 303, 307 or 308\n"+
		s.root+"/_redirects:3: only a path of this site can be answered, not a URL: requests are not passed on to other sites; redirect with status 302 instead" {
		t.Errorf("the notes are %s", notes)
	}
	s.config.Rules = "off"
	if notes := Notes(s.config); notes != nil {
		t.Errorf("with rules off the notes are %q", notes)
	}
}

func TestLinkFieldsOfRulesAreKnownByPath(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{}, files{"_headers": "/*\n  Link: </a.css>; rel=preload; as=style\n/p/:x\n  Link: </:x.js>; rel=preload; as=script\n/none\n  ! Link\n", "a.css": "a"})
	for path, want := range map[string]string{
		"/a": "</a.css>; rel=preload; as=style", "/p/b": "</a.css>; rel=preload; as=style|</b.js>; rel=preload; as=script", "/none": "",
	} {
		r, err := http.NewRequest("GET", path, nil)
		check(t, err)
		if got := strings.Join(s.table.Load().linkFields(r, path), "|"); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

func TestHasKnowsWhatIsThere(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{Serving: Serving{Rules: "netlify", SPA: true}}, files{"_redirects": "/f /x 301!\n/m /y\n", "index.html": "i", "a.html": "a", "d/e.txt": "e", ".h/x": "h"})
	for path, want := range map[string]bool{"/": true, "/a": true, "/a.html": true, "/f": true, "/m": true, "/d/e.txt": true, "/d": false, "/none": false, "/none.js": false, "/d%2fe.txt": false, "/.h/x": false, "/_redirects": false} {
		r, err := http.NewRequest("GET", path, nil)
		check(t, err)
		if got := s.Has(r); got != want {
			t.Errorf("%s: %v", path, got)
		}
		if path == "/none" {
			r.Header.Set("Sec-Fetch-Mode", "navigate")
			if !s.Has(r) {
				t.Error("a page of the app is not there")
			}
		}
	}
}

// Whatever a request that began before a change of the folder is answered, it is of the state from before.
func TestARequestIsAnsweredByTheTableThatItBeganWith(t *testing.T) {
	t.Parallel()
	state := func(name string) files {
		return files{"_headers": "/*\n  X-State: " + name + "\n", "_redirects": "/ruled /" + name + " 302\n"}
	}
	all := files{"a.txt": "a", "sub/b.txt": "b", "404.html": "none", "405.html": "no", "412.html": "no", "416.html": "no"}
	maps.Copy(all, state("old"))
	s := newSite(t, Config{Serving: Serving{Browse: true}}, all)
	old := s.table.Load()
	s.run()
	write(t, s.root, state("new"))
	within(t, time.Second, "the new rules hold", func() bool {
		return s.get("/ruled").Header.Get("Location") == "/new" && s.get("/a.txt").Header.Get("X-State") == "new"
	})
	for _, test := range []struct {
		method, path, field, value string
		status                     int
	}{
		{"GET", "/a.txt", "", "", http.StatusOK},
		{"GET", "/a.txt", "If-None-Match", "*", http.StatusNotModified},
		{"GET", "/a.txt", "If-Match", `"other"`, http.StatusPreconditionFailed},
		{"GET", "/a.txt", "Range", "bytes=5-", http.StatusRequestedRangeNotSatisfiable},
		{"POST", "/a.txt", "", "", http.StatusMethodNotAllowed},
		{"GET", "/none", "", "", http.StatusNotFound},
		{"GET", "/ruled", "", "", http.StatusFound},
		{"GET", "/sub", "", "", http.StatusPermanentRedirect},
		{"GET", "/sub/", "", "", http.StatusOK},
		{"GET", "/sub/", "If-None-Match", "*", http.StatusNotModified},
		{"GET", "/sub/", "If-Match", `"other"`, http.StatusPreconditionFailed},
	} {
		r := httptest.NewRequest(test.method, test.path, nil)
		if test.field != "" {
			r.Header.Set(test.field, test.value)
		}
		begun := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.respond(w, r, old) })
		w := httplint.Record(t, begun, r)
		if w.Code != test.status || w.Header().Get("X-State") != "old" {
			t.Errorf("%s %s with %s: %d by the state %q, wanted %d by the old", test.method, test.path, test.field, w.Code, w.Header().Get("X-State"), test.status)
		}
	}
}
