package tls

import (
	"container/list"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/mholt/acmez/v3"
)

// ListenOptions bound what clients can make a Listener do. The zero value works.
type ListenOptions struct {
	// Handshakes is how many there may be at a time; 512 when zero. More wait,
	// and when they do, connections that have said nothing for a second make room.
	Handshakes int
	// Timeout bounds a handshake; 10 s when zero.
	Timeout time.Duration
	// Log gets failed handshakes at level debug, and what the box is short of as a warning.
	Log *slog.Logger
}

// Listener does TLS handshakes: beside each other, so that a slow one holds up
// nobody, and before net/http sees the connection, whose own timeouts are then
// free to be about HTTP. Connections come out divided by what ALPN (RFC 7301)
// agreed on.
//
//	inner ── Accept ──> handshakes (bounded) ──┬─ h2 ────────────> HTTP2()
//	                                           ├─ http/1.1, none > HTTP1()
//	                                           └─ acme-tls/1 ────> closed: the certificate was the answer
type Listener struct {
	inner   net.Listener
	config  *tls.Config
	o       ListenOptions
	patient time.Duration // how long a silent connection keeps its place when others wait

	http2, http1 *face
	slots        chan struct{} // one for each handshake
	done         chan struct{} // closed by Close
	started      sync.WaitGroup

	mu      sync.Mutex // guards all below
	pending list.List  // of *handshake, oldest first
	closed  bool
}

// handshake is one that has not ended yet.
type handshake struct {
	conn  net.Conn
	since time.Time
	spoke atomic.Bool // the client's first message is here
	at    *list.Element
}

// Listen returns a Listener that takes its connections from inner, which it
// owns from now on. It starts nothing: call Run, and accept from both faces.
func Listen(inner net.Listener, config *tls.Config, o ListenOptions) *Listener {
	if o.Handshakes <= 0 {
		o.Handshakes = 512
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	l := &Listener{
		inner:   inner,
		config:  config.Clone(), // once, not for each connection
		o:       o,
		patient: time.Second,
		slots:   make(chan struct{}, o.Handshakes),
		done:    make(chan struct{}),
	}
	l.http2, l.http1 = newFace(inner.Addr()), newFace(inner.Addr())
	before := l.config.GetConfigForClient
	l.config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if h, ok := hello.Context().Value(handshakeKey{}).(*handshake); ok {
			h.spoke.Store(true)
		}
		if before != nil {
			return before(hello)
		}
		return nil, nil
	}
	return l
}

type handshakeKey struct{}

// HTTP2 gives out the connections that agreed on h2; they are *tls.Conn.
func (l *Listener) HTTP2() net.Listener { return l.http2 }

// HTTP1 gives out the connections that agreed on http/1.1 or on nothing; they are *tls.Conn.
func (l *Listener) HTTP1() net.Listener { return l.http1 }

// Addr is the address of the inner listener.
func (l *Listener) Addr() net.Addr { return l.inner.Addr() }

// Run accepts connections until ctx ends or Close is called, and then returns
// nil when all it started has ended. Errors that pass, such as too many open
// files, are waited out; any other of the inner listener is returned.
func (l *Listener) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	defer l.started.Wait()
	defer l.Close()
	var wait time.Duration
	var said time.Time
	for {
		conn, err := l.inner.Accept()
		if err != nil {
			if l.isClosed() {
				return nil
			}
			if !passing(err) {
				return fmt.Errorf("cannot accept connections on %s: %w", l.Addr(), err)
			}
			if time.Since(said) > time.Minute {
				said = time.Now()
				l.o.Log.Warn("cannot accept connections for the moment", "address", l.Addr(), "error", err)
			}
			wait = min(max(2*wait, 5*time.Millisecond), time.Second)
			select {
			case <-time.After(wait):
			case <-l.done:
			}
			continue
		}
		wait = 0
		if !l.room() {
			conn.Close()
			return nil
		}
		h := &handshake{conn: conn, since: time.Now()}
		if !l.begin(h) {
			conn.Close()
			return nil
		}
		l.started.Go(func() { l.shake(h) })
	}
}

// passing reports whether an error of Accept says nothing about the listener
// itself: too many open files, no memory, trouble with the one connection, and
// on Linux errors of the network (accept(2), "Error handling").
func passing(err error) bool {
	for _, final := range []error{net.ErrClosed, syscall.EBADF, syscall.EINVAL, syscall.ENOTSOCK, io.EOF} {
		if errors.Is(err, final) {
			return false
		}
	}
	return true
}

// room takes a slot, waiting for one when all are taken, and reports whether it
// got one before Close. While it waits, silent connections lose theirs.
func (l *Listener) room() bool {
	select {
	case l.slots <- struct{}{}:
		return true
	default:
	}
	look := time.NewTicker(max(l.patient/10, time.Millisecond))
	defer look.Stop()
	for {
		l.evict()
		select {
		case l.slots <- struct{}{}:
			return true
		case <-l.done:
			return false
		case <-look.C:
		}
	}
}

// evict closes the connection that has been silent for the longest, if that is
// long enough. Whoever has spoken is left alone: then it is the box that is slow.
func (l *Listener) evict() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for at := l.pending.Front(); at != nil; at = at.Next() {
		h := at.Value.(*handshake)
		if time.Since(h.since) < l.patient {
			return
		}
		if !h.spoke.Swap(true) {
			h.conn.Close()
			return
		}
	}
}

func (l *Listener) begin(h *handshake) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	h.at = l.pending.PushBack(h)
	return true
}

func (l *Listener) end(h *handshake) {
	l.mu.Lock()
	l.pending.Remove(h.at)
	l.mu.Unlock()
	<-l.slots
}

// shake does one handshake and hands the connection out.
func (l *Listener) shake(h *handshake) {
	conn := tls.Server(h.conn, l.config)
	h.conn.SetDeadline(h.since.Add(l.o.Timeout))
	// No context that ends: the deadline does that, and Close closes what is pending.
	err := conn.HandshakeContext(context.WithValue(context.Background(), handshakeKey{}, h))
	l.end(h)
	if err != nil {
		l.o.Log.Debug("handshake failed", "client", h.conn.RemoteAddr(), "error", err)
		h.conn.Close()
		return
	}
	conn.SetDeadline(time.Time{})
	switch conn.ConnectionState().NegotiatedProtocol {
	case acmez.ACMETLS1Protocol:
		conn.Close()
	case "h2":
		l.http2.give(conn)
	default:
		l.http1.give(conn)
	}
}

// Close closes the inner listener, both faces and all connections that are
// still in their handshake. Connections that were handed out live on. It may be
// called more than once.
func (l *Listener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	close(l.done)
	l.http2.Close()
	l.http1.Close()
	for at := l.pending.Front(); at != nil; at = at.Next() {
		at.Value.(*handshake).conn.Close()
	}
	return l.inner.Close()
}

func (l *Listener) isClosed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// ConnectionState is that of crypto/tls: what a handshake has agreed on.
type ConnectionState = tls.ConnectionState

// Elsewhere stands in a request for the handshake that a proxy in front has
// done with the client; nothing is known of it.
var Elsewhere = &tls.ConnectionState{}

// State returns what was agreed on in conn's handshake; nil when conn is not TLS.
func State(conn net.Conn) *tls.ConnectionState {
	for conn != nil {
		if c, ok := conn.(interface{ ConnectionState() tls.ConnectionState }); ok {
			state := c.ConnectionState()
			return &state
		}
		inner, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			return nil
		}
		conn = inner.NetConn()
	}
	return nil
}
