//go:build unix

package upstream

import (
	"io"
	"net"
	"os"
	"syscall"

	"roost/internal/socket"
)

// wire reads and writes without waiting, where that is enough; it waits for
// the system's word that there is something to be read without holding a buffer.
type wire struct {
	raw  syscall.RawConn
	step func(fd uintptr) (done bool) // made once

	look  bool   // whether the connection is still good
	out   []byte // to be written
	sent  int    // of it
	to    **buffer
	at    int
	once  bool // without waiting
	n     int
	err   error
	probe [1]byte
}

// newWire returns nil for what is no socket.
func newWire(c net.Conn) *wire {
	s, ok := c.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return nil // it is closed: using it tells
	}
	k := &wire{raw: raw}
	k.step = k.next
	return k
}

// send looks, if that is wanted, and writes what the system takes of p at once.
// When that is all it reads into b what comes then, if there is a b.
func (s *wire) send(p []byte, look bool, b **buffer) (sent, n int, err error) {
	s.look, s.out, s.to, s.at, s.once = look, p, b, 0, false
	n, err = s.do()
	return s.sent, n, err
}

// receive reads into b from at on what comes, or once what is there.
func (s *wire) receive(b **buffer, at int, once bool) (n int, err error) {
	s.to, s.at, s.once = b, at, once
	return s.do()
}

func (s *wire) do() (n int, err error) {
	s.sent, s.n, s.err = 0, 0, nil
	err = s.raw.Read(s.step)
	if err == nil {
		err = s.err
	}
	s.out, s.to = nil, nil
	return s.n, err
}

// next does what can be done now; it is called again when there is something to be read.
func (s *wire) next(fd uintptr) (done bool) {
	if s.out != nil {
		return s.write(fd)
	}
	fresh := *s.to == nil
	n, err := socket.Read(fd, room(s.to, s.at))
	switch {
	case err == syscall.EAGAIN:
		if fresh {
			release(s.to)
		}
		return s.once
	case err != nil:
		s.err = os.NewSyscallError("read", err)
	case n == 0:
		s.err = io.EOF
	default:
		s.n = n
	}
	return true
}

func (s *wire) write(fd uintptr) (done bool) {
	if s.look {
		if _, err := socket.Read(fd, s.probe[:]); err != syscall.EAGAIN {
			s.err = errStale
			return true
		}
	}
	n, err := socket.Write(fd, s.out)
	switch {
	case err == nil:
		s.sent = n
	case err != syscall.EAGAIN:
		s.err = os.NewSyscallError("write", err)
	}
	all := s.sent == len(s.out)
	s.out = nil
	return !all || s.to == nil
}
