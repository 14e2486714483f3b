package apps

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// standing is how an app stands, published by its loop whenever that may have
// changed. Nothing in it changes afterwards but what proc and endpoint count.
type standing struct {
	status Status
	rows   []row
	limit  uint64 // max_memory_restart; 0: none
}

type row struct {
	Instance
	proc     proc // nil when none runs
	endpoint *endpoint
}

// Status is a copy of how the app stands. CPU and memory are of the last Measure.
func (a *App) Status() Status {
	st := a.standing.Load()
	out := st.status
	out.Waiting = a.pool.waiting()
	if what := a.problem.Load(); what != nil {
		out.Problem = strings.TrimPrefix(out.Problem+"; "+*what, "; ")
	}
	if book := a.logs(); book != nil {
		if why := book.problem.Load(); why != nil {
			out.LogProblem = *why
		}
	}
	out.Instances = make([]Instance, len(st.rows))
	for i, r := range st.rows {
		in := r.Instance
		if r.proc != nil {
			in.PID = r.proc.PID()
			in.Uptime = time.Since(in.Started).Seconds()
			r.proc.Talk().fill(&in)
			in.Note = r.proc.Note()
			lag := r.proc.Lag()
			in.LagMS, in.LagP50MS, in.LagP99MS = milliseconds(lag.Last), milliseconds(lag.P50), milliseconds(lag.P99)
		}
		if in.PID != 0 {
			u := a.usage.of(in.PID)
			in.CPU, in.Memory = u.cpu, u.memory
		}
		if e := r.endpoint; e != nil {
			in.InFlight, in.Requests, in.PerMinute = e.InFlight(), e.Requests(), e.PerMinute()
			in.Address = e.String()
		}
		out.Instances[i] = in
	}
	return out
}

// show publishes how the app stands now.
func (a *App) show() {
	w := &a.wanted
	st := &standing{status: Status{
		Name:      w.Name,
		Namespace: w.namespace(),
		Revision:  w.Revision,
		Kind:      string(a.want.kind),
		Strategy:  a.strategy(),
		Problem:   a.watchProblem,
	}}
	st.limit = uint64(max(0, w.MaxMemoryRestart))
	if a.failure != nil {
		st.status.Failure = a.failure.Reason
	}
	for n := range a.slots {
		s := &a.slots[n]
		base := Instance{App: st.status.Name, Namespace: st.status.Namespace, ID: s.id, Slot: n,
			Reason: s.reason, Restarts: s.restarts, ExitCode: s.exitCode, Next: a.clock.next}
		if s.cur == nil && s.next == nil && len(s.leaving) == 0 && n < len(a.want.slots) && !a.want.slots[n].Free {
			st.rows = append(st.rows, row{Instance: a.vacancy(base, s, n)})
		}
		for _, inst := range slices.Concat([]*instance{s.cur, s.next}, s.leaving) {
			if inst != nil {
				st.rows = append(st.rows, inst.row(base))
			}
		}
		if st.status.Failure == "" && s.errored && (s.cur == nil || s.cur.state != StateReady) {
			st.status.Failure = s.reason
		}
	}
	if was := a.standing.Swap(st); a.o.Changed != nil && st.differs(was) {
		a.o.Changed()
	}
}

func (i *instance) row(in Instance) row {
	in.Revision, in.State, in.Started, in.PID = i.revision, i.state, i.started, i.proc.PID()
	e := i.stands()
	if e == nil {
		e = i.known
	}
	return row{in, i.proc, e}
}

// vacancy is the row of a slot without a process.
func (a *App) vacancy(in Instance, s *slot, n int) Instance {
	in.Revision = a.want.slots[n].Revision
	switch {
	case !a.want.runs(n):
		in.State, in.Next = StateStopped, time.Time{}
	case s.ended && a.want.job:
		in.State, in.Reason = StateStopped, a.nextStart(s.reason)
	case s.ended:
		in.State = StateStopped
	case a.want.held:
		in.State, in.Reason = StateWaiting, a.wait.Reason
	case s.errored:
		in.State = StateErrored
	default:
		in.State = StateBackoff
	}
	return in
}

// strategy says how the next reload goes.
func (a *App) strategy() string {
	if a.want.kind.alone() {
		return fmt.Sprintf("replace: only one process at a time can listen on port %d", a.wanted.Port)
	}
	return "overlap"
}

// publish tells the pool where requests go now.
func (a *App) publish() {
	var ready []*endpoint
	for n := range a.slots {
		if e := a.slots[n].cur.stands(); e != nil {
			e.health.unwell.Store(a.slots[n].cur.unwell != "")
			a.slots[n].cur.known = e
			a.slots[n].listened = true
			ready = append(ready, e)
		}
	}
	if !slices.Equal(ready, a.published) {
		a.pool.publish(ready)
		for _, e := range a.published {
			if !slices.Contains(ready, e) {
				e.retire()
			}
		}
		a.published = ready
	}
	switch idle := a.idle(); {
	case idle && !a.refusing:
		a.pool.refuse("the app is stopped")
	case !idle && a.refusing:
		a.pool.allow()
	default:
		return
	}
	a.refusing = !a.refusing
}

// idle reports whether nothing is going to run, so that requests need not wait.
func (a *App) idle() bool {
	for n := range a.slots {
		if a.want.runs(n) && !(a.slots[n].ended && a.slots[n].cur == nil) {
			return false
		}
	}
	return true
}

// prune forgets slots that are neither wanted nor used, and closes the ports
// that no instance uses any more. While one starts or is due, all stay open:
// connections queue.
func (a *App) prune() {
	for len(a.slots) > len(a.want.slots) && a.slots[len(a.slots)-1].empty() {
		a.slots = a.slots[:len(a.slots)-1]
	}
	for n := range a.slots {
		s := &a.slots[n]
		steady := s.cur != nil && s.cur.state == StateReady && s.next == nil || s.ended && s.cur == nil
		if len(s.leaving) > 0 || a.want.runs(n) && !steady || !a.want.runs(n) && !s.empty() {
			return
		}
	}
	a.ports.prune()
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
