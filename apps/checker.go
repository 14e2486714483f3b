package apps

import (
	"cmp"
	"context"
	"fmt"
	"time"
)

// checkup is what the checks have found about an instance.
type checkup struct {
	unwell string // why it does not work; empty while nobody knows of anything
	worked bool   // it has passed a check
}

// checker asks one instance again and again whether it works.
type checker struct {
	Check
	ask  func(ctx context.Context) error // nil: it works
	away func() bool                     // the instance is on its leave, and is asked no more
}

// run asks until ctx ends or the instance is away, the first time after first,
// and tells what it finds whenever that has changed.
func (c *checker) run(ctx context.Context, first time.Duration, tell func(checkup)) {
	timer := time.NewTimer(first)
	defer timer.Stop()
	var found checkup
	failures := 0
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		begun, now := time.Now(), found
		err := c.once(ctx)
		switch {
		case ctx.Err() != nil || c.away():
			return
		case err == nil:
			failures, now = 0, checkup{worked: true}
		default:
			if failures++; failures >= cmp.Or(c.Failures, defaultCheckFailures) && now.unwell == "" {
				now.unwell = complaint(err, failures)
			}
		}
		if now != found {
			found = now
			tell(found)
		}
		timer.Reset(max(0, c.Interval.Or(defaultCheckInterval)-time.Since(begun)))
	}
}

// once asks once.
func (c *checker) once(ctx context.Context) error {
	timeout := c.Timeout.Or(defaultCheckTimeout)
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("no answer within %v", timeout))
	defer cancel()
	return c.ask(ctx)
}

func complaint(err error, failures int) string {
	if failures == 1 {
		return fmt.Sprintf("check: %v", err)
	}
	return fmt.Sprintf("check: %v (%d times)", err, failures)
}

// check asks the instance whether it works, from when it is ready until it ends.
func (p *program) check(ctx context.Context, s *setup) {
	select {
	case <-p.ready:
	case <-ctx.Done():
		return
	}
	c := checker{Check: *p.wanted.Check, away: p.away}
	c.ask = func(ctx context.Context) error { return p.ask(ctx, &c.Check, s) }
	// the instances of a box do not ask in step
	first := time.Duration(random() * float64(c.Interval.Or(defaultCheckInterval)))
	c.run(ctx, first, func(found checkup) {
		p.found.Store(&found)
		p.changed()
	})
}

// Checkup is what the checks have found last.
func (p *program) Checkup() checkup {
	if found := p.found.Load(); found != nil {
		return *found
	}
	return checkup{}
}

// away reports whether no requests go to the program any more, as it is on its leave.
func (p *program) away() bool {
	if e := p.Endpoint(); e != nil && e.word.Load()&retired != 0 {
		return true
	}
	p.life.Lock()
	defer p.life.Unlock()
	return p.stopping
}
