//go:build unix

package socket

import (
	"io"
	"net"
	"os"
	"syscall"
)

// Reader reads from one socket.
type Reader struct {
	conn   net.Conn
	socket syscall.RawConn              // nil: it was closed
	try    func(fd uintptr) (done bool) // made once
	p      []byte
	n      int
	err    error
}

// NewReader returns a Reader from c.
func NewReader[C interface {
	net.Conn
	syscall.Conn
}](c C) *Reader {
	r := &Reader{conn: c}
	r.try = func(fd uintptr) bool {
		r.n, r.err = Read(fd, r.p)
		return r.err != syscall.EAGAIN // else wait, and try again
	}
	r.socket, _ = c.SyscallConn()
	return r
}

// Read is c's Read: it waits, until the read deadline at most. There may be
// one at a time.
func (r *Reader) Read(p []byte) (int, error) {
	if r.socket == nil || len(p) == 0 {
		return r.conn.Read(p)
	}
	r.p = p
	err := r.socket.Read(r.try)
	r.p = nil
	switch {
	case err != nil:
		return 0, err
	case r.err != nil:
		return 0, &net.OpError{Op: "read", Net: r.conn.LocalAddr().Network(), Source: r.conn.LocalAddr(), Addr: r.conn.RemoteAddr(), Err: os.NewSyscallError("read", r.err)}
	case r.n == 0:
		return 0, io.EOF
	}
	return r.n, nil
}
