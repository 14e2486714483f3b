//go:build unix

package apps

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// ports are the listening sockets of an app's own ports. The app keeps each
// open from when its first instance asks for it until none of a settled app
// uses it: while instances come and go, connections queue and none is refused.
//
// They are bare file descriptors. The runtime must not know them: it would be
// woken by each connection, and it must never be asked for one with File.Fd,
// which makes the socket blocking for all processes that share it.
type ports struct {
	mu   sync.Mutex
	open map[ownPort]*sharedSocket
}

// ownPort is a place to listen.
type ownPort struct {
	host     string // an IP address; "" for all
	port     int
	ipv6Only bool
	udp      bool
}

type sharedSocket struct {
	fd   int
	uses int // by instances
}

func newPorts() *ports { return &ports{open: map[ownPort]*sharedSocket{}} }

// take returns a file descriptor of p's listening socket, the caller's to
// close, and counts a use. give ends the use.
func (o *ports) take(p ownPort) (fd int, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.open[p]
	if s == nil {
		fd, err := listenFD(p)
		if err != nil {
			return -1, err
		}
		s = &sharedSocket{fd: fd}
		o.open[p] = s
	}
	fd, err = unix.FcntlInt(uintptr(s.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("cannot share port %d: %w", p.port, err)
	}
	s.uses++
	return fd, nil
}

func (o *ports) give(p ownPort) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if s := o.open[p]; s != nil && s.uses > 0 {
		s.uses--
	}
}

// prune closes the sockets that no instance uses.
func (o *ports) prune() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for p, s := range o.open {
		if s.uses == 0 {
			unix.Close(s.fd)
			delete(o.open, p)
		}
	}
}

// close closes all.
func (o *ports) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range o.open {
		unix.Close(s.fd)
	}
	clear(o.open)
}

// listenFD opens a listening socket that belongs to no net.Listener.
func listenFD(p ownPort) (fd int, err error) {
	network := "tcp"
	switch ip := net.ParseIP(p.host); {
	case p.ipv6Only:
		network = "tcp6"
	case ip != nil && ip.To4() != nil:
		network = "tcp4"
	}
	address := net.JoinHostPort(p.host, strconv.Itoa(p.port))
	var l io.Closer
	if p.udp {
		l, err = net.ListenPacket(strings.Replace(network, "tcp", "udp", 1), address)
	} else {
		l, err = net.Listen(network, address)
	}
	if err != nil {
		return -1, err
	}
	defer l.Close()
	return dupFD(l.(syscall.Conn))
}

// dupFD returns another file descriptor of a socket, without making it blocking.
func dupFD(c syscall.Conn) (fd int, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return -1, err
	}
	if e := raw.Control(func(old uintptr) { fd, err = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0) }); e != nil {
		return -1, e
	}
	return fd, err
}

func isTaken(err error) bool { return errors.Is(err, unix.EADDRINUSE) }

// errorCode is the name that Node gives an error of listen.
func errorCode(err error) string {
	if e, ok := errors.AsType[syscall.Errno](err); ok {
		if name := unix.ErrnoName(e); name != "" {
			return name
		}
	}
	return "EINVAL"
}
