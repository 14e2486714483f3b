//go:build unix

package apps

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// awaits waits until the app's first instance is ready for that reason, and
// returns it.
func (a *liveApp) awaits(reason string) (in Instance) {
	a.t.Helper()
	eventually(a.t, "an instance because of "+reason, func() bool {
		all := a.Status().Instances
		if len(all) > 0 {
			in = all[0]
		}
		return len(all) == 1 && in.State == StateReady && in.Reason == reason
	})
	return in
}

// changes changes a file until that is noticed: it may begin before the
// watching does.
func (a *liveApp) changes(name string) {
	a.t.Helper()
	reason, n := "watch: "+name+" changed", 0
	again := time.Now()
	eventually(a.t, reason, func() bool {
		if time.Since(again) >= 0 {
			n++
			a.file(name, fmt.Sprint(n))
			again = time.Now().Add(2 * time.Second)
		}
		all := a.Status().Instances
		return len(all) == 1 && all[0].State == StateReady && all[0].Reason == reason
	})
}

func TestAWatchedNodeAppIsRenewedWithoutALostRequest(t *testing.T) {
	a := live(t)
	a.file("v.js", `module.exports = 1`)
	w := a.node("app.js", `const v = require('./v'); require('http').createServer((q, r) => r.end('v' + v)).listen(0)`, 2)
	w.Serves = true
	w.Watch, w.IgnoreWatch = Paths{"."}, Paths{"node_modules", "*.tmp"}
	a.want(w)
	s := listenHost(t, a)
	var stop atomic.Bool
	failed := make(chan string, 1)
	go func() {
		defer close(failed)
		for !stop.Load() {
			if code, body := ask(t, s, "GET", "/", nil); code != 200 {
				failed <- body
				return
			}
		}
	}()
	a.file("x.tmp", "")
	a.file("v.js", `module.exports = 2`)
	eventually(t, "both instances are new", func() bool {
		return slices.Equal(reasons(a), []string{"watch: v.js changed", "watch: v.js changed"})
	})
	stop.Store(true)
	if why, bad := <-failed; bad {
		t.Errorf("a request failed: %s", why)
	}
	if _, body := ask(t, s, "GET", "/", nil); body != "v2" {
		t.Errorf("it answers %q", body)
	}
	a.file("v.js", `oh no`) // a slip keeps the old code serving
	eventually(t, "the new code fails", func() bool {
		return strings.Contains(a.Status().Instances[0].Reason, "the one to take its place exited with status 1")
	})
	if code, body := ask(t, s, "GET", "/", nil); body != "v2" {
		t.Errorf("it answers %d %q while the new code fails", code, body)
	}
	a.file("v.js", `module.exports = 3`)
	eventually(t, "the corrected code serves", func() bool {
		_, body := ask(t, s, "GET", "/", nil)
		return body == "v3"
	})
}

func reasons(a *liveApp) (all []string) {
	for _, in := range a.Status().Instances {
		if in.State == StateReady {
			all = append(all, in.Reason)
		}
	}
	return all
}

func TestAWatchedWorkerIsStoppedThenStarted(t *testing.T) {
	a := live(t)
	w := a.sh(`echo started; mkdir lock || { echo two at a time; exit 1; }; trap 'rmdir lock; exit 0' TERM; while :; do echo tick; sleep 0.05; done`)
	w.MinUptime = unitOf(50 * time.Millisecond)
	w.Watch, w.OutFile, w.IgnoreWatch = Paths{"."}, "out.log", Paths{"lock"}
	a.want(w)
	first := a.Status().Instances[0]
	<-time.After(500 * time.Millisecond) // its own output is in the folder
	if in := a.Status().Instances[0]; in.PID != first.PID {
		t.Fatalf("its own log has it replaced: %+v", in)
	}
	a.changes("config")

	w.Watch = nil // live, and without a new instance
	a.want(w)
	in := a.Status().Instances[0]
	a.file("config", "y")
	w.Watch, w.WatchDelay = Paths{"other"}, unitOf(10*time.Millisecond)
	a.want(w)
	eventually(t, "the missing folder is told", func() bool { return strings.HasPrefix(a.Status().Problem, "watch: other does not exist") })
	if now := a.Status().Instances[0]; now.PID != in.PID {
		t.Errorf("replaced though nothing is watched: %+v", now)
	}
	if err := os.Mkdir(filepath.Join(a.dir, "other"), 0o755); err != nil {
		t.Fatal(err)
	}
	a.awaits("watch: other changed")
	if got := a.Status().Problem; got != "" {
		t.Errorf("problem = %q", got)
	}

	w.Slots = []Slot{{Revision: 1, Stopped: true}}
	a.want(w)
	a.file("other/x", "x")
	w.Slots, w.Revision = []Slot{{Revision: 2}}, 2
	a.want(w)
	if in := a.Status().Instances[0]; in.Reason != "" {
		t.Errorf("a change while it was stopped counts: %+v", in)
	}
	a.changes(filepath.Join("other", "x"))
}

func TestACrashingAppThatIsWatchedStartsOnceItIsCorrected(t *testing.T) {
	a := live(t)
	w := a.sh(`exit 3`)
	w.Watch, w.MaxRestarts, w.MinUptime = Paths{"."}, 1, unitOf(50*time.Millisecond)
	a.Want(w)
	eventually(t, "it is errored", func() bool {
		all := a.Status().Instances
		return len(all) == 1 && all[0].State == StateErrored
	})
	a.file("app.sh", `exec sleep 60`)
	a.awaits("watch: app.sh changed")
}
