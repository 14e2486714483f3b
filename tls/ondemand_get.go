package tls

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddyserver/certmagic"
)

// onDemand is what is kept of names that clients come for. Certs.mu guards
// what has no guard of its own.
//
//	handshake ─ held? ──────────────────────────────────> certificate
//	              └ refused lately? ────────────────────> alert
//	                  └ flight, one for a name: storage ─ allowed? ─ limits ─ order
type onDemand struct {
	bounds           // set by tests, before Run
	held    sync.Map // *hold by name: what handshakes find, without a lock
	figures demandFigures
	asker   *http.Client

	loading, asking, slots chan struct{} // bound what flights do at a time; made by Run

	wanted    *demands
	entries   map[string]*entry
	flights   map[string]*flight
	clients   map[netip.Prefix]int // handshakes that wait
	handshook int                  // all of them
	pending   int                  // flights that order or wait for a slot
	changed   map[string]bool      // names that the cache may have another certificate for
	complain  time.Time            // when the log may be told again that there are too many
}

// hold is a certificate that handshakes find. Only used changes.
type hold struct {
	place
	used atomic.Int64 // Unix time of the last handshake
}

// flight gets one certificate, for all handshakes that wait for it.
type flight struct {
	done chan struct{} // closed when cert and err are there
	cert *tls.Certificate
	err  error
}

func newOnDemand() onDemand {
	return onDemand{
		bounds:  usual,
		asker:   newAsker(),
		entries: map[string]*entry{}, flights: map[string]*flight{}, clients: map[netip.Prefix]int{}, changed: map[string]bool{},
	}
}

// open is for Run, and what it returns for its end.
func (o *onDemand) open() (shut func()) {
	o.loading, o.asking, o.slots = make(chan struct{}, o.loads), make(chan struct{}, o.asks), make(chan struct{}, o.orders)
	return o.asker.CloseIdleConnections
}

// find returns the certificate of a name, nil when there is none in memory that is still good.
func (o *onDemand) find(name string) *tls.Certificate {
	h := o.hold(name)
	if h == nil {
		return nil
	}
	now := time.Now()
	if now.After(h.cert.Leaf.NotAfter) {
		return nil
	}
	h.used.Store(now.Unix())
	return h.cert
}

func (o *onDemand) hold(name string) *hold {
	if h, ok := o.held.Load(name); ok {
		return h.(*hold)
	}
	return nil
}

// get returns the certificate for a name that d is for, waiting for it for a
// while. Without certificate and error the name may have none.
func (c *Certs) get(hello *tls.ClientHelloInfo, d *demand, name string) (*tls.Certificate, error) {
	o := &c.demanded
	if v, ok := d.refused(name); ok {
		if v.err == nil {
			o.figures.denied.Add(1)
		}
		return nil, v.err
	}
	client := clientOf(hello.Conn)
	f, first, err := c.board(name, client)
	if err != nil {
		c.tooMany(d, name, err)
		return nil, err
	}
	defer c.leave(client)
	patience := time.NewTimer(c.demanded.patience)
	defer patience.Stop()
	jobs := c.jobs
	if !first {
		jobs = nil
	}
	for {
		select {
		case jobs <- func(ctx context.Context) {
			c.land(name, f, func() (*tls.Certificate, error) { return c.fly(ctx, d, name, client) })
			if f.cert != nil {
				c.forget(name) // unless it is wanted still
			}
		}:
			jobs = nil // from here on it ends by itself
		case <-f.done:
			if f.cert == nil && f.err == nil {
				o.figures.denied.Add(1)
			}
			return f.cert, f.err
		case <-c.over:
			err = errors.New("certificates have stopped")
		case <-hello.Context().Done():
			err = context.Cause(hello.Context())
		case <-patience.C:
			err = fmt.Errorf("no certificate for %s yet", name)
		}
		if err != nil {
			if jobs != nil {
				c.land(name, f, func() (*tls.Certificate, error) { return nil, err })
			}
			return nil, err
		}
	}
}

// board has a handshake wait for the flight of name, which it begins when it is first.
func (c *Certs) board(name string, client netip.Prefix) (f *flight, first bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := &c.demanded
	if o.handshook >= c.demanded.waiting || len(o.flights) >= c.demanded.waiting || o.clients[client] >= c.demanded.perClient {
		return nil, false, errBusy
	}
	o.handshook++
	o.clients[client]++
	if f = o.flights[name]; f == nil {
		f, first = &flight{done: make(chan struct{})}, true
		o.flights[name] = f
	}
	return f, first, nil
}

func (c *Certs) leave(client netip.Prefix) {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := &c.demanded
	o.handshook--
	if o.clients[client]--; o.clients[client] == 0 {
		delete(o.clients, client)
	}
}

func (c *Certs) land(name string, f *flight, fly func() (*tls.Certificate, error)) {
	f.cert, f.err = fly()
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.demanded.flights, name)
	close(f.done)
}

// fly gets the certificate of name: from the storage, where nobody is asked,
// or else, when it may have one, from its CA.
func (c *Certs) fly(ctx context.Context, d *demand, name string, client netip.Prefix) (*tls.Certificate, error) {
	e := c.demandedEntry(d, name)
	i, cert, err := c.stored(ctx, e)
	switch {
	case err == nil && time.Now().Before(cert.Leaf.NotAfter):
		c.credit(ctx, e, i, cert)
		return c.serveDemanded(e, i, cert), nil
	case err == nil: // the one that is there has expired
		c.cache.RemoveManaged([]certmagic.SubjectIssuer{{Subject: name}})
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	again := err == nil
	if yes, err := c.permitted(ctx, d, name, client); !yes || err != nil {
		return nil, err
	}
	c.mu.Lock()
	switch {
	case time.Now().Before(e.retry):
		err = e.err
	case c.demanded.pending >= c.demanded.ordering:
		err = errBusy
	case c.demanded.wanted.of(name) != d:
		err = errors.New("another config holds for " + name + " by now")
	default:
		err = d.quota.order(client)
	}
	try := e.tries
	var over []string
	if err == nil {
		e.renewing = true // so that a failure is told once, here
		c.demanded.pending++
		c.demanded.entries[name] = e
		over = c.trim()
	}
	c.mu.Unlock()
	if err != nil {
		if err == errLimited || err == errBusy {
			c.tooMany(d, name, err)
		}
		return nil, err
	}
	defer c.ordered(e)
	c.drop(over)
	select {
	case c.demanded.slots <- struct{}{}:
		defer func() { <-c.demanded.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if i.acme != nil && e.by != byDNS && i.httpPort == 0 && i.httpsPort == 0 {
		return nil, errNotListening
	}
	if err = c.order(ctx, i, name, try, again); err == nil {
		cert, err = c.load(ctx, i, name)
	}
	if err == nil {
		return c.serveDemanded(e, i, cert), nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	until, held := heldUntil(err)
	err = c.explain(ctx, i, e, err)
	c.mu.Lock()
	defer c.mu.Unlock()
	e.tries++
	e.retry = time.Now().Add(c.backoff(e.tries))
	if e.retry.Before(until) {
		e.retry = until
	}
	if held && e.err != nil {
		return nil, err // no CA was asked, and what it said before is known
	}
	c.fell(e, "cannot get a certificate", err)
	return nil, err
}

// ordered undoes what fly has noted of an order.
func (c *Certs) ordered(e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.demanded.pending--
	e.renewing = false
}

// stored loads the certificate of e's name.
func (c *Certs) stored(ctx context.Context, e *entry) (i *issuance, cert certmagic.Certificate, err error) {
	select {
	case c.demanded.loading <- struct{}{}:
		defer func() { <-c.demanded.loading }()
	case <-ctx.Done():
		return nil, cert, ctx.Err()
	}
	i = c.internal
	if !e.internal {
		if i, err = c.public(e); err != nil {
			return nil, cert, err
		}
	}
	cert, err = c.load(ctx, i, e.name)
	return i, cert, err
}

// permitted reports whether a client's coming for name may lead to an order.
func (c *Certs) permitted(ctx context.Context, d *demand, name string, client netip.Prefix) (bool, error) {
	yes, err, ok := d.known(name)
	if ok {
		return yes, err
	}
	if !d.quota.of(client).questions.Allow() {
		c.tooMany(d, name, errBusy)
		return false, errBusy
	}
	select {
	case c.demanded.asking <- struct{}{}:
		defer func() { <-c.demanded.asking }()
	default:
		c.tooMany(d, name, errBusy)
		return false, errBusy
	}
	if yes, err = d.allows(ctx, name); err != nil {
		c.silent(d, name, err)
	}
	return yes, err
}

// demandedEntry is the entry of name, a new one when there is none; that is not kept yet.
func (c *Certs) demandedEntry(d *demand, name string) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.demanded.entries[name]; e != nil {
		return e
	}
	return c.newDemanded(d, name)
}

// newDemanded makes an entry. The caller holds c.mu.
func (c *Certs) newDemanded(d *demand, name string) *entry {
	e := newEntry(name, c.want.Config, map[string]string{name: d.Issuer})
	e.demand = d
	return e
}

// serveDemanded has handshakes find the certificate, unless it is not wanted any more.
func (c *Certs) serveDemanded(e *entry, i *issuance, cert certmagic.Certificate) *tls.Certificate {
	served := cert.Certificate
	c.mu.Lock()
	was := c.demanded.entries[e.name]
	wanted := c.demanded.wanted.of(e.name) == e.demand && c.entries[e.name] == nil && (was == nil || was == e)
	if wanted {
		c.demanded.entries[e.name] = e
		e.tries, e.looked, e.shown = 0, true, true
		e.cert, e.hash = &served, cert.Hash()
		c.show(e)
	}
	over := c.trim()
	c.mu.Unlock()
	if !wanted {
		return &served
	}
	c.take(e, i, cert)
	c.drop(over)
	return &served
}

func (c *Certs) tooMany(d *demand, name string, err error) {
	c.demanded.figures.limited.Add(1)
	c.warn("certificates on demand are refused", d, name, err)
}

func (c *Certs) silent(d *demand, name string, err error) {
	c.warn("nobody says whether a name may have a certificate", d, name, err)
}

// warn tells the log once a minute.
func (c *Certs) warn(message string, d *demand, name string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.After(c.demanded.complain) {
		c.demanded.complain = now.Add(time.Minute)
		c.log.Warn(message, "name", name, "site", d.Names, "error", err)
	}
}
