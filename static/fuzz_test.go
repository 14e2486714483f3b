package static

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"roost/internal/httplint"
)

// FuzzPath asks for any path at all. Whatever is answered with 200 must be the
// content of a file in the folder, and whatever is redirected must stay on the
// host and arrive after one more step.
func FuzzPath(f *testing.F) {
	for _, seed := range []string{
		"/index", "/dir.html", "/dir/index", "/dir/index.html/", "//evil.com.html", "//evil.com/index.html", "/evil.com", "/.html", "/dir/.html", "/b.txt.html", "/a.txt//",
		"/", "/index.html", "/dir", "/dir/", "/dir/b.txt/", "//dir//b.txt", "/../secret", "/..%2fsecret", "/%2e%2e/secret", "/dir/%2e%2e/%2e%2e/secret",
		"/%00", "/.hidden", "/%5c..%5csecret", "/link", "/link/../../secret", "/out", "/out/", "//evil.com/", "/%2f%2fevil.com", "/\\evil.com", "/%09//evil.com",
		"/dir%2fb.txt", "/%c0%ae%c0%ae/secret", "/a%ffb", "/dir/./b.txt", "/.well-known/x", "/x%3f", "//?\\", "/dir?#%", "/dir?%0d%0a", "/" + strings.Repeat("a", 300),
	} {
		f.Add(seed)
	}
	top := f.TempDir()
	inside := map[string]bool{}
	for name, content := range map[string]string{
		"public/index.html": "INSIDE home", "public/a.txt": "INSIDE a", "public/dir/b.txt": "INSIDE b", "public/dir/index.html": "INSIDE index", "public/dir.html": "INSIDE dir.html", "public/evil.com.html": "INSIDE evil",
		"public/.well-known/x": "INSIDE wk", "public/.hidden": "OUTSIDE hidden", "secret": "OUTSIDE secret",
	} {
		file := filepath.Join(top, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			f.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			f.Fatal(err)
		}
		inside[content] = strings.HasPrefix(content, "INSIDE")
	}
	for name, to := range map[string]string{"public/link": "dir/b.txt", "public/out": "../secret", "public/outdir": "..", "public/top": "/", "public/dir/self": "."} {
		if err := os.Symlink(to, filepath.Join(top, name)); err != nil {
			f.Fatal(err)
		}
	}
	sites := map[string]*Folder{}
	for _, mode := range htmlHandlings {
		site, err := Open(Config{Root: filepath.Join(top, "public"), Serving: Serving{HTMLHandling: mode, Memory: 1}}, Options{})
		if err != nil {
			f.Fatal(err)
		}
		f.Cleanup(func() { site.Close() })
		sites[mode] = site
	}
	ask := func(t *testing.T, mode, target string) (*httptest.ResponseRecorder, bool) {
		u, err := url.ParseRequestURI(target) // as net/http does
		if err != nil {
			return nil, false
		}
		return httplint.Record(t, sites[mode], &http.Request{Method: "GET", URL: u, Header: http.Header{}}), true
	}
	f.Fuzz(func(t *testing.T, target string) {
		for mode := range sites {
			w, ok := ask(t, mode, target)
			if !ok {
				return
			}
			if w.Code == http.StatusPermanentRedirect {
				to := w.Header().Get("Location")
				u, err := url.Parse(to)
				path, _, _ := strings.Cut(to, "?") // the query is the client's own
				if err != nil || u.Host != "" || u.Scheme != "" || to[0] != '/' || strings.HasPrefix(to, "//") || strings.ContainsAny(path, "\\\r\n\t") || strings.ContainsAny(to, "\r\n") {
					t.Fatalf("%s: %q is redirected to %q", mode, target, to)
				}
				if w, ok = ask(t, mode, to); !ok || w.Code != 200 {
					t.Fatalf("%s: %q is redirected to %q, which is answered with %d", mode, target, to, w.Code)
				}
			}
			switch w.Code {
			case 200:
				if !inside[w.Body.String()] {
					t.Fatalf("%s: %q is answered with %q", mode, target, w.Body)
				}
			case 404:
			default:
				t.Fatalf("%s: %q: %d", mode, target, w.Code)
			}
		}
	})
}

// FuzzEntityTags compares lists of tags; a list that has the tag must match
// whatever stands before it in proper form.
func FuzzEntityTags(f *testing.F) {
	for _, seed := range []string{``, `*`, `"a"`, `W/"a"`, `"a",W/"b" , "c"`, `"a" "b"`, `,,`, `"`, `W/`, `"é"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, list string) {
		strong, weak := matches([]string{list}, `"tag"`, true), matches([]string{list}, `"tag"`, false)
		if strong && !weak {
			t.Fatalf("%q matches strongly only", list)
		}
		if weak && strings.Trim(list, " \t") != "*" && !strings.Contains(list, `"tag"`) {
			t.Fatalf("%q matches", list)
		}
		if !matches([]string{list, `"tag"`}, `"tag"`, true) {
			t.Fatalf("%q hides the next field", list)
		}
	})
}
