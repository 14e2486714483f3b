package apps

import "time"

// A renewal has other instances of what is wanted anyway take the places of
// those that run, as a reload does: one by one and beside the old ones where
// requests come, stop then start for background apps.

// renew has another instance take the place of the one that serves; reason is what
// Status says of it. What is only starting is fresh enough.
func (s *slot) renew(reason string) {
	if s.cur != nil && s.cur.state == StateReady && s.cur.stale == "" {
		s.cur.stale = reason
	}
}

// refresh renews an app whose files have changed: what is only starting may
// have read the old ones, and what has failed or ended gets another try.
func (a *App) refresh(reason string) {
	for n := range a.slots {
		s := &a.slots[n]
		for _, inst := range []*instance{s.cur, s.next} {
			if inst != nil && inst.stale == "" {
				inst.stale = reason
			}
		}
		if a.want.runs(n) {
			s.again(reason)
		}
	}
}

// again has an empty slot start at once, and one that waits to be renewed not
// wait any longer.
func (s *slot) again(reason string) {
	if s.cur == nil && (s.ended || !s.retryAt.IsZero()) {
		s.reason = reason
	}
	s.ended, s.badly, s.errored, s.fails, s.retryAt = false, false, false, 0, time.Time{}
}
