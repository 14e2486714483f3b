package apps

import (
	"fmt"
	"slices"
	"time"

	"roost/internal/unit"
)

// LimitMemory renews the instances whose whole process tree holds more memory
// than max_memory_restart. Call it every second; it measures the apps that
// have a limit, in one pass over the process table, and is free without any.
func LimitMemory(all []*App) error {
	limited := slices.DeleteFunc(slices.Clone(all), func(a *App) bool { return a.standing.Load().limit == 0 })
	if len(limited) == 0 {
		return nil
	}
	if err := Measure(limited); err != nil {
		return err
	}
	for _, a := range limited {
		a.limitMemory()
	}
	return nil
}

// limitMemory renews the instances that the last measurement found too large.
func (a *App) limitMemory() {
	st := a.standing.Load()
	for _, r := range st.rows {
		if r.proc == nil || r.State != StateReady {
			continue
		}
		if pid := r.proc.PID(); pid != 0 && a.usage.of(pid).memory > st.limit {
			a.post(func() { a.outgrown(r.Slot, r.proc, a.usage.of(pid).memory) })
		}
	}
}

// outgrown has another instance take the place of the one that uses so many
// bytes. One that has outgrown its limit soon after its start, again and
// again, is replaced ever less often: it may need as much.
func (a *App) outgrown(n int, p proc, used uint64) {
	limit := a.wanted.MaxMemoryRestart
	if n >= len(a.slots) || limit == 0 || used <= uint64(limit) {
		return
	}
	s := &a.slots[n]
	if s.cur == nil || s.cur.proc != p || s.cur.state != StateReady || s.cur.stale != "" {
		return
	}
	reason := fmt.Sprintf("memory: %s used, %s allowed", unit.Bytes(used), unit.Bytes(uint64(limit)))
	delay := a.putOff(s, s.cur, outcome{cause: reason}, true, 0)
	if s.fails > quickRestarts {
		reason += fmt.Sprintf("; %d times so soon after a start: raise max_memory_restart if it needs as much", s.fails)
	}
	s.renew(reason)
	a.log.Warn("an instance uses too much memory", "slot", n, "reason", reason, "next", delay.Round(time.Millisecond))
}
