package host

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"roost/tls"
)

// door is one listening socket: it accepts connections, puts them on the
// host's list, and hands them to the servers of the moment, above TLS when it
// is that of https.
type door struct {
	kind    string // "http" or "https"
	address string // as it was bound
	wanted  string // as the config says
	tcp     *net.TCPListener
	servers *atomic.Pointer[servers]
	conns   *connections
	log     *slog.Logger
	running sync.WaitGroup
	secure  *tls.Listener // nil: plain
}

// start begins to accept; certs is nil for http.
func (d *door) start(ctx context.Context, certs *tls.Certs) {
	if certs == nil {
		d.running.Go(func() { d.pump(ctx, d, func(s *servers) *entrance { return s.plain }) })
		return
	}
	d.secure = tls.Listen(d, certs.ServerConfig(), tls.ListenOptions{Log: d.log})
	d.running.Go(func() {
		if err := d.secure.Run(ctx); err != nil {
			d.log.Error("cannot accept connections any more", "address", d.address, "error", err)
		}
	})
	d.running.Go(func() { d.pump(ctx, d.secure.HTTP1(), func(s *servers) *entrance { return s.http1 }) })
	d.running.Go(func() { d.pump(ctx, d.secure.HTTP2(), func(s *servers) *entrance { return s.http2 }) })
}

// close stops accepting and waits until nothing is being handed over. The
// connections live on.
func (d *door) close() {
	if d.secure != nil {
		d.secure.Close()
	}
	d.tcp.Close()
	d.running.Wait()
}

// pump moves connections from l to the servers of the moment.
func (d *door) pump(ctx context.Context, l net.Listener, to func(*servers) *entrance) {
	var wait time.Duration
	var said time.Time
	for {
		c, err := l.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
				return
			}
			// Too many open files, say: existing connections must be able to end first.
			wait = min(max(2*wait, 5*time.Millisecond), time.Second)
			if time.Since(said) > time.Minute {
				said = time.Now()
				d.log.Warn("cannot accept connections, trying again", "address", d.address, "error", err)
			}
			select {
			case <-time.After(wait):
				continue
			case <-ctx.Done():
				return
			}
		}
		wait = 0
		give(c, d.servers.Load, func(s *servers) bool { return to(s).take(c) })
	}
}

// Accept takes a connection from the socket. The door is the net.Listener
// that package tls does its handshakes on.
func (d *door) Accept() (net.Conn, error) {
	for {
		c, err := d.tcp.AcceptTCP()
		if err != nil {
			d.conns.failed.Add(1)
			if outOfFiles(err) {
				d.conns.makeRoom()
			}
			return nil, err
		}
		if p := d.conns.add(d.kind, c, d.servers.Load().timeouts.progress); p != nil {
			return p, nil
		}
		c.SetLinger(0) // nothing was said: no need to remember the connection
		c.Close()
	}
}

// Addr is where the door listens.
func (d *door) Addr() net.Addr { return d.tcp.Addr() }

// Close closes the socket.
func (d *door) Close() error { return d.tcp.Close() }

// port is the one that the door listens on.
func (d *door) port() int { return d.tcp.Addr().(*net.TCPAddr).Port }
