package apps

import "time"

// want is what the app should look like.
type want struct {
	slots   []Slot // by number; none beyond them is wanted
	kind    kind   // of the instances
	replace bool   // a slot moves to a new revision by stop, then start
	aborted bool   // the new revision failed: no slot moves to it any more
	held    bool   // nothing starts yet: another app must be ready before
	stays   bool   // nothing stops yet: who needs it still runs
	job     bool   // it starts at its times, and a run is left alone
}

// runs reports whether slot n should hold an instance.
func (w want) runs(n int) bool { return n < len(w.slots) && !w.slots[n].Stopped }

// fits reports whether an instance is as wanted of slot n.
func (w want) fits(i *instance, n int) bool { return i.stale == "" && w.current(i, n) }

// current reports whether an instance is of the form that is wanted. One that was
// started when no site led to the app has no port by which it could be reached.
func (w want) current(i *instance, n int) bool {
	return (i.revision == w.slots[n].Revision || w.job && !w.replace) && !(i.kind == kindBackground && w.kind == kindPort)
}

// overlaps reports whether the instance that takes i's place starts beside it.
// One that is only to be renewed does so where requests would be missed.
func (w want) overlaps(i *instance, n int) bool {
	switch {
	case w.kind.alone() || i.kind.alone():
		return false
	case w.current(i, n):
		return w.kind != kindBackground && (i.kind != kindNode || i.known != nil)
	}
	return !w.replace
}

// moves reports whether the instance of slot n may be followed by one of the
// revision that is wanted: not after that has failed, nor while nothing may start.
func (w want) moves(i *instance, n int) bool {
	return !w.held && (!w.aborted || w.current(i, n))
}

// alone reports whether two instances of a slot cannot run at a time.
func (k kind) alone() bool { return k == kindFixed }

type verb int

const (
	start   verb = iota // start a new instance in the slot
	promote             // make next the one that serves
	drain               // stop routing to the instance and ask it to exit
	expire              // it is not ready in time
	kill                // it has not exited in time
)

func (v verb) String() string { return [...]string{"start", "promote", "drain", "expire", "kill"}[v] }

type action struct {
	verb verb
	slot int
	inst *instance
}

// plan decides what to do now to move slots toward w, and when to look again
// if nothing happens. It has no side effects, and is asked after every event.
func plan(now time.Time, w want, slots []slot) (acts []action, wake time.Time) {
	later := func(t time.Time) {
		if wake.IsZero() || t.Before(wake) {
			wake = t
		}
	}
	due := func(v verb, n int, inst *instance) bool {
		if inst == nil || inst.deadline.IsZero() {
			return false
		}
		if now.Before(inst.deadline) {
			later(inst.deadline)
			return false
		}
		acts = append(acts, action{v, n, inst})
		return true
	}
	rolling := false
	for n := range slots {
		rolling = rolling || slots[n].next != nil
	}
	for n := range slots {
		s := &slots[n]
		for _, inst := range s.leaving {
			due(kill, n, inst)
		}
		if !w.runs(n) && w.stays {
			continue
		}
		if !w.runs(n) {
			for _, inst := range []*instance{s.next, s.cur} {
				if inst != nil {
					acts = append(acts, action{drain, n, inst})
				}
			}
			continue
		}
		expired := due(expire, n, s.cur)
		expired = due(expire, n, s.next) || expired
		switch {
		case expired:
			// what follows is decided once it has been told to leave
		case s.cur == nil && (s.ended || s.blocked() || w.held):
		case s.cur == nil && w.kind.alone() && len(s.leaving) > 0:
		case s.cur == nil && now.Before(s.retryAt):
			later(s.retryAt)
		case s.cur == nil:
			acts = append(acts, action{start, n, nil})
		case s.next != nil && (!w.current(s.next, n) || w.aborted && !w.current(s.cur, n)):
			acts = append(acts, action{drain, n, s.next})
		case s.next != nil && s.next.state == StateReady: // if it is stale by now, another follows
			acts = append(acts, action{promote, n, s.next})
		case s.next != nil || w.fits(s.cur, n) || !w.moves(s.cur, n):
		case now.Before(s.retryAt): // the one before failed beside it
			later(s.retryAt)
		case !w.overlaps(s.cur, n):
			acts = append(acts, action{drain, n, s.cur})
		case !rolling:
			rolling = true // one slot at a time
			acts = append(acts, action{start, n, nil})
		}
	}
	return acts, wake
}
