package apps

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"roost/internal/httplint"
)

// noDeadline takes a deadline off a connection.
var noDeadline time.Time

// patience bounds every wait for something that should happen at once.
const patience = 10 * time.Second

// eventually waits until ok, by polling.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, patience)
		}
		<-time.After(2 * time.Millisecond)
	}
}

// within takes a value from c, soon.
func within[T any](t testing.TB, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("%s: not within %v", what, patience)
		panic("unreachable")
	}
}

// listenUnix listens on a socket whose path is short wherever the tests run.
func listenUnix(t testing.TB) net.Listener {
	t.Helper()
	dir, err := os.MkdirTemp("", "roost")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func listenTCP(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func endpointOf(t testing.TB, l net.Listener) *endpoint {
	e := newEndpoint(l.Addr().Network(), l.Addr().String())
	t.Cleanup(e.close)
	return e
}

// serveInstance runs h as an instance behind l.
func serveInstance(t testing.TB, l net.Listener, h http.Handler) *endpoint {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Listener.Close()
	s.Listener = l
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
	t.Cleanup(s.Close)
	return endpointOf(t, l)
}

// runInstance runs h as an instance on a Unix socket.
func runInstance(t testing.TB, h http.HandlerFunc) *endpoint {
	t.Helper()
	return serveInstance(t, listenUnix(t), h)
}

// rawInstance gives each connection to an instance to serve.
func rawInstance(t testing.TB, serve func(net.Conn)) *endpoint {
	t.Helper()
	l := listenUnix(t)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	return endpointOf(t, l)
}

// deadInstance is an instance whose socket nobody listens on any more.
func deadInstance(t testing.TB) *endpoint {
	t.Helper()
	l := listenUnix(t).(*net.UnixListener)
	l.SetUnlinkOnClose(false)
	l.Close()
	return endpointOf(t, l)
}

// answerName answers with the name of the instance.
func answerName(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, name) }
}

func poolOf(ready ...*endpoint) *pool {
	p := newPool(poolOptions{})
	p.publish(ready)
	return p
}

// listenHost serves p as the host does.
func listenHost(t testing.TB, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
	t.Cleanup(s.Close)
	t.Cleanup(s.CloseClientConnections)
	return s
}

// ask sends a request and returns status and body.
func ask(t testing.TB, s *httptest.Server, method, path string, body io.Reader) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	res, err := httplint.Client(t, s).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// dialRaw opens a connection to s for bytes.
func dialRaw(t testing.TB, s *httptest.Server) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return c, bufio.NewReader(c)
}

// readHead reads a head up to and with its blank line.
func readHead(r *bufio.Reader) (string, error) {
	var b strings.Builder
	for {
		line, err := r.ReadString('\n')
		b.WriteString(line)
		if err != nil || line == "\r\n" {
			return b.String(), err
		}
	}
}

// sendRaw sends lines, each ended by CRLF.
func sendRaw(t testing.TB, c net.Conn, format string, args ...any) {
	t.Helper()
	if _, err := io.WriteString(c, strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "\r\n")); err != nil {
		t.Fatal(err)
	}
}

// connClosed is a hook of http.Server that tells when a connection has closed.
func connClosed(c chan<- struct{}) func(net.Conn, http.ConnState) {
	return func(_ net.Conn, s http.ConnState) {
		if s == http.StateClosed {
			c <- struct{}{}
		}
	}
}
