package apps

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// uses has all that runs of an app hold so many bytes, and looks each second
// for so long whether that is too much.
func (a *app) uses(bytes uint64, d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(time.Second) {
		synctest.Wait()
		a.usage.update([]int{4242}, map[int]*treeUsage{4242: {usage: usage{memory: bytes}}}, time.Now())
		a.limitMemory()
	}
}

func TestAnInstanceThatUsesTooMuchMemoryIsReplacedBesideIt(t *testing.T) {
	run(t, nil, func(t *testing.T, a *app) {
		w := form(1)
		w.MaxMemoryRestart = 200 << 20
		a.settled(w)
		a.uses(200<<20, time.Minute) // exactly as much is allowed
		if len(a.starts()) != 1 {
			t.Fatalf("%d starts within the limit", len(a.starts()))
		}
		a.uses(210<<20, time.Millisecond)
		if !slices.Equal(a.serving(), []int{1}) {
			t.Error("nothing serves meanwhile")
		}
		a.uses(50<<20, time.Minute)
		if in := a.Status().Instances[0]; len(a.starts()) != 2 || in.Reason != "memory: 210 MB used, 200 MB allowed" || in.Restarts != 1 {
			t.Errorf("%d starts; instance = %+v", len(a.starts()), in)
		}
		w.MaxMemoryRestart = 0
		a.settled(w)
		a.uses(1<<40, time.Minute)
		if len(a.starts()) != 2 {
			t.Error("a limit that was removed still holds")
		}
	})
}

func TestALimitBelowWhatAnAppNeedsAtItsStartIsNoHotLoop(t *testing.T) {
	no := false
	for name, shape := range map[string]func(*Wanted){
		"with requests":                          func(*Wanted) {},
		"in the background, without autorestart": func(w *Wanted) { w.Serves, w.Autorestart = false, &no },
	} {
		t.Run(name, func(t *testing.T) {
			run(t, nil, func(t *testing.T, a *app) {
				w := form(1)
				w.MaxMemoryRestart = 10 << 20
				shape(&w)
				a.settled(w)
				a.uses(40<<20, 10*time.Minute)
				if n := len(a.starts()); n < 12 || n > 30 {
					t.Errorf("%d starts in ten minutes, want them to become rare", n)
				}
				if in := a.Status().Instances[0]; !strings.HasPrefix(in.Reason, "memory: 40.0 MB used, 10.0 MB allowed; ") || !strings.Contains(in.Reason, " times so soon after a start: raise max_memory_restart") {
					t.Errorf("reason = %q", in.Reason)
				}
				before := len(a.starts())
				a.uses(1<<20, time.Hour)
				if n := len(a.starts()) - before; n > 1 {
					t.Errorf("%d more starts within the limit", n)
				}
			})
		})
	}
}

func TestAnInstanceThatGrowsWhileItIsReplacedIsReplacedOnce(t *testing.T) {
	var slow atomic.Bool
	run(t, func(f *fake) {
		if slow.Load() {
			f.boot(20 * time.Second)
			return
		}
		f.boot(time.Second)
	}, func(t *testing.T, a *app) {
		w := form(1)
		w.MaxMemoryRestart = 200 << 20
		a.settled(w)
		time.Sleep(time.Minute)
		slow.Store(true)
		for mb := uint64(210); mb < 225; mb++ {
			a.uses(mb<<20, time.Second)
		}
		a.uses(0, 10*time.Second)
		if in := a.Status().Instances[0]; len(a.starts()) != 2 || in.Reason != "memory: 210 MB used, 200 MB allowed" {
			t.Errorf("%d starts; %+v", len(a.starts()), in)
		}
	})
}
