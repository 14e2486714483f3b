package host

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"

	"roost/internal/httplint"
)

func TestWhatCannotBeReadGetsOurErrorPage(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.settled(Config{Sites: []Site{{Domains: []string{"localhost"}, RedirectHTTPS: no(), Target: Target{Root: b.folder(map[string]string{"index.html": "x"})}}}})
	for name, dial := range b.lines() {
		for raw, status := range map[string]int{
			"nonsense\r\n\r\n": 400,
			"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("x", maxHeader) + "\r\n\r\n":          431,
			"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" + "GET / HTTP/1.1\r\nHost: localhost\n\r\n":           400, // after one that was answered
			"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\nX: y\r\n\r\n":                   400,
			"GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\nHELO x\r\n": 400,
		} {
			c := dial()
			go io.WriteString(c, raw)
			r := bufio.NewReader(c)
			for {
				res, err := httplint.Read(t, r, nil)
				if err != nil {
					t.Errorf("%s: %.80q: %v", name, raw, err)
					break
				}
				body, err := io.ReadAll(res.Body)
				if err != nil {
					t.Errorf("%s: %.80q: %v", name, raw, err)
				}
				if res.StatusCode == 200 {
					continue
				}
				if res.StatusCode != status || string(body) != string(builtInPage(status)) || !res.Close {
					t.Errorf("%s: %.80q: %s %v %q", name, raw, res.Status, res.Header, body)
				}
				break
			}
			c.Close()
		}
	}
}

// TestAFileThatReadsLikeARefusalIsSentAsItIs: anyone can write what net/http
// says, and have it sent in a piece of its own.
func TestAFileThatReadsLikeARefusalIsSentAsItIs(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	refusal := "HTTP/1.1 400 Bad Request" + refusalFields + "400 Bad Request"
	if refusalPage([]byte(refusal)) == nil {
		t.Fatal("the refusal is not recognised")
	}
	b.settled(Config{Sites: []Site{{RedirectHTTPS: no(), Target: Target{Root: b.folder(nil)}}}})
	b.front.router.Store(newRouter(Config{Sites: []Site{{RedirectHTTPS: no(), Target: Target{App: "x"}}}}, handlerTargets{handler: asApp(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close") // HTTP/1.0: no chunks around what is written
		rc := http.NewResponseController(w)
		rc.Flush()
		io.WriteString(w, refusal)
		rc.Flush()
	})}))
	c := b.dial("http")
	io.WriteString(c, "GET / HTTP/1.0\r\nHost: a.test\r\n\r\n")
	res, err := httplint.Read(t, bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(res.Body); string(body) != refusal || err != nil {
		t.Errorf("%q, %v", body, err)
	}
}
