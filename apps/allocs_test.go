package apps

import (
	"bufio"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// sink is a writer of answers that keeps nothing.
type sink struct {
	h      http.Header
	status int
	n      int
}

func (s *sink) Header() http.Header         { return s.h }
func (s *sink) WriteHeader(status int)      { s.status = status }
func (s *sink) Write(p []byte) (int, error) { s.n += len(p); return len(p), nil }

// Two are the least: the answer's head, and the values of its fields, which
// writers of HTTP/2 may keep.
func TestAForwardedRequestAllocatesTwice(t *testing.T) {
	e := rawInstance(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		answer := []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Powered-By: Express\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello")
		for blank := false; ; {
			line, err := r.ReadSlice('\n')
			if err != nil {
				return
			}
			if blank = len(line) == 2; blank {
				if _, err := c.Write(answer); err != nil {
					return
				}
			}
		}
	})
	p := poolOf(e)
	r := httptest.NewRequest("GET", "http://example.com/path?query", nil)
	r.RemoteAddr = "[2001:db8::1]:1234"
	r.Header = http.Header{"User-Agent": {"test"}, "Accept": {"*/*"}, "Cookie": {"a=b"}, "Connection": {"keep-alive"}}
	r = r.WithContext(t.Context())
	w := &sink{h: http.Header{}}
	allocs := testing.AllocsPerRun(1000, func() {
		clear(w.h)
		w.status, w.n = 0, 0
		p.ServeHTTP(w, r)
		if w.status != 200 || w.n != 5 || w.h.Get("X-Powered-By") != "Express" {
			t.Fatalf("status %d, %d bytes, %v", w.status, w.n, w.h)
		}
	})
	if allocs > 2 && !raced {
		t.Errorf("%v allocations", allocs)
	}
}
