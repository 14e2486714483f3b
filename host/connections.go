package host

import (
	"cmp"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// connections is the list of all that are open, those that were taken over
// (websockets) too: net/http forgets these. There is room for so many, and for
// so many of one client. Where there is none, the connection that has been
// without a request for the longest makes room, whether it waits for its next
// or has not sent the whole of its first; who would have to cut a request that
// is being answered turns the new connection away instead.
type connections struct {
	log     *slog.Logger
	limits  atomic.Pointer[connectionLimits]
	refused atomic.Uint64 // malformed requests
	taken   atomic.Uint64 // connections that were put on the list
	turned  atomic.Uint64 // and that were turned away
	failed  atomic.Uint64 // tries to accept one

	pressure atomic.Pointer[pressure]
	many     chan struct{} // has a token when there may be so many that memory matters
	pressed  time.Time     // when relieve, which owns it, told of that

	mu      sync.Mutex // never held on the way of a request
	all     crowd
	clients map[netip.Addr]*crowd
	said    time.Time // that connections are turned away
}

// crowd is connections that share a limit.
type crowd struct {
	open map[*member]struct{}
	idle []idleMember // longest first, as of the last look; may have got busy since
	look time.Time    // when to look for idle ones again, when there were none
}

// connectionLimits are how many connections there may be.
type connectionLimits struct {
	all    int
	client int                   // of one client; 0: as many as there are
	exempt func(netip.Addr) bool // from the limit of one client; nil: nobody
}

// member is one connection on the list.
type member struct {
	kind    string
	address netip.Addr
	client  netip.Addr // of IPv6 the /64, which is what one client has
	cut     func()     // closes it; may be called at any time

	busy  atomic.Int64 // requests being answered
	quiet atomic.Int64 // when the last was, or when the connection was opened; Unix nanoseconds
}

func newMember(kind string, from net.Addr, cut func()) *member {
	m := &member{kind: kind, address: addressOf(from), cut: cut}
	m.client = clientNet(m.address)
	m.quiet.Store(time.Now().UnixNano())
	return m
}

// begin and end stand around each request; on the way of requests that came
// on no listed connection, as in tests, m is nil.
func (m *member) begin() {
	if m != nil {
		m.busy.Add(1)
	}
}

func (m *member) end(now time.Time) {
	if m != nil {
		m.quiet.Store(now.UnixNano())
		m.busy.Add(-1)
	}
}

type idleMember struct {
	*member
	since int64
}

// add puts a TCP connection on the list; nil: there is no room.
func (l *connections) add(kind string, c *net.TCPConn, timeout time.Duration) *progress {
	p := newProgress(c, timeout)
	p.member = newMember(kind, c.RemoteAddr(), func() { p.Close() })
	p.closed = func() { l.remove(p.member) }
	if !l.admit(p.member) {
		return nil
	}
	return p
}

// admit puts a connection on the list and says whether there was room.
func (l *connections) admit(m *member) bool {
	limits := l.limits.Load()
	exempt := limits.client == 0 || limits.exempt != nil && limits.exempt(m.address)
	l.mu.Lock()
	var victim *member
	room := true
	switch own := l.clients[m.client]; {
	case !exempt && own != nil && len(own.open) >= limits.client:
		victim = own.longestIdle()
		room = victim != nil
	case len(l.all.open) >= limits.all:
		victim = l.all.longestIdle()
		room = victim != nil
	}
	if victim != nil {
		l.drop(victim)
	}
	if room {
		l.put(m)
	}
	say := !room && time.Since(l.said) > time.Minute
	if say {
		l.said = time.Now()
	}
	n := len(l.all.open)
	l.mu.Unlock()
	if victim != nil {
		victim.cut()
	}
	if room {
		l.taken.Add(1)
		return true
	}
	turned := l.turned.Add(1)
	if say && l.log != nil {
		l.log.Warn("connections are turned away: all there may be are busy", "client", m.client, "open", n, "turned_away", turned,
			"hint", "raise max_connections or max_connections_per_client in [host], or the limit of open files")
	}
	return false
}

// makeRoom cuts the connection that has been idle for the longest: the system
// has no files left.
func (l *connections) makeRoom() {
	l.mu.Lock()
	victim := l.all.longestIdle()
	if victim != nil {
		l.drop(victim)
	}
	l.mu.Unlock()
	if victim != nil {
		victim.cut()
	}
}

// longestIdle returns the connection that has been without a request for the
// longest; nil when all have one. To look at all of them for each new one
// would be what a flood wants: what a look finds is used up first, and after
// one in vain there is none for a moment. The caller holds mu.
func (c *crowd) longestIdle() *member {
	for range 2 {
		for len(c.idle) > 0 {
			m := c.idle[0]
			c.idle = c.idle[1:]
			if _, open := c.open[m.member]; open && m.busy.Load() == 0 && m.quiet.Load() == m.since {
				return m.member
			}
		}
		now := time.Now()
		if now.Before(c.look) {
			return nil
		}
		for m := range c.open {
			if m.busy.Load() == 0 {
				c.idle = append(c.idle, idleMember{m, m.quiet.Load()})
			}
		}
		if len(c.idle) == 0 {
			c.look = now.Add(lookPause)
			return nil
		}
		slices.SortFunc(c.idle, func(a, b idleMember) int { return cmp.Compare(a.since, b.since) })
	}
	return nil
}

const lookPause = 20 * time.Millisecond

// put puts m on the list. The caller holds mu.
func (l *connections) put(m *member) {
	if l.clients == nil {
		l.clients, l.all.open = map[netip.Addr]*crowd{}, map[*member]struct{}{}
	}
	own := l.clients[m.client]
	if own == nil {
		own = &crowd{open: map[*member]struct{}{}}
		l.clients[m.client] = own
	}
	l.all.open[m], own.open[m] = struct{}{}, struct{}{}
	if len(l.all.open) >= l.pressure.Load().from {
		select {
		case l.many <- struct{}{}:
		default:
		}
	}
}

// drop takes m off the list, if it is there. The caller holds mu.
func (l *connections) drop(m *member) {
	if _, open := l.all.open[m]; !open {
		return
	}
	own := l.clients[m.client]
	delete(l.all.open, m)
	delete(own.open, m)
	if len(own.open) == 0 {
		delete(l.clients, m.client)
	}
}

func (l *connections) remove(m *member) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop(m)
}

// crowded says that a client has half of what it may have: whether it is there
// at all is worth asking then.
func (l *connections) crowded(from net.Addr) bool {
	limits := l.limits.Load()
	l.mu.Lock()
	defer l.mu.Unlock()
	own := l.clients[clientNet(addressOf(from))]
	return len(l.all.open) >= limits.all/2 || own != nil && limits.client > 0 && len(own.open) >= limits.client/2
}

// count is how many connections are open, by kind.
func (l *connections) count() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := map[string]int{}
	for m := range l.all.open {
		n[m.kind]++
	}
	return n
}

// closeAll cuts what is still open.
func (l *connections) closeAll() {
	l.mu.Lock()
	all := make([]*member, 0, len(l.all.open))
	for m := range l.all.open {
		all = append(all, m)
	}
	l.mu.Unlock()
	for _, m := range all {
		m.cut()
	}
}

// addressOf is the address of a peer, without port and zone.
func addressOf(from net.Addr) netip.Addr {
	var at netip.AddrPort
	switch from := from.(type) {
	case *net.TCPAddr:
		at = from.AddrPort()
	case *net.UDPAddr:
		at = from.AddrPort()
	}
	return at.Addr().Unmap().WithZone("")
}

// clientNet is what one client has of addresses: one of IPv4, a /64 of IPv6.
func clientNet(address netip.Addr) netip.Addr {
	if address.Is6() {
		net, _ := address.Prefix(64)
		return net.Addr()
	}
	return address
}
