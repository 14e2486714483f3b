package apps

import (
	"fmt"
	"slices"
	"time"
)

// This file is the part of App that its loop runs: what is wanted, what is
// done about it, and what becomes of it.

// change takes up what Want has said.
func (a *App) change(w Wanted) {
	if a.ending {
		return
	}
	a.wanted = w
	old := a.want
	a.want = want{slots: w.Slots, kind: kindOf(&w), replace: w.Replace, held: old.held, stays: old.stays, job: w.Schedule != ""}
	a.setClock()
	a.setWatch()
	failed := a.failure != nil
	a.failure, a.changing = nil, false
	for len(a.slots) < len(w.Slots) {
		a.slots = append(a.slots, slot{})
	}
	for n := range a.slots {
		s := &a.slots[n]
		if failed {
			s.pending = false // that has been told
		}
		fresh := a.renewed(old, n)
		if fresh {
			s.forgive()
		}
		if fresh || a.want.job != old.job {
			a.rest(old, n)
		}
		if n < len(w.Slots) {
			if s.id != w.Slots[n].ID {
				s.id, s.restarts = w.Slots[n].ID, 0
			}
		}
		s.begun = s.begun && a.want.runs(n)
		if fresh || old.runs(n) != a.want.runs(n) || (n < len(old.slots)) != (n < len(w.Slots)) {
			s.pending = true
		}
		a.changing = a.changing || s.pending
	}
}

// renewed reports whether the program of slot n should run and did not, or in
// another form.
func (a *App) renewed(old want, n int) bool {
	if !a.want.runs(n) {
		return false
	}
	cur := a.slots[n].cur
	return !old.runs(n) || old.job && !a.want.job || old.slots[n].Revision != a.want.slots[n].Revision || cur != nil && !a.want.fits(cur, n)
}

func (a *App) do(act action) {
	s, inst := &a.slots[act.slot], act.inst
	switch act.verb {
	case start:
		a.start(act.slot)
	case promote:
		old := s.cur
		s.cur, s.next, s.reason, s.exitCode = inst, nil, old.stale, nil
		s.restarts++
		a.happened(act.slot, Event{Kind: EventRestart, Reason: s.reason})
		a.drain(s, old, false)
	case drain:
		if a.keeps(s, inst) {
			break
		}
		a.drain(s, inst, inst == s.cur)
		if inst == s.next {
			s.next = nil
			break
		}
		s.cur = nil
		if a.want.runs(act.slot) {
			s.restarts++
			s.reason = inst.stale
			a.happened(act.slot, Event{Kind: EventRestart, Reason: s.reason})
		}
	case expire:
		a.expire(s, inst)
	case kill:
		a.log.Warn("killing an instance that does not stop", "slot", act.slot, "pid", inst.proc.PID())
		inst.deadline = time.Now().Add(killAgain)
		inst.proc.Kill()
	}
}

// killAgain is how long after a kill the next is tried, should anything be left.
const killAgain = 5 * time.Second

func (a *App) start(n int) {
	s, now := &a.slots[n], time.Now()
	w := a.wanted
	inst := &instance{
		slot:     n,
		revision: a.want.slots[n].Revision,
		config:   &w.Config,
		state:    StateStarting,
		started:  now,
		deadline: now.Add(max(w.ListenTimeout.Or(defaultListenTimeout), w.minUptime()+time.Second)),
		kind:     a.want.kind,
	}
	a.tell() // before it tells of itself
	inst.proc = a.spawn(launch{
		wanted:     &w,
		slot:       n,
		revision:   inst.revision,
		first:      !s.begun,
		restarts:   s.restarts,
		fails:      s.fails,
		mustListen: w.Serves || w.Port > 0 || w.Check.addresses() || slices.ContainsFunc(a.slots, func(s slot) bool { return s.listened }),
		changed:    a.poke,
		tell:       a.teller(n),
	})
	s.begun = true
	if s.cur == nil {
		s.cur = inst
	} else {
		s.next = inst
	}
	a.watchers.Go(func() { a.watch(inst) })
}

// watch turns the life of one process into events for Run. It ends when the
// process has exited.
func (a *App) watch(inst *instance) {
	select {
	case <-inst.proc.Ready():
		a.post(func() { a.isReady(inst) })
		<-inst.proc.Exited()
	case <-inst.proc.Exited():
	}
	a.post(func() { a.exited(inst) })
}

func (a *App) isReady(inst *instance) {
	if inst.state != StateStarting {
		return
	}
	inst.state, inst.deadline = StateReady, time.Time{}
	a.slots[inst.slot].listened = false // until it is seen to
	a.happened(inst.slot, Event{Kind: EventReady, PID: inst.proc.PID()})
	a.log.Info("instance is ready", "slot", inst.slot, "revision", inst.revision, "pid", inst.proc.PID(),
		"after", time.Since(inst.started).Round(time.Millisecond))
}

// drain takes an instance out of its place: requests stop going to it, what it
// has begun is waited for, it is asked to stop, and what is left at its
// deadline is killed. last says that nothing has taken its place.
func (a *App) drain(s *slot, inst *instance, last bool) {
	timeout := inst.config.KillTimeout.Or(defaultKillTimeout)
	wasReady := inst.state == StateReady
	inst.state, inst.last, inst.deadline = StateDraining, last, time.Now().Add(timeout)
	a.happened(inst.slot, Event{Kind: EventStop, PID: inst.proc.PID()})
	s.leaving = append(s.leaving, inst)
	if !wasReady {
		a.watchers.Go(inst.proc.Stop)
		return
	}
	if s.cur == inst {
		s.cur = nil
	}
	a.publish() // before the process hears of it
	known := inst.known
	a.watchers.Go(func() { leave(inst.proc, known, timeout/2) })
}

// leave asks a process to stop once the requests that it has begun are
// answered, or after patience; the rest of its time is the program's own.
func leave(p proc, e *endpoint, patience time.Duration) {
	quiet := p.Retire()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	var drained <-chan struct{}
	if e != nil {
		drained = e.drained()
	}
	for quiet != nil || drained != nil {
		select {
		case <-quiet:
			quiet = nil
		case <-drained:
			drained = nil
		case <-timer.C:
			quiet, drained = nil, nil
		case <-p.Exited():
			return
		}
	}
	p.Stop()
}

// expire gives up an instance that has not become ready in time.
func (a *App) expire(s *slot, inst *instance) {
	timeout := inst.config.ListenTimeout.Or(defaultListenTimeout)
	a.lose(s, inst, outcome{cause: fmt.Sprintf("was not ready within %v", timeout)}, a.unreadyHint(inst))
	a.drain(s, inst, s.cur == nil)
}

// exited takes an instance that is gone out of its slot.
func (a *App) exited(inst *instance) {
	s, out := &a.slots[inst.slot], inst.proc.Outcome()
	a.happened(inst.slot, Event{Kind: EventExit, PID: out.pid, Reason: out.String()})
	var code *int
	if out.exited {
		code = &out.code
	}
	switch {
	case inst == s.cur:
		s.exitCode = code
		a.lose(s, inst, out, "")
	case inst == s.next:
		a.lose(s, inst, out, "")
	default:
		s.leaving = slices.DeleteFunc(s.leaving, func(i *instance) bool { return i == inst })
		if s.cur == nil && !a.want.runs(inst.slot) {
			s.exitCode, s.reason = code, ""
		}
	}
}

// lose takes an instance that has failed, or exited by itself, out of its place
// and decides what follows.
func (a *App) lose(s *slot, inst *instance, out outcome, hint string) {
	switch {
	case inst == s.next:
		s.next = nil
		a.postpone(s, inst, out)
	case s.next != nil: // it is about to serve, and does so the sooner
		s.cur, s.next, s.reason = s.next, nil, out.String()
		s.restarts++
		a.happened(inst.slot, Event{Kind: EventRestart, Reason: s.reason})
		return
	default:
		s.cur = nil
		if a.judge(s, inst, out, inst.state == StateReady); s.ended && !s.badly {
			return
		}
	}
	a.fail(s, inst, out, hint)
}

// keeps reports whether an instance that is to be renewed by stop, then start,
// stays for now: what it was started with is not there any more, such as a file
// of env_file or the script, and the next one could not start.
func (a *App) keeps(s *slot, inst *instance) bool {
	n := inst.slot
	if inst != s.cur || inst.state != StateReady || inst.stale == "" || !a.want.runs(n) || !a.want.current(inst, n) {
		return false
	}
	err := new(setup).find(&a.wanted, n)
	if err != nil {
		a.postpone(s, inst, outcome{err: err})
	}
	return err != nil
}

// postpone has the next attempt to renew a slot's instance wait, after one has
// failed beside it.
func (a *App) postpone(s *slot, inst *instance, out outcome) {
	if s.cur.stale == "" || !a.want.current(s.cur, inst.slot) {
		return // a change fails: there is no next attempt
	}
	delay := a.putOff(s, inst, out, false, time.Second)
	s.reason = fmt.Sprintf("%s; the one to take its place %v", s.cur.stale, out)
	a.log.Warn("an instance cannot be renewed", "slot", inst.slot, "reason", out.String(), "next", delay.Round(time.Millisecond))
}

// putOff counts a failure of an instance, in whose slot one still serves, and
// has the next renewal wait accordingly, for the least time anyway.
func (a *App) putOff(s *slot, inst *instance, out outcome, wasReady bool, least time.Duration) time.Duration {
	c := *inst.config
	c.Schedule, c.Autorestart, c.StopExitCodes = "", nil, nil // the one that serves has not ended
	now := time.Now()
	v := judge(&c, out, wasReady, now.Sub(inst.started), s.fails, a.jitter)
	delay := max(v.delay, least)
	s.fails, s.retryAt = v.fails, now.Add(delay)
	return delay
}

// judge decides what becomes of a slot whose instance has failed or exited by
// itself.
func (a *App) judge(s *slot, inst *instance, out outcome, wasReady bool) {
	now := time.Now()
	v := judge(inst.config, out, wasReady, now.Sub(inst.started), s.fails, a.jitter)
	s.reason = out.String()
	log := a.log.With("slot", inst.slot, "revision", inst.revision, "reason", s.reason)
	if v.end {
		s.ended = true
		s.badly = !wasReady && !(out.exited && (out.code == 0 || slices.Contains(inst.config.StopExitCodes, out.code)))
		log.Info("instance has ended")
		return
	}
	s.restarts++
	again := v.errored && !s.errored
	s.fails, s.errored, s.retryAt = v.fails, v.errored, now.Add(v.delay)
	a.happened(inst.slot, Event{Kind: EventRestart, Reason: s.reason})
	switch {
	case again:
		a.happened(inst.slot, Event{Kind: EventErrored, Reason: s.reason})
		log.Error("instances keep failing", "failures", v.fails, "next", v.delay)
	case s.cur == nil:
		log.Warn("instance is replaced", "next", v.delay.Round(time.Millisecond))
	}
}
