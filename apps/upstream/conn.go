package upstream

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// conn is a connection to an instance. One request at a time has it.
type conn struct {
	net.Conn
	client *Client
	wire   *wire  // nil: the plain way
	watch  watch  // of the plain way, while k is kept
	cutter func() // cut; made once
	kept   bool   // it has had a request before
	since  uint32 // ticks of client, when it was kept
	timed  bool   // a read deadline is set

	listener listener // Client's
	answer   Answer   // to the request that has k
	down     atomic.Bool
}

// buffer is what answers are read into. It is taken when there is something to
// be read, so that waiting takes no memory.
type buffer struct{ bytes []byte }

const bufferSize = 32 << 10

var buffers = sync.Pool{New: func() any { return &buffer{make([]byte, bufferSize)} }}

// room gives b a buffer if it has none, and returns what there is from at on.
func room(b **buffer, at int) []byte {
	if *b == nil {
		*b = buffers.Get().(*buffer)
	}
	return (*b).bytes[at:]
}

// release takes b's buffer away.
func release(b **buffer) {
	if *b != nil && len((*b).bytes) == bufferSize {
		buffers.Put(*b)
	}
	*b = nil
}

// errStale says that a kept connection was no longer good when it was taken.
// Nothing has been sent on it.
var errStale = errors.New("the connection was closed, or the instance sent what nobody asked for")

var past = time.Unix(1, 0)

func newConn(c *Client, nc net.Conn) *conn {
	k := &conn{Conn: nc, client: c, wire: newWire(nc)}
	k.cutter = k.cut
	k.answer.conn = k
	return k
}

// cut ends all reads and writes; k is of no use any more.
func (k *conn) cut() {
	k.down.Store(true)
	_ = k.SetDeadline(past)
}

func (k *conn) Close() error {
	k.client.Leave(k)
	return k.Conn.Close()
}

// send writes p, and tells how much of it the system took. If k was kept it
// looks first whether the connection is still good: errStale. With a b it may
// read what comes then, into b.
func (k *conn) send(p []byte, b **buffer) (sent, n int, err error) {
	switch {
	case k.wire != nil:
		sent, n, err = k.wire.send(p, k.kept, b)
	case k.kept && !k.watch.end(k.Conn):
		return 0, 0, errStale
	}
	if err == nil && sent < len(p) {
		var more int
		more, err = k.Conn.Write(p[sent:])
		sent += more
	}
	return sent, n, err
}

// How long receive waits.
const (
	forever time.Duration = -1
	notNow  time.Duration = 0 // for nothing
)

// receive reads into b from at on, and gives b a buffer if it has none. n is 0
// when nothing has come in that time.
func (k *conn) receive(b **buffer, at int, wait time.Duration) (n int, err error) {
	switch {
	case wait > 0:
		k.timed = true
		_ = k.SetReadDeadline(time.Now().Add(wait))
	case k.timed:
		k.timed = false
		_ = k.SetReadDeadline(time.Time{})
	}
	if k.down.Load() { // its deadline may have been taken away just now
		return 0, net.ErrClosed
	}
	if k.wire != nil {
		n, err = k.wire.receive(b, at, wait == notNow)
	} else if wait != notNow {
		n, err = k.Conn.Read(room(b, at))
	}
	if wait > 0 && errors.Is(err, os.ErrDeadlineExceeded) && !k.down.Load() {
		return 0, nil
	}
	return n, err
}

// park makes k ready to be kept.
func (k *conn) park() bool {
	if k.timed {
		k.timed = false
		if k.SetReadDeadline(time.Time{}) != nil {
			return false
		}
	}
	if k.down.Load() {
		return false
	}
	if k.wire == nil {
		k.watch.begin(k.Conn)
	}
	return true
}

// watch reads from a connection while it is kept, on systems on which one
// cannot look without waiting. What comes makes the connection useless.
type watch struct{ ended chan error }

func (w *watch) begin(c net.Conn) {
	ended := make(chan error, 1)
	w.ended = ended
	go func() {
		_, err := c.Read(make([]byte, 1))
		if err == nil {
			err = io.ErrNoProgress
		}
		ended <- err
	}()
}

// end tells whether nothing has come.
func (w *watch) end(c net.Conn) bool {
	_ = c.SetReadDeadline(past)
	return errors.Is(<-w.ended, os.ErrDeadlineExceeded) && c.SetReadDeadline(time.Time{}) == nil
}
