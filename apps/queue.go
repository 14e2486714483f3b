package apps

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"
)

// Why a request got no endpoint.
var (
	errRefused  = errors.New("the app is stopped")
	errFull     = errors.New("too many requests wait for an instance already")
	errNotReady = errors.New("no instance has become ready in time")
)

// retryPause is how long a request that has failed on every ready endpoint
// waits for news of them before it may try the same ones again.
const retryPause = 250 * time.Millisecond

// claim finds one request its endpoints, one for each try.
type claim struct {
	p        *pool
	r        *http.Request
	tried    []*endpoint
	unknown  *stickiness // by what the last endpoint is to be remembered; nil: it need not be
	deadline time.Time   // of all waiting; zero before the first
}

// next returns the client's ready endpoint, else the least busy one, that has
// not been tried, with the request counted in flight there: release it. While
// there is none it waits, within the limits of the pool. Otherwise the error is
// errRefused, errFull, errNotReady or ctx's.
func (c *claim) next(ctx context.Context) (*endpoint, error) {
	s := c.p.now.Load()
	if e := c.pick(s); e != nil {
		return e, nil
	}
	if c.p.held.Add(1) > int64(s.queueLimit) && s.refused == "" {
		c.p.held.Add(-1)
		return nil, errFull
	}
	defer c.p.held.Add(-1)
	if c.deadline.IsZero() {
		c.deadline = time.Now().Add(s.queueTimeout)
	}
	timeout := time.NewTimer(time.Until(c.deadline))
	defer timeout.Stop()
	for {
		if s.refused != "" {
			return nil, errRefused
		}
		var again <-chan time.Time
		if len(s.ready) > 0 && len(c.tried) > 0 {
			again = time.After(retryPause)
		}
		select {
		case <-s.changed:
		case <-again:
			c.tried = c.tried[:0]
		case <-timeout.C:
			return nil, errNotReady
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		s = c.p.now.Load()
		if e := c.pick(s); e != nil {
			return e, nil
		}
	}
}

// pick claims the client's endpoint where it has one, else the least busy.
func (c *claim) pick(s *snapshot) *endpoint {
	c.unknown = nil
	if s.sticky != nil {
		if e := s.stick(c.r, c.tried); e != nil {
			return e
		}
		if s.sticky.by == stickyCookie {
			c.unknown = s.sticky
		}
	}
	return c.p.pick(s, c.tried)
}

// pick claims the least busy endpoint of s that has not been tried; among
// equals the next in turn. Ejected ones come only after all others: the last
// one is used whatever is known of it. Nil means that there is none.
func (p *pool) pick(s *snapshot, tried []*endpoint) *endpoint {
	n := len(s.ready)
	if n == 0 {
		return nil
	}
	start := int(p.turn.Add(1) % uint32(n))
	for {
		var best *endpoint
		var bestBusy uint64
		bestIn := false
		for i := range n {
			e := s.ready[(start+i)%n]
			busy, out := e.busy()
			if out || len(tried) > 0 && slices.Contains(tried, e) {
				continue
			}
			in := e.health.in()
			if best == nil || in && !bestIn || in == bestIn && busy < bestBusy {
				best, bestBusy, bestIn = e, busy, in
			}
		}
		if best == nil || best.acquire() {
			return best
		}
		// retired since we looked: it is passed over the next time round
	}
}
