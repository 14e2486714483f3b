package apps

import (
	"context"
	"log/slog"
	"strings"
	"time"
)

// nurse takes up what the checks say of the instances that serve. One that
// does not work is out of rotation: requests go to it only where no instance
// works. Another takes its place, unless it works again before. That waits as
// after a failure, longer each time in a row: where all instances fail
// because something else is down, starting others helps nobody.
func (a *App) nurse(now time.Time) {
	for n := range a.slots {
		s := &a.slots[n]
		if inst := s.cur; inst != nil && inst.state == StateReady {
			if found := inst.proc.Checkup(); found.unwell != inst.unwell {
				a.examine(now, s, inst, found)
			}
		}
	}
}

func (a *App) examine(now time.Time, s *slot, inst *instance, found checkup) {
	log := a.log.With("slot", inst.slot, "pid", inst.proc.PID())
	was := inst.unwell
	inst.unwell = found.unwell
	if found.unwell == "" {
		log.Info("instance works again")
		if strings.HasPrefix(s.reason, was) {
			s.reason = ""
		}
		if inst.stale == was {
			inst.stale = ""
		}
		return
	}
	s.reason = found.unwell
	v := judge(inst.config, outcome{cause: found.unwell}, found.worked, now.Sub(inst.started), s.fails, a.jitter)
	if v.end || inst.stale != "" {
		log.Warn("instance does not work", "reason", found.unwell)
		return
	}
	inst.stale, s.fails, s.retryAt = found.unwell, v.fails, now.Add(v.delay)
	level := slog.LevelWarn
	if v.errored {
		level = slog.LevelError
	}
	log.Log(context.Background(), level, "instance does not work; it is replaced", "reason", found.unwell, "next", v.delay.Round(time.Millisecond))
}
