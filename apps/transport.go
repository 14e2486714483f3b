package apps

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// dialTimeout bounds making a connection to an instance.
	dialTimeout = 5 * time.Second
	// idleTimeout closes connections that nobody uses. Node, Bun and Deno close
	// theirs after 5 s; a request that meets that close is lost, so ours is shorter.
	idleTimeout = 4 * time.Second
	// maxResponseHeader bounds the head of an answer, in bytes.
	maxResponseHeader = 256 << 10
)

// errCut is what reads and writes give after endpoint.close.
var errCut = errors.New("the instance's connections have been closed")

// dialError says that an instance could not be connected to, so that nothing
// of the request can have reached it.
type dialError struct {
	e   *endpoint
	err error
}

func (d *dialError) Error() string { return fmt.Sprintf("cannot connect to %v: %v", d.e, d.err) }
func (d *dialError) Unwrap() error { return d.err }

func newTransport(e *endpoint) *http.Transport {
	t := &http.Transport{
		DialContext:            e.dial,
		IdleConnTimeout:        idleTimeout,
		MaxIdleConnsPerHost:    1024,
		DisableCompression:     true, // or the app would be asked for gzip that the client did not ask for
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: maxResponseHeader,
		Protocols:              new(http.Protocols),
	}
	t.Protocols.SetHTTP1(true)
	return t
}

// dial connects to the instance, whatever the address says that it is asked
// for. A Unix socket with a full backlog refuses at once with EAGAIN where TCP
// would wait (connect(2)); so we wait.
func (e *endpoint) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	d := net.Dialer{KeepAlive: -1}
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		nc, err := d.DialContext(ctx, e.network, e.address)
		if err == nil {
			c := &conn{Conn: nc, set: &e.conns}
			if !e.conns.add(c) {
				nc.Close()
				return nil, &dialError{e, errCut}
			}
			return c, nil
		}
		if !errors.Is(err, syscall.EAGAIN) {
			return nil, &dialError{e, err}
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, &dialError{e, context.Cause(ctx)}
		}
	}
}

// conn is a connection to an instance. It counts what passes, so that a failed
// request can be told from one that the instance may have acted on.
type conn struct {
	net.Conn
	set           *connSet
	read, written atomic.Int64
	begun         atomic.Int64 // written when the request began
	deaf          atomic.Bool  // the instance takes no more
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read.Add(int64(n))
	return n, err
}

// Write pretends to go on where an instance takes no more of a request that has
// begun: it may have answered already, without wanting the body, and
// http.Transport would take the failed write for the answer. Reading tells.
func (c *conn) Write(p []byte) (n int, err error) {
	if err = syscall.EPIPE; !c.deaf.Load() {
		n, err = c.Conn.Write(p)
		c.written.Add(int64(n))
	}
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
		c.deaf.Store(true)
		if c.written.Load() > c.begun.Load() {
			return len(p), nil
		}
	}
	return n, err
}

// CloseWrite ends our half of the connection, for upgraded ones.
func (c *conn) CloseWrite() error {
	if h, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return h.CloseWrite()
	}
	return nil
}

func (c *conn) Close() error {
	c.set.remove(c)
	return c.Conn.Close()
}

// connSet is the open connections of an endpoint, and those of the clients that
// have been joined to one; it is touched when one is opened or closed, not by
// each request.
type connSet struct {
	mu     sync.Mutex
	open   map[net.Conn]struct{}
	closed bool
}

func (s *connSet) add(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if s.open == nil {
		s.open = map[net.Conn]struct{}{}
	}
	s.open[c] = struct{}{}
	return true
}

func (s *connSet) remove(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
}

// close closes all connections and lets no new one in.
func (s *connSet) close() {
	s.mu.Lock()
	open := s.open
	s.open, s.closed = nil, true
	s.mu.Unlock()
	for c := range open {
		c.Close()
	}
}
