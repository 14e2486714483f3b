package apps

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// job is an app that starts at each ten minutes and takes so long.
func job(t *testing.T, takes time.Duration, code int, body func(t *testing.T, a *app, w Wanted)) {
	run(t, func(f *fake) {
		f.boot(time.Second)
		f.exitAfter(takes, outcome{exited: true, code: code})
	}, func(t *testing.T, a *app) {
		w := form(1)
		w.Serves, w.Schedule, w.TimeZone = false, "*/10 * * * *", "UTC"
		time.Sleep(time.Until(time.Now().Truncate(time.Hour).Add(time.Hour))) // on the hour
		body(t, a, w)
	})
}

func TestAJobRunsAtItsTimesOnly(t *testing.T) {
	job(t, 5*time.Second, 3, func(t *testing.T, a *app, w Wanted) {
		a.settled(w)
		a.shows("0:1:stopped")
		first := time.Now().Add(10 * time.Minute)
		if in := a.Status().Instances[0]; !in.Next.Equal(first) || in.Reason != "next start: "+first.UTC().Format("2006-01-02 15:04:05 MST") {
			t.Errorf("instance = %+v", in)
		}
		time.Sleep(10*time.Minute - time.Millisecond)
		a.shows("0:1:stopped")
		time.Sleep(2 * time.Second)
		a.shows("0:1:ready")
		if in := a.Status().Instances[0]; in.Reason != "schedule: */10 * * * *" {
			t.Errorf("reason = %q", in.Reason)
		}
		time.Sleep(5 * time.Second)
		a.shows("0:1:stopped")
		in := a.Status().Instances[0]
		if *in.ExitCode != 3 || !strings.HasPrefix(in.Reason, "exited with status 3; next start: ") || in.Restarts != 0 {
			t.Errorf("instance = %+v", in)
		}
		time.Sleep(time.Hour)
		if n := len(a.starts()); n != 7 {
			t.Errorf("%d runs in 70 minutes, want 7", n)
		}
		w.Slots = wanted(-1)
		a.settled(w)
		time.Sleep(time.Hour)
		if in := a.Status().Instances[0]; len(a.starts()) != 7 || !in.Next.IsZero() {
			t.Errorf("a stopped job ran, or will: %+v", in)
		}
	})
}

func TestARunThatGoesOnAtTheNextTimeIsLeftAlone(t *testing.T) {
	job(t, 25*time.Minute, 0, func(t *testing.T, a *app, w Wanted) {
		a.settled(w)
		time.Sleep(34 * time.Minute)
		a.shows("0:1:ready")
		if n := len(a.starts()); n != 1 {
			t.Errorf("%d runs, want 1", n)
		}
		w.Slots, w.Revision = wanted(2), 2 // an apply
		a.settled(w)
		a.shows("0:1:ready")
		time.Sleep(10 * time.Minute)
		a.shows("0:2:ready")
	})
}

func TestARestartByCommandRunsAJobAtOnce(t *testing.T) {
	job(t, 3*time.Second, 0, func(t *testing.T, a *app, w Wanted) {
		a.settled(w)
		w.Slots, w.Revision, w.Replace = wanted(2), 2, true
		a.settled(w)
		a.shows("0:2:ready")
		w.Slots, w.Revision = wanted(3), 3 // while it runs: stop, then start
		a.settled(w)
		a.shows("0:3:ready")
		time.Sleep(5 * time.Second)
		w.Slots, w.Revision = wanted(2), 2 // an edit that is undone
		a.settled(w)
		a.shows("0:2:stopped")
		if n := len(a.starts()); n != 2 {
			t.Errorf("%d runs, want 2", n)
		}
	})
}

func TestAJobWhoseRunFailsAtOnceIsSettledAgain(t *testing.T) {
	job(t, 0, 4, func(t *testing.T, a *app, w Wanted) {
		a.settled(w)
		w.Slots, w.Revision, w.Replace = wanted(2), 2, true
		a.Want(w)
		if err := a.Settle(t.Context()); err == nil || err.Error() != "web: slot 0 exited with status 4 before it was ready" {
			t.Errorf("Settle = %v", err)
		}
		w.Slots, w.Revision = wanted(1), 1
		a.settled(w) // as an edit does that has failed
		if n := len(a.starts()); n != 1 {
			t.Errorf("%d runs, want 1", n)
		}
	})
}

func TestAnAppBecomesAJobAndBackAgain(t *testing.T) {
	run(t, nil, func(t *testing.T, a *app) {
		w := form(1)
		w.Serves = false
		a.settled(w)
		w.Schedule = "@hourly"
		a.settled(w)
		time.Sleep(time.Second)
		a.shows("0:1:stopped")
		w.Schedule = ""
		a.settled(w)
		a.shows("0:1:ready")
	})
}

func TestCronRestartRenewsWhatRuns(t *testing.T) {
	run(t, nil, func(t *testing.T, a *app) {
		w := form(1, -1)
		w.CronRestart = "@hourly"
		a.settled(w)
		next := time.Now().Truncate(time.Hour).Add(time.Hour)
		if in := a.Status().Instances; !in[0].Next.Equal(next) || !in[1].Next.IsZero() {
			t.Errorf("next = %v and %v", in[0].Next, in[1].Next)
		}
		time.Sleep(time.Until(next) + 10*time.Second)
		a.shows("0:1:ready 1:1:stopped")
		if in := a.Status().Instances[0]; in.Reason != "cron_restart: @hourly" || len(a.starts()) != 2 {
			t.Errorf("instance = %+v after %d starts", in, len(a.starts()))
		}
		w.CronRestart = ""
		a.settled(w)
		time.Sleep(3 * time.Hour)
		if len(a.starts()) != 2 {
			t.Error("it is renewed at times that are not wanted any more")
		}
	})
}

func TestCronRestartStartsAgainWhatHasEnded(t *testing.T) {
	no := false
	run(t, func(f *fake) { f.exitAfter(2*time.Second, outcome{exited: true}) }, func(t *testing.T, a *app) {
		w := form(1)
		w.Serves, w.CronRestart, w.Autorestart = false, "@hourly", &no
		a.Want(w)
		synctest.Wait()
		if n := len(a.starts()); n != 1 { // the first at once, as in PM2
			t.Errorf("%d starts", n)
		}
		time.Sleep(3*time.Hour + time.Minute)
		if n := len(a.starts()); n != 4 {
			t.Errorf("%d runs in three hours and one at first, want 4", n)
		}
		a.shows("0:1:stopped")
	})
}
