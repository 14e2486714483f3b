//go:build unix

package apps

import (
	"io"
	"sync"
	"syscall"
)

// readBuffers are for output while it is being taken in; a program that says
// nothing holds none.
var readBuffers = sync.Pool{New: func() any { return new([readSize]byte) }}

// readPipe hands what comes through a pipe to w, until its end or until it is closed.
func readPipe(r syscall.Conn, w io.Writer) (total int64, err error) {
	pipe, err := r.SyscallConn()
	for err == nil {
		var buf *[readSize]byte
		var n int
		var failed error
		err = pipe.Read(func(fd uintptr) bool { // called again when there is something to read
			if buf == nil {
				buf = readBuffers.Get().(*[readSize]byte)
			}
			for n, failed = syscall.Read(int(fd), buf[:]); failed == syscall.EINTR; {
				n, failed = syscall.Read(int(fd), buf[:])
			}
			if failed != syscall.EAGAIN {
				return true
			}
			readBuffers.Put(buf)
			buf = nil
			return false
		})
		if buf == nil {
			return total, err // it was closed
		}
		if n > 0 {
			w.Write(buf[:n])
			total += int64(n)
		}
		readBuffers.Put(buf)
		switch {
		case failed != nil:
			return total, failed
		case n == 0 && err == nil:
			return total, nil
		}
	}
	return total, err
}
