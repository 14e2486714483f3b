package service

import (
	"fmt"
	"strings"
	"time"

	"roost/apps"
	"roost/host"
)

// watch tells progress, until the returned function is called, what becomes of
// the apps that differ between old and next: four times a second, and only
// what has changed since.
func watch(b wanter, old, next host.Config, progress func(string)) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(250 * time.Millisecond)
		defer tick.Stop()
		told := map[string]string{}
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
			}
			for app, line := range news(old, next, b.Apps()) {
				if told[app] != line {
					told[app] = line
					progress(line)
				}
			}
		}
	}()
	return func() { close(quit); <-done }
}

// news says how far each app is that differs between old and next, by app.
func news(old, next host.Config, now []apps.Status) map[string]string {
	out := map[string]string{}
	for _, pair := range differing(old, next) {
		a := pair[1]
		if a == nil {
			a = &apps.Wanted{Config: apps.Config{Name: pair[0].Name}}
		}
		out[a.Name] = newsOf(*a, statusOf(now, a.Name))
	}
	return out
}

// newsOf is one line such as "web: 1/2 instances ready on revision 3, 1 starting".
func newsOf(a apps.Wanted, s apps.Status) string {
	revision := map[int]int{} // of each slot that should run
	for _, slot := range a.Slots {
		if !slot.Stopped {
			revision[slot.ID] = slot.Revision
		}
	}
	ready, count, running, reason := 0, map[apps.State]int{}, 0, ""
	for _, i := range s.Instances {
		if i.PID != 0 {
			running++
		}
		if want, ok := revision[i.ID]; ok && i.Revision == want && i.State == apps.StateReady {
			ready++
			continue
		}
		count[i.State]++
		if i.State == apps.StateWaiting {
			reason = i.Reason
		}
		if (i.State == apps.StateBackoff || i.State == apps.StateErrored) && i.Reason != "" {
			reason = fmt.Sprintf("slot %d: %s", i.Slot, i.Reason)
		}
	}
	if len(revision) == 0 {
		if running == 0 {
			return apps.ShowName(a.Name) + ": stopped"
		}
		return fmt.Sprintf("%s: stopping, %d left", apps.ShowName(a.Name), running)
	}
	parts := []string{fmt.Sprintf("%s: %d/%d instances ready on revision %d", apps.ShowName(a.Name), ready, len(revision), a.Revision)}
	for _, state := range []apps.State{apps.StateStarting, apps.StateWaiting, apps.StateDraining, apps.StateBackoff, apps.StateErrored} {
		if n := count[state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	if reason != "" {
		parts = append(parts, reason)
	}
	return strings.Join(parts, ", ")
}

// unsettled says in one line what has not come to be.
func unsettled(old, next host.Config, now []apps.Status) string {
	var parts []string
	for _, pair := range differing(old, next) {
		name := ""
		for _, a := range pair {
			if a != nil {
				name = a.Name
			}
		}
		parts = append(parts, news(old, next, now)[name])
	}
	if len(parts) == 0 {
		return "the listeners or certificates are not there"
	}
	return strings.Join(parts, "; ")
}

func statusOf(all []apps.Status, app string) apps.Status {
	for _, s := range all {
		if s.Name == app {
			return s
		}
	}
	return apps.Status{}
}
