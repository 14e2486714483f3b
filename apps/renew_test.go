package apps

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// renew has all instances replaced.
func (a *app) renew(reason string) {
	a.post(func() {
		for n := range a.slots {
			a.slots[n].renew(reason)
		}
	})
}

func TestARenewalReplacesWhatRunsBesideIt(t *testing.T) {
	run(t, nil, func(t *testing.T, a *app) {
		a.settled(form(1, 1, -1))
		a.renew("memory: too much")
		for range 40 {
			time.Sleep(100 * time.Millisecond)
			if len(a.serving()) < 2 {
				t.Fatal("an instance is missed during a renewal")
			}
		}
		a.shows("0:1:ready 1:1:ready 2:1:stopped")
		if len(a.starts()) != 4 {
			t.Errorf("%d starts, want two and two again", len(a.starts()))
		}
		if in := a.Status().Instances[0]; in.Reason != "memory: too much" || in.Restarts != 1 {
			t.Errorf("instance = %+v", in)
		}
		a.post(func() { a.slots[1].renew("memory: again") })
		time.Sleep(5 * time.Second)
		if len(a.starts()) != 5 {
			t.Errorf("%d starts, want one more for one slot", len(a.starts()))
		}
	})
}

func TestABackgroundAppIsRenewedByStopThenStart(t *testing.T) {
	var running atomic.Int32
	run(t, func(f *fake) {
		if running.Add(1) > 1 {
			t.Error("two run at a time")
		}
		f.slow = 2 * time.Second
		f.onStop = func() { running.Add(-1) }
		f.boot(time.Second)
	}, func(t *testing.T, a *app) {
		w := form(1)
		w.Serves = false
		a.settled(w)
		a.renew("at its time")
		synctest.Wait()
		time.Sleep(4 * time.Second)
		a.shows("0:1:ready")
		if in := a.Status().Instances[0]; in.Reason != "at its time" || in.Restarts != 1 {
			t.Errorf("instance = %+v", in)
		}
	})
}

func TestAFailingRenewalBacksOffAndKeepsTheOldInstanceServing(t *testing.T) {
	no := false
	for name, restart := range map[string]*bool{"autorestart": nil, "without autorestart": &no} {
		t.Run(name, func(t *testing.T) {
			var broken atomic.Bool
			run(t, func(f *fake) {
				if broken.Load() {
					failing(f)
				}
				f.boot(time.Second)
			}, func(t *testing.T, a *app) {
				w := form(1)
				w.Autorestart = restart
				a.settled(w)
				broken.Store(true)
				a.renew("memory: too much")
				for range 300 {
					time.Sleep(time.Second)
					if got := a.serving(); !slices.Equal(got, []int{1}) {
						t.Fatalf("%v serve during failing renewals", got)
					}
				}
				if n := len(a.starts()); n < 10 || n > 25 {
					t.Errorf("%d starts in five minutes, want them to become rare", n)
				}
				if in := a.Status().Instances[0]; in.State != StateReady || !strings.Contains(in.Reason, "memory: too much; the one to take its place exited with status 3") {
					t.Errorf("instance = %+v", in)
				}
				broken.Store(false)
				time.Sleep(2 * time.Minute)
				if in := a.Status().Instances[0]; in.Reason != "memory: too much" || in.State != StateReady {
					t.Errorf("instance = %+v, want it renewed", in)
				}
			})
		})
	}
}

func TestAChangeOfFilesDuringARenewalMakesOneMore(t *testing.T) {
	run(t, nil, func(t *testing.T, a *app) {
		a.settled(form(1))
		refresh := func(file string) { a.post(func() { a.refresh(file) }) }
		refresh("a")
		time.Sleep(500 * time.Millisecond) // its successor is starting
		refresh("b")
		refresh("c")
		time.Sleep(10 * time.Second)
		if len(a.starts()) != 3 {
			t.Errorf("%d starts, want the first and two renewals", len(a.starts()))
		}
		if in := a.Status().Instances[0]; in.Reason != "b" {
			t.Errorf("reason = %q", in.Reason)
		}
	})
}

func TestAChangeOfFilesGivesACrashLoopAnotherTry(t *testing.T) {
	var broken atomic.Bool
	broken.Store(true)
	run(t, func(f *fake) {
		if broken.Load() {
			failing(f)
		}
		f.boot(time.Second)
	}, func(t *testing.T, a *app) {
		w := form(1)
		w.MaxRestarts = 2
		a.Want(w)
		time.Sleep(10 * time.Second)
		a.shows("0:1:errored")
		broken.Store(false)
		a.post(func() { a.refresh("watch: app.js changed") })
		time.Sleep(1100 * time.Millisecond)
		a.shows("0:1:ready")
		if in := a.Status().Instances[0]; in.Reason != "watch: app.js changed" {
			t.Errorf("reason = %q", in.Reason)
		}
		a.post(func() { a.refresh("watch: app.js changed") }) // what failed at first does not stand in its way
		time.Sleep(3 * time.Second)
		if n := len(a.starts()); n != 4 {
			t.Errorf("%d starts, want 4", n)
		}
	})
}
