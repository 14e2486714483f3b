package static

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strings"
	"testing"
)

// hinted serves a folder over HTTP/2 or HTTP/1.1 and returns what asks for the
// Link fields of each 103 before an answer, and for the answer.
func hinted(t *testing.T, c Config, links []string, all files, protocol string) func(method, path string, fields ...string) (early [][]string, final *http.Response) {
	t.Helper()
	c.Root = t.TempDir()
	write(t, c.Root, all)
	f, err := Open(c, Options{Links: func(http.ResponseWriter, *http.Request) []string { return links }})
	check(t, err)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Before", "kept") // of the answer, not of the hint
		f.ServeHTTP(w, r)
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	client := s.Client().Transport.(*http.Transport)
	client.Protocols = new(http.Protocols)
	client.Protocols.SetHTTP1(protocol == "HTTP/1.1")
	client.Protocols.SetHTTP2(protocol == "HTTP/2.0")
	t.Cleanup(func() {
		s.Close()
		check(t, f.Close())
	})
	return func(method, path string, fields ...string) (early [][]string, final *http.Response) {
		t.Helper()
		trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			if code != 103 || len(h) != 1 {
				t.Errorf("%d %v", code, h)
			}
			early = append(early, h["Link"])
			return nil
		}}
		r, err := http.NewRequestWithContext(httptrace.WithClientTrace(context.Background(), trace), method, s.URL+path, nil)
		check(t, err)
		for _, field := range fields {
			name, value, _ := strings.Cut(field, ": ")
			r.Header.Add(name, value)
		}
		final, err = client.RoundTrip(r)
		check(t, err)
		defer final.Body.Close()
		_, err = io.Copy(io.Discard, final.Body)
		check(t, err)
		if final.Proto != protocol || final.Header.Get("X-Before") != "kept" {
			t.Errorf("%s %s: %s %v", method, path, final.Proto, final.Header)
		}
		return early, final
	}
}

func TestPagesAreHintedAtOverHTTP2(t *testing.T) {
	t.Parallel()
	links := []string{`</a.css>; rel=preload; as=style, </next>; rel=next`, `<https://cdn.example>; rel="preconnect"`, `</b,c.js>; rel=modulepreload; title="a, b; c"`}
	want := []string{`</a.css>; rel=preload; as=style`, `<https://cdn.example>; rel="preconnect"`, `</b,c.js>; rel=modulepreload; title="a, b; c"`}
	all := files{"index.html": "home", "page.html": strings.Repeat("p", maxInMemory+1), "a.css": "css", "404.html": "none"}
	const navigate = "Sec-Fetch-Mode: navigate"
	ask := hinted(t, Config{Serving: Serving{SPA: true}}, links, all, "HTTP/2.0")
	_, home := ask("GET", "/")
	for _, c := range []struct {
		method, path string
		fields       []string
		status, sent int
	}{
		{"GET", "/", []string{navigate}, 200, 1},
		{"GET", "/", []string{"Accept: text/html,*/*"}, 200, 1},
		{"GET", "/page", []string{navigate}, 200, 1},
		{"GET", "/of/the/app", []string{navigate}, 200, 1},
		{"GET", "/", nil, 200, 0},
		{"GET", "/", []string{"Sec-Fetch-Mode: cors", "Accept: text/html"}, 200, 0},
		{"HEAD", "/", []string{navigate}, 200, 0},
		{"GET", "/", []string{navigate, "If-None-Match: " + home.Header.Get("Etag")}, 304, 0},
		{"GET", "/", []string{navigate, `If-Match: "x"`}, 412, 0},
		{"GET", "/", []string{navigate, "Range: bytes=0-0"}, 206, 0},
		{"GET", "/page.html", []string{navigate}, 308, 0},
		{"GET", "/a.css", []string{navigate}, 200, 0},
		{"GET", "/none.css", []string{navigate}, 404, 0},
		{"POST", "/", []string{navigate}, 405, 0},
	} {
		early, final := ask(c.method, c.path, c.fields...)
		if final.StatusCode != c.status || len(early) != c.sent || c.sent > 0 && !slices.Equal(early[0], want) {
			t.Errorf("%s %s %v: %d after %q, want %d after %d", c.method, c.path, c.fields, final.StatusCode, early, c.status, c.sent)
		}
	}
	// The folder's own rules say the same, and the page has the links as well.
	ruled := hinted(t, Config{}, []string{"</z>; rel=preconnect"}, files{"page.html": "p", "_headers": "/pa*\n  Link: </a.css>; rel=preload; as=style\n  Link: </n>; rel=next\n"}, "HTTP/2.0")
	early, final := ruled("GET", "/page", navigate)
	if len(early) != 1 || !slices.Equal(early[0], []string{"</a.css>; rel=preload; as=style", "</z>; rel=preconnect"}) ||
		!strings.Contains(strings.Join(final.Header["Link"], ", "), "</a.css>; rel=preload; as=style, </n>; rel=next") {
		t.Errorf("by _headers: %d %q after %q", final.StatusCode, final.Header["Link"], early)
	}
	no := false
	for name, ask := range map[string]func(string, string, ...string) ([][]string, *http.Response){
		"HTTP/1.1":            hinted(t, Config{}, links, all, "HTTP/1.1"),
		"early_hints = false": hinted(t, Config{Serving: Serving{EarlyHints: &no}}, links, all, "HTTP/2.0"),
		"nothing to fetch":    hinted(t, Config{}, []string{"</next>; rel=next"}, all, "HTTP/2.0"),
		"no links":            hinted(t, Config{}, nil, all, "HTTP/2.0"),
	} {
		if early, final := ask("GET", "/", navigate); len(early) != 0 || final.StatusCode != 200 {
			t.Errorf("%s: %d after %q", name, final.StatusCode, early)
		}
	}
}

func TestEarlyLinksAreFoundInAnyField(t *testing.T) {
	for line, want := range map[string][]string{
		"":                                   nil,
		", ,;":                               nil,
		"/a; rel=preload":                    nil,
		"</a>":                               nil,
		"</a>; rel":                          nil,
		"</a>; rel=preload":                  {"</a>; rel=preload"},
		"</a>;REL=\"next PRELOAD\"":          {"</a>;REL=\"next PRELOAD\""},
		"</a>; rel=next; rel=preload":        nil,
		"</a>; title=\"; rel=preload\"":      nil,
		"</a>; rel=preloaded":                nil,
		"</a;rel=preload,</b>; rel=next":     nil,
		`</a>; title="\",\""; rel=preload,b`: {`</a>; title="\",\""; rel=preload`},
		"</a>; rel=preload, </b>; rel=preconnect; crossorigin": {"</a>; rel=preload", "</b>; rel=preconnect; crossorigin"},
		`</a>; x="unended, </b>; rel=preload`:                  nil,
	} {
		if got := appendEarly(nil, line); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}
