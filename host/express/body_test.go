package express

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"roost/internal/httplint"
)

// count answers with how much of the body there was.
func count(w http.ResponseWriter, r *http.Request) {
	n, err := io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = fmt.Fprint(w, r.Method, " ", r.RequestURI, " ", n, " of ", r.ContentLength, " ", err)
}

func TestABodyIsReadToItsEndAndNoFurther(t *testing.T) {
	t.Parallel()
	r := newRoad(t, count, nil)
	var sent strings.Builder
	var want []string
	for _, n := range []int{0, 1, 100, 4 << 10, 64 << 10, 1 << 20} {
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "GET", "REPORT"} {
			fmt.Fprintf(&sent, "%s /%d HTTP/1.1\r\nHost: a.test\r\nContent-Length: %d\r\n\r\n%s", method, n, n, strings.Repeat("x", n))
			want = append(want, fmt.Sprint(method, " /", n, " ", n, " of ", n, " <nil>"))
		}
		sent.WriteString(ask("/next"))
		want = append(want, "GET /next 0 of 0 <nil>")
	}
	sent.WriteString(ask("/last", "Connection: close"))
	c := r.dial()
	go func() { _, _ = io.WriteString(c, sent.String()) }()
	in := bufio.NewReader(c)
	for _, text := range append(want, "GET /last 0 of 0 <nil>") {
		asked, _ := http.NewRequest("GET", "/", nil)
		res, err := httplint.Read(t, in, asked)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if body, _ := io.ReadAll(res.Body); string(body) != text {
			t.Errorf("%q, want %q", body, text)
		}
	}
	if r.HandedOn() != 0 {
		t.Errorf("%d connections were handed on", r.HandedOn())
	}
}

func TestLineEndsBehindAPOSTAreSkippedAsNetHTTPDoes(t *testing.T) {
	t.Parallel()
	r := newRoad(t, count, nil)
	if answers := r.exchange(post("/", "a") + "\r\n\r\n" + ask("/", "Connection: close")); len(answers) != 2 || answers[1].StatusCode != 200 {
		t.Errorf("%v", answers)
	}
	for sent, left := range map[string]string{
		ask("/") + "\r\n" + ask("/x"):                     "\r\n" + ask("/x"),
		post("/", "a") + "\r\n\r\n\r\n" + ask("/x"):       "\r\n" + ask("/x"),
		post("/", "a") + "\r\nCONNECT / HTTP/1.1\r\nx:\n": "CONNECT / HTTP/1.1\r\nx:\n",
	} {
		if answers := r.exchange(sent); len(answers) != 2 || answers[1].StatusCode != 299 {
			t.Errorf("%q: %v", sent, answers)
		}
		if read := <-r.handed; string(read) != left {
			t.Errorf("%q is handed on with %q", sent, read)
		}
	}
}

// takers are handlers that do not do with a body what they should.
var takers = map[string]http.HandlerFunc{
	"nothing":           func(http.ResponseWriter, *http.Request) {},
	"an answer":         func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401); _, _ = io.WriteString(w, "no") },
	"an answer at once": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401); w.(http.Flusher).Flush() },
	"the beginning": func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadFull(r.Body, make([]byte, 10))
		_, _ = io.WriteString(w, "enough")
	},
	"a bit behind the answer": func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "done")
		w.(http.Flusher).Flush()
		_, err := r.Body.Read(make([]byte, 10))
		_, _ = fmt.Fprint(w, err)
	},
	"a close": func(w http.ResponseWriter, r *http.Request) {
		_ = r.Body.Close()
		_, err := r.Body.Read(make([]byte, 10))
		_, _ = fmt.Fprint(w, err)
	},
	"the end of the connection": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		w.WriteHeader(413)
	},
	"an answer that leaves it be": func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		_, _ = io.WriteString(w, "mine")
	},
	"an answer while it comes": func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		w.(http.Flusher).Flush()
		n, err := io.ReadFull(r.Body, make([]byte, 10))
		_, _ = fmt.Fprint(w, n, err)
	},
}

// TestWhatIsLeftOfABodyIsAsWithNetHTTP has both answer the same handlers, for
// bodies that fit into what is read of them anyway, and for some that do not, of which only the
// beginning is sent.
func TestWhatIsLeftOfABodyIsAsWithNetHTTP(t *testing.T) {
	t.Parallel()
	for name, handler := range takers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mine := newRoad(t, handler, nil)
			theirs := httptest.NewUnstartedServer(handler)
			theirs.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
			theirs.Start()
			defer theirs.Close()
			for _, test := range []struct{ announced, sent int }{{1, 1}, {5, 5}, {11, 11}, {100 << 10, 100 << 10}, {unread - 1, unread - 1}, {unread + 11, 10}} {
				for _, fields := range []string{"", "Connection: close\r\n"} {
					sent := fmt.Sprintf("POST /x HTTP/1.1\r\nHost: a.test\r\n%sContent-Length: %d\r\n\r\n%s", fields, test.announced, strings.Repeat("x", test.sent))
					if test.announced == test.sent {
						sent += ask("/next", "Connection: close")
					}
					got, want := normal(t, mine.dial(), sent), normal(t, dialed(t, theirs), sent)
					if strings.Contains(name, "leaves it be") || strings.Contains(name, "while it comes") {
						// net/http's connection does not get over a body that is dropped behind the answer (it begins to
						// read in the background when it comes to the end of it): ours does.
						got, want = firstLine(got), firstLine(want)
					}
					if got != want || want == "" {
						t.Errorf("of %v bytes, %q:\n%q\nnet/http says\n%q", test, fields, got, want)
					}
				}
			}
			if mine.Answered() == 0 || mine.HandedOn() != 0 {
				t.Errorf("%d answered in the lane, %d handed on", mine.Answered(), mine.HandedOn())
			}
		})
	}
}

// firstLine is the first answer of what normal returns.
func firstLine(s string) string { first, _, _ := strings.Cut(s, "\n"); return first }

func TestWhoStillReadsABodyIsStoppedWhenItIsAnswered(t *testing.T) {
	t.Parallel()
	late := make(chan error, 1)
	r := newRoad(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "GET" {
			echo(w, r)
			return
		}
		_ = http.NewResponseController(w).EnableFullDuplex()
		_, _ = io.ReadFull(r.Body, make([]byte, 2))
		reading := make(chan bool)
		go func() {
			close(reading)
			_, err := io.ReadFull(r.Body, make([]byte, 8)) // which do not come
			if err == nil {
				err = errors.New("it has read what was dropped")
			}
			late <- err
			if n, err := r.Body.Read(make([]byte, 1)); n > 0 || err == nil {
				late <- fmt.Errorf("later: %d bytes, %v", n, err)
			}
			close(late)
		}()
		<-reading
		echo(w, r)
	}, nil)
	c := r.dial()
	_, _ = io.WriteString(c, "POST /early HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\n01")
	in := bufio.NewReader(c)
	read := func(want string) {
		t.Helper()
		asked, _ := http.NewRequest("GET", "/", nil)
		res, err := httplint.Read(t, in, asked)
		if err != nil {
			t.Fatal(err)
		}
		if body, _ := io.ReadAll(res.Body); string(body) != want {
			t.Errorf("%q, want %q", body, want)
		}
	}
	read("/early")
	if err := <-late; !errors.Is(err, os.ErrDeadlineExceeded) && err != http.ErrBodyReadAfterClose {
		t.Errorf("the handler's goroutine: %v", err)
	}
	if err := <-late; err != nil {
		t.Error(err)
	}
	_, _ = io.WriteString(c, "23456789"+ask("/next"))
	read("/next")
}

// TestABodyHasTimeAsLongAsItComes has clients of the test's own clock send bodies
// that come in parts, at these seconds; what does not come for 10 s is cut.
func TestABodyHasTimeAsLongAsItComes(t *testing.T) {
	for name, test := range map[string]struct {
		at     []int // parts of 10 bytes, of 60
		status string
		least  int // seconds until it is answered
		most   int
	}{
		"at once":         {[]int{0, 0, 0, 0, 0, 0}, "60 <nil>", 0, 0},
		"slowly":          {[]int{0, 7, 14, 21, 28, 35}, "60 <nil>", 35, 35},
		"late":            {[]int{7, 7, 7, 14, 14, 14}, "60 <nil>", 14, 14},
		"in part":         {[]int{0, 7, 14}, "30 i/o timeout, context canceled", 21, 24},
		"not at all":      {nil, "0 i/o timeout, context canceled", 10, 10},
		"in part at once": {[]int{0, 0, 0}, "30 i/o timeout, context canceled", 7, 10},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lane := New(Options{
					Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						n, err := io.Copy(io.Discard, r.Body)
						text := fmt.Sprint(n, " ", err)
						if gone := r.Context().Err(); gone != nil {
							text += fmt.Sprint(", ", gone)
						}
						w.Header().Set("X-Content-Type-Options", "nosniff")
						_, _ = io.WriteString(w, text)
					}),
					Context: func(ctx context.Context, _ net.Conn) context.Context { return ctx },
					HandOn:  func(_ net.Conn, read []byte) { t.Errorf("handed on with %q", read) },
					Header:  time.Second, Idle: 120 * time.Second, Progress: 10 * time.Second,
					Open: func(int64) {},
				})
				here, there := net.Pipe()
				lane.Start(there)
				begun := time.Now()
				go func() {
					_, _ = io.WriteString(here, "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 60\r\n\r\n")
					for _, second := range test.at {
						time.Sleep(time.Until(begun.Add(time.Duration(second) * time.Second)))
						_, _ = io.WriteString(here, "0123456789")
					}
				}()
				asked, _ := http.NewRequest("GET", "/", nil)
				in := bufio.NewReader(here)
				res, err := httplint.Read(t, in, asked)
				if err != nil {
					t.Fatal(err)
				}
				took := int(time.Since(begun) / time.Second)
				body, _ := io.ReadAll(res.Body)
				if _, said, _ := strings.Cut(string(body), "read "); string(body) != test.status && said == "" || took < test.least || took > test.most {
					t.Errorf("%q after %d s, want %q", body, took, test.status)
				}
				rest, _ := io.ReadAll(in)
				closed := int(time.Since(begun) / time.Second)
				want := took // what breaks off ends the connection
				if strings.HasSuffix(test.status, "nil>") {
					want += 120
				}
				if len(rest) > 0 || closed != want {
					t.Errorf("then %q, and the end after %d s, want %d", rest, closed, want)
				}
				_ = here.Close()
			})
		})
	}
}
