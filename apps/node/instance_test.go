//go:build unix

package node

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// instance is a Node program run as the daemon runs one.
type instance struct {
	*Channel
	t      *testing.T
	cmd    *exec.Cmd
	lane   string // path of the private socket
	out    *output
	exited chan struct{}

	hello, ready, unlistening, drained chan struct{}
	listening                          chan Listening
	messages                           chan string
	closed                             chan uint64
	elsewhere                          chan int
	broken                             chan error
}

type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// give is how the test answers questions for a port: with a socket, an error
// code, or "silence".
type give func(q Question) (fd int, code string)

// noPorts fails a program that asks for a port.
func noPorts(q Question) (int, string) { return -1, "EACCES" }

// start runs a file of the given name and text. Further environment may follow.
func start(t *testing.T, name, text string, port int, ports give, env ...string) *instance {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal("node is missing; install it: make deps")
	}
	return run(t, Hosting{Port: port}, []string{node}, name, text, ports, env...)
}

// worker runs a file as a worker of a cluster.
func worker(t *testing.T, name, text string, ports give, env ...string) *instance {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal("node is missing; install it: make deps")
	}
	return run(t, Hosting{Worker: 3}, []string{node}, name, text, ports, env...)
}

// run runs a file by command, in the place h.
func run(t *testing.T, h Hosting, command []string, name, text string, ports give, env ...string) *instance {
	t.Helper()
	dir := shortDir(t)
	script := filepath.Join(dir, name)
	if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	hookPath, err := WriteHook(dir)
	if err != nil {
		t.Fatal(err)
	}
	in := &instance{
		t: t, lane: filepath.Join(dir, "lane"), out: &output{}, exited: make(chan struct{}),
		hello: make(chan struct{}, 100), ready: make(chan struct{}, 100), unlistening: make(chan struct{}, 100),
		drained: make(chan struct{}, 100), listening: make(chan Listening, 100), messages: make(chan string, 100),
		closed: make(chan uint64, 100), elsewhere: make(chan int, 100), broken: make(chan error, 100),
	}
	c, child, err := Open(Events{
		Hello:       func(string) { in.hello <- struct{}{} },
		Ready:       func() { in.ready <- struct{}{} },
		Message:     func(raw json.RawMessage) { in.messages <- string(raw) },
		Closed:      func(n uint64) { in.closed <- n },
		Listening:   func(l Listening) { in.listening <- l },
		Unlistening: func() { in.unlistening <- struct{}{} },
		Elsewhere:   func(port int) { in.elsewhere <- port },
		Drained:     func() { in.drained <- struct{}{} },
		Broken:      func(err error) { in.broken <- err },
		Ask: func(q Question) {
			fd, code := ports(q)
			if code == "silence" {
				in.messages <- code
			} else if code != "" {
				in.Deny(q, code)
			} else if err := in.Give(q, fd); err != nil {
				t.Error(err)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	in.Channel = c
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: in.lane, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	lane, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	in.cmd = exec.Command(command[0], append(command[1:], script)...)
	h.Hook, h.Channel = hookPath, 3
	files := []*os.File{child, lane}
	if h.Claim != 0 {
		h.Channel = Inherited
		claim, err := NewClaim(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, claim)
	}
	h.Lane = h.Channel + 1
	in.cmd.Env = h.Environ(append([]string{"PATH=" + os.Getenv("PATH")}, env...))
	in.cmd.ExtraFiles = append(make([]*os.File, h.Channel-3), files...)
	in.cmd.Stdout, in.cmd.Stderr = in.out, in.out
	in.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := in.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		f.Close()
	}
	served := make(chan struct{})
	go func() { in.Serve(); close(served) }()
	go func() { in.cmd.Wait(); close(in.exited) }()
	t.Cleanup(func() {
		syscall.Kill(-in.cmd.Process.Pid, syscall.SIGKILL)
		<-in.exited
		in.Close()
		<-served
	})
	return in
}

// shortDir is a folder whose path leaves room for a socket's name (unix(7): 108 bytes).
func shortDir(t *testing.T) string {
	dir, err := os.MkdirTemp("", "roost")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// wait returns what comes from c, or fails the test with the program's output.
func wait[T any](t *testing.T, in *instance, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(20 * time.Second):
		t.Fatalf("no %s; the program said:\n%s", what, in.out)
		panic("unreachable")
	}
}

// port opens a listening socket on a free port of the loopback address and
// returns its number, and what gives it to every instance that asks for it.
func port(t *testing.T) (int, give) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	fd := dup(t, l.(syscall.Conn))
	t.Cleanup(func() { unix.Close(fd) })
	n := l.Addr().(*net.TCPAddr).Port
	return n, func(q Question) (int, string) {
		if q.Port != n {
			return -1, "EADDRINUSE"
		}
		fd, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return -1, "EMFILE"
		}
		return fd, ""
	}
}

func dup(t *testing.T, c syscall.Conn) (fd int) {
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(old uintptr) { fd, err = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0) })
	if err != nil {
		t.Fatal(err)
	}
	return fd
}

// get asks for a path over a new connection and returns the answer's body.
func get(network, address, path string) (string, error) {
	c, err := net.DialTimeout(network, address, 10*time.Second)
	if err != nil {
		return "", err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func (in *instance) get(network, address string) string {
	in.t.Helper()
	body, err := get(network, address, "/")
	if err != nil {
		in.t.Fatalf("GET from %s: %v; the program said:\n%s", address, err, in.out)
	}
	return strings.TrimSpace(body)
}

// says waits until the program has written text.
func (in *instance) says(text string) {
	in.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(in.out.String(), text); {
		if time.Now().After(deadline) {
			in.t.Fatalf("it said\n%s\nwant %s", in.out, text)
		}
		<-time.After(5 * time.Millisecond)
	}
}
