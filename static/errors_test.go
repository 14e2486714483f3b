package static

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestErrorPagesComeFromTheFolder(t *testing.T) {
	s := newSite(t, Config{}, files{
		"404.html": "top", "docs/404.html": "docs", "405.html": "method", "416.html": "range", "412.html": "precondition",
		"403.html": "forbidden", "docs/405.html": "never", "file": "0123456789",
	})
	for _, c := range []struct {
		method, path, field string
		status              int
		body                string
	}{
		{"GET", "/none", "", 404, "top"},
		{"GET", "/docs/none", "", 404, "docs"},
		{"POST", "/docs/x", "", 405, "method"},
		{"TRACE", "/file", "", 405, "method"},
		{"GET", "/file", "Range: bytes=10-", 416, "range"},
		{"GET", "/file", "If-Match: \"x\"", 412, "precondition"},
		{"HEAD", "/none", "", 404, ""},
		{"HEAD", "/file", "If-Match: \"x\"", 412, ""},
	} {
		for _, json := range []bool{false, true} {
			fields, body := []string{"X-None: "}, c.body
			if c.field != "" {
				fields = append(fields, c.field)
			}
			if json {
				fields = append(fields, "Accept: application/json")
				if body != "" {
					body = http.StatusText(c.status)
				}
			}
			a := s.ask(c.method, c.path, fields...)
			if right := a.body == body || json && strings.Contains(a.body, body); a.StatusCode != c.status || !right {
				t.Errorf("%s %s %s: %d %q", c.method, c.path, fields, a.StatusCode, a.body)
			}
			if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Etag") != "" || a.Header.Get("Last-Modified") != "" || a.Header.Get("Accept-Ranges") != "" {
				t.Errorf("%s %s: %v", c.method, c.path, a.Header)
			}
			if !json && (a.Header.Get("Vary") != "Accept" || a.Header.Get("Content-Type") != "text/html; charset=utf-8") {
				t.Errorf("%s %s: %v", c.method, c.path, a.Header)
			}
			if want := map[int]string{405: "GET, HEAD, OPTIONS"}[c.status]; a.Header.Get("Allow") != want {
				t.Errorf("%s %s: Allow %q", c.method, c.path, a.Header.Get("Allow"))
			}
			if want := map[int]string{416: "bytes */10"}[c.status]; a.Header.Get("Content-Range") != want {
				t.Errorf("%s %s: Content-Range %q", c.method, c.path, a.Header.Get("Content-Range"))
			}
		}
	}
	if a := s.get("/405"); a.StatusCode != 200 || a.body != "method" {
		t.Errorf("the page itself: %s", brief(a))
	}
}

func TestAnErrorPageThatCannotBeReadIsReplaced(t *testing.T) {
	s := newSite(t, Config{}, files{"404.html": "top", "405.html": "method"})
	for _, name := range []string{"404.html", "405.html"} {
		check(t, os.Remove(filepath.Join(s.root, name)))
	}
	if a := s.get("/none"); brief(a) != "404 404 Not Found" {
		t.Errorf("%s", brief(a))
	}
	if a := s.ask("POST", "/none"); brief(a) != "405 405 Method Not Allowed" || a.Header.Get("Allow") == "" {
		t.Errorf("%s", brief(a))
	}
}
