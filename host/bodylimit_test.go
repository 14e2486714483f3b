package host

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"roost/internal/httplint"
	"roost/internal/unit"
)

func TestLargeBodiesAreRefused(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	limit, none := unit.Size(1000), unit.Size(0)
	b.settled(Config{Sites: []Site{{
		Domains: []string{"localhost"}, RedirectHTTPS: no(), Target: Target{App: "x", Protection: Protection{MaxBody: &limit}},
		Routes: []Route{{Path: "/free", Target: Target{App: "x", Protection: Protection{MaxBody: &none}}}},
	}}})
	var seen atomic.Int64
	b.front.router.Store(newRouter(b.look().config, lockedTargets{handlerTargets{fakeTargets{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(httplint.FromApp, "x")
		n, err := io.Copy(io.Discard, r.Body)
		seen.Store(n)
		if err != nil {
			b.front.Error(w, r, http.StatusRequestEntityTooLarge) // as apps do for a *http.MaxBytesError
			return
		}
		fmt.Fprint(w, n)
	})}, b.front}))
	for _, http2 := range []bool{false, true} {
		c := b.client(http2)
		for _, test := range []struct {
			path    string
			size    int
			chunked bool
			status  int
			seen    int64
		}{
			{"/", 1000, false, 200, 1000}, {"/", 1001, false, 413, -1}, {"/", 50 << 20, false, 413, -1}, {"/", 0, false, 200, 0},
			{"/", 1000, true, 200, 1000}, {"/", 1001, true, 413, 1000}, {"/", 5 << 20, true, 413, 1000}, {"/", 0, true, 200, 0},
			{"/free", 5 << 20, false, 200, 5 << 20}, {"/free", 5 << 20, true, 200, 5 << 20},
		} {
			seen.Store(-1)
			r, _ := http.NewRequest("POST", "https://localhost"+test.path, bytes.NewReader(make([]byte, test.size)))
			if test.chunked {
				r.ContentLength = -1
				r.Body = io.NopCloser(io.LimitReader(zeros{}, int64(test.size)))
			}
			res, err := c.Do(r)
			if err != nil {
				t.Errorf("%+v, HTTP/2 %v: %v", test, http2, err) // the answer is to be read though the body was not
				continue
			}
			body, _ := io.ReadAll(res.Body)
			res.Body.Close()
			if res.StatusCode != test.status || seen.Load() != test.seen || (test.status == 413) != strings.Contains(string(body), "<!doctype html>") {
				t.Errorf("%+v, HTTP/2 %v: %d, seen %d, %q", test, http2, res.StatusCode, seen.Load(), body)
			}
			if http2 && res.StatusCode == 413 {
				if again, _ := b.get(c, "https://localhost/"); again.StatusCode != 200 {
					t.Errorf("after a 413: %d", again.StatusCode)
				}
			}
		}
	}
	// What follows a refused body on the connection is no request.
	for kind, dial := range b.lines() {
		for _, head := range []string{"Content-Length: 1001", "Transfer-Encoding: chunked", "Content-Length: 5000\r\nExpect: 100-continue"} {
			conn := dial()
			conn.SetDeadline(time.Now().Add(20 * time.Second))
			body := strings.Repeat("x", 1001)
			if strings.HasPrefix(head, "Transfer") {
				body = "3e9\r\n" + body + "\r\n0\r\n\r\n"
			}
			if strings.Contains(head, "Expect") {
				body = ""
			}
			fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n%sGET /after HTTP/1.1\r\nHost: localhost\r\n\r\n", head, body)
			from := bufio.NewReader(conn)
			res, err := httplint.Read(t, from, nil)
			if err != nil {
				t.Fatalf("%s, %s: %v", kind, head, err)
			}
			io.Copy(io.Discard, res.Body)
			conn.(interface{ CloseWrite() error }).CloseWrite() // net/http waits for the body that was announced, as long as a peer may be quiet
			more, _ := io.ReadAll(from)
			if res.StatusCode != 413 || !res.Close || len(more) > 0 {
				t.Errorf("%s, %s: %d, close %v, then %q", kind, head, res.StatusCode, res.Close, more)
			}
			conn.Close()
		}
	}
}

// lockedTargets are handlers behind the middleware of a running box.
type lockedTargets struct {
	handlerTargets
	front *front
}

func (g lockedTargets) locks() *locks { return newLocks(g.front.middleware) }
