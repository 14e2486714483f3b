package tls

import (
	"net"
	"sync"
)

// face is one way out of a Listener. Closing it closes neither the Listener nor
// the other face; connections meant for it are closed from then on.
type face struct {
	addr  net.Addr
	conns chan net.Conn
	done  chan struct{}
	close sync.Once
}

func newFace(addr net.Addr) *face {
	return &face{addr: addr, conns: make(chan net.Conn), done: make(chan struct{})}
}

// give waits until someone accepts conn, or closes it when the face is closed.
func (f *face) give(conn net.Conn) {
	select {
	case f.conns <- conn:
	case <-f.done:
		conn.Close()
	}
}

// Accept implements net.Listener; the error is net.ErrClosed, after Close.
func (f *face) Accept() (net.Conn, error) {
	select {
	case conn := <-f.conns:
		return conn, nil
	case <-f.done:
		return nil, &net.OpError{Op: "accept", Net: f.addr.Network(), Addr: f.addr, Err: net.ErrClosed}
	}
}

// Close implements net.Listener.
func (f *face) Close() error {
	f.close.Do(func() { close(f.done) })
	return nil
}

// Addr implements net.Listener.
func (f *face) Addr() net.Addr { return f.addr }
