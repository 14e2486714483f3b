package host

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"roost/host/express"
	"roost/internal/http1"
)

// guard stands between an HTTP/1 connection and net/http. It follows the
// framing of what it passes on, without holding anything back, and does
// what net/http cannot:
//
// It refuses messages that framing refuses, by passing on lines that no
// parser accepts in place of the offending byte: net/http answers what came
// before in order, then 400, and closes. A body that is refused is one that
// cannot be read to its end.
//
// It gives the client a deadline while a body that was announced does not
// come. net/http knows only deadlines for whole requests, which also cut off
// those who are slow but alive.
type guard struct {
	net.Conn
	timeout time.Duration
	// told hears why a message was refused.
	told func(reason error)
	// off ends the watch: the connection was taken over and speaks another protocol.
	off atomic.Bool
	// answering: what is written is a handler's. Set by the front, cleared when the connection is idle.
	answering atomic.Bool

	// Owned by the reader. net/http has one at a time.
	before  []byte // what was read of the connection in the express lane
	framing http1.Framing
	refused error
	poison  string // what is left to pass on of the lines that no parser accepts

	reading atomic.Bool // a Read is under way
	over    atomic.Bool // nothing more comes

	mu     sync.Mutex
	limit  time.Time // read deadline that was asked for; zero: none
	pushed time.Time // when the guard has set its own; zero: that which was asked for is set
}

// refusal spoils the line that was begun, wherever in it, be it of a head, of a
// chunk or of a trailer, or is a spoilt line itself; then comes another.
const refusal = "\r\x00\r\n\x00\r\n\r\n"

// spoil passes refusals on, without an end: at one, net/http would take the
// client for gone and cancel the request that it may still be answering.
func (g *guard) spoil(p []byte) int {
	if g.poison == "" {
		g.poison = refusal
	}
	n := copy(p, g.poison)
	g.poison = g.poison[n:]
	return n
}

// newGuard guards c, of which before was read already.
func newGuard(c net.Conn, before []byte, progress time.Duration, told func(error)) *guard {
	return &guard{Conn: c, before: before, timeout: progress, told: told}
}

func (g *guard) Read(p []byte) (int, error) {
	switch {
	case g.off.Load():
		return g.read(p)
	case len(p) == 0:
		return 0, nil
	case g.refused != nil:
		return g.spoil(p), nil
	}
	if g.framing.InBody() {
		g.pushDeadline()
	}
	n, err := g.read(p)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		g.over.Store(true)
	}
	good, refused := g.framing.Scan(p[:n])
	if refused != nil {
		g.refused = refused
		g.told(refused)
		return good + g.spoil(p[good:]), nil
	}
	if !g.framing.InBody() {
		g.restoreDeadline()
	}
	return n, err
}

func (g *guard) read(p []byte) (int, error) {
	if n := copy(p, g.before); n > 0 {
		g.before = g.before[n:]
		return n, nil
	}
	g.reading.Store(true)
	defer g.reading.Store(false)
	return g.Conn.Read(p)
}

// pushDeadline gives the client until now + timeout to send something. It
// spares the call when the last push is recent.
func (g *guard) pushDeadline() {
	if g.timeout <= 0 {
		return
	}
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	if now.Sub(g.pushed) < g.timeout/4 {
		return
	}
	deadline := now.Add(g.timeout)
	if !g.limit.IsZero() && g.limit.Before(deadline) {
		deadline = g.limit
	}
	g.pushed = now
	g.Conn.SetReadDeadline(deadline)
}

func (g *guard) restoreDeadline() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.pushed.IsZero() {
		return
	}
	g.pushed = time.Time{}
	g.Conn.SetReadDeadline(g.limit)
}

// SetReadDeadline bounds reads besides the guard's own deadline.
func (g *guard) SetReadDeadline(t time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.limit, g.pushed = t, time.Time{}
	return g.Conn.SetReadDeadline(t)
}

// SetDeadline bounds reads and writes.
func (g *guard) SetDeadline(t time.Time) error {
	if err := g.SetReadDeadline(t); err != nil {
		return err
	}
	return g.Conn.SetWriteDeadline(t)
}

// Write writes, and puts our error page in the place of net/http's.
func (g *guard) Write(p []byte) (int, error) {
	if !g.answering.Load() {
		if page := refusalPage(p); page != nil {
			_, err := g.Conn.Write(page)
			return len(p), err
		}
	}
	return g.Conn.Write(p)
}

// ReadFrom keeps sendfile(2) for files over plain TCP.
func (g *guard) ReadFrom(r io.Reader) (int64, error) {
	if rf, ok := g.Conn.(io.ReaderFrom); ok {
		return rf.ReadFrom(r)
	}
	return express.Copy(g.Conn, r)
}

// CloseWrite ends our side, so that the client can still read what was sent.
func (g *guard) CloseWrite() error { return express.CloseWrite(g.Conn) }

// Close closes the connection, gently where it is us who end it.
func (g *guard) Close() error {
	if !g.off.Load() && !g.reading.Load() && !g.over.Swap(true) {
		return express.Linger(g.Conn)
	}
	return g.Conn.Close()
}

var smallBuffers = sync.Pool{New: func() any { return new([8 << 10]byte) }}

// copyStream is express.Copy for one of many streams. It begins with a small buffer:
// a peer with a hundred streams that never opens a window shall hold no large
// ones. It is larger than what net/http takes without sending it.
func copyStream(w io.Writer, r io.Reader) (int64, error) {
	small := smallBuffers.Get().(*[8 << 10]byte)
	n, err := r.Read(small[:])
	if n > 0 {
		var failed error
		if n, failed = w.Write(small[:n]); failed != nil {
			err = failed
		}
	}
	smallBuffers.Put(small)
	switch {
	case err == io.EOF:
		return int64(n), nil
	case err != nil:
		return int64(n), err
	}
	more, err := express.Copy(w, r)
	return int64(n) + more, err
}
