package apps

import (
	"fmt"
	"time"
)

// keepTime does what is to be done at this time: a job starts, and what
// cron_restart names is renewed. A slot that is stopped stays so; one whose
// program has ended by itself starts again, as PM2's users run jobs.
func (a *App) keepTime(now time.Time) {
	if !a.clock.due(now) {
		return
	}
	for n := range a.slots {
		s := &a.slots[n]
		switch {
		case !a.want.runs(n):
		case a.want.job && !s.empty():
			a.log.Warn("the run before has not ended, and is left alone", "slot", n, "schedule", a.clock.text)
		case a.want.job, s.cur == nil && s.ended:
			s.again(a.because())
		default:
			s.renew(a.because())
		}
	}
}

// because is the reason for what is done at the times of the clock.
func (a *App) because() string {
	if a.want.job {
		return "schedule: " + a.clock.text
	}
	return "cron_restart: " + a.clock.text
}

// setClock takes up the times of what is newly wanted.
func (a *App) setClock() {
	text := a.wanted.CronRestart
	if a.want.job {
		text = a.wanted.Schedule
	}
	if err := a.clock.set(time.Now(), text, a.wanted.TimeZone); err != nil {
		a.log.Error("cannot tell the times", "cron", text, "error", err)
	}
}

// rest has slot n of a job wait for its time, where something new is wanted.
// What ran before the app became a job ends. A restart by command is a run.
func (a *App) rest(old want, n int) {
	s := &a.slots[n]
	switch {
	case !a.want.job || !a.want.runs(n):
	case !old.job && !s.empty():
		for _, inst := range []*instance{s.next, s.cur} {
			if inst != nil {
				a.drain(s, inst, true)
			}
		}
		s.cur, s.next, s.ended, s.badly = nil, nil, true, false
	case s.cur != nil:
	case !(old.job && old.runs(n) && a.want.replace && a.want.slots[n].Revision > old.slots[n].Revision):
		s.ended = true
	}
}

// nextStart says when a job starts, after how it ended the last time.
func (a *App) nextStart(before string) string {
	if a.clock.next.IsZero() {
		return before
	}
	text := "next start: " + a.clock.next.Format("2006-01-02 15:04:05 MST")
	if before != "" {
		text = fmt.Sprintf("%s; %s", before, text)
	}
	return text
}

// earlier is the first of two times, of which zero is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
