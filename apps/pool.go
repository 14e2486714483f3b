package apps

import (
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// poolOptions are fixed for a pool's life; the zero value works.
type poolOptions struct {
	log *slog.Logger
	// fail writes an error page; http.Error when nil.
	fail func(w http.ResponseWriter, r *http.Request, status int)
}

// pool spreads requests over the ready instances of one app.
type pool struct {
	o    poolOptions
	now  atomic.Pointer[snapshot]
	turn atomic.Uint32
	held atomic.Int64 // requests that wait for a ready instance

	mu sync.Mutex // of writers to now
}

// snapshot is what requests see: all of the old or all of the new. Nothing in
// it changes but changed, which is closed when the next one has taken its place.
type snapshot struct {
	ready        []*endpoint
	sticky       *stickiness // nil: any instance
	tokens       []string    // the cookies of ready
	refused      string      // why no request may wait; "" lets them
	queueTimeout time.Duration
	queueLimit   int
	changed      chan struct{}
}

func newPool(o poolOptions) *pool {
	if o.log == nil {
		o.log = slog.New(slog.DiscardHandler)
	}
	p := &pool{o: o}
	p.now.Store(&snapshot{queueTimeout: 10 * time.Second, queueLimit: 100, changed: make(chan struct{})})
	return p
}

// change publishes a changed copy of the snapshot and wakes the waiting requests.
func (p *pool) change(edit func(*snapshot)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := p.now.Load()
	next := *old
	next.changed = make(chan struct{})
	edit(&next)
	next.tokens = next.sticky.tokens(next.ready)
	p.now.Store(&next)
	close(old.changed)
}

// publish says which endpoints are ready. Those that are no longer among them
// finish what they have; retire them afterwards.
func (p *pool) publish(ready []*endpoint) {
	ready = slices.Clone(ready)
	p.change(func(s *snapshot) { s.ready = ready })
}

// stick says how clients stick to instances; "" is not at all.
func (p *pool) stick(by, app string) {
	p.change(func(s *snapshot) { s.sticky = newStickiness(by, app) })
}

// limits says how long, and how many, requests wait while no endpoint is
// ready; zero values mean 10 s and 100.
func (p *pool) limits(queueTimeout time.Duration, queueLimit int) {
	if queueTimeout == 0 {
		queueTimeout = 10 * time.Second
	}
	if queueLimit == 0 {
		queueLimit = 100
	}
	p.change(func(s *snapshot) { s.queueTimeout, s.queueLimit = queueTimeout, queueLimit })
}

// refuse answers requests that would have to wait with 503 at once: the app is
// stopped on purpose. Endpoints that are still published go on being used.
func (p *pool) refuse(reason string) { p.change(func(s *snapshot) { s.refused = reason }) }

// allow undoes refuse.
func (p *pool) allow() { p.change(func(s *snapshot) { s.refused = "" }) }

// waiting is how many requests wait for a ready endpoint.
func (p *pool) waiting() int { return int(p.held.Load()) }
