package host

import (
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strings"
	"testing"
)

func TestPagesAreHintedAtOverHTTP2AndHTTP3(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	root := b.folder(map[string]string{"index.html": "home", "_headers": "/\n  Link: </a.css>; rel=preload; as=style\n  Link: </next>; rel=next\n"})
	b.settled(Config{Host: Listen{HTTP3: true}, Sites: []Site{{Domains: []string{"localhost"}, Target: Target{Root: root}}}})
	for proto, c := range map[string]struct {
		client *http.Client
		want   []string
	}{
		"HTTP/1.1": {b.client(false), nil},
		"HTTP/2.0": {b.client(true), []string{"</a.css>; rel=preload; as=style"}},
		"HTTP/3.0": {b.client3(), []string{"</a.css>; rel=preload; as=style"}},
	} {
		var early []string
		trace := &httptrace.ClientTrace{Got1xxResponse: func(status int, h textproto.MIMEHeader) error {
			if status != http.StatusEarlyHints || len(h) != 1 {
				t.Errorf("%s: %d %v", proto, status, h)
			}
			early = append(early, h["Link"]...)
			return nil
		}}
		r, err := http.NewRequestWithContext(httptrace.WithClientTrace(context.Background(), trace), "GET", "https://localhost/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Sec-Fetch-Mode", "navigate")
		res, err := c.client.Do(r)
		if err != nil {
			t.Fatalf("%s: %v", proto, err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != 200 || res.Proto != proto || string(body) != "home" {
			t.Errorf("%s: %d %s %q %v", proto, res.StatusCode, res.Proto, body, err)
		}
		if !slices.Equal(early, c.want) || !strings.Contains(strings.Join(res.Header["Link"], ", "), "rel=next") {
			t.Errorf("%s: %q before %q", proto, early, res.Header["Link"])
		}
	}
	for _, line := range b.accessLines(3) {
		if !strings.Contains(line, `"status":200`) {
			t.Errorf("the log takes a hint for the answer: %s", line)
		}
	}
}
