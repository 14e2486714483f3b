package host

import (
	"context"
	"errors"
	"log/slog"
	"net"
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
