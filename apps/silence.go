package apps

import (
	"context"
	"time"
)

// silent asks heard, at least six times in limit, and returns true when it has
// been false for that long; false when ctx ends. A limit of 0 is for ever. limit
// may change.
//
// Silence is counted in steps, so that a daemon that was itself stopped for a
// while (a laptop asleep, a debugger) does not blame the instance.
func silent(ctx context.Context, limit func() time.Duration, heard func() bool) bool {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var quiet, step time.Duration
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return false
		}
		if heard() {
			quiet = 0
		} else {
			quiet += step
		}
		most := limit()
		if most > 0 && quiet >= most {
			return true
		}
		step = maxStep
		if most > 0 {
			step = min(max(most/6, minStep), maxStep)
		}
		timer.Reset(step)
	}
}

const (
	minStep = 100 * time.Millisecond
	maxStep = 5 * time.Second
)
