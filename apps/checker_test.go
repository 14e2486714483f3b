package apps

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestAnInstanceIsUnwellAfterFailuresInARowAndWellAfterOnePass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// one answer each ten seconds: f fails, p passes, s says nothing
		const answers = "pffpfffffps" + "ss" + "sp"
		begun := time.Now()
		asked := 0
		c := checker{away: func() bool { return false }, ask: func(ctx context.Context) error {
			asked++
			if at := int(time.Since(begun) / time.Second); at != 10*asked-10 {
				t.Errorf("question %d comes after %d s", asked, at)
			}
			switch answers[asked-1] {
			case 'p':
				return nil
			case 's':
				<-ctx.Done()
				return context.Cause(ctx)
			}
			return errors.New("GET /health answered 500")
		}}
		var told []string
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Duration(len(answers))*10*time.Second-time.Second, cancel)
		c.run(ctx, 0, func(found checkup) {
			told = append(told, fmt.Sprintf("%v %v %q", time.Since(begun), found.worked, found.unwell))
		})
		want := []string{
			`0s true ""`,
			`1m0s true "check: GET /health answered 500 (3 times)"`,
			`1m30s true ""`,
			`2m5s true "check: no answer within 5s (3 times)"`,
			`2m20s true ""`,
		}
		if !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
	})
}

func TestACheckEndsWhenTheInstanceIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var away atomic.Bool
		time.AfterFunc(15*time.Second, func() { away.Store(true) })
		c := checker{Check: Check{Failures: 1}, away: away.Load}
		c.ask = func(context.Context) error {
			if away.Load() {
				return errors.New("it is going")
			}
			return nil
		}
		c.run(t.Context(), 0, func(found checkup) {
			if found.unwell != "" {
				t.Errorf("an instance that is away is said to be unwell: %s", found.unwell)
			}
		})
	})
}

// finds has a process say what its checks have found.
func (f *fake) finds(found checkup) {
	f.found.Store(&found)
	f.changed()
}

func TestAnInstanceThatDoesNotWorkIsOutOfRotationAtOnceAndReplaced(t *testing.T) {
	run(t, nil, func(t *testing.T, a *app) {
		a.settled(form(1, 1))
		sick := a.all[0]
		time.Sleep(time.Minute)
		sick.finds(checkup{unwell: "check: it coughs", worked: true})
		synctest.Wait()
		if sick.ep.health.in() || !a.all[1].ep.health.in() {
			t.Error("the endpoint of the instance that does not work must be out of rotation, and no other")
		}
		if in := a.Status().Instances[0]; in.Reason != "check: it coughs" || in.State != StateReady {
			t.Errorf("while it is replaced: %+v", in)
		}
		a.shows("0:1:ready 0:1:starting 1:1:ready")
		time.Sleep(2 * time.Second)
		a.shows("0:1:ready 1:1:ready")
		if in := a.Status().Instances[0]; in.Reason != "check: it coughs" || in.Restarts != 1 {
			t.Errorf("after it was replaced: %+v", in)
		}
		if !isClosed(sick.exited) {
			t.Error("it still runs")
		}
	})
}

func TestAFixedPortIsFreedBeforeTheNextInstanceStarts(t *testing.T) {
	run(t, nil, func(t *testing.T, a *app) {
		w := form(1)
		w.Port = 3000
		a.settled(w)
		time.Sleep(time.Minute)
		a.last().slow = 3 * time.Second
		a.last().finds(checkup{unwell: "check: it coughs", worked: true})
		a.shows("0:1:draining")
		time.Sleep(5 * time.Second)
		a.shows("0:1:ready")
	})
}

func TestInstancesThatAllFailTheirChecksAreNoRestartStorm(t *testing.T) {
	var up atomic.Bool // what all of them need
	shape := func(f *fake) {
		f.boot(time.Second)
		tell := func() {
			if up.Load() {
				f.finds(checkup{worked: true})
			} else {
				f.finds(checkup{unwell: "check: the database is down"})
			}
		}
		time.AfterFunc(2*time.Second, tell)
		for at := range 60 {
			time.AfterFunc(time.Duration(at)*time.Minute+30*time.Second, tell)
		}
	}
	run(t, shape, func(t *testing.T, a *app) {
		a.settled(form(1, 1, 1, 1))
		time.Sleep(10 * time.Minute)
		if n := len(a.starts()) - 4; n > 4*30 {
			t.Errorf("%d instances were started in 10 minutes", n)
		}
		starts := len(a.starts())
		time.Sleep(10 * time.Minute)
		if n := len(a.starts()) - starts; n > 4*11 || n < 4*5 {
			t.Errorf("%d instances were started in the next 10 minutes, want about one a minute and slot", n)
		}
		if ready := len(a.serving()); ready != 4 {
			t.Errorf("%d instances take requests all the while, want 4", ready)
		}
		up.Store(true)
		time.Sleep(2 * time.Minute)
		starts = len(a.starts())
		time.Sleep(10 * time.Minute)
		if n := len(a.starts()) - starts; n != 0 {
			t.Errorf("%d instances were replaced that work again", n)
		}
		for _, in := range a.Status().Instances {
			if in.State != StateReady {
				t.Errorf("instance %+v", in)
			}
		}
	})
}

func TestAnInstanceThatWorksAgainIsKept(t *testing.T) {
	run(t, nil, func(t *testing.T, a *app) {
		a.settled(form(1))
		for range 6 { // quick failures, so that the next waits
			time.Sleep(time.Second)
			a.last().finds(checkup{unwell: "check: it coughs", worked: true})
			time.Sleep(3 * time.Second)
		}
		kept := a.last()
		kept.finds(checkup{unwell: "check: it coughs", worked: true})
		synctest.Wait()
		kept.finds(checkup{worked: true})
		time.Sleep(time.Hour)
		if a.last() != kept {
			t.Error("it was replaced all the same")
		}
		if in := a.Status().Instances[0]; in.Reason != "" {
			t.Errorf("it is said that %s", in.Reason)
		}
		if !kept.ep.health.in() {
			t.Error("it is not in rotation again")
		}
	})
}

func TestWithoutAutorestartAnInstanceThatDoesNotWorkIsKeptOutOfRotation(t *testing.T) {
	run(t, nil, func(t *testing.T, a *app) {
		w := form(1)
		w.Autorestart = new(bool)
		a.settled(w)
		a.last().finds(checkup{unwell: "check: it coughs"})
		time.Sleep(time.Hour)
		if in := a.Status().Instances[0]; len(a.starts()) != 1 || in.Reason != "check: it coughs" || a.last().ep.health.in() {
			t.Errorf("%d processes, %+v", len(a.starts()), in)
		}
	})
}

func TestAnInstanceWhoseReplacementFailsGoesOnAsTheLastResort(t *testing.T) {
	broken := make(chan struct{})
	shape := func(f *fake) {
		if isClosed(broken) {
			failing(f)
		}
		f.boot(time.Second)
	}
	run(t, shape, func(t *testing.T, a *app) {
		a.settled(form(1))
		close(broken)
		a.last().finds(checkup{unwell: "check: it coughs"})
		time.Sleep(10 * time.Minute)
		if in := a.Status().Instances[0]; in.State != StateReady || in.Reason != "check: it coughs; the one to take its place exited with status 3" {
			t.Errorf("instance = %+v", in)
		}
		if n := len(a.starts()); n < 10 || n > 40 {
			t.Errorf("%d starts in ten minutes", n)
		}
		if len(a.serving()) != 1 {
			t.Error("no instance takes requests")
		}
	})
}
