package express

import (
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// watchDelay is how long a request is answered until its client is watched. Most are
// answered sooner, and cost no more than a timer that is set and stopped.
const watchDelay = 50 * time.Millisecond

// watch waits for the client of a connection to go while a request is
// answered, without reading: what the client may have said meanwhile stays
// where it is. It ends the context of the connection's requests.
type watch struct {
	c      *conn
	socket syscall.RawConn
	timer  *time.Timer
	begun  bool
	ended  chan struct{} // told by what the timer has started
}

// newWatch returns nil where the system does not tell.
func newWatch(c *conn) *watch {
	below := c.Conn
	if t, ok := below.(interface{ NetConn() net.Conn }); ok {
		below = t.NetConn()
	}
	s, ok := below.(syscall.Conn)
	if !ok || !toldOfEnds {
		return nil
	}
	socket, err := s.SyscallConn()
	if err != nil {
		return nil // it is closed: reading tells
	}
	return &watch{c: c, socket: socket, ended: make(chan struct{}, 1)}
}

// begin begins to watch in a moment, if there is a watch and it has not. All that the request
// brings must have been read from the connection.
func (w *watch) begin() {
	switch {
	case w == nil || w.begun:
		return
	case w.timer == nil:
		w.timer = time.AfterFunc(watchDelay, w.run)
	default:
		w.timer.Reset(watchDelay)
	}
	w.begun = true
}

// end returns when nobody watches any more.
func (w *watch) end() {
	if w == nil || !w.begun {
		return
	}
	if w.begun = false; !w.timer.Stop() {
		w.c.callBack()
		<-w.ended
	}
}

func (w *watch) run() {
	defer func() { w.ended <- struct{}{} }()
	if !w.c.lend(time.Time{}) {
		return
	}
	if err := w.socket.Read(hasEnded); !errors.Is(err, os.ErrDeadlineExceeded) {
		w.c.cancel() // it has gone, or was closed on our side
	}
}

// loan is the read side of a connection while a request is answered: those who
// read its body have it, and then the watch. It is called back before the next
// head is read.
type loan struct {
	mu     sync.Mutex
	lent   bool // the read deadline was changed
	called bool // back
}

// lend sets the deadline of a read, and tells whether there may be one.
func (c *conn) lend(until time.Time) bool {
	c.loan.mu.Lock()
	defer c.loan.mu.Unlock()
	if c.loan.called {
		return false
	}
	c.loan.lent = true
	_ = c.SetReadDeadline(until) // a connection that is closed says so when it is read
	return true
}

// callBack has whoever reads end that.
func (c *conn) callBack() {
	c.loan.mu.Lock()
	defer c.loan.mu.Unlock()
	c.loan.lent, c.loan.called = true, true
	_ = c.SetReadDeadline(time.Unix(1, 0))
}

func (c *conn) calledBack() bool {
	c.loan.mu.Lock()
	defer c.loan.mu.Unlock()
	return c.loan.called
}

// settle has everybody give the connection back, and reads what is left of a
// body if that is wanted. It tells whether another request can follow.
func (c *conn) settle(b *body, rest bool) bool {
	if b == nil && c.watch == nil {
		return true
	}
	if b != nil {
		b.end()
	}
	c.watch.end()
	c.returned()
	if b != nil {
		rest = rest && b.drop()
		c.returned()
	}
	return (b == nil || rest) && c.blank.Context().Err() == nil
}

// returned is called when nobody but the connection's goroutine reads.
func (c *conn) returned() {
	c.loan.mu.Lock()
	defer c.loan.mu.Unlock()
	if c.loan.lent {
		c.armed = time.Time{}
	}
	c.loan.lent, c.loan.called = false, false
}
