package apps

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// at builds an instance for plan: of a revision, in a state, with its deadline
// at so many seconds (0: none).
func at(revision int, state State, deadline float64) *instance {
	i := &instance{revision: revision, state: state}
	if deadline != 0 {
		i.deadline = second(deadline)
	}
	return i
}

func second(s float64) time.Time {
	return time.Unix(1000, 0).Add(time.Duration(s * float64(time.Second)))
}

func wanted(revisions ...int) (slots []Slot) {
	for _, r := range revisions {
		slots = append(slots, Slot{Revision: max(r, -r), Stopped: r < 0})
	}
	return slots
}

func TestPlan(t *testing.T) {
	ready := func(revision int) *instance { return at(revision, StateReady, 0) }
	starting := func(revision int) *instance { return at(revision, StateStarting, 30) }
	leaving := func(i *instance) []*instance { i.state, i.deadline = StateDraining, second(10); return []*instance{i} }
	final := func(i *instance) *instance { i.last = true; return i }
	stale := func(i *instance) *instance { i.stale = "memory"; return i }
	of := func(k kind, i *instance) *instance { i.kind = k; return i }
	alone := func(i *instance) *instance { i.kind = kindFixed; return i }

	for name, c := range map[string]struct {
		want  want
		slots []slot
		acts  string  // verb slot, in order
		wake  float64 // seconds; 0: never
	}{
		"nothing wanted, nothing there": {},
		"empty slots are started at once": {
			want: want{slots: wanted(1, 1)}, slots: []slot{{}, {}},
			acts: "start 0, start 1",
		},
		"what is as wanted stays": {
			want: want{slots: wanted(1, 1)}, slots: []slot{{cur: ready(1)}, {cur: starting(1)}},
			wake: 30,
		},
		"a slot waits for its next start": {
			want: want{slots: wanted(1)}, slots: []slot{{retryAt: second(5)}},
			wake: 5,
		},
		"a slot whose wait is over is started": {
			want: want{slots: wanted(1)}, slots: []slot{{retryAt: second(0)}},
			acts: "start 0",
		},
		"a program that has ended as it may is not started again": {
			want: want{slots: wanted(1)}, slots: []slot{{ended: true}},
		},
		"a stopped slot is emptied and stays empty": {
			want: want{slots: wanted(-1, -1)}, slots: []slot{{cur: ready(1), next: starting(2)}, {}},
			acts: "drain 0, drain 0",
		},
		"slots beyond the wanted are emptied": {
			want: want{slots: wanted(1)}, slots: []slot{{cur: ready(1)}, {cur: ready(1)}, {cur: starting(1)}},
			acts: "drain 1, drain 2",
		},
		"a new revision starts beside the old, one slot at a time": {
			want: want{slots: wanted(2, 2)}, slots: []slot{{cur: ready(1)}, {cur: ready(1)}},
			acts: "start 0",
		},
		"the second slot waits for the first": {
			want: want{slots: wanted(2, 2)}, slots: []slot{{cur: ready(1)}, {cur: ready(1), next: starting(2)}},
			wake: 30,
		},
		"a ready new instance takes over": {
			want: want{slots: wanted(2)}, slots: []slot{{cur: ready(1), next: ready(2)}},
			acts: "promote 0",
		},
		"one slot alone may be wanted in a new revision": {
			want: want{slots: wanted(1, 2)}, slots: []slot{{cur: ready(1)}, {cur: ready(1)}},
			acts: "start 1",
		},
		"a new revision no longer wanted leaves": {
			want: want{slots: wanted(1)}, slots: []slot{{cur: ready(1), next: ready(2)}},
			acts: "drain 0",
		},
		"after a failure no slot moves any more": {
			want: want{slots: wanted(2, 2, 2), aborted: true}, slots: []slot{{cur: ready(2)}, {cur: ready(1), next: ready(2)}, {cur: ready(1)}},
			acts: "drain 1",
		},
		"a slot without an instance starts the new revision in spite of a failure": {
			want: want{slots: wanted(2), aborted: true}, slots: []slot{{}},
			acts: "start 0",
		},
		"replacing stops all slots at once": {
			want: want{slots: wanted(2, 2), replace: true}, slots: []slot{{cur: ready(1)}, {cur: ready(1)}},
			acts: "drain 0, drain 1",
		},
		"the replacement waits for what it replaces": {
			want: want{slots: wanted(2), replace: true}, slots: []slot{{leaving: leaving(final(ready(1)))}},
			wake: 10,
		},
		"an instance that leaves for another does not hold up a restart": {
			want: want{slots: wanted(2)}, slots: []slot{{leaving: leaving(ready(1))}},
			acts: "start 0", wake: 10,
		},
		"an app with a fixed port is replaced although overlap is asked for": {
			want: want{slots: wanted(2), kind: kindFixed}, slots: []slot{{cur: ready(1)}},
			acts: "drain 0",
		},
		"an app that had a fixed port too": {
			want: want{slots: wanted(2)}, slots: []slot{{cur: alone(ready(1))}},
			acts: "drain 0",
		},
		"and starts when the port is free": {
			want: want{slots: wanted(2)}, slots: []slot{{leaving: leaving(alone(ready(1)))}},
			wake: 10,
		},
		"an app that gets a fixed port starts when all others have gone": {
			want: want{slots: wanted(2), kind: kindFixed}, slots: []slot{{leaving: leaving(ready(1))}},
			wake: 10,
		},
		"an instance without a port is replaced when a site leads to its app": {
			want: want{slots: wanted(1), kind: kindPort}, slots: []slot{{cur: &instance{revision: 1, kind: kindBackground, state: StateReady}}},
			acts: "start 0",
		},
		"one with a port stays when no site leads to it any more": {
			want: want{slots: wanted(1), kind: kindBackground}, slots: []slot{{cur: &instance{revision: 1, kind: kindPort, state: StateReady}}},
		},
		"an instance to be renewed gets its successor beside it, one slot at a time": {
			want: want{slots: wanted(1, 1), kind: kindPort}, slots: []slot{{cur: stale(ready(1))}, {cur: stale(ready(1))}},
			acts: "start 0",
		},
		"even when a new revision is wanted by stop, then start": {
			want: want{slots: wanted(1), kind: kindPort, replace: true}, slots: []slot{{cur: stale(ready(1))}},
			acts: "start 0",
		},
		"a background instance is stopped first, as two could do the same work": {
			want: want{slots: wanted(1), kind: kindBackground}, slots: []slot{{cur: stale(of(kindBackground, ready(1)))}},
			acts: "drain 0",
		},
		"so is a Node instance that takes no requests": {
			want: want{slots: wanted(1), kind: kindNode}, slots: []slot{{cur: stale(of(kindNode, ready(1)))}},
			acts: "drain 0",
		},
		"one that does is overlapped": {
			want: want{slots: wanted(1), kind: kindNode}, slots: []slot{{cur: stale(&instance{revision: 1, kind: kindNode, state: StateReady, known: &endpoint{}})}},
			acts: "start 0",
		},
		"one with a fixed port is stopped first": {
			want: want{slots: wanted(1), kind: kindFixed}, slots: []slot{{cur: stale(ready(1))}},
			acts: "drain 0",
		},
		"after a renewal has failed, the next waits": {
			want: want{slots: wanted(1), kind: kindPort}, slots: []slot{{cur: stale(ready(1)), retryAt: second(3)}},
			wake: 3,
		},
		"a background instance is not stopped while the next may not start": {
			want: want{slots: wanted(1), kind: kindBackground}, slots: []slot{{cur: stale(of(kindBackground, ready(1))), retryAt: second(3)}},
			wake: 3,
		},
		"a successor that is stale itself takes over first": {
			want: want{slots: wanted(1), kind: kindPort}, slots: []slot{{cur: stale(ready(1)), next: stale(ready(1))}},
			acts: "promote 0",
		},
		"or goes on to become ready": {
			want: want{slots: wanted(1), kind: kindPort}, slots: []slot{{cur: stale(ready(1)), next: stale(starting(1))}},
			wake: 30,
		},
		"a failed revision does not keep others from being renewed": {
			want: want{slots: wanted(1, 1), kind: kindPort, aborted: true}, slots: []slot{{retryAt: second(9)}, {cur: stale(ready(1))}},
			acts: "start 1", wake: 9,
		},
		"nor ends their renewal": {
			want: want{slots: wanted(1, 1), kind: kindPort, aborted: true}, slots: []slot{{retryAt: second(9)}, {cur: stale(ready(1)), next: ready(1)}},
			acts: "promote 1", wake: 9,
		},
		"an app that is held starts nothing": {
			want: want{slots: wanted(1, 2), held: true}, slots: []slot{{}, {cur: ready(1)}},
		},
		"nor does it stop what could not start again": {
			want: want{slots: wanted(2, 1), held: true, replace: true, kind: kindBackground}, slots: []slot{{cur: ready(1)}, {cur: stale(of(kindBackground, ready(1)))}},
		},
		"but what has begun goes on": {
			want: want{slots: wanted(2, 1, -1), held: true}, slots: []slot{{cur: ready(1), next: ready(2)}, {cur: starting(1)}, {cur: ready(1)}},
			acts: "promote 0, drain 2", wake: 30,
		},
		"an instance that is not ready in time is given up": {
			want: want{slots: wanted(1)}, slots: []slot{{cur: at(1, StateStarting, -1)}},
			acts: "expire 0",
		},
		"so is the next one, while the old serves": {
			want: want{slots: wanted(2)}, slots: []slot{{cur: ready(1), next: at(2, StateStarting, 0.0001)}},
			wake: 0.0001,
		},
		"so is the next one at its deadline": {
			want: want{slots: wanted(2)}, slots: []slot{{cur: ready(1), next: at(2, StateStarting, -0.0001)}},
			acts: "expire 0",
		},
		"what does not leave in time is killed": {
			want: want{slots: wanted(1)}, slots: []slot{{cur: ready(1), leaving: []*instance{at(1, StateDraining, -1), at(1, StateDraining, 3)}}},
			acts: "kill 0", wake: 3,
		},
		"the earliest deadline wakes": {
			want:  want{slots: wanted(1, 1, -1)},
			slots: []slot{{cur: at(1, StateStarting, 9)}, {retryAt: second(4)}, {leaving: leaving(ready(1))}},
			wake:  4,
		},
	} {
		t.Run(name, func(t *testing.T) {
			acts, wake := plan(second(0), c.want, c.slots)
			var got []string
			for _, a := range acts {
				got = append(got, fmt.Sprint(a.verb, " ", a.slot))
			}
			if got := strings.Join(got, ", "); got != c.acts {
				t.Errorf("acts = %q, want %q", got, c.acts)
			}
			if c.wake == 0 && !wake.IsZero() || c.wake != 0 && !wake.Equal(second(c.wake)) {
				t.Errorf("wake = %v, want %v s", wake.Sub(second(0)), c.wake)
			}
		})
	}
}

func TestJudge(t *testing.T) {
	middle := func() float64 { return 0.5 }
	exit := func(code int) outcome { return outcome{exited: true, code: code} }
	no := false
	for name, c := range map[string]struct {
		config Config
		out    outcome
		ready  bool
		lived  time.Duration
		fails  int
		want   verdict
	}{
		"after a good run the next starts at once": {out: outcome{signal: 9}, ready: true, lived: 2 * time.Second,
			want: verdict{fails: 1}},
		"even the fifth time": {out: exit(1), ready: true, lived: 2 * time.Second, fails: 4,
			want: verdict{fails: 5}},
		"then it waits": {out: exit(1), ready: true, lived: 2 * time.Second, fails: 5,
			want: verdict{fails: 6, delay: 3200 * time.Millisecond}},
		"and dying after two seconds for ever is a crash loop": {out: exit(1), ready: true, lived: 2 * time.Second, fails: 15,
			want: verdict{fails: 16, errored: true, delay: time.Minute}},
		"the first failure waits 100 ms": {out: exit(1), lived: 2 * time.Second,
			want: verdict{fails: 1, delay: 100 * time.Millisecond}},
		"an exit with 0 is a failure as well": {out: exit(0), ready: true, lived: 999 * time.Millisecond,
			want: verdict{fails: 1, delay: 100 * time.Millisecond}},
		"each further one waits twice as long": {out: exit(1), fails: 3,
			want: verdict{fails: 4, delay: 800 * time.Millisecond}},
		"at most 15 s": {out: exit(1), fails: 14,
			want: verdict{fails: 15, delay: 15 * time.Second}},
		"a good run does not make failures forgotten": {out: exit(1), ready: true, lived: 10 * time.Second, fails: 3,
			want: verdict{fails: 4}},
		"a long one does": {out: exit(1), ready: true, lived: 30 * time.Second, fails: 3,
			want: verdict{}},
		"16 are a crash loop": {out: exit(1), fails: 15,
			want: verdict{fails: 16, errored: true, delay: time.Minute}},
		"max_restarts says how many": {config: Config{MaxRestarts: 2}, out: exit(1), fails: 1,
			want: verdict{fails: 2, errored: true, delay: time.Minute}},
		"restart_delay is fixed": {config: Config{RestartDelay: unitOf(3 * time.Second)}, out: exit(1), fails: 5,
			want: verdict{fails: 6, delay: 3 * time.Second}},
		"and holds after good runs": {config: Config{RestartDelay: unitOf(3 * time.Second)}, out: exit(1), ready: true, lived: time.Hour,
			want: verdict{delay: 3 * time.Second}},
		"exp_backoff_restart_delay is the first wait": {config: Config{ExpBackoff: unitOf(time.Millisecond)}, out: exit(1), fails: 2,
			want: verdict{fails: 3, delay: 4 * time.Millisecond}},
		"a huge one does not overflow": {config: Config{ExpBackoff: unitOf(1000 * time.Hour), MaxRestarts: 9999}, out: exit(1), fails: 999,
			want: verdict{fails: 1000, delay: 15 * time.Second}},
		"stop_exit_codes end it": {config: Config{StopExitCodes: []int{0, 7}}, out: exit(7),
			want: verdict{end: true}},
		"a death by signal has no code": {config: Config{StopExitCodes: []int{0}}, out: outcome{signal: 9}, fails: 1,
			want: verdict{fails: 2, delay: 200 * time.Millisecond}},
		"autorestart = false ends it": {config: Config{Autorestart: &no}, out: exit(1),
			want: verdict{end: true}},
		"but not when it could not be started": {config: Config{Autorestart: &no}, out: outcome{err: fmt.Errorf("no memory")},
			want: verdict{fails: 1, delay: 100 * time.Millisecond}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := judge(&c.config, c.out, c.ready, c.lived, c.fails, middle); got != c.want {
				t.Errorf("verdict = %+v, want %+v", got, c.want)
			}
		})
	}
	var waits []time.Duration
	for _, j := range []float64{0, 0.999} {
		waits = append(waits, judge(&Config{}, exit(1), false, 0, 0, func() float64 { return j }).delay.Round(time.Millisecond))
	}
	if want := []time.Duration{90 * time.Millisecond, 110 * time.Millisecond}; !slices.Equal(waits, want) {
		t.Errorf("spread = %v, want %v", waits, want)
	}
}
