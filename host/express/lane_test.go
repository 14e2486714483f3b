package express

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"roost/internal/httplint"
)

func TestMain(m *testing.M) { os.Exit(httplint.Run(m)) }

// counted counts the calls that a connection gets.
type counted struct {
	*net.TCPConn
	reads, writes *atomic.Int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.TCPConn.Read(p)
	if n > 0 {
		c.reads.Add(1)
	}
	return n, err
}

// SyscallConn counts the reads of who waits without a buffer.
func (c counted) SyscallConn() (syscall.RawConn, error) {
	socket, err := c.TCPConn.SyscallConn()
	return countedSocket{socket, c.reads}, err
}

type countedSocket struct {
	syscall.RawConn
	reads *atomic.Int64
}

func (s countedSocket) Read(try func(uintptr) bool) error {
	return s.RawConn.Read(func(fd uintptr) bool {
		done := try(fd)
		if done {
			s.reads.Add(1)
		}
		return done
	})
}

func (c counted) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.TCPConn.Write(p)
}

// road is a lane and what it does.
type road struct {
	*Lane
	t             *testing.T
	listener      net.Listener
	reads, writes atomic.Int64
	open          atomic.Int64
	handed        chan []byte // what was read of connections that were handed on
}

// newRoad runs a lane for a handler until the test ends.
func newRoad(t *testing.T, handler http.HandlerFunc, change func(*Options)) *road {
	t.Helper()
	r := &road{t: t, handed: make(chan []byte, 16)}
	o := Options{
		Handler: handler,
		Context: func(ctx context.Context, _ net.Conn) context.Context { return ctx },
		HandOn: func(c net.Conn, read []byte) {
			r.handed <- read
			_, _ = fmt.Fprintf(c, "HTTP/1.1 299 Handed On\r\nDate: %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", time.Now().UTC().Format(http.TimeFormat))
			_ = Linger(c)
		},
		Header: time.Minute, Idle: time.Minute,
		Open: func(n int64) { r.open.Add(n) },
		Log:  slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&o)
	}
	r.Lane = New(o)
	var err error
	if r.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := r.listener.Accept()
			if err != nil {
				return
			}
			if !r.Start(counted{c.(*net.TCPConn), &r.reads, &r.writes}) {
				_ = c.Close()
			}
		}
	}()
	t.Cleanup(func() {
		_ = r.listener.Close()
		now, cancel := context.WithCancel(context.Background())
		cancel()
		r.End(now)
		if n := r.open.Load(); n != 0 {
			t.Errorf("%d connections are open at the end", n)
		}
	})
	return r
}

func (r *road) dial() net.Conn {
	r.t.Helper()
	c, err := net.Dial("tcp", r.listener.Addr().String())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	return c
}

// exchange sends bytes and returns what comes until the connection closes.
func (r *road) exchange(sent string) []*http.Response {
	r.t.Helper()
	c := r.dial()
	if _, err := io.WriteString(c, sent); err != nil {
		r.t.Fatal(err)
	}
	raw, err := io.ReadAll(c)
	if err != nil {
		r.t.Errorf("the connection ends with %v", err)
	}
	return httplint.Raw(r.t, []byte(sent), raw)
}

// until polls for what comes by itself.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !done(); {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
		<-time.After(2 * time.Millisecond)
	}
}

// echo answers with the target.
func echo(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = io.WriteString(w, r.RequestURI)
}

func ask(target string, fields ...string) string {
	return "GET " + target + " HTTP/1.1\r\nHost: a.test\r\n" + strings.Join(append(fields, ""), "\r\n") + "\r\n"
}

func post(target, body string, fields ...string) string {
	fields = append(fields, fmt.Sprint("Content-Length: ", len(body)))
	return "POST " + target + " HTTP/1.1\r\nHost: a.test\r\n" + strings.Join(append(fields, ""), "\r\n") + "\r\n" + body
}

func TestARequestIsOneReadAndOneWrite(t *testing.T) {
	t.Parallel()
	r := newRoad(t, echo, nil)
	c := r.dial()
	in := bufio.NewReader(c)
	for i := range 10 {
		request := ask(fmt.Sprint("/", i))
		if _, err := io.WriteString(c, request); err != nil {
			t.Fatal(err)
		}
		asked, _ := http.ReadRequest(bufio.NewReader(strings.NewReader(request)))
		res, err := httplint.Read(t, in, asked)
		if err != nil || res.StatusCode != 200 {
			t.Fatalf("%v %v", res, err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
	}
	if reads, writes := r.reads.Load(), r.writes.Load(); reads != 10 || writes != 10 || r.Answered() != 10 {
		t.Errorf("%d reads and %d writes for 10 requests, %d answered", reads, writes, r.Answered())
	}
}

func TestRequestsInARowAreAnsweredInOrder(t *testing.T) {
	t.Parallel()
	r := newRoad(t, echo, nil)
	var sent strings.Builder
	for i := range 300 { // more than the buffers hold
		sent.WriteString(ask(fmt.Sprint("/", i), "X: "+strings.Repeat("x", i*10)))
	}
	sent.WriteString(ask("/last", "Connection: close"))
	sent.WriteString("GARBAGE") // behind the last one, which nobody looks at
	answers := r.exchange(sent.String())
	if len(answers) != 301 {
		t.Fatalf("%d answers", len(answers))
	}
	for i, res := range answers[:300] {
		if body, _ := io.ReadAll(res.Body); string(body) != fmt.Sprint("/", i) {
			t.Errorf("answer %d is for %s", i, body)
		}
	}
	if !answers[300].Close || r.HandedOn() != 0 {
		t.Errorf("%+v, %d handed on", answers[300], r.HandedOn())
	}
}

func TestAConnectionIsHandedOnWithItsBytes(t *testing.T) {
	t.Parallel()
	large := ask("/", "X: "+strings.Repeat("x", maxHead))
	for name, bytes := range map[string]string{
		"a method":           "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n" + ask("/after"),
		"chunks":             "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n" + ask("/after"),
		"an expectation":     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n",
		"an old version":     "POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi",
		"a malformed line":   "GET / HTTP/1.1\r\nHost: a\r\nx\r\n",
		"what is no request": "\x16\x03\x01",
		"a bare LF":          "GET / HTTP/1.1\nHost: a\n",
		"too large a head":   large[:maxHead],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoad(t, echo, nil)
			answers := r.exchange(ask("/before") + bytes)
			if len(answers) != 2 || answers[1].StatusCode != 299 || r.HandedOn() != 1 {
				t.Fatalf("%v, %d handed on", answers, r.HandedOn())
			}
			if read := <-r.handed; string(read) != bytes {
				t.Errorf("handed on with %.100q of %d bytes", read, len(read))
			}
		})
	}
	t.Run("half a head and an end", func(t *testing.T) {
		t.Parallel()
		r := newRoad(t, echo, nil)
		c := r.dial()
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHo")
		_ = c.(*net.TCPConn).CloseWrite()
		if read := <-r.handed; string(read) != "GET / HTTP/1.1\r\nHo" {
			t.Errorf("handed on with %q", read)
		}
	})
	for name, sent := range map[string]string{
		"what the handler does not want":              ask("/app"),
		"what the handler does not want, and another": ask("/app") + ask("/next"),
		"a body that it does not want":                post("/app", "hello"),
		"a body that it does not want, and another":   post("/app", "hello") + ask("/next"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoad(t, func(w http.ResponseWriter, r *http.Request) { w.(*Answer).HandOn() }, nil)
			answers := r.exchange(sent)
			if read := <-r.handed; len(answers) != 1 || string(read) != sent || r.Answered() != 0 {
				t.Errorf("%v, handed on with %q", answers, read)
			}
		})
	}
}

func TestAHeadThatComesSlowlyIsAnswered(t *testing.T) {
	t.Parallel()
	r := newRoad(t, echo, nil)
	c := r.dial()
	request := ask("/slowly", "X: "+strings.Repeat("x", 2*smallRead), "Connection: close")
	for at := 0; at < len(request); at += 100 {
		if _, err := io.WriteString(c, request[at:min(at+100, len(request))]); err != nil {
			t.Fatal(err)
		}
	}
	raw, _ := io.ReadAll(c)
	if answers := httplint.Raw(t, []byte(request), raw); len(answers) != 1 || answers[0].StatusCode != 200 {
		t.Errorf("%q", raw)
	}
}

// TestWhoIsSlowIsCutInTime sends bytes at times, of the test's own clock, and wants
// the connection closed at another.
func TestWhoIsSlowIsCutInTime(t *testing.T) {
	type step struct {
		at   int // seconds
		send string
	}
	var dribble []step
	for i := range 60 {
		dribble = append(dribble, step{i, "GET / HTTP/1.1\r\nX: "[min(i, 18) : min(i, 18)+1]})
	}
	for name, test := range map[string]struct {
		steps  []step
		closed int
	}{
		"nothing at all":            {nil, 10},
		"half a head":               {[]step{{3, "GET / HTTP/1.1\r\nHost"}}, 10},
		"a head that dribbles":      {dribble, 10},
		"a head in three parts":     {[]step{{3, ask("/")[:5]}, {6, ask("/")[5:20]}, {9, ask("/")[20:]}}, 129},
		"nothing more":              {[]step{{5, ask("/")}}, 125},
		"half a head more":          {[]step{{0, ask("/")}, {100, "GET"}}, 110},
		"a request now and then":    {[]step{{0, ask("/")}, {100, ask("/")}, {200, ask("/")}}, 320},
		"half of the next at once":  {[]step{{5, ask("/") + "GET"}}, 15},
		"line ends behind a POST":   {[]step{{0, post("/", "") + "\r\n"}, {100, ask("/")}}, 220},
		"a late request, then half": {[]step{{0, ask("/")}, {119, ask("/")}, {200, "GET"}, {205, " / HTTP/1.1"}}, 210},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lane := New(Options{
					Handler: http.HandlerFunc(echo),
					Context: func(ctx context.Context, _ net.Conn) context.Context { return ctx },
					HandOn:  func(_ net.Conn, read []byte) { t.Errorf("handed on with %q", read) },
					Header:  10 * time.Second, Idle: 120 * time.Second,
					Open: func(int64) {},
				})
				here, there := net.Pipe()
				lane.Start(there)
				begun := time.Now()
				var sending sync.WaitGroup
				sending.Go(func() {
					for _, s := range test.steps {
						time.Sleep(time.Until(begun.Add(time.Duration(s.at) * time.Second)))
						if _, err := io.WriteString(here, s.send); err != nil {
							return
						}
					}
				})
				raw, _ := io.ReadAll(here)
				_ = here.Close()
				defer sending.Wait()
				if took := time.Since(begun); took != time.Duration(test.closed)*time.Second {
					t.Errorf("closed after %v, want %d s", took, test.closed)
				}
				var all strings.Builder
				for _, s := range test.steps {
					all.WriteString(s.send)
				}
				if n, want := bytes.Count(raw, []byte("HTTP/1.1 200 OK\r\n")), strings.Count(all.String(), ask("/"))+strings.Count(all.String(), "POST"); n != want {
					t.Errorf("%d answers, want %d", n, want)
				}
			})
		})
	}
}

func TestTheEndWaitsForAnswersAndForNobodyElse(t *testing.T) {
	t.Parallel()
	asked, go_ := make(chan bool), make(chan bool)
	r := newRoad(t, func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/slow" {
			asked <- true
			<-go_
		}
		echo(w, req)
	}, nil)
	slow, kept, fresh := r.dial(), r.dial(), r.dial()
	_, _ = io.WriteString(slow, ask("/slow"))
	<-asked
	_, _ = io.WriteString(kept, ask("/"))
	until(t, "three connections, one of them answered", func() bool { return r.open.Load() == 3 && r.Answered() == 1 })
	r.CloseFresh()
	if _, err := fresh.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("a connection without a request: %v", err)
	}
	ended := make(chan bool)
	go func() {
		r.End(context.Background())
		close(ended)
	}()
	if raw, err := io.ReadAll(kept); err != nil || !strings.HasSuffix(string(raw), "\r\n\r\n/") {
		t.Errorf("a connection without a request any more: %q, %v", raw, err)
	}
	select {
	case <-ended:
		t.Error("the end has not waited")
	default:
	}
	go_ <- true
	raw, err := io.ReadAll(slow)
	if answers := httplint.Raw(t, []byte(ask("/slow")), raw); err != nil || len(answers) != 1 || answers[0].StatusCode != 200 || !answers[0].Close { // and says that it is the last
		t.Errorf("%q, %v", raw, err)
	}
	<-ended
	if here, there := net.Pipe(); r.Start(here) {
		t.Error("a lane that has ended takes connections")
	} else {
		_ = there.Close()
	}
}

func TestTheEndCutsWhoDoesNotComeToAnEnd(t *testing.T) {
	t.Parallel()
	asked := make(chan bool)
	r := newRoad(t, func(w http.ResponseWriter, req *http.Request) {
		asked <- true
		for {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}, nil)
	c := r.dial()
	_, _ = io.WriteString(c, ask("/"))
	<-asked
	now, cancel := context.WithCancel(context.Background())
	cancel()
	r.End(now) // returns: that is the test
}

func TestAPanicEndsTheConnectionAlone(t *testing.T) {
	t.Parallel()
	var said bytes.Buffer
	r := newRoad(t, func(w http.ResponseWriter, req *http.Request) {
		switch req.URL.Path {
		case "/panic":
			panic("oh")
		case "/abort":
			panic(http.ErrAbortHandler)
		}
		echo(w, req)
	}, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&said, nil)) })
	for _, path := range []string{"/abort", "/panic"} {
		if answers := r.exchange(ask("/") + ask(path+"?token=SECRET") + ask("/")); len(answers) != 1 {
			t.Errorf("%s: %v", path, answers)
		}
	}
	r.End(context.Background()) // all is said
	if strings.Count(said.String(), "level=ERROR") != 1 || !strings.Contains(said.String(), " panic=oh ") || strings.Contains(said.String(), "SECRET") {
		t.Errorf("the log has %s", said.String())
	}
}

// answers are handlers whose answers are not simple.
var answers = map[string]http.HandlerFunc{
	"nothing":      func(http.ResponseWriter, *http.Request) {},
	"a short text": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<p>hello") },
	"two short texts": func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "a")
		_, _ = io.WriteString(w, "b")
	},
	"2048 bytes": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 2048)) },
	"2049 bytes": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 2049)) },
	"a bit, then a lot": func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "a")
		_, _ = w.Write(make([]byte, 100<<10))
	},
	"a length, and 100 KB": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "102400")
		_, _ = w.Write(make([]byte, 100<<10))
	},
	"a length, and a reader": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "70000")
		_, _ = io.Copy(w, io.LimitReader(strings.NewReader(strings.Repeat("x", 80000)), 70000))
	},
	"a reader": func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.Copy(w, strings.NewReader(strings.Repeat("x", 80000)))
	},
	"a length of nothing": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "0") },
	"204": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "5")
		w.WriteHeader(204)
		if _, err := io.WriteString(w, "hello"); err != http.ErrBodyNotAllowed {
			panic(err)
		}
	},
	"304": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "5")
		w.Header().Set("Content-Type", "text/css")
		w.Header().Set("Etag", `"x"`)
		w.WriteHeader(304)
	},
	"an unknown status":      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(299) },
	"a status said twice":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404); w.WriteHeader(200) },
	"a field after the head": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200); w.Header().Set("X-Late", "1") },
	"an own date":            func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Date", "Mon, 02 Jan 2006 15:04:05 GMT") },
	"an own close":           func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") },
	"a coding": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "x")
		_, _ = io.WriteString(w, "<p>")
	},
	"a field with a line end": func(w http.ResponseWriter, _ *http.Request) { w.Header()["X-Evil"] = []string{"a\r\nb: c", " d "} },
	"a flush": func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "a")
		w.(http.Flusher).Flush()
		_, _ = io.WriteString(w, "b")
	},
	"a flush of a head": func(w http.ResponseWriter, _ *http.Request) { w.(http.Flusher).Flush(); _, _ = io.WriteString(w, "b") },
	"early hints": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</a>; rel=preload")
		w.WriteHeader(103)
		_, _ = io.WriteString(w, "a")
	},
	"trailers": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "X-Sum, x-other,Content-Length")
		_, _ = io.WriteString(w, "a")
		w.Header().Set("X-Sum", "1")
		w.Header().Set("Content-Length", "5")
		w.Header()[http.TrailerPrefix+"X-More"] = []string{"2", "3"}
	},
	"a trailer that was not announced": func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "a")
		w.(http.Flusher).Flush()
		w.Header().Set(http.TrailerPrefix+"X-More", "2")
	},
	"a trailer of nothing": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Trailer", "X-Sum") },
	"a trailer behind a length": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1")
		w.Header().Set("Trailer", "X-Sum")
		_, _ = io.WriteString(w, "a")
		w.Header().Set("X-Sum", "1")
	},
	"an answer that breaks off": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "9")
		_, _ = io.WriteString(w, "hello")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	},
	"chunks that break off": func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "hello")
		w.(http.Flusher).Flush()
		_, _ = w.Write(make([]byte, 5000))
		panic(http.ErrAbortHandler)
	},
	"a head that breaks off": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200); panic(http.ErrAbortHandler) },
	"too much": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "3")
		if _, err := io.WriteString(w, "hello"); err != http.ErrContentLength {
			panic(err)
		}
	},
	"too little": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "9")
		_, _ = io.WriteString(w, "hello")
	},
}

// TestAnAnswerIsWhatNetHTTPMakesOfIt has net/http and the lane answer for the
// same handlers: but for Date and the order of fields, the bytes are the same.
func TestAnAnswerIsWhatNetHTTPMakesOfIt(t *testing.T) {
	t.Parallel()
	for name, handler := range answers {
		mine := newRoad(t, handler, nil)
		theirs := httptest.NewUnstartedServer(handler)
		theirs.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
		theirs.Start()
		for _, method := range []string{"GET", "HEAD"} {
			request := method + " /x HTTP/1.1\r\nHost: a.test\r\n"
			sent := request + "\r\n" + request + "Connection: close\r\n\r\n"
			got, want := normal(t, mine.dial(), sent), normal(t, dialed(t, theirs), sent)
			if got != want {
				t.Errorf("%s of %s:\n%q\nnet/http says\n%q", method, name, got, want)
			}
		}
		theirs.Close()
		if mine.Answered() == 0 {
			t.Errorf("%s: nothing was answered in the lane", name)
		}
	}
}

func dialed(t *testing.T, s *httptest.Server) net.Conn {
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	return c
}

// normal is what comes back for bytes, but for the time and the order of
// fields. Handlers here say what no answer should: what is found is no matter.
func normal(t *testing.T, c net.Conn, sent string) string {
	defer c.Close()
	if _, err := io.WriteString(c, sent); err != nil {
		t.Fatal(err)
	}
	raw, _ := io.ReadAll(c)
	var all strings.Builder
	answers, found := httplint.Answers([]byte(sent), raw)
	if strings.Contains(strings.Join(found, "\n"), "unexpected EOF") { // what breaks off is none of these
		fmt.Fprintf(&all, "%d bytes in all\n", len(raw))
	}
	for _, res := range answers {
		body, err := io.ReadAll(res.Body)
		if d := res.Header.Get("Date"); !strings.Contains(d, " 2006 ") {
			if _, bad := http.ParseTime(d); bad != nil {
				t.Errorf("Date: %q", d)
			}
			res.Header.Del("Date")
		}
		fmt.Fprintf(&all, "%s %v length %d %v close %v, %d bytes %.40q %v, then %v\n", res.Status, res.Header, res.ContentLength, res.TransferEncoding, res.Close, len(body), body, err, res.Trailer)
	}
	return all.String()
}

func TestTheEndEndsTheContextOfRequests(t *testing.T) {
	t.Parallel()
	asked := make(chan bool)
	r := newRoad(t, func(_ http.ResponseWriter, req *http.Request) {
		asked <- true
		<-req.Context().Done()
	}, nil)
	_, _ = io.WriteString(r.dial(), ask("/"))
	<-asked
	now, cancel := context.WithCancel(context.Background())
	cancel()
	ended := make(chan bool)
	go func() {
		r.End(now)
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Fatal("a handler that waits for its context is waited for")
	}
}

// parting is a connection whose Close says goodbye, as that of TLS does, to a client
// that does not take it until all are at it.
type parting struct {
	net.Conn
	closing *sync.WaitGroup
	once    *sync.Once
}

func (p parting) Close() error {
	p.once.Do(p.closing.Done)
	p.closing.Wait()
	return p.Conn.Close()
}

func TestAClientThatTakesNoGoodbyeDoesNotHoldUpTheOthers(t *testing.T) {
	t.Parallel()
	r := newRoad(t, echo, nil)
	var closing sync.WaitGroup
	for range 3 {
		here, there := net.Pipe()
		t.Cleanup(func() { _ = here.Close() })
		closing.Add(1)
		r.Start(parting{there, &closing, new(sync.Once)})
	}
	ended := make(chan bool)
	go func() {
		r.End(context.Background())
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Fatal("connections are closed one behind another")
	}
}

func TestAPanicOfTheLaneEndsTheConnectionAlone(t *testing.T) {
	t.Parallel()
	var before atomic.Bool
	r := newRoad(t, echo, func(o *Options) {
		o.Context = func(ctx context.Context, _ net.Conn) context.Context {
			if !before.Swap(true) {
				panic("oh")
			}
			return ctx
		}
	})
	if n, err := r.dial().Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("%d bytes, %v", n, err)
	}
	if answers := r.exchange(ask("/", "Connection: close")); len(answers) != 1 || answers[0].StatusCode != 200 {
		t.Errorf("%v", answers)
	}
}

func TestAnIdleConnectionForgetsALargeHead(t *testing.T) {
	t.Parallel()
	r := newRoad(t, echo, nil)
	_, _ = io.WriteString(r.dial(), ask("/", "X: "+strings.Repeat("x", 2*smallRead)))
	until(t, "the connection is idle, and holds nothing", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		for c := range r.conns {
			return c.state.Load() == idle && c.last == ""
		}
		return false
	})
}

func TestAConnectionThatIsHandedOnIsNotClosedAsOneWithoutARequest(t *testing.T) {
	t.Parallel()
	for name, sent := range map[string]string{"at first": "", "after another": ask("/")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			made := make(chan *road, 1)
			r := newRoad(t, echo, func(o *Options) {
				on := o.HandOn
				o.HandOn = func(c net.Conn, read []byte) {
					r := <-made
					r.closeThose(fresh, idle)
					r.mu.Lock()
					for c := range r.conns {
						if c.state.Load() == cut {
							t.Error("it is closed while it is handed on")
						}
					}
					r.mu.Unlock()
					on(c, read)
				}
			})
			made <- r
			answers := r.exchange(sent + "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
			if n := len(answers); n == 0 || answers[n-1].StatusCode != 299 {
				t.Errorf("%v", answers)
			}
		})
	}
}
