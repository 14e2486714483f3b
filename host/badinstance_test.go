//go:build unix

package host

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"roost/internal/httplint"
)

// misdeed is how an instance answers that does not keep to HTTP/1.1. TOKEN is
// what the request brought, the same in no other.
type misdeed struct {
	about  string
	answer string // in one write
	then   func(c net.Conn)
	// method of the request, with a body where it has one; GET when empty. An
	// idempotent one is sent again where nothing was answered.
	method string
	// want are outcomes that are right: a status and the body, but for that of a
	// 502, or "cut" for an answer that is seen to break off, or for none.
	want []string
	// right: nothing is wrong with the connection when it was answered so.
	right bool
}

// Ways to go on once the answer is written: with the next request, when there is none.
func hangsUp(c net.Conn) { c.Close() }

func resets(c net.Conn) {
	if c, ok := c.(*net.TCPConn); ok {
		c.SetLinger(0)
	}
	c.Close()
}

// endlessly writes text until nobody takes it any more.
func endlessly(text string) func(net.Conn) {
	return func(c net.Conn) {
		text := []byte(strings.Repeat(text, 1+4096/len(text)))
		for {
			if _, err := c.Write(text); err != nil {
				c.Close()
				return
			}
		}
	}
}

const (
	fine  = "HTTP/1.1 200 OK\r\nX-From-App: bad\r\nContent-Length: 5\r\n\r\nTOKEN"
	head  = "HTTP/1.1 200 OK\r\nX-From-App: bad\r\n"
	other = "HTTP/1.1 200 OK\r\nX-From-App: bad\r\nContent-Length: 5\r\n\r\nevil!"
)

// chunked begins an answer in chunks.
const inChunks = head + "Transfer-Encoding: chunked\r\n\r\n"

var misdeeds = []misdeed{
	{about: "a right answer", answer: fine, want: []string{"200 TOKEN"}, right: true},
	{about: "a right answer in chunks", answer: inChunks + "5\r\nTOKEN\r\n2\r\n!!\r\n0\r\n\r\n", want: []string{"200 TOKEN!!"}, right: true},
	{about: "chunks with extensions and trailers", answer: inChunks + "5;x=\"y\"\r\nTOKEN\r\n0;z\r\nX-Sum: 1\r\n\r\n", want: []string{"200 TOKEN"}, right: true},
	{about: "a right answer that ends with the connection", answer: head + "\r\nTOKEN", then: hangsUp, want: []string{"200 TOKEN"}, right: true},
	{about: "a right answer of HTTP/1.0", answer: "HTTP/1.0 200 OK\r\nX-From-App: bad\r\n\r\nTOKEN", then: hangsUp, want: []string{"200 TOKEN"}, right: true},
	{about: "no reason", answer: strings.Replace(fine, " OK", " ", 1), want: []string{"200 TOKEN"}, right: true},
	{about: "early hints, then an answer", answer: "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + fine, want: []string{"200 TOKEN"}, right: true},

	{about: "nothing", method: "POST", then: hangsUp, want: []string{"502"}},
	{about: "nothing but a reset", method: "POST", then: resets, want: []string{"502"}},
	{about: "garbage", answer: "nonsense\r\n\r\n", want: []string{"502"}},
	{about: "zeros", answer: strings.Repeat("\x00", 100), then: hangsUp, want: []string{"502"}},
	{about: "the request", answer: "GET /TOKEN HTTP/1.1\r\nHost: app.test\r\n\r\n", want: []string{"502"}},
	{about: "a TLS alert", answer: "\x15\x03\x03\x00\x02\x02\x28", then: hangsUp, want: []string{"502"}},
	{about: "no status line", answer: "Content-Length: 5\r\n\r\nTOKEN", want: []string{"502"}},
	{about: "a body alone", answer: "TOKEN", then: hangsUp, want: []string{"502"}},
	{about: "an empty line first", answer: "\r\n" + fine, want: []string{"502", "200 TOKEN"}},
	{about: "status 99", answer: strings.Replace(fine, "200", "99", 1), want: []string{"502"}},
	{about: "status 099", answer: strings.Replace(fine, "200", "099", 1), want: []string{"502"}},
	{about: "status 000", answer: strings.Replace(fine, "200", "000", 1), want: []string{"502"}},
	{about: "status 1000", answer: strings.Replace(fine, "200", "1000", 1), want: []string{"502"}},
	{about: "status abc", answer: strings.Replace(fine, "200", "abc", 1), want: []string{"502"}},
	{about: "status -20", answer: strings.Replace(fine, "200", "-20", 1), want: []string{"502"}},
	{about: "status +20", answer: strings.Replace(fine, "200", "+20", 1), want: []string{"502"}},
	{about: "no status", answer: strings.Replace(fine, "200 OK", "", 1), want: []string{"502"}},
	{about: "HTTP/2.0", answer: strings.Replace(fine, "HTTP/1.1", "HTTP/2.0", 1), want: []string{"502"}},
	{about: "HTTP/1.10", answer: strings.Replace(fine, "HTTP/1.1", "HTTP/1.10", 1), want: []string{"502"}},
	{about: "http/1.1", answer: strings.Replace(fine, "HTTP/1.1", "http/1.1", 1), want: []string{"502"}},
	{about: "ICY", answer: strings.Replace(fine, "HTTP/1.1", "ICY", 1), want: []string{"502"}},

	{about: "half a status line", answer: "HTTP/1.1 20", then: hangsUp, want: []string{"502"}},
	{about: "half a head", answer: head + "Content-Le", then: hangsUp, want: []string{"502"}},
	{about: "a head without its end", answer: head, then: hangsUp, want: []string{"502"}},
	{about: "half a head and a reset", answer: head, then: resets, want: []string{"502"}},
	{about: "an endless line", answer: head + "X: ", then: endlessly("x"), want: []string{"502"}},
	{about: "endless fields", answer: head, then: endlessly("X: y\r\n"), want: []string{"502"}},
	{about: "an endless status line", answer: "HTTP/1.1 200 ", then: endlessly("x"), want: []string{"502"}},
	{about: "a zero byte in a value", answer: head + "X: a\x00b\r\nContent-Length: 5\r\n\r\nTOKEN", want: []string{"502"}},
	{about: "a bare CR in a value", answer: head + "X: a\rSet-Cookie: evil=1\r\nContent-Length: 5\r\n\r\nTOKEN", want: []string{"502"}},
	{about: "a name with a space", answer: head + "Content-Length : 5\r\n\r\nTOKEN", want: []string{"502"}},
	{about: "no name", answer: head + ": x\r\nContent-Length: 5\r\n\r\nTOKEN", want: []string{"502"}},
	{about: "no colon", answer: head + "X\r\nContent-Length: 5\r\n\r\nTOKEN", want: []string{"502"}},
	{about: "a zero byte in the reason", answer: strings.Replace(fine, " OK", " O\x00K", 1), want: []string{"502", "200 TOKEN"}},

	{about: "two lengths", answer: head + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nTOKEN!", want: []string{"502"}},
	{about: "a length in two spellings", answer: head + "Content-Length: 05\r\nContent-Length: 5\r\n\r\nTOKEN", want: []string{"502"}},
	{about: "two lengths in one", answer: head + "Content-Length: 5, 6\r\n\r\nTOKEN!", want: []string{"502"}},
	{about: "a negative length", answer: head + "Content-Length: -5\r\n\r\nTOKEN", want: []string{"502"}},
	{about: "a signed length", answer: head + "Content-Length: +5\r\n\r\nTOKEN", want: []string{"502"}},
	{about: "a hexadecimal length", answer: head + "Content-Length: 0x5\r\n\r\nTOKEN", want: []string{"502"}},
	{about: "a huge length", answer: head + "Content-Length: 99999999999999999999\r\n\r\nTOKEN", want: []string{"502"}},
	{about: "a length and a coding", answer: head + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nTOKEN\r\n0\r\n\r\n", want: []string{"502", "200 TOKEN"}},
	{about: "a length of another answer and a coding", answer: head + "Content-Length: 15\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nTOKEN\r\n0\r\n\r\n" + other, want: []string{"502", "200 TOKEN"}},
	{about: "an unknown coding", answer: head + "Transfer-Encoding: xchunked\r\n\r\n5\r\nTOKEN\r\n0\r\n\r\n", want: []string{"502"}},
	{about: "two codings", answer: head + "Transfer-Encoding: gzip, chunked\r\n\r\n5\r\nTOKEN\r\n0\r\n\r\n", want: []string{"502"}},
	{about: "a coding in HTTP/1.0", answer: "HTTP/1.0 200 OK\r\nX-From-App: bad\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nTOKEN\r\n0\r\n\r\n", then: hangsUp, want: []string{"502", "200 TOKEN", "200 5\r\nTOKEN\r\n0\r\n\r\n"}},

	{about: "too few bytes", answer: head + "Content-Length: 10\r\n\r\nTOKEN", then: hangsUp, want: []string{"cut"}},
	{about: "too few bytes and a reset", answer: head + "Content-Length: 10\r\n\r\nTOKEN", then: resets, want: []string{"cut", "502"}},
	{about: "half a chunk", answer: inChunks + "a\r\nTOKEN", then: hangsUp, want: []string{"cut"}},
	{about: "no last chunk", answer: inChunks + "5\r\nTOKEN\r\n", then: hangsUp, want: []string{"cut"}},
	{about: "no end behind the last chunk", answer: inChunks + "5\r\nTOKEN\r\n0\r\n", then: hangsUp, want: []string{"cut"}},
	{about: "a size that is no number", answer: inChunks + "5\r\nTOKEN\r\nxyz\r\n", want: []string{"cut"}},
	{about: "a chunk longer than its size", answer: inChunks + "3\r\nTOKEN\r\n0\r\n\r\n", want: []string{"cut"}},
	{about: "a byte for a CR behind a chunk", answer: inChunks + "5\r\nTOKENX\n0\r\n\r\n", want: []string{"cut"}},
	{about: "a byte for an LF behind a chunk", answer: inChunks + "5\r\nTOKEN\rX0\r\n\r\n", want: []string{"cut"}},
	{about: "a byte for an LF behind a size", answer: inChunks + "5\rXTOKEN\r\n0\r\n\r\n", want: []string{"cut", "502"}},
	{about: "a byte for an LF at the end", answer: inChunks + "5\r\nTOKEN\r\n0\r\n\rX", want: []string{"cut"}},
	{about: "a size with 0x", answer: inChunks + "0x5\r\nTOKEN\r\n0\r\n\r\n", want: []string{"cut", "502"}},
	{about: "a signed size", answer: inChunks + "+5\r\nTOKEN\r\n0\r\n\r\n", want: []string{"cut", "502"}},
	{about: "a negative size", answer: inChunks + "-5\r\nTOKEN\r\n0\r\n\r\n", want: []string{"cut", "502"}},
	{about: "a size that overflows", answer: inChunks + "10000000000000005\r\nTOKEN\r\n0\r\n\r\n", want: []string{"cut", "502"}},
	{about: "no size", answer: inChunks + "\r\nTOKEN\r\n0\r\n\r\n", want: []string{"cut", "502"}},
	{about: "an endless size", answer: inChunks, then: endlessly("0"), want: []string{"cut", "502"}},
	{about: "an endless extension", answer: inChunks + "5;", then: endlessly("x"), want: []string{"cut", "502"}},
	{about: "endless trailers", answer: inChunks + "5\r\nTOKEN\r\n0\r\n", then: endlessly("X: y\r\n"), want: []string{"cut"}},
	{about: "a malformed trailer", answer: inChunks + "5\r\nTOKEN\r\n0\r\nx y: z\r\n\r\n", want: []string{"cut"}},

	{about: "two answers", answer: fine + other, want: []string{"200 TOKEN"}},
	{about: "two answers in chunks", answer: inChunks + "5\r\nTOKEN\r\n0\r\n\r\n" + other, want: []string{"200 TOKEN"}},
	{about: "too many bytes", answer: fine + "and more", want: []string{"200 TOKEN"}},
	{about: "a line end too many", answer: fine + "\r\n", want: []string{"200 TOKEN"}},
	{about: "a body for HEAD", method: "HEAD", answer: fine, want: []string{"200"}},
	{about: "chunks for HEAD", method: "HEAD", answer: inChunks + "5\r\nTOKEN\r\n0\r\n\r\n", want: []string{"200"}},
	{about: "an answer for HEAD and another", method: "HEAD", answer: head + "Content-Length: 5\r\n\r\n" + other, want: []string{"200"}},
	{about: "204 with a body", answer: "HTTP/1.1 204 No Content\r\nX-From-App: bad\r\n\r\n" + other, want: []string{"204"}},
	{about: "204 with a length and a body", answer: "HTTP/1.1 204 No Content\r\nX-From-App: bad\r\nContent-Length: 5\r\n\r\nTOKEN", want: []string{"204", "502"}},
	{about: "304 with a body", answer: "HTTP/1.1 304 Not Modified\r\nX-From-App: bad\r\n\r\n" + other, want: []string{"304"}},
	{about: "304 with a length and a body", answer: "HTTP/1.1 304 Not Modified\r\nX-From-App: bad\r\nContent-Length: 5\r\n\r\nTOKEN", want: []string{"304"}},
	{about: "304 with chunks", answer: "HTTP/1.1 304 Not Modified\r\nX-From-App: bad\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nTOKEN\r\n0\r\n\r\n", want: []string{"304", "502"}},

	{about: "endless hints", then: endlessly("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"), want: []string{"502"}},
	{about: "endless leave to go on", then: endlessly("HTTP/1.1 100 Continue\r\n\r\n"), want: []string{"502"}},
	{about: "another protocol that nobody asked for", answer: "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nevil!", want: []string{"502"}},
	{about: "another protocol that it does not name", answer: "HTTP/1.1 101 Switching Protocols\r\n\r\nevil!", want: []string{"502"}},
	{about: "hints and nothing", answer: "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", then: hangsUp, want: []string{"502"}},
	{about: "hints with a body", answer: "HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\nevil!" + fine, want: []string{"502"}},
}

// do answers a request in its way. h is nil in the face of a connection that
// was closed.
func (m *misdeed) do(c net.Conn, token string) {
	io.WriteString(c, strings.ReplaceAll(m.answer, "TOKEN", token))
	if m.then != nil {
		m.then(c)
	}
}

var instanceToken = regexp.MustCompile(`t\d{4}`)

// answering hears one request after the other and has them answered.
func answering(answer func(c net.Conn, h *received, token string)) func(net.Conn) {
	return func(c net.Conn) {
		r := bufio.NewReader(c)
		for {
			h, err := hear(r, func() {})
			if err != nil {
				return
			}
			answer(c, h, instanceToken.FindString(h.target))
		}
	}
}

// misled is a host whose app misbehaves.
type misled struct {
	*attacked
	upstream *upstream
}

// newMisled runs two hosts, with the express lane and without, and an app
// reached by TCP and by a Unix socket, which does with connections what serve does.
func newMisled(t *testing.T, serve func(c net.Conn)) map[string]*misled {
	t.Helper()
	hosts := map[string]*misled{}
	for _, lane := range []string{"express", "full"} {
		b := newBox(t)
		m := &misled{upstream: newUpstream(t, serve)}
		c := Config{Host: Listen{ProgressTimeout: milliseconds(20000)}, Sites: []Site{
			{Domains: []string{"app.test", "files.test"}, RedirectHTTPS: no(), Target: Target{App: "local"}},
			{Domains: []string{"tcp.test"}, RedirectHTTPS: no(), Target: Target{App: "tcp"}},
		}}
		if lane == "full" {
			c.Host.Express = no()
		}
		m.upstream.app(&c, "local", "unix")
		m.upstream.app(&c, "tcp", "tcp")
		b.settled(c)
		m.attacked = &attacked{box: b, trusted: b.roots()}
		hosts[lane] = m
	}
	return hosts
}

// visitor asks a host over one protocol. Of HTTP/2 it keeps its connection while that is good.
type visitor struct {
	*misled
	protocol string
	talk     *talk
	stream   uint32
	heard    string // what came back last
}

func (v *visitor) leave() {
	if v.talk != nil {
		v.talk.Close()
	}
}

// ask asks for something, and says what becomes of it, as misdeeds have it.
func (v *visitor) ask(host, method, target, body string) string {
	if v.protocol == "HTTP/2" {
		if v.talk == nil {
			c, err := (&watched{attacked: v.attacked}).talk()
			if err != nil {
				return err.Error()
			}
			v.talk, v.stream = c, 1
		}
		var data []string
		if body != "" {
			data = []string{body}
		}
		status, _, text := v.talk.ask(v.stream, [][2]string{{":method", method}, {":scheme", "https"}, {":authority", host}, {":path", target}}, data, nil)
		if v.stream += 2; strings.HasSuffix(status, "cut") {
			v.talk.Close()
			v.talk = nil
		}
		v.heard = text
		return outcome(status, text)
	}
	c, err := v.plain()
	if err != nil {
		return err.Error()
	}
	length := ""
	if body != "" {
		length = fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	sent := fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: %s\r\n%sConnection: close\r\n\r\n%s", method, target, host, length, body)
	raw := exchanged(c, sent)
	v.heard = string(raw)
	answers, found := httplint.Answers(sent, raw)
	if len(answers) == 1 && len(found) == 0 {
		text, _ := io.ReadAll(answers[0].Body)
		return outcome(fmt.Sprint(answers[0].StatusCode), string(text))
	}
	if len(answers) == 0 && (len(found) == 0 || len(found) == 1 && strings.HasSuffix(found[0], ": unexpected EOF")) {
		return "cut"
	}
	return fmt.Sprintf("%d answers, %q in %.300q", len(answers), found, raw)
}

// outcome is as misdeeds have it.
func outcome(status, text string) string {
	switch {
	case strings.HasSuffix(status, "cut"):
		return "cut"
	case status == "502" || text == "":
		return status
	}
	return status + " " + text
}

func TestAnInstanceThatMisbehavesHarmsItsOwnRequestOnly(t *testing.T) {
	t.Parallel()
	type job struct {
		*misdeed
		lane, protocol, host, token string
	}
	var all []job
	var spoilt sync.Map // connections, by what was done on them
	hosts := newMisled(t, answering(func(c net.Conn, h *received, token string) {
		if about, after := spoilt.Load(c); after {
			t.Errorf("%s comes on the connection that had %s", h, about)
		}
		if strings.HasSuffix(h.target, "/right") {
			(&misdeed{answer: fine}).do(c, token)
			return
		}
		var n int
		fmt.Sscanf(token, "t%d", &n)
		if !all[n].right {
			spoilt.Store(c, all[n].about)
		}
		all[n].do(c, token)
	}))
	for i := range misdeeds {
		for _, lane := range []string{"express", "full"} {
			for _, protocol := range []string{"HTTP/1.1", "HTTP/2"} {
				host := []string{"app.test", "tcp.test"}[len(all)/2%2]
				all = append(all, job{&misdeeds[i], lane, protocol, host, fmt.Sprintf("t%04d", len(all))})
			}
		}
	}
	jobs := make(chan job)
	var workers sync.WaitGroup
	for range 12 {
		workers.Go(func() {
			for j := range jobs {
				body := ""
				if j.method == "POST" {
					body = "something"
				}
				v := &visitor{misled: hosts[j.lane], protocol: j.protocol}
				got := v.ask(j.host, cmp.Or(j.method, "GET"), "/"+j.token, body)
				want := strings.Split(strings.ReplaceAll(strings.Join(j.want, "|"), "TOKEN", j.token), "|")
				if !slices.Contains(want, got) {
					t.Errorf("%s, %s, %s, %s: %.500q, want %q", j.about, j.lane, j.protocol, j.host, got, want)
				}
				for range 2 { // the instance is asked again
					if got := v.ask(j.host, "GET", "/"+j.token+"/right", ""); got != "200 "+j.token {
						t.Errorf("after %s, %s, %s: %.500q", j.about, j.lane, j.protocol, got)
					}
				}
				v.leave()
			}
		})
	}
	for _, j := range all {
		jobs <- j
	}
	close(jobs)
	workers.Wait()
}

// TestAnAnswerThatEndsAnywhereIsSeenToEnd closes the connection at each byte of
// two right answers.
func TestAnAnswerThatEndsAnywhereIsSeenToEnd(t *testing.T) {
	t.Parallel()
	answers := []string{fine, inChunks + "5\r\nTOKEN\r\n2;x\r\n!!\r\n0\r\nX-Sum: 1\r\n\r\n"}
	hosts := newMisled(t, answering(func(c net.Conn, h *received, token string) {
		var which, at int
		fmt.Sscanf(h.target[len("/t0000"):], "/%d/%d", &which, &at)
		io.WriteString(c, strings.ReplaceAll(answers[which], "TOKEN", token)[:at])
		c.Close()
	}))
	var clients sync.WaitGroup
	for lane, m := range hosts {
		for _, protocol := range []string{"HTTP/1.1", "HTTP/2"} {
			for which, answer := range answers {
				clients.Go(func() {
					v := &visitor{misled: m, protocol: protocol}
					defer v.leave()
					for at := range len(strings.ReplaceAll(answer, "TOKEN", "t0000")) + 1 {
						token := fmt.Sprintf("t%04d", at)
						want := "cut"
						switch {
						case at < strings.Index(answer, "\r\n\r\n")+4:
							want = "502"
						case at == len(answer):
							want = "200 " + token + strings.Repeat("!", 2*which)
						}
						// POST: whoever has sent nothing may have done what it was asked to
						if got := v.ask([]string{"app.test", "tcp.test"}[at%2], "POST", fmt.Sprintf("/%s/%d/%d", token, which, at), "x"); got != want {
							t.Errorf("%s, %s, answer %d closed at %d: %.300q, want %q", lane, protocol, which, at, got, want)
						}
					}
				})
			}
		}
	}
	clients.Wait()
}

// TestWhatAnIdleConnectionBringsIsNobodysAnswer has an instance say something on
// a kept connection before the next request, of any method, is sent.
func TestWhatAnIdleConnectionBringsIsNobodysAnswer(t *testing.T) {
	t.Parallel()
	kept := make(chan net.Conn, 1)
	hosts := newMisled(t, answering(func(c net.Conn, h *received, token string) {
		(&misdeed{answer: fine}).do(c, token)
		if strings.HasSuffix(h.target, "/keep") {
			kept <- c
		}
	}))
	for what, say := range map[string]func(net.Conn){
		"an answer":      func(c net.Conn) { io.WriteString(c, other) },
		"part of one":    func(c net.Conn) { io.WriteString(c, other[:10]) },
		"a line end":     func(c net.Conn) { io.WriteString(c, "\r\n") },
		"leave to go on": func(c net.Conn) { io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n") },
		"408": func(c net.Conn) {
			io.WriteString(c, "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n")
			c.Close()
		},
		"its end": hangsUp,
		"a reset": resets,
	} {
		n := 0
		for lane, m := range hosts {
			for _, host := range []string{"app.test", "tcp.test"} {
				for _, method := range []string{"GET", "POST"} {
					v := &visitor{misled: m, protocol: []string{"HTTP/1.1", "HTTP/2"}[n%2]}
					n++
					if got := v.ask(host, "GET", "/t0001/keep", ""); got != "200 t0001" {
						t.Fatalf("%s, %s: %.500q", lane, host, got)
					}
					say(<-kept)
					body := ""
					if method == "POST" {
						body = "something"
					}
					if got := v.ask(host, method, "/t0002", body); got != "200 t0002" {
						t.Errorf("%s, %s to %s after %s on its idle connection: %.500q", lane, method, host, what, got)
					}
					v.leave()
				}
			}
		}
	}
}

// TestAnInstanceThatAnswersTooEarlyAnswersNobodyElse has an instance answer each
// connection before it has heard of a request, and the request as well.
func TestAnInstanceThatAnswersTooEarlyAnswersNobodyElse(t *testing.T) {
	t.Parallel()
	answered := make(chan bool)
	over := make(chan bool)
	hosts := newMisled(t, func(c net.Conn) {
		io.WriteString(c, other)
		answering(func(c net.Conn, h *received, token string) {
			(&misdeed{answer: fine}).do(c, token)
			select {
			case answered <- true:
			case <-over:
			}
		})(c)
	})
	for lane, m := range hosts {
		v := &visitor{misled: m, protocol: "HTTP/1.1"}
		for n := range 20 {
			token := fmt.Sprintf("t%04d", n)
			got := v.ask("app.test", "GET", "/"+token, "")
			if got != "200 "+token && got != "200 evil!" && got != "502" {
				t.Errorf("%s, request %d: %.500q", lane, n, got)
			}
			<-answered // it is there before the next one is asked
		}
	}
	close(over)
}

// TestAnAnswerMayComeBeforeTheRequestIsWhole has an instance answer at the head
// of a request, and the client send the rest when it has the answer. (Of a small
// one the instance hears when it is whole.)
func TestAnAnswerMayComeBeforeTheRequestIsWhole(t *testing.T) {
	t.Parallel()
	hosts := newMisled(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		for {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			(&misdeed{answer: fine}).do(c, instanceToken.FindString(req.RequestURI))
			if strings.HasSuffix(req.RequestURI, "/leaves") {
				return
			}
			if _, err := io.Copy(io.Discard, req.Body); err != nil {
				return
			}
		}
	})
	half := strings.Repeat("x", 100_000)
	for lane, m := range hosts {
		for n, target := range []string{"/reads", "/leaves", "/reads", "/leaves"} {
			host, token := []string{"app.test", "tcp.test"}[n/2], fmt.Sprintf("t%04d", n)
			c, err := m.plain()
			if err != nil {
				t.Fatal(err)
			}
			c.SetDeadline(time.Now().Add(30 * time.Second))
			sent := fmt.Sprintf("POST /%s%s HTTP/1.1\r\nHost: %s\r\nContent-Length: 200000\r\nConnection: close\r\n\r\n%s", token, target, host, half)
			io.WriteString(c, sent)
			var raw strings.Builder
			for !strings.HasSuffix(raw.String(), token) {
				if _, err := io.CopyN(&raw, c, 1); err != nil {
					t.Fatalf("%s, %s, %s: %q, %v", lane, target, host, raw.String(), err)
				}
			}
			io.WriteString(c, half)
			io.Copy(&raw, c)
			c.Close()
			if answers := httplint.Raw(t, []byte(sent+half), []byte(raw.String())); len(answers) != 1 || answers[0].StatusCode != 200 {
				t.Errorf("%s, %s, %s: %q", lane, target, host, raw.String())
			}
			v := &visitor{misled: m, protocol: "HTTP/1.1"}
			for range 2 {
				if got := v.ask(host, "POST", "/t9999", "x"); got != "200 t9999" {
					t.Errorf("%s, after %s, %s: %.500q", lane, target, host, got)
				}
			}
		}
	}
}

// TestNoClientSeesWhatIsAnothers has 50 clients ask an instance that misbehaves
// at random, mostly by what it says of one request behind the answer to it.
func TestNoClientSeesWhatIsAnothers(t *testing.T) {
	t.Parallel()
	var ways []misdeed
	for _, m := range misdeeds {
		if m.then == nil && m.method == "" {
			ways = append(ways, m)
		}
	}
	again := fine + fine
	for _, answer := range []string{fine, fine, fine, again, fine + "TOKEN", inChunks + "5\r\nTOKEN\r\n0\r\n\r\n" + again, "HTTP/1.1 204 No Content\r\n\r\n" + again, "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nTOKEN"} {
		ways = append(ways, misdeed{answer: answer}, misdeed{answer: answer, then: hangsUp}, misdeed{answer: answer, then: resets})
	}
	hosts := newMisled(t, answering(func(c net.Conn, h *received, token string) {
		var n uint64
		fmt.Sscanf(token, "t%d", &n)
		way := rand.New(rand.NewPCG(1, n)).IntN(len(ways))
		if strings.HasSuffix(h.target, "/right") {
			(&misdeed{answer: fine}).do(c, token)
			return
		}
		ways[way].do(c, token)
	}))
	const each = 12
	var clients sync.WaitGroup
	for n := range 50 {
		clients.Go(func() {
			v := &visitor{misled: hosts[[]string{"express", "full"}[n%2]], protocol: []string{"HTTP/1.1", "HTTP/2"}[n/2%2]}
			defer v.leave()
			host := []string{"app.test", "tcp.test"}[n/4%2]
			for i := range each {
				token := fmt.Sprintf("t%04d", n*each+i)
				method, body := "GET", ""
				switch i % 3 {
				case 1:
					method, body = "POST", "something"
				case 2:
					method = "HEAD"
				}
				got := v.ask(host, method, "/"+token, body)
				for _, other := range instanceToken.FindAllString(v.heard, -1) {
					if other != token {
						t.Errorf("client %d, request %s: it sees %s: %.500q", n, token, other, v.heard)
					}
				}
				if strings.Contains(v.heard, "evil!") {
					t.Errorf("client %d, request %s: %s, %.500q", n, token, got, v.heard)
				}
				if i%4 == 3 {
					if got := v.ask(host, "GET", "/"+token+"/right", ""); got != "200 "+token {
						t.Errorf("client %d: %.500q, want %s", n, got, token)
					}
				}
			}
		})
	}
	clients.Wait()
}
