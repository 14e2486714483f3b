package apps

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"roost/internal/httplint"
)

// hangUp is an instance that reads a request's head and closes the connection,
// after it has said what.
func hangUp(t *testing.T, asked *atomic.Int32, what string) *endpoint {
	return rawInstance(t, func(c net.Conn) {
		if h, err := readHead(bufio.NewReader(c)); err == nil && h != "" {
			asked.Add(1)
		}
		io.WriteString(c, what)
	})
}

// counted is an instance that answers with the body it gets.
func counted(t *testing.T, asked *atomic.Int32) *endpoint {
	return runInstance(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		body, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %d %v", r.Method, len(body), err)
	})
}

func TestWhatCannotHaveArrivedGoesToAnotherInstanceWhateverTheMethod(t *testing.T) {
	for _, method := range []string{"GET", "HEAD", "POST", "PATCH", "DELETE"} {
		t.Run(method, func(t *testing.T) {
			var asked atomic.Int32
			s := listenHost(t, poolOf(deadInstance(t), counted(t, &asked)))
			for range 4 { // whoever is first in turn
				var body io.Reader
				if method == "POST" || method == "PATCH" {
					body = opaqueReader{strings.NewReader(strings.Repeat("x", 100<<10))}
				}
				if status, text := ask(t, s, method, "/", body); status != 200 || body != nil && !strings.Contains(text, " 102400 <nil>") {
					t.Errorf("%d %q", status, text)
				}
			}
			if n := asked.Load(); n != 4 {
				t.Errorf("asked %d times", n)
			}
		})
	}
}

// opaqueReader hides what a reader is, so that its length is not known.
type opaqueReader struct{ io.Reader }

func TestARequestThatWasSentIsRepeatedOnlyWhereThatDoesNoHarm(t *testing.T) {
	small, large := strings.Repeat("s", 1000), strings.Repeat("l", replayLimit+50<<10)
	for _, c := range []struct {
		method, body string
		repeated     bool
	}{
		{"GET", "", true},
		{"HEAD", "", true},
		{"OPTIONS", "", true},
		{"TRACE", "", true},
		{"DELETE", "", true},
		{"PUT", small, true},
		{"PUT", large, false},
		{"POST", "", false},
		{"POST", small, false},
		{"PATCH", small, false},
		{"QUERY", "", false},
	} {
		t.Run(fmt.Sprint(c.method, len(c.body)), func(t *testing.T) {
			var first, second atomic.Int32
			broken := rawInstance(t, func(conn net.Conn) {
				r := bufio.NewReader(conn)
				if h, _ := readHead(r); h != "" {
					first.Add(1)
					io.CopyN(io.Discard, r, int64(len(c.body)))
				}
			})
			whole := counted(t, &second)
			p := poolOf(broken, whole)
			p.turn.Store(1) // the broken one is next
			s := listenHost(t, p)
			status, text := ask(t, s, c.method, "/", strings.NewReader(c.body))
			want, again := http.StatusBadGateway, int32(0)
			if c.repeated {
				want, again = http.StatusOK, 1
			}
			if status != want || second.Load() != again || first.Load() != 1 {
				t.Errorf("%d %q after %d and %d tries", status, text, first.Load(), second.Load())
			}
			if c.repeated && c.method != "HEAD" && !strings.Contains(text, fmt.Sprintf(" %d <nil>", len(c.body))) {
				t.Errorf("the second instance got %q", text)
			}
		})
	}
}

func TestNothingIsRepeatedOnceAnAnswerHasBegun(t *testing.T) {
	for _, begun := range []string{"H", "HTTP/1.1 200 OK\r\nContent-", "nonsense\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"} {
		var first, second atomic.Int32
		p := poolOf(hangUp(t, &first, begun), counted(t, &second))
		p.turn.Store(1)
		if status, _ := ask(t, listenHost(t, p), "GET", "/", nil); status != http.StatusBadGateway || second.Load() != 0 {
			t.Errorf("%q: status %d, %d more tries", begun, status, second.Load())
		}
	}
}

func TestARequestGoesToThreeInstancesAtMostAndToEachOnce(t *testing.T) {
	var asked [5]atomic.Int32
	var all []*endpoint
	for i := range asked {
		all = append(all, hangUp(t, &asked[i], ""))
	}
	if status, _ := ask(t, listenHost(t, poolOf(all...)), "GET", "/", nil); status != http.StatusBadGateway {
		t.Errorf("status %d", status)
	}
	sum := int32(0)
	for i := range asked {
		sum += asked[i].Load()
		if asked[i].Load() > 1 {
			t.Errorf("instance %d was asked %d times", i, asked[i].Load())
		}
	}
	if sum != maxTries {
		t.Errorf("%d tries", sum)
	}
}

func TestARequestThatTheOnlyInstanceDroppedWaitsForTheNextOne(t *testing.T) {
	var first, second atomic.Int32
	dying := hangUp(t, &first, "")
	p := poolOf(dying)
	s := listenHost(t, p)
	got := make(chan string, 1)
	go func() {
		status, text := ask(t, s, "GET", "/", nil)
		got <- fmt.Sprint(status, " ", text)
	}()
	eventually(t, "the first try", func() bool { return first.Load() == 1 })
	p.publish(nil)
	eventually(t, "the request waits", func() bool { return p.waiting() == 1 })
	p.publish([]*endpoint{counted(t, &second)})
	if text := within(t, "the answer", got); text != "200 GET 0 <nil>" || first.Load() != 1 {
		t.Errorf("%q after %d tries of the first", text, first.Load())
	}
}

func TestTheOnlyInstanceIsTriedAgainAfterAPause(t *testing.T) {
	e := deadInstance(t)
	p := poolOf(e)
	s := listenHost(t, p)
	got := make(chan int, 1)
	go func() {
		status, _ := ask(t, s, "POST", "/", strings.NewReader("x"))
		got <- status
	}()
	eventually(t, "the request waits", func() bool { return p.waiting() == 1 })
	if err := os.Remove(e.address); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", e.address)
	if err != nil {
		t.Fatal(err)
	}
	serveInstance(t, l, answerName("a"))
	if status := within(t, "the answer", got); status != 200 {
		t.Errorf("status %d", status)
	}
}

func TestAnInstanceThatNeverListensGivesABadGateway(t *testing.T) {
	if status, text := ask(t, listenHost(t, poolOf(deadInstance(t))), "GET", "/", nil); status != http.StatusBadGateway || !strings.Contains(text, "Bad Gateway") {
		t.Errorf("%d %q", status, text)
	}
}

// closing is an instance that closes each connection when it has answered on
// it, without having said that it would: Node does so after 5 s. It tells.
func closing(t *testing.T) (e *endpoint, closed <-chan struct{}) {
	told := make(chan struct{}, 1000)
	return rawInstance(t, func(c net.Conn) {
		r, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		io.Copy(io.Discard, r.Body)
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		c.Close()
		told <- struct{}{}
	}), told
}

func TestAnIdleConnectionThatTheInstanceClosesLosesNoRequest(t *testing.T) {
	e, closed := closing(t)
	s := listenHost(t, poolOf(e))
	for range 200 {
		if status, text := ask(t, s, "GET", "/", nil); status != 200 || text != "ok" {
			t.Fatalf("%d %q", status, text)
		}
	}
	for range 200 {
		within(t, "the close", closed)
	}
	for range 20 {
		if status, text := ask(t, s, "POST", "/", strings.NewReader("x")); status != 200 || text != "ok" {
			t.Fatalf("%d %q", status, text)
		}
		within(t, "the close", closed)
	}
	if e.health.bad.Load() != 0 {
		t.Errorf("the instance counts as bad")
	}
}

func TestAnAnswerThatBreaksOffIsSeenToBreakOff(t *testing.T) {
	for name, answer := range map[string]string{
		"counted": "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
		"chunked": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			var first, second atomic.Int32
			broken := hangUp(t, &first, answer)
			p := poolOf(broken, counted(t, &second))
			p.turn.Store(1)
			s := listenHost(t, p)
			res, err := httplint.Client(t, s).Get(s.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			text, err := io.ReadAll(res.Body)
			if string(text) != "hello" || !errors.Is(err, io.ErrUnexpectedEOF) || second.Load() != 0 {
				t.Errorf("%q, %v, %d more tries", text, err, second.Load())
			}
			eventually(t, "the instance counts as having failed", func() bool { return broken.health.bad.Load() == badAnswer })
			eventually(t, "nothing in flight", func() bool { return broken.InFlight() == 0 })
		})
	}
}

// recorded serves p and sends on the status that the access log would see.
func recorded(t *testing.T, p http.Handler) (*httptest.Server, <-chan int) {
	seen := make(chan int, 100)
	return listenHost(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &statusRecorder{ResponseWriter: w}
		defer func() { seen <- rec.status }()
		p.ServeHTTP(rec, r)
	})), seen
}

type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (s *statusRecorder) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}
func (s *statusRecorder) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func TestAClientThatGoesCancelsItsRequest(t *testing.T) {
	asked, cancelled := make(chan struct{}), make(chan struct{})
	e := runInstance(t, func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
		close(cancelled)
	})
	p := newPool(poolOptions{fail: func(http.ResponseWriter, *http.Request, int) { t.Error("an error page for nobody") }})
	p.publish([]*endpoint{e})
	s, status := recorded(t, p)
	c, _ := dialRaw(t, s)
	sendRaw(t, c, "GET / HTTP/1.1\nHost: h\n\n")
	within(t, "the instance is asked", asked)
	c.Close()
	within(t, "the instance's request is cancelled", cancelled)
	if got := within(t, "the status", status); got != statusClientGone {
		t.Errorf("status %d", got)
	}
	if e.health.bad.Load() != 0 {
		t.Error("the instance is blamed")
	}
}

func TestABodyThatTheClientDoesNotDeliverIsNotTheInstancesFault(t *testing.T) {
	for _, c := range []struct {
		name, sent string
		limit      int64
		close      bool
		want       int
	}{
		{"malformed", "POST / HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n5\nhello\nzz\n", 0, false, http.StatusBadRequest},
		{"too large", "POST / HTTP/1.1\nHost: h\nContent-Length: 20\n\n01234567890123456789", 10, false, http.StatusRequestEntityTooLarge},
		{"cut", "POST / HTTP/1.1\nHost: h\nContent-Length: 20\n\n0123456789", 0, true, statusClientGone},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := runInstance(t, func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				<-r.Context().Done() // no answer before the body is there
			})
			p := poolOf(e)
			s, status := recorded(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if c.limit > 0 {
					r.Body = http.MaxBytesReader(w, r.Body, c.limit)
				}
				p.ServeHTTP(w, r)
			}))
			conn, _ := dialRaw(t, s)
			sendRaw(t, conn, "%s", c.sent)
			if c.close {
				conn.Close()
			}
			if got := within(t, "the status", status); got != c.want {
				t.Errorf("status %d, want %d", got, c.want)
			}
			if e.health.bad.Load() != 0 {
				t.Error("the instance is blamed")
			}
		})
	}
}

func TestAConnectionThatCannotBeMadeInTimeIsAGatewayTimeout(t *testing.T) {
	e := newEndpoint("tcp", "127.0.0.1:1")
	for err, want := range map[error]int{
		&dialError{e, context.DeadlineExceeded}:                              http.StatusGatewayTimeout,
		&dialError{e, &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}}: http.StatusGatewayTimeout,
		&dialError{e, errors.New("refused")}:                                 http.StatusBadGateway,
		io.ErrUnexpectedEOF:                                                  http.StatusBadGateway,
		context.DeadlineExceeded:                                             http.StatusBadGateway,
	} {
		if got := statusOf(err); got != want {
			t.Errorf("%v: %d, want %d", err, got, want)
		}
	}
}

func TestARequestThatCannotBeSentIsNobodysFaultButTheClients(t *testing.T) {
	e := runInstance(t, answerName("a"))
	p := poolOf(e)
	for name, change := range map[string]func(r *http.Request){
		"host with a space": func(r *http.Request) { r.Host = "a b" },
		"host in UTF-8":     func(r *http.Request) { r.Host = "é.example.com" },
		"value with a line": func(r *http.Request) { r.Header["X"] = []string{"a\r\nY: b"} },
		"name with a space": func(r *http.Request) { r.Header["X Y"] = []string{"a"} },
		"method":            func(r *http.Request) { r.Method = "G ET" },
	} {
		r := httptest.NewRequest("GET", "/", nil)
		change(r)
		w := httplint.Record(t, p, r)
		if w.Code != http.StatusBadRequest || e.health.bad.Load() != 0 || e.InFlight() != 0 {
			t.Errorf("%s: status %d, the instance is blamed %d", name, w.Code, e.health.bad.Load())
		}
	}
}
