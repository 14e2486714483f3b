package host

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
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
	framing framing
	refused error
	poison  string // what is left to pass on of the lines that no parser accepts
	pushed  time.Time

	reading atomic.Bool // a Read is under way
	over    atomic.Bool // nothing more comes

	mu    sync.Mutex
	limit time.Time // read deadline that was asked for; zero: none
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

func newGuard(c net.Conn, progress time.Duration, told func(error)) *guard {
	return &guard{Conn: c, timeout: progress, told: told}
}

func (g *guard) Read(p []byte) (int, error) {
	switch {
	case g.off.Load():
		return g.Conn.Read(p)
	case len(p) == 0:
		return 0, nil
	case g.refused != nil:
		return g.spoil(p), nil
	}
	if g.framing.inBody() {
		g.pushDeadline()
	}
	g.reading.Store(true)
	n, err := g.Conn.Read(p)
	g.reading.Store(false)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		g.over.Store(true)
	}
	good, refused := g.framing.scan(p[:n])
	if refused != nil {
		g.refused = refused
		g.told(refused)
		return good + g.spoil(p[good:]), nil
	}
	if !g.framing.inBody() {
		g.restoreDeadline()
	}
	return n, err
}

// pushDeadline gives the client until now + timeout to send something. It
// spares the call when the last push is recent.
func (g *guard) pushDeadline() {
	if g.timeout <= 0 {
		return
	}
	now := time.Now()
	if now.Sub(g.pushed) < g.timeout/4 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	deadline := now.Add(g.timeout)
	if !g.limit.IsZero() && g.limit.Before(deadline) {
		deadline = g.limit
	}
	g.pushed = now
	g.Conn.SetReadDeadline(deadline)
}

func (g *guard) restoreDeadline() {
	if g.pushed.IsZero() {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pushed = time.Time{}
	g.Conn.SetReadDeadline(g.limit)
}

// SetReadDeadline bounds reads besides the guard's own deadline.
func (g *guard) SetReadDeadline(t time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.limit = t
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
	return copyTo(g.Conn, r)
}

// CloseWrite ends our side, so that the client can still read what was sent.
func (g *guard) CloseWrite() error {
	if c, ok := g.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}

// Close closes the connection. Where it is us who end it, it first ends our
// side and reads for a moment: bytes left unread would make the system reset
// the connection, and the client might lose the answer (RFC 9112 section 9.6).
func (g *guard) Close() error {
	if !g.off.Load() && !g.reading.Load() && !g.over.Swap(true) {
		g.CloseWrite()
		g.Conn.SetReadDeadline(time.Now().Add(lingerTime))
		io.CopyN(io.Discard, g.Conn, lingerBytes)
	}
	return g.Conn.Close()
}

const (
	lingerTime  = 500 * time.Millisecond
	lingerBytes = 256 << 10
)

var copyBuffers = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// copyTo copies through a large buffer: one TLS record takes 16 KiB.
func copyTo(w io.Writer, r io.Reader) (int64, error) {
	buffer := copyBuffers.Get().(*[64 << 10]byte)
	defer copyBuffers.Put(buffer)
	return io.CopyBuffer(onlyWriter{w}, onlyReader{r}, buffer[:])
}

var smallBuffers = sync.Pool{New: func() any { return new([8 << 10]byte) }}

// copyStream is copyTo for one of many streams. It begins with a small buffer:
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
	more, err := copyTo(w, r)
	return int64(n) + more, err
}

// onlyWriter and onlyReader hide ReadFrom and WriteTo, which would lead back here.
type onlyWriter struct{ io.Writer }
type onlyReader struct{ io.Reader }
