package host

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"roost/apps"
)

// waits decides what each app must wait for because of others, as they stand.
// passed has the revision of each app that was let start: that one is not held
// again when what it depends on is restarted, or fails later.
//
//	start:  an app whose dependencies are not met starts nothing
//	stop:   an app that is to stop stays while one that depends on it, and is to stop as well, still runs
func waits(c Config, status map[string]apps.Status, passed map[string]int) map[string]apps.Wait {
	all := map[string]apps.Wait{}
	for i := range c.Apps {
		a := &c.Apps[i]
		var w apps.Wait
		if wantsToRun(a) {
			if passed[a.Name] != a.Revision {
				w.Reason, w.Failed = unmet(c, a, status)
			}
		} else {
			w.Stay = slices.ContainsFunc(c.Apps, func(d apps.Wanted) bool {
				_, depends := d.DependsOn[a.Name]
				return depends && !wantsToRun(&d) && runs(status[d.Name])
			})
		}
		all[a.Name] = w
	}
	return all
}

// unmet says which dependency an app waits for, one that has failed first;
// empty when all are as they must be.
func unmet(c Config, a *apps.Wanted, status map[string]apps.Status) (reason string, failed bool) {
	for _, name := range slices.Sorted(maps.Keys(a.DependsOn)) {
		condition := a.DependsOn[name]
		met, why := stands(c.App(name), status[name], condition)
		switch {
		case met:
		case why != "":
			return fmt.Sprintf("waits for %s, which %s", apps.ShowName(name), why), true
		case reason == "":
			reason = fmt.Sprintf("waits for %s to be %s", apps.ShowName(name), condition)
		}
	}
	return reason, false
}

// stands reports whether a dependency is as it must be and, when it will not be
// so by itself, why.
func stands(w *apps.Wanted, s apps.Status, condition string) (met bool, why string) {
	switch {
	case w == nil:
		return false, "does not exist"
	case !wantsToRun(w):
		return false, "is stopped"
	case s.Revision != w.Revision: // it has not heard of what is wanted
		return false, ""
	}
	met = true
	for _, slot := range w.Slots {
		if slot.Stopped {
			continue
		}
		ok, bad := false, ""
		for _, in := range s.Instances {
			if in.ID != slot.ID || in.Revision != slot.Revision {
				continue
			}
			code, ended := cmp.Or(in.ExitCode, new(int)), in.State == apps.StateStopped && in.ExitCode != nil
			switch condition {
			case apps.DependCompleted:
				ok = ok || ended && *code == 0
				if ended && *code != 0 {
					bad = fmt.Sprintf("has failed: exited with status %d", *code)
				}
			case apps.DependStarted:
				ok = ok || ended || in.PID != 0
			default:
				ok = ok || in.State == apps.StateReady
				if ended {
					bad = fmt.Sprintf("has ended: exited with status %d", *code)
				}
			}
		}
		if bad != "" {
			return false, bad
		}
		met = met && ok
	}
	if !met && s.Failure != "" {
		return false, "has failed: " + s.Failure
	}
	return met, ""
}

// depends reports whether any app depends on another.
func (c *Config) depends() bool {
	return slices.ContainsFunc(c.Apps, func(a apps.Wanted) bool { return len(a.DependsOn) > 0 })
}

func wantsToRun(w *apps.Wanted) bool {
	return slices.ContainsFunc(w.Slots, func(s apps.Slot) bool { return !s.Stopped })
}

func runs(s apps.Status) bool {
	return slices.ContainsFunc(s.Instances, func(in apps.Instance) bool { return in.PID != 0 || in.State == apps.StateDraining })
}

// Longest adds up what each app costs along the chains of depends_on, in which
// one goes after the other, and returns the largest sum.
func (c *Config) Longest(cost func(*apps.Wanted) time.Duration) time.Duration {
	sums := map[string]time.Duration{}
	var sum func(name string) time.Duration
	sum = func(name string) time.Duration {
		if known, ok := sums[name]; ok {
			return known
		}
		sums[name] = 0 // ends circles
		a := c.App(name)
		if a == nil {
			return 0
		}
		longest := time.Duration(0)
		for d := range a.DependsOn {
			longest = max(longest, sum(d))
		}
		sums[name] = longest + cost(a)
		return sums[name]
	}
	longest := time.Duration(0)
	for i := range c.Apps {
		longest = max(longest, sum(c.Apps[i].Name))
	}
	return longest
}

// StopTime is how long all apps may take to end, those that depend on others first.
func (c *Config) StopTime() time.Duration {
	return c.Longest(func(a *apps.Wanted) time.Duration { return a.KillTimeout.Or(10 * time.Second) })
}

// hold tells each app what it must wait for, where that has changed.
func (l *loop) hold(c Config) {
	status := map[string]apps.Status{}
	for name, p := range l.programs {
		status[name] = p.app.Status()
	}
	for name, w := range waits(c, status, l.passed) {
		p, a := l.programs[name], c.App(name)
		switch {
		case !wantsToRun(a):
			delete(l.passed, name)
		case w.Reason == "":
			l.passed[name] = a.Revision
		}
		if p.wait != w {
			p.wait = w
			p.app.Hold(w)
		}
	}
}

// endInOrder ends apps, each after those of them that depend on it; not for
// ever, lest one that hangs keep the others.
func (l *loop) endInOrder(programs []*program) (ended chan struct{}) {
	ended = make(chan struct{})
	c := Config{}
	for _, p := range programs {
		c.Apps = append(c.Apps, p.wanted)
	}
	limit := make(chan struct{})
	timer := time.AfterFunc(c.StopTime()+5*time.Second, func() { close(limit) })
	l.working.running.Go(func() {
		defer close(ended)
		defer timer.Stop()
		for _, p := range programs {
			<-p.done
		}
	})
	for _, p := range programs {
		var before []*program
		for _, d := range programs {
			if _, depends := d.wanted.DependsOn[p.name]; depends && d != p {
				before = append(before, d)
			}
		}
		if len(before) == 0 {
			p.cancel()
			continue
		}
		l.working.running.Go(func() {
			for _, d := range before {
				select {
				case <-d.done:
				case <-limit:
				}
			}
			p.cancel()
		})
	}
	return ended
}
