package host

import (
	"bufio"
	"bytes"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// asker asks for a file of 1 KB, again and again over one connection of plain HTTP/1.1, and
// allocates nothing itself.
type asker struct {
	conn net.Conn
	in   *bufio.Reader
	out  []byte
}

func newAsker(tb testing.TB, address string) *asker {
	tb.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	return &asker{c, bufio.NewReader(c), []byte("GET /file.css HTTP/1.1\r\nHost: localhost\r\n\r\n")}
}

var (
	answered200   = []byte("HTTP/1.1 200 OK\r\n")
	contentLength = []byte("Content-Length: ")
)

func (a *asker) ask(tb testing.TB) {
	if _, err := a.conn.Write(a.out); err != nil {
		tb.Fatal(err)
	}
	length := 0
	for first := true; ; first = false {
		line, err := a.in.ReadSlice('\n')
		if err != nil || first && !bytes.Equal(line, answered200) {
			tb.Fatalf("%q %v", line, err)
		}
		if len(line) == 2 {
			break
		}
		if digits, ok := bytes.CutPrefix(line, contentLength); ok {
			for _, digit := range bytes.TrimRight(digits, "\r\n") {
				length = 10*length + int(digit-'0')
			}
		}
	}
	if _, err := a.in.Discard(length); err != nil || length == 0 {
		tb.Fatalf("a body of %d bytes: %v", length, err)
	}
}

// TestASmallFileIsAnsweredWithoutAllocationsOfOurOwn asks for a file of 1 KB
// through all of the host: in the express lane nothing is allocated, not by
// anybody. The full lane is compared with a handler that only has net/http send the same
// answer: what net/http and the sockets allocate is in both, and bench/run
// shows them beside http.FileServer.
func TestASmallFileIsAnsweredWithoutAllocationsOfOurOwn(t *testing.T) {
	b := newBox(t)
	dir := b.folder(map[string]string{"file.css": strings.Repeat("x", 1024)})
	b.settled(Config{Host: Listen{AccessLog: no()}, Sites: []Site{{Domains: []string{"localhost"}, RedirectHTTPS: no(), Target: Target{Root: dir}}}})
	answer, body := b.get(b.client(false), "http://localhost/file.css")
	answer.Header.Del("Date") // net/http's
	same := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		maps.Copy(w.Header(), answer.Header)
		w.WriteHeader(http.StatusOK)
		_, _ = io.WriteString(w, body)
	}))
	defer same.Close()
	fileServer := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer fileServer.Close()
	allocations := func(address string) float64 {
		a := newAsker(t, address)
		for range 20 {
			a.ask(t)
		}
		return testing.AllocsPerRun(500, func() { a.ask(t) })
	}
	ours, least, theirs := allocations(b.address("http")), allocations(same.Listener.Addr().String()), allocations(fileServer.Listener.Addr().String())
	t.Logf("allocations for a request: Roost %v, net/http %v, http.FileServer %v", ours, least, theirs)
	if ours >= 1 && !raced {
		t.Errorf("%v allocations for a request in the express lane", ours)
	}
	b.settled(Config{Host: Listen{AccessLog: no(), Express: no()}, Sites: []Site{{Domains: []string{"localhost"}, RedirectHTTPS: no(), Target: Target{Root: dir}}}})
	if ours = allocations(b.address("http")); ours > least {
		t.Errorf("%v allocations for a request in the full lane, net/http alone has %v", ours, least)
	}
}
