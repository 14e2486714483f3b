package apps

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"roost/apps/node"
	"roost/internal/httplint"
	"roost/internal/unit"
)

func unitOf(d time.Duration) unit.Duration { return unit.Duration(d) }

// fake is a process in fake time.
type fake struct {
	launch
	at     time.Time // of its start
	in     *app
	ready  chan struct{}
	exited chan struct{}
	once   sync.Once
	out    outcome
	ep     *endpoint
	found  atomic.Pointer[checkup]
	// how it behaves
	stubborn bool          // ignores Stop
	hangs    int           // so many kills
	slow     time.Duration // from Stop to exit
	onStop   func()
}

func (f *fake) PID() int                { return 4242 }
func (f *fake) Ready() <-chan struct{}  { return f.ready }
func (f *fake) Exited() <-chan struct{} { return f.exited }
func (f *fake) Outcome() outcome        { return f.out }
func (f *fake) Lag() node.Lag           { return node.Lag{Last: 1500 * time.Microsecond} }
func (f *fake) Environ() []string       { return []string{"FAKE=1"} }
func (f *fake) Last(int) []string       { return []string{"last words"} }
func (f *fake) Talk() *talk             { return nil }
func (f *fake) Input([]byte) error      { return nil }
func (f *fake) Checkup() checkup {
	if found := f.found.Load(); found != nil {
		return *found
	}
	return checkup{}
}
func (f *fake) Note() string { return "" }
func (f *fake) Signal(sig syscall.Signal) error {
	f.in.signalled = append(f.in.signalled, fmt.Sprint(f.slot, " ", sig))
	return nil
}

func (f *fake) Kill() {
	if f.hangs--; f.hangs < 0 {
		f.exit(outcome{signal: syscall.SIGKILL})
	}
}

func (f *fake) exit(o outcome) { f.once.Do(func() { f.out = o; close(f.exited) }) }

func (f *fake) Endpoint() *endpoint {
	if f.wanted.Serves {
		return f.ep
	}
	return nil
}

func (f *fake) Retire() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

func (f *fake) Stop() {
	if f.onStop != nil {
		f.onStop()
	}
	if f.stubborn {
		return
	}
	f.exitAfter(f.slow, outcome{exited: true})
}

func (f *fake) exitAfter(d time.Duration, o outcome) { time.AfterFunc(d, func() { f.exit(o) }) }

// app is an App whose processes are fakes.
type app struct {
	*App
	t         *testing.T
	mu        sync.Mutex
	all       []*fake
	signalled []string
}

// boot makes a process ready after d.
func (f *fake) boot(d time.Duration) {
	time.AfterFunc(d, func() {
		if !isClosed(f.exited) {
			close(f.ready)
		}
	})
}

// run runs body with an app whose processes become ready after a second, or
// behave as shape says.
func run(t *testing.T, shape func(f *fake), body func(t *testing.T, a *app)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		a := &app{App: New(Options{RunDir: dir, LogDir: dir}), t: t}
		a.jitter = func() float64 { return 0.5 }
		a.spawn = func(l launch) proc {
			f := &fake{launch: l, at: time.Now(), in: a, ready: make(chan struct{}), exited: make(chan struct{}),
				ep: newEndpoint("unix", fmt.Sprint("/", l.slot, "/", l.revision))}
			a.mu.Lock()
			a.all = append(a.all, f)
			a.mu.Unlock()
			if shape == nil {
				f.boot(time.Second)
			} else {
				shape(f)
			}
			return f
		}
		done := make(chan struct{})
		go func() {
			if err := a.Run(ctx); err != nil {
				t.Error(err)
			}
			close(done)
		}()
		body(t, a)
		cancel()
		<-done // every process has exited, or synctest reports a deadlock
	})
}

// form is an app that serves, with slots of the given revisions; a negative
// one is stopped.
func form(revisions ...int) Wanted {
	w := Wanted{Config: Config{Name: "web", Command: "true"}, Serves: true, Slots: wanted(revisions...)}
	for n := range w.Slots {
		w.Slots[n].ID = 10 + n
		w.Revision = max(w.Revision, w.Slots[n].Revision)
	}
	return w
}

// settled wants w and waits for it.
func (a *app) settled(w Wanted) {
	a.t.Helper()
	a.Want(w)
	if err := a.Settle(a.t.Context()); err != nil {
		a.t.Fatalf("Settle = %v", err)
	}
}

// states is the app in a line: slot:revision:state, as Status lists them.
func (a *app) states() string {
	synctest.Wait()
	var out []string
	for _, in := range a.Status().Instances {
		out = append(out, fmt.Sprint(in.Slot, ":", in.Revision, ":", in.State))
	}
	return strings.Join(out, " ")
}

func (a *app) shows(want string) {
	a.t.Helper()
	if got := a.states(); got != want {
		a.t.Errorf("app is %q, want %q", got, want)
	}
}

// serving is the revision behind each endpoint of the pool.
func (a *app) serving() (revisions []int) {
	for _, e := range a.pool.now.Load().ready {
		var slot, revision int
		fmt.Sscanf(e.address, "/%d/%d", &slot, &revision)
		revisions = append(revisions, revision)
	}
	return revisions
}

// last is the newest process.
func (a *app) last() *fake {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.all[len(a.all)-1]
}

// starts is when processes have started, in seconds since the first.
func (a *app) starts() (at []float64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, f := range a.all {
		at = append(at, f.at.Sub(a.all[0].at).Seconds())
	}
	return at
}

func failing(f *fake) { f.exit(outcome{exited: true, code: 3}) }

func TestScaleUpAndDown(t *testing.T) {
	run(t, nil, func(t *testing.T, a *app) {
		a.settled(form(1, 1, 1))
		a.shows("0:1:ready 1:1:ready 2:1:ready")
		a.settled(form(1))
		a.shows("0:1:ready")
		a.settled(form(1, 1))
		a.shows("0:1:ready 1:1:ready")
		if got := a.Status().Instances[1].ID; got != 11 {
			t.Errorf("id = %d, want 11", got)
		}
	})
}

func TestASlotIsStoppedAndStarted(t *testing.T) {
	run(t, nil, func(t *testing.T, a *app) {
		a.settled(form(1, 1))
		a.settled(form(1, -1))
		a.shows("0:1:ready 1:1:stopped")
		if in := a.Status().Instances[1]; in.PID != 0 || in.ExitCode == nil || *in.ExitCode != 0 {
			t.Errorf("stopped slot = %+v, want no pid and exit code 0", in)
		}
		a.settled(form(1, 1))
		a.shows("0:1:ready 1:1:ready")
		if got := a.Status().Instances[1].Restarts; got != 0 {
			t.Errorf("restarts = %d, want 0: nothing went wrong", got)
		}
	})
}

func TestStopWaitsForTheProcessAndStartWaitsForTheStop(t *testing.T) {
	run(t, func(f *fake) { f.slow = 3 * time.Second; f.boot(time.Second) }, func(t *testing.T, a *app) {
		a.settled(form(1))
		begun := time.Now()
		a.Want(form(-1))
		a.shows("0:1:draining")
		a.Want(form(1))
		if err := a.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := time.Since(begun); got != 4*time.Second {
			t.Errorf("started again after %v, want 3 s for the stop and 1 s for the start", got)
		}
	})
}

func TestACrashBacksOffExponentiallyAndEndsAsACrashLoop(t *testing.T) {
	run(t, failing, func(t *testing.T, a *app) {
		w := form(1)
		w.MaxRestarts = 5
		a.Want(w)
		time.Sleep(100 * time.Millisecond)
		a.shows("0:1:backoff")
		time.Sleep(5 * time.Second)
		a.shows("0:1:errored")
		time.Sleep(2 * time.Minute)
		if got, want := a.starts(), []float64{0, 0.1, 0.3, 0.7, 1.5, 61.5, 121.5}; !slices.EqualFunc(got, want, closeTo) {
			t.Errorf("starts at %v, want %v", got, want)
		}
		in := a.Status().Instances[0]
		if in.Reason != "exited with status 3" || *in.ExitCode != 3 || in.Restarts != 7 {
			t.Errorf("instance = %+v", in)
		}
		if a.Status().Failure == "" {
			t.Error("no failure is told")
		}
		a.Reset()
		synctest.Wait()
		time.Sleep(time.Second)
		if got := a.Status().Instances[0].Restarts; got != 0 {
			t.Errorf("restarts after Reset = %d", got)
		}
	})
}

func closeTo(a, b float64) bool { return a-b < 0.01 && b-a < 0.01 }

func TestAfterAGoodRunTheNextStartsAtOnce(t *testing.T) {
	run(t, nil, func(t *testing.T, a *app) {
		a.settled(form(1))
		time.Sleep(time.Second)
		a.last().exit(outcome{signal: syscall.SIGKILL})
		a.shows("0:1:starting")
		if got := len(a.starts()); got != 2 {
			t.Errorf("%d starts, want the second at once", got)
		}
		if in := a.Status().Instances[0]; in.Reason != "was ended by SIGKILL" || in.Restarts != 1 {
			t.Errorf("instance = %+v", in)
		}
	})
}

func TestAProgramThatEndsAsItMayStaysStopped(t *testing.T) {
	no := false
	for name, c := range map[string]struct {
		config Config
		out    outcome
		bad    bool
	}{
		"stop_exit_codes":                 {Config{StopExitCodes: []int{5}}, outcome{exited: true, code: 5}, false},
		"autorestart false":               {Config{Autorestart: &no}, outcome{exited: true}, false},
		"autorestart false, but it fails": {Config{Autorestart: &no}, outcome{exited: true, code: 1}, true},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(f *fake) { f.exitAfter(10*time.Millisecond, c.out) }, func(t *testing.T, a *app) {
				w := form(1)
				w.Autorestart, w.StopExitCodes = c.config.Autorestart, c.config.StopExitCodes
				a.Want(w)
				if err := a.Settle(t.Context()); (err != nil) != c.bad {
					t.Errorf("Settle = %v, want a failure: %v", err, c.bad)
				}
				time.Sleep(time.Hour)
				a.shows("0:1:stopped")
				if len(a.starts()) != 1 {
					t.Errorf("starts %v, want one", a.starts())
				}
				again := w
				again.Slots = wanted(2)
				again.StopExitCodes, again.Autorestart = nil, nil
				a.Want(again)
				synctest.Wait()
				if len(a.starts()) != 2 {
					t.Error("a new revision does not start it again")
				}
			})
		})
	}
}

func TestRollingReloadNeverLosesCapacity(t *testing.T) {
	run(t, func(f *fake) { f.boot(2 * time.Second) }, func(t *testing.T, a *app) {
		a.settled(form(1, 1, 1))
		a.Want(form(2, 2, 2))
		low, beside := 3, 0
		for range 200 {
			time.Sleep(50 * time.Millisecond)
			low = min(low, len(a.serving()))
			staying := slices.DeleteFunc(a.Status().Instances, func(in Instance) bool { return in.State == StateDraining })
			beside = max(beside, len(staying))
		}
		if low != 3 {
			t.Errorf("ready fell to %d during the reload, want 3 throughout", low)
		}
		if beside != 4 {
			t.Errorf("%d instances at a time, want one beside the three", beside)
		}
		if got := a.serving(); !slices.Equal(got, []int{2, 2, 2}) {
			t.Errorf("revisions %v serve", got)
		}
		if got := a.Status().Instances[0].Restarts; got != 1 {
			t.Errorf("restarts = %d, want 1", got)
		}
	})
}

func TestAReloadIsSettledWhenTheOldProgramHasGone(t *testing.T) {
	shape := func(f *fake) {
		f.slow = 3 * time.Second
		f.boot(time.Second)
	}
	run(t, shape, func(t *testing.T, a *app) {
		a.settled(form(1, 1))
		a.settled(form(2, 2))
		for _, f := range a.all {
			if f.revision == 1 && !isClosed(f.exited) {
				t.Errorf("slot %d of revision 1 still runs", f.slot)
			}
		}
	})
}

func TestReplacingStopsAllThenStartsAll(t *testing.T) {
	run(t, nil, func(t *testing.T, a *app) {
		a.settled(form(1, 1))
		w := form(2, 2)
		w.Replace = true
		begun := time.Now()
		a.Want(w)
		a.shows("0:2:starting 1:2:starting")
		if err := a.Settle(t.Context()); err != nil || time.Since(begun) != time.Second {
			t.Errorf("Settle = %v after %v", err, time.Since(begun))
		}
	})
}

func TestAFixedPortIsNeverSharedByTwoProcesses(t *testing.T) {
	var before *fake
	run(t, func(f *fake) {
		if before != nil && !isClosed(before.exited) {
			t.Errorf("revision %d was started beside %d", f.revision, before.revision)
		}
		before = f
		f.slow = 2 * time.Second
		f.boot(time.Second)
	}, func(t *testing.T, a *app) {
		w := form(1)
		w.Port = 3000
		a.settled(w)
		if got := a.Status(); got.Kind != "fixed port" || !strings.HasPrefix(got.Strategy, "replace: ") {
			t.Errorf("status = %+v", got)
		}
		w.Slots = wanted(2)
		a.settled(w)
		a.shows("0:2:ready")
		w.Port, w.Slots = 0, wanted(3) // from the fixed port to a private one: still not beside it
		a.settled(w)
	})
}

func TestABadRevisionKeepsTheOldServingAndIsNotTriedAgain(t *testing.T) {
	run(t, func(f *fake) {
		if f.revision == 2 {
			failing(f)
		}
		f.boot(time.Second)
	}, func(t *testing.T, a *app) {
		a.settled(form(1, 1))
		a.Want(form(2, 2))
		var f *Failure
		if err := a.Settle(t.Context()); !errors.As(err, &f) {
			t.Fatalf("Settle = %v, want a *Failure", err)
		}
		if f.Reason != "slot 0 exited with status 3 before it was ready" || f.Hint == "" || !slices.Equal(f.Output, []string{"last words"}) {
			t.Errorf("failure = %+v", f)
		}
		time.Sleep(5 * time.Minute)
		if got := a.serving(); !slices.Equal(got, []int{1, 1}) || len(a.starts()) != 3 {
			t.Errorf("revisions %v serve after %d starts, want the 2 old ones and one try", got, len(a.starts()))
		}
		a.Want(form(2, 2)) // the same again is another try
		if err := a.Settle(t.Context()); err == nil || len(a.starts()) != 4 {
			t.Errorf("Settle = %v after %d starts", err, len(a.starts()))
		}
	})
}

func TestARevisionThatNeverGetsReadyIsGivenUp(t *testing.T) {
	run(t, func(f *fake) {
		if f.revision == 1 {
			f.boot(time.Second)
		}
	}, func(t *testing.T, a *app) {
		a.settled(form(1))
		begun := time.Now()
		w := form(2)
		w.ListenTimeout = unitOf(7 * time.Second)
		a.Want(w)
		var f *Failure
		if err := a.Settle(t.Context()); !errors.As(err, &f) || f.Reason != "slot 0 was not ready within 7s" || !strings.Contains(f.Hint, "$PORT") {
			t.Errorf("Settle = %+v", err)
		}
		if got := time.Since(begun); got != 7*time.Second {
			t.Errorf("given up after %v", got)
		}
		a.shows("0:1:ready")
	})
}

func TestAnAppThatNeverGetsReadyIsStoppedAndTriedAgain(t *testing.T) {
	run(t, func(f *fake) {}, func(t *testing.T, a *app) {
		a.Want(form(1))
		time.Sleep(31 * time.Second)
		a.shows("0:1:starting")
		if got, want := a.starts(), []float64{0, 30.1}; !slices.EqualFunc(got, want, closeTo) {
			t.Errorf("starts at %v, want %v", got, want)
		}
		if in := a.Status().Instances[0]; in.Reason != "was not ready within 30s" {
			t.Errorf("reason %q", in.Reason)
		}
	})
}

func TestACrashOfTheNewRevisionAbortsTheReload(t *testing.T) {
	run(t, func(f *fake) {
		f.boot(time.Second)
		if f.revision == 2 && f.slot == 0 {
			f.exitAfter(1500*time.Millisecond, outcome{exited: true, code: 1})
		}
	}, func(t *testing.T, a *app) {
		a.settled(form(1, 1, 1))
		a.Want(form(2, 2, 2))
		err := a.Settle(t.Context())
		if err == nil || err.Error() != "web: slot 0 exited with status 1" {
			t.Errorf("Settle = %v", err)
		}
		time.Sleep(100 * time.Millisecond)
		if got := a.serving(); !slices.Equal(got, []int{1, 1}) {
			t.Errorf("revisions %v serve, want the two old ones that are left", got)
		}
	})
}

func TestAStubbornProcessIsKilled(t *testing.T) {
	run(t, func(f *fake) { f.stubborn = true; f.boot(time.Second) }, func(t *testing.T, a *app) {
		a.settled(form(1))
		f := a.last()
		w := form(-1)
		a.Want(w)
		time.Sleep(10*time.Second - time.Millisecond)
		if isClosed(f.exited) {
			t.Fatal("killed before its deadline")
		}
		a.shows("0:1:draining")
		time.Sleep(time.Millisecond)
		a.shows("0:1:stopped")
	})
}

func TestAProcessThatGetsReadyWhileLeavingIsStillKilled(t *testing.T) {
	run(t, func(f *fake) { f.stubborn = true; f.boot(5 * time.Second) }, func(t *testing.T, a *app) {
		a.Want(form(1))
		time.Sleep(time.Second)
		a.Want(form()) // still starting
		if err := a.Settle(t.Context()); err != nil || !isClosed(a.last().exited) {
			t.Errorf("Settle = %v, exited = %v", err, isClosed(a.last().exited))
		}
	})
}

func TestNoRequestReachesAProcessThatWasToldToStop(t *testing.T) {
	run(t, func(f *fake) {
		f.boot(time.Second)
		f.onStop = func() {
			if slices.Contains(f.in.pool.now.Load().ready, f.ep) {
				t.Error("told to stop while still in the pool")
			}
			if f.ep.acquire() {
				t.Error("told to stop while its endpoint still takes requests")
			}
		}
	}, func(t *testing.T, a *app) {
		a.settled(form(1, 1))
		a.settled(form(2, 2))
		a.settled(form(2))
		w := form(3)
		w.Replace = true
		a.settled(w)
	})
}

func TestRequestsInFlightAreWaitedFor(t *testing.T) {
	for name, long := range map[string]bool{"until they are answered": false, "half of kill_timeout at most": true} {
		t.Run(name, func(t *testing.T) {
			var stopped time.Time
			run(t, func(f *fake) { f.onStop = func() { stopped = time.Now() }; f.boot(time.Second) }, func(t *testing.T, a *app) {
				a.settled(form(1))
				f := a.last()
				f.ep.acquire()
				begun := time.Now()
				go func() {
					time.Sleep(2 * time.Second)
					if !long {
						f.ep.release()
					}
				}()
				a.settled(form(-1))
				want := 2 * time.Second
				if long {
					want = 5 * time.Second
				}
				if got := stopped.Sub(begun); got != want {
					t.Errorf("asked to stop after %v, want %v", got, want)
				}
			})
		})
	}
}

func TestSettleReportsABadRevisionAndWantingTheOldOneUndoesIt(t *testing.T) {
	starts := map[int]int{}
	run(t, func(f *fake) {
		starts[f.revision]++
		if f.revision == 2 && starts[2] > 1 {
			failing(f) // the second slot of revision 2 fails
		}
		f.boot(time.Second)
	}, func(t *testing.T, a *app) {
		a.settled(form(1, 1, 1))
		a.Want(form(2, 2, 2))
		if err := a.Settle(t.Context()); err == nil {
			t.Fatal("Settle = nil for a revision that cannot start")
		}
		a.settled(form(1, 1, 1))
		a.shows("0:1:ready 1:1:ready 2:1:ready")
		if starts[1] != 4 {
			t.Errorf("revision 1 was started %d times, want 4: only the slot that had moved goes back", starts[1])
		}
	})
}

func TestACrashWithNothingWantedIsSettled(t *testing.T) {
	run(t, nil, func(t *testing.T, a *app) {
		if err := a.Settle(t.Context()); err != nil {
			t.Errorf("Settle of nothing = %v", err)
		}
		a.settled(form(1, 1))
		a.last().Kill()
		time.Sleep(time.Millisecond)
		asked := time.Now()
		if err := a.Settle(t.Context()); err != nil || time.Since(asked) > 0 {
			t.Errorf("Settle = %v after %v, want nil at once: an edit elsewhere must not wait for this app", err, time.Since(asked))
		}
	})
}

func TestSettleReportsOnlyWhatTheLastWantChanged(t *testing.T) {
	run(t, func(f *fake) {
		if f.slot == 0 {
			failing(f)
		}
		f.boot(time.Second)
	}, func(t *testing.T, a *app) {
		a.Want(form(1))
		if err := a.Settle(t.Context()); err == nil {
			t.Fatal("Settle = nil")
		}
		if err := a.Settle(t.Context()); err == nil {
			t.Fatal("the failure is told once only")
		}
		a.settled(form(1, 1)) // slot 0 goes on failing; that has been told
		a.settled(form(1, -1))
	})
}

func TestAFailureIsOverWhenTheAppIsAsWanted(t *testing.T) {
	tries := 0
	run(t, func(f *fake) {
		if tries++; tries == 1 {
			failing(f)
		}
		f.boot(time.Second)
	}, func(t *testing.T, a *app) {
		a.Want(form(1))
		if err := a.Settle(t.Context()); err == nil {
			t.Fatal("Settle = nil")
		}
		time.Sleep(2 * time.Second)
		if err := a.Settle(t.Context()); err != nil || a.Status().Failure != "" {
			t.Errorf("Settle = %v, failure %q, once it has recovered", err, a.Status().Failure)
		}
	})
}

func TestAReplacementNoLongerWantedNeverServes(t *testing.T) {
	run(t, func(f *fake) { f.boot(5 * time.Second) }, func(t *testing.T, a *app) {
		a.settled(form(1))
		a.Want(form(2))
		time.Sleep(time.Second)
		a.Want(form(1))
		for range 100 {
			time.Sleep(100 * time.Millisecond)
			if slices.Contains(a.serving(), 2) {
				t.Fatal("revision 2 served after it was withdrawn")
			}
		}
	})
}

func TestWhenTheOldEndsInAReloadTheNewTakesItsPlace(t *testing.T) {
	run(t, func(f *fake) { f.boot(4 * time.Second) }, func(t *testing.T, a *app) {
		w := form(1)
		w.StopExitCodes = []int{5}
		a.settled(w)
		old := a.last()
		w.Slots = wanted(2)
		a.Want(w)
		time.Sleep(2 * time.Second)
		old.exit(outcome{exited: true, code: 5})
		a.shows("0:2:starting")
		time.Sleep(2 * time.Second)
		a.shows("0:2:ready")
		if len(a.starts()) != 2 {
			t.Errorf("starts %v, want two", a.starts())
		}
		a.last().exit(outcome{exited: true, code: 1})
		a.shows("0:2:starting") // that the old one had ended as it may is over
	})
}

func TestAProcessThatSurvivesAKillIsKilledAgain(t *testing.T) {
	run(t, func(f *fake) { f.stubborn, f.hangs = true, 2; f.boot(time.Second) }, func(t *testing.T, a *app) {
		a.settled(form(1))
		begun := time.Now()
		a.settled(form(-1))
		if took := time.Since(begun); took != 20*time.Second {
			t.Errorf("gone after %v, want 10 s and two times 5 s", took)
		}
	})
}

func TestWantAndSettleWorkBeforeAndAfterRun(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		a := New(Options{RunDir: dir, LogDir: dir})
		a.spawn = func(l launch) proc {
			f := &fake{launch: l, ready: make(chan struct{}), exited: make(chan struct{}), ep: newEndpoint("unix", "/")}
			f.boot(time.Second)
			return f
		}
		a.Want(form(1))
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := a.Settle(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Settle before Run = %v", err)
		}
		if err := a.Signal(-1, syscall.SIGHUP); err != ErrEnded {
			t.Errorf("Signal before Run = %v", err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- a.Run(ctx) }()
		if err := a.Settle(t.Context()); err != nil {
			t.Errorf("Settle = %v", err)
		}
		waiting := make(chan error)
		a.Want(form(2))
		go func() { waiting <- a.Settle(t.Context()) }()
		synctest.Wait()
		stop()
		if err := <-waiting; err != ErrEnded {
			t.Errorf("Settle at the end = %v", err)
		}
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
		a.Want(form(3))
		if err := a.Settle(t.Context()); err != ErrEnded {
			t.Errorf("Settle after Run = %v", err)
		}
		if got := len(a.Status().Instances); got != 0 {
			t.Errorf("%d instances after Run", got)
		}
	})
}

func TestSignalsReachTheInstancesThatAreMeant(t *testing.T) {
	run(t, nil, func(t *testing.T, a *app) {
		a.settled(form(1, 1, -1))
		for id, want := range map[int]string{11: "", 99: "no instance has the id 99", 12: "no process runs"} {
			if err := a.Signal(id, syscall.SIGHUP); err == nil && want != "" || err != nil && err.Error() != want {
				t.Errorf("Signal(%d) = %v, want %q", id, err, want)
			}
		}
		if err := a.Signal(-1, syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if want := []string{"1 hangup", "0 terminated", "1 terminated"}; !slices.Equal(a.signalled, want) {
			t.Errorf("signalled %q, want %q", a.signalled, want)
		}
	})
}

func TestRequestsToAStoppedAppAreRefusedAtOnce(t *testing.T) {
	run(t, nil, func(t *testing.T, a *app) {
		get := func() int {
			return httplint.Record(t, a, httptest.NewRequest("GET", "/", nil)).Code
		}
		a.settled(form(-1, -1))
		asked := time.Now()
		if code := get(); code != http.StatusServiceUnavailable || time.Since(asked) > 0 {
			t.Errorf("answered %d after %v", code, time.Since(asked))
		}
		a.Want(form(1, -1)) // starting: requests wait
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		waited := make(chan struct{})
		go func() {
			defer close(waited)
			a.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "/", nil))
		}()
		synctest.Wait()
		if a.Status().Waiting != 1 {
			t.Errorf("%d wait, want 1", a.Status().Waiting)
		}
		<-waited
	})
}

func TestStatusTellsWhatIsKnown(t *testing.T) {
	run(t, nil, func(t *testing.T, a *app) {
		w := form(1)
		w.Namespace = "shop"
		a.settled(w)
		time.Sleep(90 * time.Second)
		st := a.Status()
		in := st.Instances[0]
		if st.Name != "web" || st.Namespace != "shop" || st.Kind != "port" || st.Strategy != "overlap" || st.Revision != 1 {
			t.Errorf("status = %+v", st)
		}
		if in.ID != 10 || in.PID != 4242 || in.Uptime != 91 || in.LagMS != 1.5 || in.Address != "unix:/0/1" || in.App != "web" {
			t.Errorf("instance = %+v", in)
		}
	})
}

func TestFollowBeforeAnythingIsWantedHasNoLines(t *testing.T) {
	a := New(Options{RunDir: t.TempDir(), LogDir: t.TempDir()})
	_, lines, stop := a.Follow()
	defer stop()
	if _, more := <-lines; more {
		t.Error("a line")
	}
	if err := a.Flush(); err != nil {
		t.Error(err)
	}
}

func TestAFreeSlotShowsNothingUntilItIsTakenAgain(t *testing.T) {
	run(t, func(f *fake) { f.slow = time.Second; f.boot(time.Second) }, func(t *testing.T, a *app) {
		a.settled(form(1, 1, 1))
		w := form(1, -1, 1)
		w.Slots[1].Free = true
		a.Want(w)
		a.shows("0:1:ready 1:1:draining 2:1:ready")
		if err := a.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		a.shows("0:1:ready 2:1:ready")
		if len(a.all) != 3 {
			t.Errorf("%d processes were started, want 3: the others are not touched", len(a.all))
		}
		w = form(1, 1, 1)
		w.Slots[1].ID = 13
		a.settled(w)
		a.shows("0:1:ready 1:1:ready 2:1:ready")
		if in := a.Status().Instances[1]; in.ID != 13 || in.Restarts != 0 {
			t.Errorf("the new one is %+v, want id 13 and no restarts", in)
		}
	})
}
