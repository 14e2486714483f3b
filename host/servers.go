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
	timeouts timeouts
	plain    *relay
	http1    *relay
	http2    *relay
	http3    *http3Server
	all      []*http.Server
	open     atomic.Int64 // connections
	fresh    sync.Map     // of net.Conn
	running  sync.WaitGroup
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
func startServers(t timeouts, handler, plainHandler http.Handler, log *slog.Logger) *servers {
	s := &servers{timeouts: t, plain: newRelay(), http1: newRelay(), http2: newRelay()}
	// net/http allows 4 KiB more than it is told to over HTTP/1.
	s.start(s.plain, plainHandler, maxHeader-4096, log)
	s.start(s.http1, handler, maxHeader-4096, log)
	s.start(s.http2, handler, maxHeader, log)
	s.http3 = newHTTP3Server(t, handler, func(n int64) { s.open.Add(n) })
	return s
}

func (s *servers) start(l *relay, handler http.Handler, header int, log *slog.Logger) {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: s.timeouts.header,
		IdleTimeout:       s.timeouts.idle,
		MaxHeaderBytes:    header,
		ConnContext:       linkConn,
		ConnState:         s.noteState,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		// No WriteTimeout and no WriteByteTimeout: progress and stall cut who takes nothing.
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: maxStreams,
			SendPingTimeout:      s.timeouts.progress, // finds peers that are gone while a stream is quiet
		},
	}
	s.all = append(s.all, server)
	s.running.Go(func() { server.Serve(l) }) // returns when shut down, and only then
}

// retire takes no more connections. Those it has live on until they have been
// idle for long enough: to end them now would lose the requests that are on
// their way, for which net/http has no mercy once it shuts down.
func (s *servers) retire() {
	for _, l := range []*relay{s.plain, s.http1, s.http2} {
		l.Close()
	}
	s.http3.Close()
}

// end retires for good: requests may finish until ctx ends, then what is left
// is cut. Connections on which nothing has been asked yet, which browsers like
// to keep in store, are not waited for.
func (s *servers) end(ctx context.Context) {
	s.retire()
	s.fresh.Range(func(c, _ any) bool {
		c.(net.Conn).Close()
		return true
	})
	var ending sync.WaitGroup
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
	inner := c
	if g, ok := c.(*guard); ok {
		l.guard = g
		inner = g.Conn
		if state := tls.State(inner); state != nil {
			l.setTLS = func(r *http.Request) { r.TLS = state }
		}
	}
	if t, ok := inner.(interface{ NetConn() net.Conn }); ok {
		inner = t.NetConn()
	}
	if l.wire, _ = inner.(*progress); l.wire != nil {
		l.member = l.wire.member
		if l.guard == nil {
			l.streams = l.wire.timeout
		}
	}
	return context.WithValue(ctx, linkKey{}, l)
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
