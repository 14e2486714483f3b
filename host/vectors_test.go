package host

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"roost/internal/httplint"
)

// vector is a request that means harm, as testdata/vectors.txt has it, and
// what must become of it.
type vector struct {
	place   string // class: name
	request []byte
	// statuses of the answers in order, each one of several.
	statuses [][]int
	same     bool // another request is answered on the same connection; otherwise it closes
	apps     int  // requests that reach an app
	says     []func(res *http.Response, body string) string
	// seen are the requests that an app sees, begun those that it may see the beginning of; of smuggling.txt only.
	seen, begun []string
}

const vectorsFile = "testdata/vectors.txt"

func readVectors(t testing.TB) []*vector {
	t.Helper()
	return vectorsOf(t, vectorsFile)
}

// vectorsOf reads a file of vectors. Its beginning says how it is written.
func vectorsOf(t testing.TB, vectorsFile string) (all []*vector) {
	t.Helper()
	text, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	class, v := "", (*vector)(nil)
	for n, line := range strings.Split(string(text), "\n") {
		kind, rest, _ := strings.Cut(line, " ")
		fail := func(err error) { t.Fatalf("%s:%d: %q: %v", vectorsFile, n+1, line, err) }
		switch {
		case line == "" || kind == "#":
			continue
		case kind == "##":
			class = rest
			continue
		case kind == "@" || kind == ">" || kind == "|" || kind == "+" || kind == "<" || kind == "~" || kind == "=":
			if v == nil {
				fail(errors.New("the vector has no name"))
			}
		default:
			v = &vector{place: class + ": " + line}
			continue
		}
		raw, err := unescape(rest)
		if err != nil {
			fail(err)
		}
		switch kind {
		case "@":
			host, target, _ := strings.Cut(raw, " ")
			v.request = fmt.Appendf(v.request, "GET %s HTTP/1.1\r\nHost: %s.test\r\n\r\n", target, host)
		case "+": // before the blank line
			v.request = append(bytes.TrimSuffix(v.request, []byte("\r\n")), raw+"\r\n\r\n"...)
		case ">":
			v.request = append(v.request, raw+"\r\n"...)
		case "|":
			v.request = append(v.request, raw...)
		case "<":
			v.seen = append(v.seen, raw)
		case "~":
			v.begun = append(v.begun, raw)
		case "=":
			if err := v.verdict(rest); err != nil {
				fail(err)
			}
			all = append(all, v)
			v = nil
		}
	}
	return all
}

var repeated = regexp.MustCompile(`\{(\d+)\*([^}]*)\}`)

// unescape resolves the escapes of a Go string, and then {3*x} as xxx.
func unescape(text string) (string, error) {
	raw, err := strconv.Unquote(`"` + strings.ReplaceAll(text, `"`, `\"`) + `"`)
	return repeated.ReplaceAllStringFunc(raw, func(s string) string {
		m := repeated.FindStringSubmatch(s)
		n, _ := strconv.Atoi(m[1])
		return strings.Repeat(m[2], n)
	}), err
}

// verdict reads the line of a verdict.
func (v *vector) verdict(text string) error {
	word := func() (w string) { w, text, _ = strings.Cut(text, " "); return w }
	quoted := func() (string, error) {
		q, err := strconv.QuotedPrefix(text)
		if err != nil {
			return "", fmt.Errorf("a quoted text is missing at %q", text)
		}
		text = strings.TrimPrefix(text[len(q):], " ")
		return strconv.Unquote(q)
	}
	ended := false
	for text != "" {
		switch w := word(); w {
		case "same", "close":
			v.same, ended = w == "same", true
		case "app":
			n, err := strconv.Atoi(word())
			if err != nil {
				return err
			}
			v.apps = n
		case "has", "lacks", "is", "field", "without":
			want, err := quoted()
			if err != nil {
				return err
			}
			v.says = append(v.says, says(w, want))
		default:
			var any []int
			for s := range strings.SplitSeq(w, "|") {
				status, err := strconv.Atoi(s)
				if err != nil {
					return fmt.Errorf("%q is no verdict", w)
				}
				any = append(any, status)
			}
			v.statuses = append(v.statuses, any)
		}
	}
	if !ended {
		return errors.New("same or close?")
	}
	return nil
}

// says holds the last answer of a vector against one thing that is wanted of it.
func says(what, want string) func(*http.Response, string) string {
	return func(res *http.Response, body string) string {
		name, value, _ := strings.Cut(want, ": ")
		switch {
		case what == "has" && !strings.Contains(body, want), what == "lacks" && strings.Contains(body, want), what == "is" && body != want:
			return fmt.Sprintf("the body is %.300q, want %s %q", body, what, want)
		case what == "field" && strings.Join(res.Header.Values(name), ", ") != value, what == "without" && res.Header[http.CanonicalHeaderKey(want)] != nil:
			return fmt.Sprintf("fields %v, want %s %q", res.Header, what, want)
		}
		return ""
	}
}

// next follows each vector on its connection.
const next = "GET /probe.txt HTTP/1.1\r\nHost: files.test\r\nConnection: close\r\n\r\n"

// planted are words of files that nobody may see: beside the folder, hidden in
// it, behind a rule.
var planted = []string{"OUTSIDE", "HIDDEN", "FORBIDDEN", "root:x:"}

// recorder is an app that answers with what it got, and at /seen with what it
// ever got.
func recorder() http.HandlerFunc {
	var (
		mu   sync.Mutex
		seen []string
	)
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path == "/seen" {
			io.WriteString(w, strings.Join(seen, "\n"))
			return
		}
		seen = append(seen, r.Method+" "+r.RequestURI)
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			http.Error(w, "the body is not whole", http.StatusBadRequest)
			return
		}
		fmt.Fprintf(w, "%s %s\nHost: %s\n", r.Method, r.RequestURI, r.Host)
		r.Header.Write(w)
		fmt.Fprintf(w, "%d bytes, trailers %v\n", n, r.Trailer)
	}
}

// attacked is a host with all that the vectors are about.
type attacked struct {
	*box
	trusted *x509.CertPool

	mu   sync.Mutex
	seen map[seenKey][]string // what is sent to the app, by connection
	sent []string             // all of it
}

func newAttacked(t *testing.T) *attacked {
	t.Helper()
	b := newBox(t)
	return b.attackedWith(attackedConfig(t, b))
}

// attackedConfig is that of such a host.
func attackedConfig(t *testing.T, a *box) Config {
	t.Helper()
	pages := map[string]string{
		"index.html": "home", "probe.txt": "probe", "a.txt": "public", "dir/index.html": "in a folder", "dir/b.txt": "below", "a b+c.txt": "spaced",
		"style.css": strings.Repeat("body { margin: 0 }\n", 1000), "page.html": "a page", "404.html": "nothing here", ".well-known/security.txt": "Contact: none",
		".env": "HIDDEN", ".git/config": "HIDDEN", "dir/.htpasswd": "HIDDEN", ".well-known/.secret": "HIDDEN",
		"_redirects": "# HIDDEN\n/old/* /new/:splat 301\n/away/* https://example.com/:splat 302\n", "_headers": "# HIDDEN\n/a.txt\n  X-Rule: yes\n",
	}
	root := a.folder(pages)
	spa := a.folder(map[string]string{"index.html": "spa", "app.js": "js", ".env": "HIDDEN"})
	for name, text := range map[string]string{"outside.txt": "OUTSIDE", "site/x": "OUTSIDE"} {
		os.MkdirAll(filepath.Join(filepath.Dir(root), filepath.Dir(name)), 0o755)
		if err := os.WriteFile(filepath.Join(filepath.Dir(root), name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{"out.txt": "../outside.txt", "out": "..", "etc": "/etc", "loop": "loop", "in.txt": "a.txt"} {
		if err := os.Symlink(to, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	closed := Target{Root: a.folder(map[string]string{"index.html": "FORBIDDEN", "x.txt": "FORBIDDEN", "x/index.html": "FORBIDDEN"}), Protection: Protection{Deny: []string{"0.0.0.0/0", "::/0"}}}
	vault := Target{Root: closed.Root, Protection: Protection{BasicAuth: &BasicAuth{Users: map[string]string{"ann": hashOf(t, "right")}}}}
	c := Config{Host: Listen{ProgressTimeout: milliseconds(2000)}, Sites: []Site{
		{Domains: []string{"files.test"}, RedirectHTTPS: no(), Target: Target{Root: root}, Routes: []Route{
			{Path: "/admin/", Target: closed}, {Path: "/vault/", Target: vault}, {Path: "/api/", Target: Target{App: "web"}, StripPrefix: true}, {Path: "/api/inner/", Target: closed},
		}},
		{Domains: []string{"spa.test"}, RedirectHTTPS: no(), Target: Target{Root: spa}},
		{Domains: []string{"app.test"}, RedirectHTTPS: no(), Target: Target{App: "web"}},
		{Domains: []string{"secure.test"}, Target: Target{Root: root}},
	}}
	c.Sites[0].Redirects = []Redirect{{From: "/go/*", To: "/to/:splat"}, {From: "/far/:name", To: "https://example.com/:name"}}
	c.Sites[0].Rewrites = []Rewrite{{From: "/re/*", To: "/:splat"}}
	c.Sites[1].Serving.SPA = true
	testApp(t, &c, "web", "record", 1)
	return c
}

func (b *box) attackedWith(c Config) *attacked {
	b.t.Helper()
	a := &attacked{box: b, seen: map[seenKey][]string{}}
	a.settled(c)
	a.trusted = a.roots()
	r := a.front.router.Load()
	for _, domain := range r.exact {
		for i := range domain.routes {
			if to := &domain.routes[i]; to.app != nil {
				to.target = a.noting(to.target)
			}
		}
	}
	return a
}

// noting notes what is sent on to an app.
func (a *attacked) noting(app http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		a.sent = append(a.sent, r.Method+" "+r.URL.RequestURI())
		key := seenKey{r.RemoteAddr, r.TLS != nil}
		a.seen[key] = append(a.seen[key], r.Method+" "+r.URL.RequestURI())
		a.mu.Unlock()
		app.ServeHTTP(w, r)
	})
}

// seenKey tells connections apart: to each of the two listeners there may be
// one from the same port.
type seenKey struct {
	client string
	secure bool
}

func seenOn(c net.Conn) seenKey {
	_, secure := c.(*tls.Conn)
	return seenKey{c.LocalAddr().String(), secure}
}

func (a *attacked) forget(c net.Conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.seen, seenOn(c))
}

func (a *attacked) seenFrom(c net.Conn) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.seen[seenOn(c)])
}

// try sends a vector, and the next request behind it, and says what is wrong
// with what comes back until the connection closes.
func (a *attacked) try(v *vector, c net.Conn, bytewise bool) (wrong []string) {
	defer c.Close()
	complain := func(format string, values ...any) { wrong = append(wrong, fmt.Sprintf(format, values...)) }
	c.SetDeadline(time.Now().Add(15 * time.Second))
	sent := append(slices.Clone(v.request), next...)
	a.forget(c) // a port of another connection before
	go func() {
		if bytewise {
			for i := range sent {
				if _, err := c.Write(sent[i : i+1]); err != nil {
					return
				}
			}
			return
		}
		c.Write(sent)
	}()
	raw, err := io.ReadAll(c)
	if err != nil && !v.cuts() {
		complain("the connection ends with %v", err)
	}
	answers, found := httplint.Answers(sent, raw)
	for _, f := range found {
		complain("%s", f)
	}
	var statuses []int
	var last *http.Response
	body, same := "", false
	for i, res := range answers {
		text, _ := io.ReadAll(res.Body)
		for _, secret := range planted {
			if bytes.Contains(text, []byte(secret)) {
				complain("%s is shown: %.300q", secret, text)
			}
		}
		if same = i == len(answers)-1 && res.StatusCode == 200 && string(text) == "probe" && res.Close; same {
			break
		}
		statuses = append(statuses, res.StatusCode)
		last, body = res, string(text)
	}
	right := len(statuses) == len(v.statuses)
	for i, status := range statuses {
		right = right && slices.Contains(v.statuses[i], status)
	}
	if !right || same != v.same {
		complain("answered %v, the same connection goes on: %v; want %v, %v", statuses, same, v.statuses, v.same)
	}
	if seen := a.seenFrom(c); len(seen) != v.apps {
		complain("the app was sent %q, want %d requests", seen, v.apps)
	}
	if last != nil {
		for _, says := range v.says {
			if text := says(last, body); text != "" {
				complain("%s", text)
			}
		}
	}
	if len(wrong) > 0 {
		complain("the bytes are %.1000q", raw)
	}
	return wrong
}

// cuts tells whether a connection may be reset in the face of the rest of a request.
func (v *vector) cuts() bool { return !v.same && len(v.request) > 256<<10 }

func TestEveryVectorGetsItsVerdict(t *testing.T) {
	t.Parallel()
	a := newAttacked(t)
	all := readVectors(t)
	if len(all) < 700 {
		t.Errorf("only %d vectors", len(all))
	}
	names := map[string]bool{}
	jobs := make(chan *vector)
	var workers sync.WaitGroup
	for range 12 {
		workers.Go(func() {
			for v := range jobs {
				for _, bytewise := range []bool{false, true} {
					if bytewise && len(v.request) > 4096 {
						continue
					}
					for line, dial := range map[string]func() (net.Conn, error){"plain": a.plain, "TLS": a.secure} {
						c, err := dial()
						if err != nil {
							t.Errorf("%s: %s: no connection: %v", v.place, line, err)
							continue
						}
						for _, wrong := range a.try(v, c, bytewise) {
							t.Errorf("%s: %s, byte by byte %v: %s", v.place, line, bytewise, wrong)
						}
					}
				}
				if c, err := a.plain(); err != nil {
					t.Errorf("after %s: %v", v.place, err)
				} else if wrong := a.try(&vector{same: true}, c, false); len(wrong) > 0 {
					t.Errorf("after %s a new connection: %q", v.place, wrong)
				}
			}
		})
	}
	for _, v := range all {
		if names[v.place] {
			t.Errorf("%s is there twice", v.place)
		}
		names[v.place] = true
		jobs <- v
	}
	close(jobs)
	workers.Wait()
	a.compareApp()
}

func (a *attacked) plain() (net.Conn, error) { return net.Dial("tcp", a.address("http")) }

func (a *attacked) secure() (net.Conn, error) { return a.speaking("http/1.1") }

// speaking is a connection over TLS on which protocol is spoken.
func (a *attacked) speaking(protocol string) (net.Conn, error) {
	return tls.Dial("tcp", a.address("https"), &tls.Config{RootCAs: a.trusted, ServerName: "files.test", NextProtos: []string{protocol}})
}

// compareApp asks the app what it got: nothing that was not sent to it.
func (a *attacked) compareApp() {
	a.mu.Lock()
	sent := slices.Clone(a.sent)
	a.mu.Unlock()
	_, text := a.get(a.client(false), "http://app.test/seen")
	got := strings.Split(strings.TrimSpace(text), "\n")
	if len(got) < 20 {
		a.t.Errorf("the app says that it got %q", got)
	}
	for _, request := range got {
		i := slices.Index(sent, request)
		if i < 0 {
			a.t.Errorf("the app got %q, which nobody sent", request)
			continue
		}
		sent = slices.Delete(sent, i, i+1)
	}
}
