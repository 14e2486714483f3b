package express

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Options are what a Lane needs of its surroundings; all are given.
type Options struct {
	// Handler answers. It gets an *Answer, and does not keep the request or its
	// URL and Header once it has returned: the next one is made in the same place.
	// Goroutines that read its Body may come to their end later.
	Handler http.Handler
	// Context is the context of the requests of a connection, made of one that
	// ends when connections are cut. What is made of it ends also when the client
	// goes, where Answer.Watch was called or a body breaks off.
	Context func(context.Context, net.Conn) context.Context
	// HandOn takes a connection over, of which read was read and not answered.
	HandOn func(c net.Conn, read []byte)
	// Header bounds the time that a head takes, from its first byte or from the
	// connection's beginning; Idle the time between an answer and the next head.
	Header, Idle time.Duration
	// Progress bounds the time in which a body that was announced does not come; 0 does not.
	Progress time.Duration
	// Open hears of connections that come and go, those that are handed on too.
	Open func(n int64)
	// Log hears of handlers that panic.
	Log *slog.Logger
}

// Lane answers requests on connections that it is given.
type Lane struct {
	o     Options
	ended atomic.Bool
	life  context.Context // of requests
	cut   context.CancelFunc

	answered, handed atomic.Uint64

	mu      sync.Mutex // guards what follows, and who is added to running
	retired bool
	conns   map[*conn]struct{}
	running sync.WaitGroup
}

// New returns a Lane.
func New(o Options) *Lane {
	l := &Lane{o: o, conns: map[*conn]struct{}{}}
	l.life, l.cut = context.WithCancel(context.Background())
	return l
}

// Answered is how many requests were answered here, HandedOn how many
// connections were handed on.
func (l *Lane) Answered() uint64 { return l.answered.Load() }

// HandedOn is how many connections were handed on.
func (l *Lane) HandedOn() uint64 { return l.handed.Load() }

// Start begins to answer on c, and tells whether it did: it does not once the lane is retired.
func (l *Lane) Start(c net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.retired {
		return false
	}
	l.o.Open(1)
	served := &conn{Conn: c, lane: l}
	l.conns[served] = struct{}{}
	l.running.Go(served.serve)
	return true
}

func (l *Lane) remove(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
	l.o.Open(-1)
}

// CloseFresh closes the connections on which nothing has been asked yet.
func (l *Lane) CloseFresh() { l.closeThose(fresh) }

// Retire has the lane take no more connections. Those it has live on.
func (l *Lane) Retire() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.retired = true
}

// End retires the lane, closes connections that are idle, and cuts those that
// are not when ctx ends. It returns when all are gone.
func (l *Lane) End(ctx context.Context) {
	defer l.cut()
	l.Retire()
	l.ended.Store(true)
	l.closeThose(fresh, idle)
	gone := make(chan struct{})
	go func() {
		l.running.Wait()
		close(gone)
	}()
	select {
	case <-gone:
	case <-ctx.Done():
		l.cut()
		l.closeThose(fresh, idle, busy)
		<-gone
	}
}

// closeThose closes the connections that are in one of the states, beside each
// other: TLS says goodbye, for which a client that takes nothing has it wait.
func (l *Lane) closeThose(states ...int32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		for _, s := range states {
			if c.state.CompareAndSwap(s, cut) {
				l.running.Go(func() { _ = c.Close() })
			}
		}
	}
}

// States of a connection.
const (
	fresh int32 = iota // nothing was asked
	idle               // it waits for the next head
	busy               // a request is being answered
	cut                // closed by the lane, not by its own goroutine
)
