package apps

import (
	"context"
	"sync"
	"time"
)

// addressTime is how long an instance that has said that it is ready may take
// to be found where requests reach it.
const addressTime = 2 * time.Second

// awaitReady calls isReady at the first sign that applies. It ends with ctx.
//
//	told     process.send('ready') or READY=1; with wait_ready nothing else counts
//	health   the path answers 2xx or 3xx
//	located  the private address takes connections
//	alive    it has lived for min_uptime, when it need not take any; where
//	         nothing ran before that could be lost, and min_uptime is not set,
//	         it is enough that it sits still and waits; but not where it runs
//	         once, as nobody would be told that it fails then
//
// Time is no sign where there can be another.
func (p *program) awaitReady(ctx context.Context) {
	shown := make(chan struct{})
	var signs sync.WaitGroup
	if !p.wanted.WaitReady {
		signs.Go(func() {
			if p.sign(ctx) {
				close(shown)
			}
		})
	}
	select {
	case <-shown:
	case <-p.told:
		p.awaitAddress(ctx)
	case <-ctx.Done():
	}
	if ctx.Err() == nil {
		p.isReady()
	}
	signs.Wait()
}

// sign waits for a sign by which the program shows that it is ready, without
// saying so; false when ctx ends first.
func (p *program) sign(ctx context.Context) bool {
	var alive <-chan time.Time
	quiet := make(chan struct{})
	if p.mayBeSilent() {
		timer := time.NewTimer(p.wanted.minUptime())
		defer timer.Stop()
		alive = timer.C
		if p.first && p.wanted.MinUptime == 0 && !p.wanted.once() {
			ctx, cancel := context.WithCancel(ctx)
			var looking sync.WaitGroup
			defer looking.Wait()
			defer cancel()
			looking.Go(func() {
				if p.awaitQuiet(ctx) {
					close(quiet)
				}
			})
		}
	}
	select {
	case <-p.located:
	case <-alive:
		return true
	case <-quiet:
		return true
	case <-ctx.Done():
		return false
	}
	e := p.Endpoint()
	switch {
	case e == nil: // it listens where requests cannot be sent in the clear
		return true
	case p.wanted.Health != "":
		return poll(ctx, nil, func() bool {
			status := probe(ctx, e.network, e.address, "GET", p.wanted.Health)
			return status >= 200 && status < 400
		})
	case p.kind == kindListen:
		// the socket takes connections before the program does: ask for any
		// answer, as one may (RFC 9110, section 9.3.7)
		return poll(ctx, alive, func() bool { return probe(ctx, e.network, e.address, "OPTIONS", "*") != 0 })
	}
	return true
}

// mayBeSilent reports whether the program need not take requests.
func (p *program) mayBeSilent() bool {
	switch p.kind {
	case kindBackground:
		return true
	case kindNode:
		return !p.mustListen && p.wanted.Health == ""
	case kindListen:
		return !p.wanted.Serves && p.wanted.Health == ""
	}
	return false
}

// awaitAddress waits, not for long, until a program that has said that it is
// ready can be reached: it may listen a moment later.
func (p *program) awaitAddress(ctx context.Context) {
	if p.mayBeSilent() {
		return
	}
	timer := time.NewTimer(addressTime)
	defer timer.Stop()
	select {
	case <-p.located:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// poll tries at once and then after pauses that grow with the time it takes,
// until try succeeds. It returns true as well when enough fires, and false when
// ctx ends.
func poll(ctx context.Context, enough <-chan time.Time, try func() bool) bool {
	begun := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			if try() {
				return true
			}
			timer.Reset(min(max(time.Since(begun)/10, 2*time.Millisecond), 250*time.Millisecond))
		case <-enough:
			return true
		case <-ctx.Done():
			return false
		}
	}
}
