package apps

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// These are tests of what happens at the same time.

func TestAnInstanceAndItsSuccessorMayBothNotBecomeReady(t *testing.T) {
	var works, begun atomic.Bool
	run(t, func(f *fake) {
		f.stubborn = !begun.Swap(true)
		if works.Load() {
			f.boot(time.Second)
		}
	}, func(t *testing.T, a *app) {
		w := form(1)
		w.ListenTimeout, w.KillTimeout = unitOf(10*time.Second), unitOf(time.Minute)
		a.Want(w)
		time.Sleep(5 * time.Second)
		a.post(func() { a.refresh("watch: a.js changed") }) // another starts beside it
		time.Sleep(6 * time.Second)
		a.shows("0:1:starting 0:1:draining")
		a.last().exit(outcome{exited: true, code: 3})
		time.Sleep(2 * time.Minute)
		if n := len(a.starts()); n < 4 || n > 20 {
			t.Errorf("%d starts", n)
		}
		works.Store(true)
		time.Sleep(2 * time.Minute)
		a.shows("0:1:ready")
	})
}

func TestOneThatTakesOverIsNotStartedAgain(t *testing.T) {
	var slow atomic.Bool
	run(t, func(f *fake) {
		if slow.Load() {
			f.boot(12 * time.Second)
		}
	}, func(t *testing.T, a *app) {
		w := form(1)
		w.ListenTimeout = unitOf(15 * time.Second)
		a.Want(w)
		time.Sleep(10 * time.Second)
		slow.Store(true)
		w.Slots, w.Revision = wanted(2), 2
		if a.Want(w); a.Settle(t.Context()) != nil {
			t.Error("the new revision does not count as ready")
		}
		if n := len(a.starts()); n != 2 {
			t.Errorf("%d starts, want one of each revision", n)
		}
		a.shows("0:2:ready")
	})
}

func TestAnAppThatEndsDoesNotStayForOthers(t *testing.T) {
	for range 20 { // which of two things that have come is seen first is chance
		synctest.Test(t, func(t *testing.T) {
			dir := t.TempDir()
			a := New(Options{RunDir: dir, LogDir: dir})
			a.spawn = func(l launch) proc {
				f := &fake{launch: l, ready: make(chan struct{}), exited: make(chan struct{})}
				close(f.ready)
				return f
			}
			ctx, cancel := context.WithCancel(t.Context())
			go a.Run(ctx)
			a.Want(form(1))
			synctest.Wait()
			busy := make(chan struct{})
			a.post(func() { <-busy })
			synctest.Wait()
			cancel()
			a.Hold(Wait{Stay: true})
			close(busy)
			<-a.done
		})
	}
}

func TestWhatComesWhileAnInstanceIsRenewed(t *testing.T) {
	stop := func(w *Wanted) { w.Slots = wanted(-1) }
	reload := func(w *Wanted) { w.Slots, w.Revision = wanted(2), 2 }
	scale := func(w *Wanted) { w.Slots = wanted(1, 1) }
	logs := func(w *Wanted) { w.LogType = logJSON }
	for _, serves := range []bool{true, false} {
		for name, c := range map[string]struct {
			change func(*Wanted)
			shows  string
			starts int
		}{
			"a stop":               {stop, "0:1:stopped", 2},
			"a reload":             {reload, "0:2:ready", 3},
			"another slot":         {scale, "0:1:ready 1:1:ready", 3},
			"another form of logs": {logs, "0:1:ready", 2},
		} {
			t.Run(name, func(t *testing.T) {
				run(t, nil, func(t *testing.T, a *app) {
					w := form(1)
					w.Serves = serves
					a.settled(w)
					time.Sleep(time.Minute)
					a.renew("cron_restart: @hourly")
					time.Sleep(500 * time.Millisecond) // the next one starts
					c.change(&w)
					a.settled(w)
					time.Sleep(time.Minute)
					a.shows(c.shows)
					if n := len(a.starts()); n != c.starts {
						t.Errorf("%d starts, want %d", n, c.starts)
					}
				})
			})
		}
	}
}

func TestARenewalWaitsForWhatTheAppWaitsFor(t *testing.T) {
	run(t, nil, func(t *testing.T, a *app) {
		w := form(1)
		w.Serves = false
		a.settled(w)
		a.Hold(Wait{Reason: "waits for db to be ready"})
		a.post(func() { a.refresh("watch: a.js changed") })
		time.Sleep(time.Hour)
		a.shows("0:1:ready")
		if n := len(a.starts()); n != 1 {
			t.Errorf("%d starts while it may not", n)
		}
		a.Hold(Wait{})
		time.Sleep(time.Minute)
		if in := a.Status().Instances[0]; in.Reason != "watch: a.js changed" || len(a.starts()) != 2 {
			t.Errorf("instance = %+v after %d starts", in, len(a.starts()))
		}
	})
}

func TestAFailedReloadLeavesARenewalToTheOldRevision(t *testing.T) {
	run(t, func(f *fake) {
		if f.revision == 2 {
			failing(f)
		}
		f.boot(time.Second)
	}, func(t *testing.T, a *app) {
		a.settled(form(1))
		time.Sleep(time.Minute)
		a.renew("memory: too much")
		a.Want(form(2))
		if a.Settle(t.Context()) == nil {
			t.Fatal("a reload that fails is settled")
		}
		a.settled(form(1)) // as an edit does that has failed
		time.Sleep(time.Minute)
		if in := a.Status().Instances[0]; in.Reason != "memory: too much" || !slices.Equal(a.serving(), []int{1}) || len(a.starts()) != 3 {
			t.Errorf("instance = %+v after %d starts", in, len(a.starts()))
		}
	})
}

func TestACrashDuringARenewalIsNotOneStartMore(t *testing.T) {
	run(t, nil, func(t *testing.T, a *app) {
		a.settled(form(1))
		time.Sleep(time.Minute)
		a.renew("memory: too much")
		time.Sleep(500 * time.Millisecond)
		a.mu.Lock()
		old := a.all[0]
		a.mu.Unlock()
		old.exit(outcome{signal: 9})
		time.Sleep(time.Minute)
		a.shows("0:1:ready")
		if in := a.Status().Instances[0]; in.Restarts != 1 || len(a.starts()) != 2 {
			t.Errorf("instance = %+v after %d starts", in, len(a.starts()))
		}
	})
}
