package apps

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestAHeldAppStartsWhenItsHoldIsRemoved(t *testing.T) {
	run(t, nil, func(t *testing.T, a *app) {
		a.Hold(Wait{Reason: "waits for db to be ready"})
		a.Want(form(1, 1))
		time.Sleep(time.Minute)
		a.shows("0:1:waiting 1:1:waiting")
		if in := a.Status().Instances[0]; in.Reason != "waits for db to be ready" {
			t.Errorf("reason = %q", in.Reason)
		}
		a.Hold(Wait{})
		if err := a.Settle(t.Context()); err != nil {
			t.Error(err)
		}
		a.shows("0:1:ready 1:1:ready")
		a.Hold(Wait{Reason: "waits again"})
		a.shows("0:1:ready 1:1:ready")
	})
}

func TestAHopelessWaitIsAFailureAsLongAsItLasts(t *testing.T) {
	run(t, nil, func(t *testing.T, a *app) {
		a.Hold(Wait{Reason: "waits for db, which has failed", Failed: true})
		a.Want(form(1))
		var f *Failure
		if err := a.Settle(t.Context()); !errors.As(err, &f) || f.Reason != "waits for db, which has failed" || f.Hint == "" {
			t.Fatalf("Settle = %v", err)
		}
		if got := a.Status().Failure; got != f.Reason {
			t.Errorf("failure in Status = %q", got)
		}
		a.Hold(Wait{Reason: "waits for db to be ready"})
		synctest.Wait()
		if got := a.Status().Failure; got != "" {
			t.Errorf("failure in Status = %q, though there is hope again", got)
		}
		a.Hold(Wait{})
		if err := a.Settle(t.Context()); err != nil {
			t.Error(err)
		}
		a.Hold(Wait{Reason: "waits", Failed: true}) // nothing is to start
		if err := a.Settle(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestAnAppStaysWhileItIsNeeded(t *testing.T) {
	run(t, nil, func(t *testing.T, a *app) {
		a.settled(form(1))
		a.Hold(Wait{Stay: true})
		a.Want(form(-1))
		time.Sleep(time.Minute)
		a.shows("0:1:ready")
		a.Hold(Wait{})
		if err := a.Settle(t.Context()); err != nil {
			t.Error(err)
		}
		a.shows("0:1:stopped")
	})
}

func TestWhatMattersToOthersIsTold(t *testing.T) {
	var told atomic.Int32
	run(t, nil, func(t *testing.T, a *app) {
		synctest.Wait()
		a.o.Changed = func() { told.Add(1) } // before anything happens
		a.settled(form(1))
		synctest.Wait()
		if told.Load() < 2 {
			t.Errorf("told %d times that it started and got ready", told.Load())
		}
		told.Store(0)
		time.Sleep(time.Hour)
		a.Reset()
		if told.Load() != 0 {
			t.Errorf("told %d times though nothing happened", told.Load())
		}
		a.last().exit(outcome{exited: true, code: 3})
		synctest.Wait()
		if told.Load() == 0 {
			t.Error("an exit is not told")
		}
	})
}
