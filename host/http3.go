package host

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// http3Server is the part of servers that speaks HTTP/3.
type http3Server struct {
	*http3.Server
	timeouts timeouts
	conns    chan *quic.Conn
	retired  chan struct{}
	once     sync.Once
	opened   func(int64) // counts connections
	accepted sync.WaitGroup

	mu   sync.Mutex
	open map[*quic.Conn]*incoming
}

func newHTTP3Server(t timeouts, handler http.Handler, opened func(int64)) *http3Server {
	s := &http3Server{timeouts: t, conns: make(chan *quic.Conn), retired: make(chan struct{}), opened: opened, open: map[*quic.Conn]*incoming{}}
	s.Server = &http3.Server{Handler: sized(handler), MaxHeaderBytes: maxHeader, ConnContext: s.link}
	s.accepted.Go(func() { s.ServeListener(s) })
	return s
}

// give hands a connection over and says whether it was taken.
func (s *http3Server) give(c *quic.Conn) bool {
	select {
	case s.conns <- c:
		return true
	case <-s.retired:
		return false
	}
}

// Accept, Addr and Close are the listener that the http3.Server sees.
func (s *http3Server) Accept(ctx context.Context) (*quic.Conn, error) {
	select {
	case c := <-s.conns:
		return c, nil
	case <-s.retired:
		return nil, quic.ErrServerClosed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (s *http3Server) Addr() net.Addr { return &net.UDPAddr{Port: 1} } // of any port: the host announces its own

func (s *http3Server) Close() error {
	s.once.Do(func() { close(s.retired) })
	return nil
}

// link tells requests which connection they came on, and ends the connection
// when it has been without one for too long. The server's own IdleTimeout is
// off as long as one request has begun to come, be it for ever.
func (s *http3Server) link(ctx context.Context, c *quic.Conn) context.Context {
	in, _ := ctx.Value(memberKey{}).(*incoming)
	s.opened(1)
	s.mu.Lock()
	s.open[c] = in
	s.mu.Unlock()
	idle := s.watch(c, in.member)
	context.AfterFunc(c.Context(), func() {
		idle.Stop()
		s.mu.Lock()
		delete(s.open, c)
		s.mu.Unlock()
		s.opened(-1)
	})
	return context.WithValue(ctx, linkKey{}, &link{member: in.member, streams: s.timeouts.progress})
}

// watch closes c when the head of its first request does not come within the
// timeout for heads, or when it has had no request for the idle timeout.
func (s *http3Server) watch(c *quic.Conn, m *member) *time.Timer {
	opened := m.quiet.Load()
	var timer *time.Timer
	var mu sync.Mutex // until timer is set
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(s.timeouts.header, func() {
		mu.Lock()
		defer mu.Unlock()
		quiet := m.quiet.Load()
		limit := s.timeouts.idle
		if quiet == opened {
			limit = s.timeouts.header
		}
		left := time.Until(time.Unix(0, quiet).Add(limit))
		switch {
		case m.busy.Load() > 0:
			timer.Reset(s.timeouts.idle)
		case left > 0:
			timer.Reset(left)
		default:
			go c.CloseWithError(noError, "")
		}
	})
	return timer
}

// end says GOAWAY, lets requests finish until ctx ends, and then cuts what is
// left. Clients may keep a connection on which all is done: it is closed
// after a moment in which the last answer can arrive.
func (s *http3Server) end(ctx context.Context) {
	s.Close()
	s.accepted.Wait()
	begun := time.Now()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if s.Shutdown(ctx) != nil {
			s.Server.Close()
		}
	}()
	look := time.NewTicker(drainLook)
	defer look.Stop()
	for {
		select {
		case <-done:
			return
		case <-look.C:
			s.closeQuiet(begun)
		}
	}
}

const drainLook = 25 * time.Millisecond

// closeQuiet closes the connections on which nothing was asked since GOAWAY, or the answers since have arrived.
func (s *http3Server) closeQuiet(goaway time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c, in := range s.open {
		if in.busy.Load() > 0 {
			continue
		}
		since := time.Unix(0, in.quiet.Load())
		if since.Before(goaway) {
			since = goaway
		}
		if time.Since(since) > 4*drainLook+min(3*c.ConnectionStats().SmoothedRTT, time.Second) {
			go c.CloseWithError(noError, "")
		}
	}
}

// sized gives requests the length of their body where HTTP/3 says nothing of
// it: a request with none looks like one whose body is still to come.
func sized(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength < 0 && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			r.ContentLength, r.Body = 0, http.NoBody // what came all the same has no meaning (RFC 9110 section 9.3.1)
		}
		next.ServeHTTP(w, r)
	})
}
