package rules

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"roost/internal/testcache"
)

// platformCase is a file that both a platform's own code and ours read.
type platformCase struct {
	Dialect  Dialect  `json:"dialect"`
	Kind     string   `json:"kind"` // "redirects" or "headers"
	Text     string   `json:"text"`
	Requests []string `json:"requests"`
	// ours are lines of which we alone complain, with the reason; theirs those of which they do.
	ours, theirs map[int]string
}

type opinion struct {
	Lines   []int `json:"lines"`
	Answers []struct {
		Status   int               `json:"status"`
		Location string            `json:"location"`
		Path     string            `json:"path"`
		Force    bool              `json:"force"`
		Headers  map[string]string `json:"headers"`
	} `json:"answers"`
}

// ask has the platforms' own code read the cases.
func ask(t *testing.T, cases []platformCase) []opinion {
	t.Helper()
	modules := testcache.NPM(t, "testdata/npm")
	in, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), testcache.Node(t, 22), "testdata/oracle.mjs", modules)
	cmd.Stdin = bytes.NewReader(in)
	var words strings.Builder
	cmd.Stderr = &words
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, words.String())
	}
	var opinions []opinion
	if err := json.Unmarshal(out, &opinions); err != nil {
		t.Fatal(err)
	}
	return opinions
}

// request is one for a path and query of https://example.com, as it comes from net/http.
func request(t testing.TB, target string) *http.Request {
	t.Helper()
	u, err := url.ParseRequestURI(target)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Request{Method: "GET", URL: u, Host: "example.com", Header: http.Header{}, TLS: &tls.ConnectionState{}}
}

func TestFilesAreReadAsThePlatformsReadThem(t *testing.T) {
	t.Parallel()
	for i, theirs := range ask(t, corpus) {
		c := corpus[i]
		var problems []Problem
		var redirects *Redirects
		var headers *Headers
		if c.Kind == "redirects" {
			redirects, problems = ParseRedirects([]byte(c.Text), c.Dialect)
		} else {
			headers, problems = ParseHeaders([]byte(c.Text), c.Dialect)
		}
		lines := map[int]bool{}
		for _, p := range problems {
			lines[p.Line] = true
		}
		text := strings.Split(c.Text, "\n")
		for n := range text {
			n++
			want := slices.Contains(theirs.Lines, n) && c.theirs[n] == "" || c.ours[n] != ""
			if lines[n] != want {
				t.Errorf("%s %s, line %d %q: a problem %v, want %v (%v)", c.Dialect, c.Kind, n, text[n-1], lines[n], want, problems)
			}
		}
		for j, target := range c.Requests {
			r, want := request(t, target), theirs.Answers[j]
			if c.Kind == "headers" {
				h := http.Header{}
				headers.Apply(h, r, r.URL.Path, 200)
				for name, value := range want.Headers {
					if got := strings.Join(h.Values(name), ", "); strings.HasPrefix(name, "x-") && name != "x-content-type-options" && got != value {
						t.Errorf("%s\n%s: %s is %q, want %q", c.Text, target, name, got, value)
					}
				}
				for name := range h {
					if _, ok := want.Headers[strings.ToLower(name)]; !ok {
						t.Errorf("%s\n%s: %s is %q, want none", c.Text, target, name, h[name])
					}
				}
				continue
			}
			got, found := redirects.Before(r, r.URL.Path, "")
			if c.Dialect == Netlify && !found {
				if got, found = redirects.Missing(r, r.URL.Path, ""); want.Force {
					t.Errorf("%s\n%s: not before files", c.Text, target)
				}
			}
			switch {
			case c.Dialect == Netlify && want.Status == 0 || c.Dialect == Cloudflare && want.Status == 404:
				if found {
					t.Errorf("%s\n%s: got %+v, want no rule", c.Text, target, got)
				}
			case !found || got.Status != want.Status:
				t.Errorf("%s\n%s: got %+v, want %+v", c.Text, target, got, want)
			case got.Location != "":
				if got.Location != want.Location {
					t.Errorf("%s\n%s: leads to %q, want %q", c.Text, target, got.Location, want.Location)
				}
			case c.Dialect == Netlify && got.Path != want.Location || c.Dialect == Cloudflare && got.Path != want.Path:
				t.Errorf("%s\n%s: answered by %q, want %+v", c.Text, target, got.Path, want)
			}
		}
	}
}
