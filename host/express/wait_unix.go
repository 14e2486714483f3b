//go:build unix

package express

import (
	"io"
	"net"
	"os"
	"syscall"

	"roost/internal/socket"
)

// waiter reads from a socket, and takes a buffer only when there is something
// to be read.
type waiter struct {
	conn syscall.RawConn
	try  func(fd uintptr) (done bool) // made once

	small *[smallRead]byte
	n     int
	err   error
}

// newWaiter returns nil for what is no socket, as TLS is none.
func newWaiter(c net.Conn) *waiter {
	s, ok := c.(syscall.Conn)
	if !ok {
		return nil
	}
	conn, err := s.SyscallConn()
	if err != nil {
		return nil // it is closed: reading tells
	}
	w := &waiter{conn: conn}
	w.try = func(fd uintptr) bool {
		w.small = smallReads.Get().(*[smallRead]byte)
		if w.n, w.err = socket.Read(fd, w.small[:]); w.err != syscall.EAGAIN {
			return true
		}
		smallReads.Put(w.small)
		w.small = nil
		return false // wait, and try again
	}
	return w
}

// rest waits until there is something to be read, or there will not be.
func (w *waiter) rest() { _ = w.conn.Read(readable) }

// readable tells whether a read would return at once.
func readable(fd uintptr) bool {
	var next [1]byte
	n, _, err := syscall.Recvfrom(int(fd), next[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	return n > 0 || err != syscall.EAGAIN
}

// read reads into a buffer that it gives c.
func (w *waiter) read(c *conn) (int, error) {
	if err := w.conn.Read(w.try); err != nil {
		return 0, err
	}
	c.fill(w.small)
	w.small = nil
	switch {
	case w.err != nil:
		return 0, os.NewSyscallError("read", w.err)
	case w.n == 0:
		return 0, io.EOF
	}
	return w.n, nil
}
