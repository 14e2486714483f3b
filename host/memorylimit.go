package host

import (
	"context"
	"slices"
	"time"

	"roost/apps"
)

// memoryEvery is how often the memory of apps with a limit is measured.
const memoryEvery = time.Second

// limitMemory has the memory of apps watched while one of them has a limit.
func (l *loop) limitMemory(c Config) {
	limited := slices.ContainsFunc(c.Apps, func(a apps.Wanted) bool { return a.MaxMemoryRestart > 0 && wantsToRun(&a) })
	switch {
	case limited && l.unlimit == nil:
		ctx, cancel := context.WithCancel(l.working)
		l.unlimit = cancel
		l.working.running.Go(func() { l.Host.limitMemory(ctx) })
	case !limited && l.unlimit != nil:
		l.unlimit()
		l.unlimit = nil
	}
}

func (h *Host) limitMemory(ctx context.Context) {
	tick := time.NewTicker(memoryEvery)
	defer tick.Stop()
	failed := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := apps.LimitMemory(h.Apps())
		if err != nil && !failed {
			h.log.Error("max_memory_restart does not hold now", "error", err)
		}
		failed = err != nil
	}
}
