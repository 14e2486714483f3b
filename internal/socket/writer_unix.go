//go:build unix

package socket

import "syscall"

// Writer writes to one socket. That to one that is closed writes nothing.
type Writer struct {
	socket syscall.RawConn  // nil: it was closed
	try    func(fd uintptr) // made once
	p, q   []byte
	both   parts
	n      int
}

// NewWriter returns a Writer to c.
func NewWriter(c syscall.Conn) *Writer {
	w := &Writer{}
	w.try = func(fd uintptr) { w.n, _ = w.write(fd) }
	w.socket, _ = c.SyscallConn()
	return w
}

// Write writes as much of p, and then of q, as there is room for now, and tells
// how much that is. What is wrong when it is nothing a write that waits will
// tell. There may be one Write at a time, and no other at the same time.
func (w *Writer) Write(p, q []byte) (n int) {
	if w.socket == nil {
		return 0
	}
	w.p, w.q, w.n = p, q, 0
	_ = w.socket.Control(w.try)
	w.p, w.q = nil, nil
	return w.n
}
