//go:build unix && !linux

package socket

import "syscall"

// Read is read(2) of a descriptor that does not block.
func Read(fd uintptr, p []byte) (int, error) { return call(syscall.Read, fd, p) }

// Write is write(2), likewise.
func Write(fd uintptr, p []byte) (int, error) { return call(syscall.Write, fd, p) }

// write is Write of both parts.
func (w *Writer) write(fd uintptr) (n int, err error) {
	if n, err = Write(fd, w.p); n == len(w.p) && len(w.q) > 0 {
		m, _ := Write(fd, w.q)
		n += m
	}
	return n, err
}

type parts = struct{}

func call(do func(int, []byte) (int, error), fd uintptr, p []byte) (int, error) {
	for {
		n, err := do(int(fd), p)
		switch err {
		case nil:
			return n, nil
		case syscall.EINTR:
		default:
			return 0, err
		}
	}
}
