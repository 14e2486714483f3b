//go:build unix

package host

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"roost/internal/httplint"
)

const smugglingFile = "testdata/smuggling.txt"

// witness is an app that notes what it sees of each vector, and what it should
// never see at all.
type witness struct {
	mu          sync.Mutex
	seen, begun map[string][]string // by token, in the order in which they came
	wrong       []string
}

var vectorToken = regexp.MustCompile(`^/(t\d{4})\b`)

// serve answers each request with what it saw of it.
func (w *witness) serve(c net.Conn) {
	var raw bytes.Buffer
	r := bufio.NewReader(io.TeeReader(c, &raw))
	for {
		raw.Reset()
		if _, err := r.Peek(1); err != nil {
			return
		}
		rest := r.Buffered()
		h, err := hear(r, func() { io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n") })
		if !w.note(h, err) {
			w.mu.Lock()
			w.wrong = append(w.wrong, fmt.Sprintf("%v, %v; the last bytes are %d before and %.2000q", h, err, rest, raw.Bytes()))
			w.mu.Unlock()
		}
		if err != nil {
			return
		}
		body := ""
		if h.method != "HEAD" {
			body = h.String() + "\n" + h.body
		}
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n%s: witness\r\nX-Saw: %s\r\nContent-Length: %d\r\n\r\n%s", httplint.FromApp, h, len(h.String())+1+len(h.body), body)
	}
}

// note tells whether it is known what the request belongs to.
func (w *witness) note(h *received, err error) bool {
	if h == nil || err != nil && err != errCut {
		return false
	}
	token := vectorToken.FindStringSubmatch(h.target)
	if token == nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.begun[token[1]] = append(w.begun[token[1]], h.String())
	} else {
		w.seen[token[1]] = append(w.seen[token[1]], strings.TrimSuffix(h.String()+" "+h.body, " "))
	}
	return true
}

// watched is a host that leads to a witness.
type watched struct {
	*attacked
	*witness
	upstream *upstream
}

// newWatched runs two hosts, with the express lane and without; an app of each
// is reached by a Unix socket, the same again by TCP.
func newWatched(t *testing.T) map[string]*watched {
	t.Helper()
	hosts := map[string]*watched{}
	for _, lane := range []string{"express", "full"} {
		b := newBox(t)
		w := &watched{witness: &witness{seen: map[string][]string{}, begun: map[string][]string{}}}
		w.upstream = newUpstream(t, w.serve)
		c := Config{Host: Listen{ProgressTimeout: milliseconds(20000)}, Sites: []Site{
			{Domains: []string{"app.test"}, RedirectHTTPS: no(), Target: Target{App: "local"}},
			{Domains: []string{"tcp.test"}, RedirectHTTPS: no(), Target: Target{App: "tcp"}},
			{Domains: []string{"files.test"}, RedirectHTTPS: no(), Target: Target{Root: b.folder(map[string]string{"a.txt": "public"})}, Redirects: []Redirect{{From: "/go/*", To: "/to/:splat"}}},
		}}
		if lane == "full" {
			c.Host.Express = no()
		}
		w.upstream.app(&c, "local", "unix")
		w.upstream.app(&c, "tcp", "tcp")
		b.settled(c)
		w.attacked = &attacked{box: b, trusted: b.roots()}
		hosts[lane] = w
	}
	return hosts
}

// ended ends the host and its connections, and then knows all that came.
func (w *watched) ended() {
	w.t.Helper()
	w.stop()
	w.upstream.end()
	for _, wrong := range w.wrong {
		w.t.Errorf("an app got %s", wrong)
	}
}

// saw holds what an app saw of a token against what it should have seen, and
// what it may have seen the beginning of.
func (w *watched) saw(what, token string, seen, begun []string) {
	w.t.Helper()
	if got := w.witness.seen[token]; !slices.Equal(got, seen) {
		w.t.Errorf("%s: an app saw %q, want %q", what, got, seen)
	}
	if got := w.witness.begun[token]; len(got) > 0 && !slices.Equal(got, begun) {
		w.t.Errorf("%s: an app saw the beginning of %q", what, got)
	}
}

// filled is text with a token in its places.
func filled(text, token string) string {
	text = strings.ReplaceAll(text, "EVIL", "GET /TOKEN/evil HTTP/1.1\r\nHost: app.test\r\n\r\n")
	return strings.ReplaceAll(text, "TOKEN", token)
}

func filledAll(texts []string, token string) (all []string) {
	for _, text := range texts {
		all = append(all, filled(text, token))
	}
	return all
}

// sending is a vector on its way.
type sending struct {
	*vector
	what, lane, line, token string
	bytewise                bool
	statuses                []int // that came back
}

// wanted is what the app sees, the good request behind it included.
func (s *sending) wanted() []string {
	seen := s.fill(s.seen)
	if s.same {
		seen = append(seen, "GET /"+s.token+"/next")
	}
	return seen
}

// fill puts the token in its places, and over TLS another app with a name as long.
func (s *sending) fill(texts []string) (all []string) {
	for _, text := range texts {
		text = filled(text, s.token)
		if s.line == "TLS" {
			text = strings.ReplaceAll(text, "app.test", "tcp.test")
		}
		all = append(all, text)
	}
	return all
}

// send sends it, and says what is wrong with what comes back until the connection closes.
func (s *sending) send(w *watched) (wrong []string) {
	complain := func(format string, values ...any) { wrong = append(wrong, fmt.Sprintf(format, values...)) }
	c, err := dials[s.line](w.attacked)
	if err != nil {
		return []string{err.Error()}
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(30 * time.Second))
	sent := []byte(s.fill([]string{string(s.request) + "GET /TOKEN/next HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n"})[0])
	go func() {
		step := len(sent)
		if s.bytewise {
			step = 1
		}
		for part := range slices.Chunk(sent, step) {
			if _, err := c.Write(part); err != nil {
				return
			}
		}
	}()
	raw, err := io.ReadAll(c)
	if err != nil {
		complain("the connection ends with %v", err)
	}
	answers, found := httplint.Answers(sent, raw)
	for _, f := range found {
		complain("%s", f)
	}
	want, seen := s.vector.statuses, s.wanted()
	if s.same {
		want = append(slices.Clone(want), []int{200})
	}
	right := len(answers) == len(want)
	var said []string
	for i, res := range answers {
		s.statuses = append(s.statuses, res.StatusCode)
		right = right && i < len(want) && slices.Contains(want[i], res.StatusCode)
		saw := res.Header.Get("X-Saw")
		if saw == "" {
			continue
		}
		text, _ := io.ReadAll(res.Body)
		_, body, _ := strings.Cut(string(text), "\n")
		if len(said) < len(seen) && strings.HasPrefix(saw, "HEAD ") { // its answer has no body to tell by
			_, body, _ = strings.Cut(strings.TrimPrefix(seen[len(said)], saw), " ")
		}
		said = append(said, strings.TrimSuffix(saw+" "+body, " "))
	}
	if !right {
		complain("answered %v, want %v", s.statuses, want)
	}
	if !slices.Equal(said, seen) {
		complain("these were answered by the app: %q, want %q", said, seen)
	}
	if len(wrong) > 0 {
		complain("the bytes are %.1000q", raw)
	}
	return wrong
}

// TestNoRequestHidesInAnother sends what smuggling.txt has and a good request
// behind it. It is looked at twice: by what comes back, and, when the hosts have
// ended and all connections with them, by every byte that an app has got.
func TestNoRequestHidesInAnother(t *testing.T) {
	t.Parallel()
	vectors := vectorsOf(t, smugglingFile)
	if len(vectors) < 180 {
		t.Errorf("only %d vectors", len(vectors))
	}
	hosts := newWatched(t)
	var all []*sending
	for _, v := range vectors {
		for _, lane := range []string{"express", "full"} {
			for _, line := range []string{"plain", "TLS", "byte by byte"} {
				s := &sending{vector: v, what: fmt.Sprint(v.place, ", ", lane, ", ", line), lane: lane, line: line, token: fmt.Sprintf("t%04d", len(all))}
				if line == "byte by byte" {
					s.line, s.bytewise = "plain", true
				}
				all = append(all, s)
			}
		}
	}
	jobs := make(chan *sending)
	var workers sync.WaitGroup
	for range 12 {
		workers.Go(func() {
			for s := range jobs {
				for _, wrong := range s.send(hosts[s.lane]) {
					t.Errorf("%s: %s", s.what, wrong)
				}
			}
		})
	}
	for _, s := range all {
		jobs <- s
	}
	close(jobs)
	workers.Wait()
	for _, w := range hosts {
		w.ended()
	}
	elsewhere := map[string]string{}
	for _, s := range all {
		hosts[s.lane].saw(s.what, s.token, s.wanted(), s.fill(s.begun))
		if was, now := elsewhere[s.place], fmt.Sprint(s.statuses); was == "" {
			elsewhere[s.place] = now
		} else if was != now {
			t.Errorf("%s: %s here, %s elsewhere", s.what, now, was)
		}
	}
}
