package static

import (
	"mime"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFilesThatMatchAreDownloads(t *testing.T) {
	all := files{
		"a.pdf": "pdf", "docs/b.pdf": "pdf", "docs/b.txt": "text", "files/deep/er/c.txt": "text", "files/d.html": "page", "d.html": "page",
		"one/x.bin": "x", "two/one/x.bin": "x",
	}
	s := newSite(t, Config{Serving: Serving{Download: []string{"*.pdf", "files/**", "/one/*.{bin,iso}"}}}, all)
	for path, want := range map[string]string{
		"/a.pdf":               `attachment; filename="a.pdf"`,
		"/docs/b.pdf":          `attachment; filename="b.pdf"`,
		"/docs/b.txt":          "",
		"/files/deep/er/c.txt": `attachment; filename="c.txt"`,
		"/files/d":             `attachment; filename="d.html"`,
		"/d":                   "",
		"/one/x.bin":           `attachment; filename="x.bin"`,
		"/two/one/x.bin":       "",
	} {
		if a := s.get(path); a.StatusCode != 200 || a.Header.Get("Content-Disposition") != want {
			t.Errorf("%s: %d %q, want %q", path, a.StatusCode, a.Header.Get("Content-Disposition"), want)
		}
	}
	for field, status := range map[string]int{"Range: bytes=0-0": 206, "If-None-Match: *": 304, "Range: bytes=9-": 416, "If-Match: \"x\"": 412} {
		want := ""
		if status == 206 {
			want = `attachment; filename="a.pdf"`
		}
		if a := s.get("/a.pdf", field); a.StatusCode != status || a.Header.Get("Content-Disposition") != want {
			t.Errorf("%s: %d %q", field, a.StatusCode, a.Header.Get("Content-Disposition"))
		}
	}
	for _, path := range []string{"/none.pdf", "/files/none"} {
		if a := s.get(path); a.StatusCode != 404 || a.Header.Get("Content-Disposition") != "" {
			t.Errorf("%s: %d %v", path, a.StatusCode, a.Header)
		}
	}
}

func TestNamesOfDownloadsAreWhole(t *testing.T) {
	for name, want := range map[string]string{
		"a b.txt":        `attachment; filename="a b.txt"`,
		"it's;a=b,c.txt": `attachment; filename="it's;a=b,c.txt"`,
		"näme €.pdf":     `attachment; filename="n_me _.pdf"; filename*=UTF-8''n%C3%A4me%20%E2%82%AC.pdf`,
		`say "hi".txt`:   `attachment; filename="say _hi_.txt"; filename*=UTF-8''say%20%22hi%22.txt`,
		"100%41.txt":     `attachment; filename="100_41.txt"; filename*=UTF-8''100%2541.txt`,
		"a\r\nX: y\x7f":  "attachment; filename=\"a__X: y_\"; filename*=UTF-8''a%0D%0AX%3A%20y%7F",
		`back\slash`:     `attachment; filename="back_slash"; filename*=UTF-8''back%5Cslash`,
		"it's (1)*.ü":    `attachment; filename="it's (1)*._"; filename*=UTF-8''it%27s%20%281%29%2A.%C3%BC`,
	} {
		if got := attachment(name); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
	// Through the front door, those that a folder can have.
	s := newSite(t, Config{Serving: Serving{Download: []string{"*"}}}, files{"näme €.pdf": "x", `say "hi".txt`: "x", "100%41.txt": "x"})
	for _, name := range []string{"näme €.pdf", `say "hi".txt`, "100%41.txt"} {
		if a := s.raw("/" + url.PathEscape(name)); a.StatusCode != 200 || a.Header.Get("Content-Disposition") != attachment(name) {
			t.Errorf("%s: %d %q", name, a.StatusCode, a.Header.Get("Content-Disposition"))
		}
	}
}

// FuzzAttachment reads back what was written: any name comes out as it went in.
func FuzzAttachment(f *testing.F) {
	for _, seed := range []string{"a.txt", "ä", `"`, "\\", "%", "a;b", "\r\n", "'", "*", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if !utf8.ValidString(name) {
			return
		}
		value := attachment(name)
		if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Fatalf("%q: %q", name, value)
		}
		kind, parameters, err := mime.ParseMediaType(value)
		if err != nil || kind != "attachment" {
			t.Fatalf("%q: %q: %v", name, value, err)
		}
		if got := parameters["filename"]; got != name {
			t.Fatalf("%q: %q is read as %q", name, value, got)
		}
	})
}
