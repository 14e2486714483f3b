//go:build !unix

package socket

import (
	"net"
	"syscall"
)

// Reader reads from one socket.
type Reader struct{ net.Conn }

// NewReader returns a Reader from c.
func NewReader[C interface {
	net.Conn
	syscall.Conn
}](c C) *Reader {
	return &Reader{c}
}
