package apps

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// fullListener is a Unix socket with a backlog that connections fill, which
// nobody has accepted.
func fullListener(t *testing.T) (path string, l net.Listener, fill []net.Conn) {
	t.Helper()
	dir, err := os.MkdirTemp("", "roost")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path = filepath.Join(dir, "s")
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 1); err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "listener")
	l, err = net.FileListener(f)
	f.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	for {
		c, err := net.Dial("unix", path)
		if err != nil {
			return path, l, fill
		}
		t.Cleanup(func() { c.Close() })
		fill = append(fill, c)
	}
}

// A Unix socket with a full backlog refuses at once where TCP would wait; Node
// asks for a backlog of 511, which a burst can fill.
func TestAFullBacklogIsWaitedFor(t *testing.T) {
	path, l, fill := fullListener(t)
	e := newEndpoint("unix", path)
	s := listenHost(t, poolOf(e))
	got := make(chan int, 1)
	go func() {
		status, _ := ask(t, s, "POST", "/", nil)
		got <- status
	}()
	eventually(t, "the request is in flight", func() bool { return e.InFlight() == 1 })
	serveInstance(t, l, answerName("a")) // accepts those that wait
	for _, c := range fill {
		c.Close()
	}
	if status := within(t, "the answer", got); status != 200 || e.health.bad.Load() != 0 {
		t.Errorf("status %d", status)
	}
}

func TestABacklogThatStaysFullIsAGatewayTimeout(t *testing.T) {
	path, l, _ := fullListener(t)
	e := newEndpoint("unix", path)
	e.dialTimeout = 50 * time.Millisecond
	s := listenHost(t, poolOf(e))
	if status, _ := ask(t, s, "POST", "/", nil); status != http.StatusGatewayTimeout || e.health.bad.Load() == 0 {
		t.Errorf("nobody accepts: status %d, %d failures noted", status, e.health.bad.Load())
	}
	l.Close()
	if status, _ := ask(t, s, "POST", "/", nil); status != http.StatusBadGateway {
		t.Errorf("nobody listens: status %d", status)
	}
}
