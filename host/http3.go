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

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"roost/tls"
)

// packets is a UDP socket that HTTP/3 is spoken on: what a door is to TCP. But
// all its connections share the one socket, so it outlives the wish to listen
// for as long as there are any; wanted again meanwhile, it accepts again.
//
//	UDP ── QUIC: handshakes, the list of connections ──> http3.Server of the moment ── front
type packets struct {
	address    string // as it was bound
	wanted     string // as the config says
	udp        *net.UDPConn
	transport  *quic.Transport
	servers    *atomic.Pointer[servers]
	conns      *connections
	log        *slog.Logger
	handshakes atomic.Int64 // under way
	open       atomic.Int64 // connections, with those

	mu       sync.Mutex // guards what follows; never held in callbacks of QUIC
	listener *quic.Listener
	running  sync.WaitGroup
	closed   bool
}

// manyHandshakes is from how many on a client must first show that its address
// is its own (RFC 9000 section 8.1), which costs it a round trip.
const manyHandshakes = 64

// newPackets makes a packets of a bound socket. It starts nothing.
func newPackets(wanted string, udp *net.UDPConn, servers *atomic.Pointer[servers], conns *connections, log *slog.Logger) *packets {
	p := &packets{address: udp.LocalAddr().String(), wanted: wanted, udp: udp, servers: servers, conns: conns, log: log}
	p.transport = &quic.Transport{
		Conn:                udp,
		ConnContext:         p.admit,
		VerifySourceAddress: func(from net.Addr) bool { return p.handshakes.Load() >= manyHandshakes || conns.crowded(from) },
	}
	return p
}

// listen begins to accept connections; it fails when the socket has been closed.
func (p *packets) listen(ctx context.Context, certs *tls.Certs) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil {
		return nil
	}
	// Not ListenEarly: what comes before the handshake has ended may be sent again by anyone (RFC 8470).
	listener, err := p.transport.Listen(http3.ConfigureTLSConfig(certs.ServerConfig()), &quic.Config{
		GetConfigForClient: func(*quic.ClientInfo) (*quic.Config, error) { return quicConfig(p.servers.Load().timeouts), nil },
	})
	if err != nil {
		return err
	}
	p.listener = listener
	p.running.Go(func() { p.pump(ctx, listener) })
	return nil
}

// quicConfig bounds one connection, as limits.go does for others.
func quicConfig(t timeouts) *quic.Config {
	return &quic.Config{
		HandshakeIdleTimeout:       t.header / 2,   // twice that for all of a handshake
		MaxIdleTimeout:             t.progress,     // a peer that is gone
		KeepAlivePeriod:            t.progress / 2, // and that is asked whether it is
		MaxIncomingStreams:         maxStreams,
		MaxIncomingUniStreams:      8, // HTTP/3 needs three (RFC 9114 section 6.2)
		MaxStreamReceiveWindow:     1 << 20,
		MaxConnectionReceiveWindow: 4 << 20,
	}
}

// unlisten accepts no more; connections live on.
func (p *packets) unlisten() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil {
		p.listener.Close()
		p.running.Wait()
		p.listener = nil
	}
	p.leave()
}

// leave closes the socket once nobody needs it. The caller holds mu.
func (p *packets) leave() {
	if p.listener == nil && p.open.Load() == 0 {
		p.close()
	}
}

// gone says that the socket has been closed.
func (p *packets) gone() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// cut ends everything.
func (p *packets) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.close()
}

// close closes the socket and what is on it. The caller holds mu.
func (p *packets) close() {
	if p.closed {
		return
	}
	p.closed = true
	p.transport.Close()
	p.udp.Close()
	p.running.Wait()
}

type memberKey struct{}

// incoming is a connection from its first packet on.
type incoming struct {
	*member
	shaken atomic.Bool               // its handshake has ended
	conn   atomic.Pointer[quic.Conn] // once it has
}

var errNoRoom = errors.New("no room for another connection")

// admit decides on a connection at its first packet.
func (p *packets) admit(ctx context.Context, info *quic.ClientInfo) (context.Context, error) {
	in := &incoming{}
	in.member = newMember("http3", info.RemoteAddr, func() {
		if c := in.conn.Load(); c != nil {
			go c.CloseWithError(excessiveLoad, "") // waits for the connection, which may be waiting for us
		}
	})
	in.member.begin() // not idle before it can be cut
	if !p.conns.admit(in.member) {
		return nil, errNoRoom
	}
	p.open.Add(1)
	p.handshakes.Add(1)
	context.AfterFunc(ctx, func() {
		in.shake(p)
		p.conns.remove(in.member)
		if p.open.Add(-1) == 0 {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.leave()
		}
	})
	return context.WithValue(ctx, memberKey{}, in), nil
}

// shake notes, once, that the handshake has ended.
func (in *incoming) shake(p *packets) {
	if !in.shaken.Swap(true) {
		p.handshakes.Add(-1)
		in.member.end(time.Now())
	}
}

// pump hands connections to the server of the moment.
func (p *packets) pump(ctx context.Context, l *quic.Listener) {
	for {
		c, err := l.Accept(ctx)
		if err != nil {
			if ctx.Err() == nil && !errors.Is(err, quic.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
				p.log.Error("cannot accept connections any more", "for", "http3", "address", p.address, "error", err)
			}
			return
		}
		in := c.Context().Value(memberKey{}).(*incoming)
		in.conn.Store(c)
		in.shake(p)
		for {
			s := p.servers.Load()
			if s.http3.give(c) {
				break
			}
			if p.servers.Load() == s { // shutting down
				c.CloseWithError(noError, "")
				break
			}
		}
	}
}

const (
	noError       = quic.ApplicationErrorCode(http3.ErrCodeNoError)
	excessiveLoad = quic.ApplicationErrorCode(http3.ErrCodeExcessiveLoad)
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
