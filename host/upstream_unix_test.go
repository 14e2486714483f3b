//go:build unix

package host

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"roost/apps"
)

func init() { testModes["lend"] = lend }

// lend is an instance that lends the socket that it listens on to the test, and
// lives until that ends or somebody stops it.
func lend() {
	failed := func(err error) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	socket := os.NewFile(3, "socket")
	if os.Getenv("LISTEN_FDS") == "" {
		l, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
		if err != nil {
			failed(err)
		}
		if socket, err = l.(*net.TCPListener).File(); err != nil {
			failed(err)
		}
	}
	c, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: os.Getenv("LEND_TO"), Net: "unix"})
	if err != nil {
		failed(err)
	}
	if _, _, err := c.WriteMsgUnix([]byte{0}, syscall.UnixRights(int(socket.Fd())), nil); err != nil {
		failed(err)
	}
	notify, err := net.Dial("unixgram", os.Getenv("NOTIFY_SOCKET"))
	if err != nil {
		failed(err)
	}
	_, _ = io.WriteString(notify, "READY=1")
	_, _ = io.Copy(io.Discard, c)
}

// upstream is the far end of an app's connections, in the hands of the test:
// nothing stands between these and the host, so every byte and every end is as
// it was sent.
type upstream struct {
	t     *testing.T
	door  *net.UnixListener // by which instances bring their sockets
	serve func(c net.Conn)  // closed when it returns

	running sync.WaitGroup
	mu      sync.Mutex
	open    map[io.Closer]bool
	ended   bool
}

func newUpstream(t *testing.T, serve func(net.Conn)) *upstream {
	t.Helper()
	dir, err := os.MkdirTemp("", "roost") // short wherever the tests run: sun_path has 104 bytes on some systems
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	door, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "s"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	u := &upstream{t: t, door: door, serve: serve, open: map[io.Closer]bool{}}
	u.accept(door, u.borrow)
	t.Cleanup(u.end)
	return u
}

// accept gives what comes on l to serve, until l is closed.
func (u *upstream) accept(l net.Listener, serve func(net.Conn)) {
	if !u.keep(l) {
		return
	}
	u.running.Go(func() {
		defer u.drop(l)
		for {
			c, err := l.Accept()
			if err != nil || !u.keep(c) {
				return
			}
			u.running.Go(func() {
				defer u.drop(c)
				serve(c)
			})
		}
	})
}

// borrow accepts on a socket while its instance lives.
func (u *upstream) borrow(c net.Conn) {
	rights := make([]byte, syscall.CmsgSpace(4))
	_, n, _, _, err := c.(*net.UnixConn).ReadMsgUnix(make([]byte, 1), rights)
	if err != nil {
		return // the test has ended
	}
	messages, err := syscall.ParseSocketControlMessage(rights[:n])
	if err != nil || len(messages) != 1 {
		u.t.Errorf("no socket comes: %d messages, %v", len(messages), err)
		return
	}
	fds, err := syscall.ParseUnixRights(&messages[0])
	if err != nil {
		u.t.Error(err)
		return
	}
	file := os.NewFile(uintptr(fds[0]), "socket")
	l, err := net.FileListener(file)
	file.Close()
	if err != nil {
		u.t.Error(err)
		return
	}
	defer u.drop(l)
	u.accept(l, u.serve)
	_, _ = io.Copy(io.Discard, c)
}

func (u *upstream) keep(c io.Closer) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ended {
		c.Close()
		return false
	}
	u.open[c] = true
	return true
}

func (u *upstream) drop(c io.Closer) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.open, c)
	c.Close()
}

// end closes all that is open and waits until nothing is served any more.
func (u *upstream) end() {
	u.mu.Lock()
	u.ended = true
	for c := range u.open {
		c.Close()
	}
	u.mu.Unlock()
	u.running.Wait()
}

// app declares the app. Its instances are reached by a Unix socket, or by TCP.
func (u *upstream) app(c *Config, name, network string) {
	u.t.Helper()
	self, err := os.Executable()
	if err != nil {
		u.t.Fatal(err)
	}
	c.AddApp(apps.Config{
		Name: name, Command: self, Cwd: u.t.TempDir(), ListenFDs: network == "unix", WaitReady: true,
		Env: map[string]string{"HOST_TEST_APP": "lend", "LEND_TO": u.door.Addr().String()},
	}, "", nil, 1)
}

// received is a request as an app that takes nothing but what RFC 9112 has a
// sender send (and no trick that a lenient one falls for) reads it.
type received struct {
	method, target string
	fields         [][2]string // names in small letters
	body           string
}

func (h *received) String() string { return h.method + " " + h.target }

func (h *received) all(name string) (values []string) {
	for _, f := range h.fields {
		if f[0] == name {
			values = append(values, f[1])
		}
	}
	return values
}

// errCut is a connection that ends within a request.
var errCut = errors.New("the connection ends within the request")

// hear reads one request. proceed is called when it wants to be told that it
// may send its body. What is begun is returned beside an error.
func hear(r *bufio.Reader, proceed func()) (*received, error) {
	line := func() (string, error) {
		text, err := r.ReadString('\n')
		if err != nil {
			return text, errCut
		}
		text, ended := strings.CutSuffix(text, "\r\n")
		if !ended || strings.ContainsFunc(text, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
			return text, fmt.Errorf("the line %.200q", text)
		}
		return text, nil
	}
	text, err := line()
	if err != nil {
		return nil, err
	}
	parts := strings.Split(text, " ")
	if len(parts) != 3 || parts[0] == "" || strings.Trim(parts[0], tokenBytes) != "" || !strings.HasPrefix(parts[1], "/") || parts[2] != "HTTP/1.1" {
		return nil, fmt.Errorf("the request line %.200q", text)
	}
	h := &received{method: parts[0], target: parts[1]}
	fields := func() error {
		for {
			text, err := line()
			if err != nil || text == "" {
				return err
			}
			name, value, colon := strings.Cut(text, ":")
			if !colon || name == "" || strings.Trim(name, tokenBytes) != "" {
				return fmt.Errorf("the field %.200q", text)
			}
			h.fields = append(h.fields, [2]string{strings.ToLower(name), strings.Trim(value, " \t")})
		}
	}
	if err := fields(); err != nil {
		return nil, err
	}
	length, coding := h.all("content-length"), h.all("transfer-encoding")
	if err := h.sound(length, coding); err != nil {
		return nil, err
	}
	if len(h.all("expect")) > 0 && len(length)+len(coding) > 0 {
		proceed()
	}
	if len(length) > 0 {
		n, _ := strconv.Atoi(length[0])
		body := make([]byte, n)
		if _, err := io.ReadFull(r, body); err != nil {
			return h, errCut
		}
		h.body = string(body)
	}
	for len(coding) > 0 {
		text, err := line()
		if err != nil {
			return h, err
		}
		size, err := strconv.ParseUint(text, 16, 31)
		if err != nil || len(text) > 8 || strings.Trim(text, "0123456789abcdefABCDEF") != "" {
			return h, fmt.Errorf("the chunk size %.200q", text)
		}
		if size == 0 {
			before := len(h.fields)
			err := fields()
			for _, f := range h.fields[before:] {
				if err == nil && (framingName(f[0]) || strings.HasPrefix(f[0], "x-forwarded")) {
					err = fmt.Errorf("the trailer %q", f)
				}
			}
			return h, err
		}
		chunk := make([]byte, size+2)
		if _, err := io.ReadFull(r, chunk); err != nil {
			return h, errCut
		}
		data, ended := strings.CutSuffix(string(chunk), "\r\n")
		if !ended {
			return h, fmt.Errorf("%.20q behind a chunk", chunk[size:])
		}
		h.body += data
	}
	return h, nil
}

const tokenBytes = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// framingName tells fields that say where a request ends and where it goes, in
// all ways in which CGI and its like spell them.
func framingName(name string) bool {
	switch strings.NewReplacer("_", "-", ".", "-").Replace(name) {
	case "host", "content-length", "transfer-encoding":
		return true
	}
	return false
}

// sound says what is wrong with the fields.
func (h *received) sound(length, coding []string) error {
	if hosts := h.all("host"); len(hosts) != 1 || hosts[0] == "" || strings.ContainsAny(hosts[0], " \t,/@") {
		return fmt.Errorf("the hosts %q", hosts)
	}
	if len(length)+len(coding) > 1 || len(coding) == 1 && coding[0] != "chunked" ||
		len(length) == 1 && (length[0] == "" || len(length[0]) > 8 || strings.Trim(length[0], "0123456789") != "") {
		return fmt.Errorf("the lengths %q and codings %q", length, coding)
	}
	for _, f := range h.fields {
		ok := true
		switch f[0] {
		case "host", "content-length", "transfer-encoding":
		case "connection":
			ok = f[1] == "Upgrade" && len(h.all("upgrade")) == 1 && len(length)+len(coding) == 0 || f[1] == "close" || f[1] == "keep-alive"
		case "te":
			ok = f[1] == "trailers"
		case "trailer":
			ok = len(coding) == 1
		case "keep-alive", "proxy-connection", "http2-settings", "x-mine":
			ok = false
		default:
			ok = !framingName(f[0])
		}
		if !ok {
			return fmt.Errorf("the field %q", f)
		}
	}
	return nil
}
