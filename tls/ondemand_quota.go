package tls

import (
	"cmp"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// errBusy refuses a handshake that there is no room for: it is one of too many.
var errBusy = errors.New("too many clients come for names without a certificate")

// errLimited refuses an order.
var errLimited = errors.New("too many certificates were ordered in the last hour")

// quota are the token buckets of one OnDemand. Let's Encrypt takes 300 orders
// in three hours from an account: of the 60 an hour that are usual, 240 can be
// in any three, and the rest is for renewals.
type quota struct {
	perClient int
	total     *rate.Limiter

	mu      sync.Mutex // guards all below
	clients recent[netip.Prefix, *buckets]
}

// buckets are those of a client. Who has none left of questions has come for
// many names that nobody knows: such a one could keep the app busy.
type buckets struct{ orders, questions *rate.Limiter }

const (
	mostClients = 10_000
	questions   = 16 // at once, for a client; another each second
)

func newQuota(o OnDemand) *quota {
	return &quota{
		perClient: cmp.Or(o.PerHourPerClient, 10),
		total:     hourly(cmp.Or(o.PerHour, 60)),
		clients:   recent[netip.Prefix, *buckets]{most: mostClients},
	}
}

func hourly(n int) *rate.Limiter { return rate.NewLimiter(rate.Limit(n)/3600, n) }

func (l *quota) of(client netip.Prefix) *buckets {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.clients.get(client)
	if !ok {
		b = &buckets{orders: hourly(l.perClient), questions: rate.NewLimiter(1, questions)}
		l.clients.put(client, b)
	}
	return b
}

// order takes what an order costs, of both or of none. It is for one goroutine at a time.
func (l *quota) order(client netip.Prefix) error {
	own := l.of(client).orders
	if own.Tokens() < 1 || !l.total.Allow() {
		return errLimited
	}
	own.Allow()
	return nil
}

// clientOf is the network that a client counts as: its address, of IPv6 its /64.
func clientOf(conn net.Conn) netip.Prefix {
	at, ok := conn.RemoteAddr().(interface{ AddrPort() netip.AddrPort })
	if !ok {
		return netip.Prefix{}
	}
	addr := at.AddrPort().Addr().Unmap().WithZone("")
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	client, _ := addr.Prefix(bits)
	return client
}

// demandFigures count since the start.
type demandFigures struct{ asked, undecided, denied, limited atomic.Uint64 }

// DemandFigures tell of certificates on demand since the program started.
type DemandFigures struct {
	// Names are how many are in memory, with a certificate or failing to get one.
	Names int
	// Asked counts questions, Undecided those that were not answered.
	Asked, Undecided uint64
	// Denied counts handshakes for names that may have no certificate, Limited those refused because there were too many.
	Denied, Limited uint64
	// Problems are why nobody answered the last question, where that is less than an hour ago.
	Problems []string
}

// OnDemand tells of certificates on demand; nil when no site wants any.
func (c *Certs) OnDemand() *DemandFigures {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.demanded.wanted == nil {
		return nil
	}
	count := &c.demanded.figures
	f := &DemandFigures{
		Names: len(c.demanded.entries), Asked: count.asked.Load(), Undecided: count.undecided.Load(),
		Denied: count.denied.Load(), Limited: count.limited.Load(),
	}
	for _, d := range c.demanded.wanted.all {
		d.mu.Lock()
		if d.silent != nil && time.Since(d.since) < time.Hour {
			f.Problems = append(f.Problems, d.silent.Error())
		}
		d.mu.Unlock()
	}
	return f
}

// unheld is how long a name without a certificate is listed after the last attempt.
const unheld = 24 * time.Hour
