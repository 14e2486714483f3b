package host

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"roost/tls"
)

// servers speak HTTP on connections that listeners hand them: plain HTTP/1,
// above TLS HTTP/1 and HTTP/2, and HTTP/3. They outlive no change of their timeouts:
// then others are made, the listeners stay, and the old ones finish what they
// have begun.
type servers struct {
	serversOptions
	plain   *entrance
	http1   *entrance
	http2   *entrance
	http3   *http3Server
	all     []*http.Server
	open    atomic.Int64 // connections
	fresh   sync.Map     // of net.Conn
	running sync.WaitGroup
}

// serversOptions are what servers are made for.
type serversOptions struct {
	timeouts     timeouts
	express      bool         // HTTP/1.1 begins in the express lane
	handler      http.Handler // answers
	plainHandler http.Handler // answers what comes without TLS
	conns        *connections
	current      func() *servers // those that connections are given to now
	log          *slog.Logger
}

type timeouts struct{ idle, header, progress time.Duration }

func (l Listen) timeouts() timeouts {
	return timeouts{
		idle:     l.IdleTimeout.Or(defaultIdleTimeout),
		header:   l.HeaderTimeout.Or(defaultHeaderTimeout),
		progress: l.ProgressTimeout.Or(defaultProgressTimeout),
	}
}

// startServers makes and starts them.
func startServers(o serversOptions) *servers {
	s := &servers{serversOptions: o}
	// net/http allows 4 KiB more than it is told to over HTTP/1.
	plain, http1, http2 := s.start(o.plainHandler, maxHeader-4096), s.start(o.handler, maxHeader-4096), s.start(o.handler, maxHeader)
	s.plain, s.http1, s.http2 = &entrance{relay: plain, wrap: s.guarded}, &entrance{relay: http1, wrap: s.guarded}, &entrance{relay: http2}
	if o.express {
		s.plain.lane = s.newLane(o.plainHandler, func(now *servers) *entrance { return now.plain })
		s.http1.lane = s.newLane(o.handler, func(now *servers) *entrance { return now.http1 })
	}
	s.http3 = newHTTP3Server(o.timeouts, o.handler, func(n int64) { s.open.Add(n) })
	return s
}

func (s *servers) start(handler http.Handler, header int) *relay {
	l := newRelay()
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: s.timeouts.header,
		IdleTimeout:       s.timeouts.idle,
		MaxHeaderBytes:    header,
		ConnContext:       linkConn,
		ConnState:         s.noteState,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		// No WriteTimeout and no WriteByteTimeout: progress and stall cut who takes nothing.
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: maxStreams,
			SendPingTimeout:      s.timeouts.progress, // finds peers that are gone while a stream is quiet
		},
	}
	s.all = append(s.all, server)
	s.running.Go(func() { server.Serve(l) }) // returns when shut down, and only then
	return l
}

// guarded is a connection as net/http is to see it; before was read already.
func (s *servers) guarded(c net.Conn, before []byte) net.Conn {
	return newGuard(c, before, s.timeouts.progress, func(reason error) {
		s.conns.refused.Add(1)
		s.log.Debug("refused a malformed request", "client", c.RemoteAddr(), "reason", reason)
	})
}

// retire takes no more connections. Those it has live on until they have been
// idle for long enough: to end them now would lose the requests that are on
// their way, for which net/http has no mercy once it shuts down.
func (s *servers) retire() {
	for _, e := range []*entrance{s.plain, s.http1, s.http2} {
		e.close()
	}
	s.http3.Close()
}

// end retires for good: requests may finish until ctx ends, then what is left
// is cut. Connections on which nothing has been asked yet, which browsers like
// to keep in store, are not waited for. The others have a grace in which they
// are still answered, and told to close, before they are closed: a client may
// just be asking.
func (s *servers) end(ctx context.Context, grace time.Duration) {
	s.fresh.Range(func(c, _ any) bool {
		c.(net.Conn).Close()
		return true
	})
	for _, l := range s.lanes() {
		l.CloseFresh()
	}
	s.wait(ctx, grace)
	s.retire()
	var ending sync.WaitGroup
	for _, l := range s.lanes() {
		ending.Go(func() { l.End(ctx) })
	}
	ending.Go(func() { s.http3.end(ctx) })
	for _, server := range s.all {
		ending.Go(func() {
			if server.Shutdown(ctx) != nil {
				server.Close()
			}
		})
	}
	ending.Wait()
	s.running.Wait()
}

// wait waits until there are no connections, for so long at most.
func (s *servers) wait(ctx context.Context, grace time.Duration) {
	over := time.NewTimer(grace)
	defer over.Stop()
	for s.open.Load() > 0 {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-over.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// noteState counts connections and lists those on which nothing has been asked.
func (s *servers) noteState(c net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.open.Add(1)
		s.fresh.Store(c, nil)
		return
	case http.StateIdle:
		if g, ok := c.(*guard); ok {
			g.answering.Store(false)
		}
	case http.StateClosed, http.StateHijacked:
		s.open.Add(-1)
	}
	s.fresh.Delete(c)
}

// linkConn tells requests which connection they came on.
func linkConn(ctx context.Context, c net.Conn) context.Context {
	l := &link{}
	if g, ok := c.(*guard); ok {
		l.guard = g
		l.carries(g.Conn)
	} else {
		l.carries(c)
		if l.wire != nil {
			l.streams = l.wire.timeout
		}
	}
	return context.WithValue(ctx, linkKey{}, l)
}

// carries notes what the requests of c come on.
func (l *link) carries(c net.Conn) {
	if l.one() {
		if state := tls.State(c); state != nil {
			l.setTLS = func(r *http.Request) { r.TLS = state }
		}
	}
	if t, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = t.NetConn()
	}
	if l.wire, _ = c.(*progress); l.wire != nil {
		l.member = l.wire.member
	}
}

// relay is a net.Listener whose connections others accept.
type relay struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newRelay() *relay { return &relay{conns: make(chan net.Conn), done: make(chan struct{})} }

// give hands a connection over and says whether it was taken.
func (r *relay) give(c net.Conn) bool {
	select {
	case r.conns <- c:
		return true
	case <-r.done:
		return false
	}
}

func (r *relay) Accept() (net.Conn, error) {
	select {
	case c := <-r.conns:
		return c, nil
	case <-r.done:
		return nil, errRelayClosed
	}
}

var errRelayClosed = errors.New("the listener is closed")

func (r *relay) Close() error {
	r.once.Do(func() { close(r.done) })
	return nil
}

func (r *relay) Addr() net.Addr { return &net.TCPAddr{} }
