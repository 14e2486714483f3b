package static

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestFilesAndIndexesAreServed(t *testing.T) {
	s := newSite(t, Config{}, files{
		"index.html":               "home",
		"a.txt":                    "a",
		"empty":                    "",
		"docs/index.html":          "docs",
		"docs/näme & co.css":       "css",
		".well-known/security.txt": "contact",
	})
	for path, want := range map[string]string{
		"/":                                   "home",
		"/a.txt":                              "a",
		"/%61.txt":                            "a",
		"/a.txt?x=%2f..":                      "a",
		"/empty":                              "",
		"/docs/":                              "docs",
		"/docs/n%c3%a4me%20&%20co.css":        "css",
		"/.well-known/security.txt":           "contact",
		"/docs/../a.txt":                      "404 Not Found\n",
		"/A.TXT":                              "404 Not Found\n",
		"/docs/index.html/x":                  "404 Not Found\n",
		"/.well-known/":                       "404 Not Found\n",
		"/" + strings.Repeat("x", 300):        "404 Not Found\n",
		"/docs/" + strings.Repeat("x/", 4000): "404 Not Found\n",
	} {
		a := s.raw(path)
		status := 200
		if strings.HasPrefix(want, "404") {
			status = 404
		}
		if a.StatusCode != status || a.body != want {
			t.Errorf("%.40s: %d %q, want %q", path, a.StatusCode, a.body, want)
		}
		if a.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%.40s: no nosniff", path)
		}
		if want := map[int]string{200: "no-cache", 404: "no-store"}[status]; a.Header.Get("Cache-Control") != want {
			t.Errorf("%.40s: Cache-Control %q, want %q", path, a.Header.Get("Cache-Control"), want)
		}
		if a.ContentLength != int64(len(a.body)) {
			t.Errorf("%.40s: Content-Length %d of %d bytes", path, a.ContentLength, len(a.body))
		}
	}
}

func TestHiddenNamesAreNotServed(t *testing.T) {
	s := newSite(t, Config{Serving: Serving{Browse: true, SPA: true}}, files{
		"index.html": "home", ".env": "secret", ".git/config": "secret", "a/.git/HEAD": "secret", "a/x": "",
		".well-known/.secret": "secret", "a/.well-known/x": "secret", "back\\slash": "secret", "tab\tname": "secret",
		"link": "->.env", "linked": "->.git", "bad\xffutf8": "secret",
	})
	for _, path := range []string{
		"/.env", "/.git/config", "/.git/", "/.git", "/a/.git/HEAD", "/.well-known/.secret", "/a/.well-known/x",
		"/back%5cslash", "/tab%09name", "/link", "/linked/config", "/bad%ffutf8", "/%2eenv", "/.%65nv", "/.git%2fconfig",
	} {
		a := s.raw(path, "Accept: text/html")
		if strings.Contains(a.body, "secret") || a.StatusCode != 404 && a.body != "home" {
			t.Errorf("%s: %d %q", path, a.StatusCode, a.body)
		}
	}
	if a := s.get("/a/"); a.StatusCode != 200 || strings.Contains(a.body, ".git") || strings.Contains(a.body, ".well-known") {
		t.Errorf("listing shows hidden names: %d %s", a.StatusCode, a.body)
	}
}

func TestOnlyReadingMethodsAreAllowed(t *testing.T) {
	s := newSite(t, Config{}, files{"a.txt": "a"})
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "TRACE", "FOO", "get", "PROPFIND"} {
		a := s.ask(method, "/a.txt")
		if a.StatusCode != 405 || a.Header.Get("Allow") != "GET, HEAD, OPTIONS" || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", method, a.StatusCode, a.Header)
		}
	}
	if a := s.ask("OPTIONS", "/a.txt"); a.StatusCode != 204 || a.Header.Get("Allow") != "GET, HEAD, OPTIONS" || a.body != "" {
		t.Errorf("OPTIONS: %d %v %q", a.StatusCode, a.Header, a.body)
	}
}

func TestHeadHasTheHeadersOfGet(t *testing.T) {
	s := newSite(t, Config{Serving: Serving{Browse: true}}, files{
		"a.html": "hello", "big.bin": strings.Repeat("x", maxInMemory+1), "d/x": "", "e/404.html": "none",
	})
	for _, path := range []string{"/a.html", "/big.bin", "/d/", "/d", "/e/none", "/none"} {
		get, head := s.get(path), s.ask("HEAD", path)
		get.Header.Del("Date")
		head.Header.Del("Date")
		if head.StatusCode != get.StatusCode || head.body != "" || head.ContentLength != get.ContentLength {
			t.Errorf("%s: %d, %d bytes; GET has %d, %d bytes", path, head.StatusCode, head.ContentLength, get.StatusCode, get.ContentLength)
		}
		for name := range get.Header {
			if head.Header.Get(name) != get.Header.Get(name) {
				t.Errorf("%s: %s is %q, GET has %q", path, name, head.Header.Get(name), get.Header.Get(name))
			}
		}
	}
}

func TestPrefixLeadsToTheFolder(t *testing.T) {
	s := newSite(t, Config{Prefix: "/some docs/", Serving: Serving{Browse: true}}, files{"index.html": "home", "sub/a": "a"})
	for path, want := range map[string]string{
		"/some%20docs/":        "200 home",
		"/some%20docs/sub/a":   "200 a",
		"/some%20docs":         "308 /some%20docs/",
		"/some%20docs?q=1":     "308 /some%20docs/?q=1",
		"/some%20docs/sub?q=1": "308 /some%20docs/sub/?q=1",
		"/some%20docsx":        "404",
		"/sub/a":               "404",
		"/":                    "404",
		"/some%20docs/../":     "404",
	} {
		a := s.raw(path)
		if got := brief(a); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

// brief is the status, and the place of a redirect or else the body.
func brief(a answer) string {
	if to := a.Header.Get("Location"); to != "" {
		return a.Status[:4] + to
	}
	return a.Status[:4] + strings.TrimSpace(a.body)
}

func TestErrorsGoThroughTheGivenFunction(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, files{"a": "a"})
	var got []int
	f, err := Open(Config{Root: dir}, Options{Error: func(w http.ResponseWriter, _ *http.Request, status int) {
		got = append(got, status)
		w.WriteHeader(status)
	}})
	check(t, err)
	for _, r := range []*http.Request{
		httptest.NewRequest("GET", "/none", nil),
		httptest.NewRequest("PUT", "/a", nil),
		with(httptest.NewRequest("GET", "/a", nil), "Range", "bytes=9-"),
		with(httptest.NewRequest("GET", "/a", nil), "If-Match", `"x"`),
	} {
		f.ServeHTTP(httptest.NewRecorder(), r)
	}
	check(t, f.Close())
	w := httptest.NewRecorder()
	f.ServeHTTP(w, httptest.NewRequest("GET", "/a", nil))
	if want := []int{404, 405, 416, 412, 503}; !equal(got, want) {
		t.Errorf("statuses %v, want %v", got, want)
	}
	check(t, f.Close())
}

func equal(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func with(r *http.Request, name, value string) *http.Request {
	r.Header.Set(name, value)
	return r
}

func TestOpenRefusesWhatIsNoFolder(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, files{"file": ""})
	for root, want := range map[string]string{"none": "no such file", "file": "not a directory"} {
		_, err := Open(Config{Root: filepath.Join(dir, root)}, Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", root, err, want)
		}
	}
	if _, err := Open(Config{Root: dir, Prefix: "//x/"}, Options{}); err == nil {
		t.Error("a prefix that names a host is accepted")
	}
}

func TestLargeFileIsTrueToItself(t *testing.T) {
	// Nothing keeps the table fresh here: the request itself must notice.
	s := newSite(t, Config{}, files{"big": strings.Repeat("a", maxInMemory+1), "small": "a"})
	before := s.get("/big")
	small := s.get("/small")
	later := time.Now().Add(-time.Hour)
	for _, name := range []string{"big", "small"} {
		check(t, os.Remove(filepath.Join(s.root, name)))
	}
	write(t, s.root, files{"big": strings.Repeat("b", maxInMemory+7)})
	check(t, os.Chtimes(filepath.Join(s.root, "big"), later, later))
	after := s.get("/big", "If-None-Match: "+before.Header.Get("Etag"))
	if after.StatusCode != 304 { // the table is asked first, and no second old
		t.Errorf("with the known tag: %d", after.StatusCode)
	}
	after = s.get("/big")
	if after.ContentLength != maxInMemory+7 || strings.Trim(after.body, "b") != "" || after.Header.Get("Etag") == before.Header.Get("Etag") {
		t.Errorf("length %d, tag %s as before %s", after.ContentLength, after.Header.Get("Etag"), before.Header.Get("Etag"))
	}
	if got := after.Header.Get("Last-Modified"); got != later.UTC().Format(http.TimeFormat) {
		t.Errorf("Last-Modified %q", got)
	}
	if a := s.get("/small"); a.body != small.body {
		t.Errorf("a file in memory is read again: %q", a.body)
	}
	check(t, os.Remove(filepath.Join(s.root, "big")))
	if a := s.get("/big"); a.StatusCode != 404 {
		t.Errorf("a file that is gone: %d", a.StatusCode)
	}
}
