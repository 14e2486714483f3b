package tls

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// errNoLonger is why a certificate is not renewed. It is nobody's problem: a
// customer has gone, say.
var errNoLonger = errors.New("the name may have no certificate any more: this one is served until it ends")

// entry is that of a name, whichever way it is wanted. The caller holds c.mu.
func (c *Certs) entry(name string) *entry {
	if e := c.entries[name]; e != nil {
		return e
	}
	return c.demanded.entries[name]
}

// show has handshakes find e's certificate. The caller holds c.mu.
func (c *Certs) show(e *entry) {
	now := time.Now()
	h, was := &hold{place: place{internal: e.internal, from: e.from}}, c.demanded.hold(e.name)
	h.used.Store(now.Unix())
	var before *tls.Certificate
	if was != nil {
		h.used.Store(was.used.Load())
		before = was.cert
	}
	h.cert = c.stapled(e.cert, before, now)
	c.demanded.held.Store(e.name, h)
	delete(c.demanded.changed, e.name)
}

// trim takes the names that were not used for the longest out of what is kept,
// a sixteenth at a time, for it looks at all. They are returned, to be dropped
// when c.mu is not held, as it is now.
func (c *Certs) trim() (over []string) {
	o := &c.demanded
	if len(o.entries) <= c.demanded.most {
		return nil
	}
	used := make(map[string]int64, len(o.entries))
	for name, e := range o.entries {
		if h := o.hold(name); h != nil {
			used[name] = h.used.Load()
		} else {
			used[name] = e.tried.Unix()
		}
	}
	over = slices.SortedFunc(maps.Keys(used), func(a, b string) int { return int(used[a] - used[b]) })
	over = over[:len(over)-c.demanded.most+c.demanded.most/16]
	over = slices.DeleteFunc(over, func(name string) bool { return o.flights[name] != nil || o.entries[name].renewing })
	for _, name := range over {
		c.unlist(name)
	}
	return over
}

// unlist takes a name out of what is kept and found. The caller holds c.mu.
func (c *Certs) unlist(name string) {
	delete(c.demanded.entries, name)
	delete(c.demanded.changed, name)
	c.demanded.held.Delete(name)
}

// drop ends the renewal of names that were unlisted.
func (c *Certs) drop(names []string) {
	for _, name := range names {
		c.forget(name)
	}
}

// demandAgain has what is kept go on under the demands that are wanted now, and
// lets go of the rest. The caller holds c.mu.
func (c *Certs) demandAgain() {
	o := &c.demanded
	o.wanted = c.newDemands(c.want.OnDemand, o.wanted)
	for name, e := range o.entries {
		d := o.wanted.of(name)
		_, parent, _ := strings.Cut(name, ".")
		if d == nil || c.entries[name] != nil || c.entries["*."+parent] != nil {
			c.unlist(name)
			c.dropped = append(c.dropped, name)
			continue
		}
		if now := c.newDemanded(d, name); now.config != e.config {
			// What is there is served until the other issuer has renewed it.
			now.tries, now.looked, now.shown = e.tries, true, true
			o.entries[name] = now
			if now.cert, now.hash = e.cert, e.hash; now.cert != nil {
				c.show(now)
			}
			continue
		}
		e.demand = d
	}
}

// mayObtain is asked by certmagic before each order.
func (c *Certs) mayObtain(ctx context.Context, name string, renewal bool) error {
	c.mu.Lock()
	e := c.entry(name)
	var d *demand
	if e != nil {
		d = e.demand
	}
	c.mu.Unlock()
	if d == nil {
		return nil
	}
	yes, err := d.allows(ctx, name)
	if err == nil && !yes {
		err = errNoLonger
	}
	if err == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entry(name); renewal && e != nil && !e.renewing {
		c.fell(e, "certificate not renewed", fmt.Errorf("cannot renew: %w", err))
	}
	return notAllowed{err}
}

// notAllowed is why an order was not begun.
type notAllowed struct{ error }

// collectDemanded shows what the cache has got for names that it has renewed.
// Only Run's loop calls it.
func (c *Certs) collectDemanded() {
	c.mu.Lock()
	names := maps.Clone(c.demanded.changed)
	c.mu.Unlock()
	for name := range names {
		best := c.newest(name)
		c.mu.Lock()
		if e := c.demanded.entries[name]; e != nil && e.differs(best) {
			served := best.Certificate
			e.cert, e.hash = &served, best.Hash()
			c.show(e)
			c.stir()
		}
		c.mu.Unlock()
	}
}

// restaple shows certificates with what their responders have said by now. The caller holds c.mu.
func (c *Certs) restaple() {
	for _, e := range c.demanded.entries {
		if e.cert != nil && len(e.cert.Leaf.OCSPServer) > 0 {
			c.show(e)
		}
	}
}

// forgetFailed lets go of names that nobody has come for since a failure long ago.
func (c *Certs) forgetFailed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, e := range c.demanded.entries {
		if e.cert == nil && c.demanded.flights[name] == nil && time.Since(e.tried) > unheld {
			c.unlist(name)
		}
	}
}

// every yields the entries of all names. The caller holds c.mu.
func (c *Certs) every(yield func(*entry) bool) {
	for _, all := range []map[string]*entry{c.entries, c.demanded.entries} {
		for _, e := range all {
			if !yield(e) {
				return
			}
		}
	}
}

// noLonger reports whether e is not renewed because it is not to be.
func (e *entry) noLonger() bool { return errors.Is(e.err, errNoLonger) }
