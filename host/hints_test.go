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
	root := b.folder(map[string]string{"index.html": "page", "c.html": "page", "_headers": "/*\n  Link: </a.css>; rel=preload; as=style\n  Link: </next>; rel=next\n"})
	b.settled(Config{Host: Listen{HTTP3: true}, Sites: []Site{{
		Domains: []string{"localhost"}, Target: Target{Root: root},
		Headers: []HeaderRule{{Path: "/c*", Set: map[string]string{"Link": "<https://cdn.test>; rel=preconnect"}}},
	}}})
	const style, cdn = "</a.css>; rel=preload; as=style", "<https://cdn.test>; rel=preconnect"
	for proto, client := range map[string]*http.Client{"HTTP/1.1": b.client(false), "HTTP/2.0": b.client(true), "HTTP/3.0": b.client3()} {
		for path, links := range map[string][]string{"/": {style, "</next>; rel=next"}, "/c": {style, "</next>; rel=next", cdn}} { // by the folder; by the site as well
			var early []string
			trace := &httptrace.ClientTrace{Got1xxResponse: func(status int, h textproto.MIMEHeader) error {
				if status != http.StatusEarlyHints || len(h) != 1 {
					t.Errorf("%s: %d %v", proto, status, h)
				}
				early = append(early, h["Link"]...)
				return nil
			}}
			r, err := http.NewRequestWithContext(httptrace.WithClientTrace(context.Background(), trace), "GET", "https://localhost"+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Sec-Fetch-Mode", "navigate")
			res, err := client.Do(r)
			if err != nil {
				t.Fatalf("%s: %v", proto, err)
			}
			body, err := io.ReadAll(res.Body)
			res.Body.Close()
			if err != nil || res.StatusCode != 200 || res.Proto != proto || string(body) != "page" {
				t.Errorf("%s: %d %s %q %v", proto, res.StatusCode, res.Proto, body, err)
			}
			want := slices.DeleteFunc(slices.Clone(links), func(link string) bool { return proto == "HTTP/1.1" || strings.Contains(link, "next") })
			if !slices.Equal(early, want) || strings.Join(res.Header["Link"], ", ") != strings.Join(links, ", ") {
				t.Errorf("%s%s: %q before %q", proto, path, early, res.Header["Link"])
			}
		}
	}
	for _, line := range b.accessLines(6) {
		if !strings.Contains(line, `"status":200`) {
			t.Errorf("the log takes a hint for the answer: %s", line)
		}
	}
}
