package apps

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// A Unix socket with a full backlog refuses at once where TCP would wait; Node
// asks for a backlog of 511, which a burst can fill.
func TestAFullBacklogIsWaitedFor(t *testing.T) {
	dir, err := os.MkdirTemp("", "roost")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
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
	l, err := net.FileListener(f)
	f.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })

	var fill []net.Conn
	for {
		c, err := net.Dial("unix", path)
		if err != nil {
			break
		}
		fill = append(fill, c)
	}
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
