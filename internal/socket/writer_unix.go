//go:build unix

package socket

import "syscall"

// Writer writes to one socket. Its zero value, and that of a socket that is
// closed, writes nothing.
type Writer struct {
	socket syscall.RawConn
	try    func(fd uintptr) // made once
	p      []byte
	n      int
}

// NewWriter returns a Writer to c.
func NewWriter(c syscall.Conn) *Writer {
	w := &Writer{}
	w.try = func(fd uintptr) { w.n, _ = Write(fd, w.p) }
	w.socket, _ = c.SyscallConn()
	return w
}

// Write writes as much of p as there is room for now, and tells how much that
// is. What is wrong when it is nothing a write that waits will tell. There may be one
// Write at a time, and no other at the same time.
func (w *Writer) Write(p []byte) (n int) {
	if w.socket == nil {
		return 0
	}
	w.p, w.n = p, 0
	_ = w.socket.Control(w.try)
	w.p = nil
	return w.n
}
