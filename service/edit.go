package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"sync/atomic"
	"time"

	"roost/apps"
	"roost/host"
	"roost/service/control"
)

// change is one edit of the Config.
type change struct {
	// what names it for those who must wait, such as "reload web".
	what string
	// do makes the change; c is its own to alter.
	do func(c *host.Config) error
	// file is the config file that is being applied: its problems refuse the
	// change even when they were there before.
	file string
	// separate: apps are independent of one another in this change; one that
	// fails goes back alone and the others stay changed.
	separate bool
	// keepNew: apps that the change adds stay when they fail, and are tried again
	// and again; each of the others that fails goes back alone.
	keepNew bool
	// gone, when closed, withdraws a change whose turn has not come yet.
	gone <-chan struct{}
}

// editor is the one place where what is wanted changes.
//
//	clone ─ do ─ validate ─ room ─ Want ─ Settle ─ save ─ publish
//	                                  └───────┴──────┴──► on failure: Want the old one again
type editor struct {
	box      wanter
	store    *store
	log      *slog.Logger
	troubles troubles
	// patience is how long a change waits for its turn.
	patience time.Duration

	turn chan struct{}               // holds one token while a change is being made
	busy atomic.Pointer[string]      // what that change is
	now  atomic.Pointer[host.Config] // what is wanted and acknowledged; never altered in place

	// burned are the revisions that failed, by app; with the turn only. They
	// are not given out again: an instance of the failed one may still be ending.
	burned map[string]int
}

func newEditor(b wanter, s *store, log *slog.Logger) *editor {
	e := &editor{box: b, store: s, log: log, patience: 30 * time.Second, turn: make(chan struct{}, 1), burned: map[string]int{}}
	e.now.Store(&host.Config{})
	e.busy.Store(new("start-up"))
	return e
}

// Config is what is wanted now. It must not be altered.
func (e *editor) Config() host.Config { return *e.now.Load() }

// begin makes c what is wanted, at start: nothing is waited for, so that one
// broken app does not keep the others down, and c is wanted even when it
// cannot be saved: the error then says so.
func (e *editor) begin(c host.Config) error {
	e.now.Store(&c)
	e.box.Want(c)
	return e.save(c)
}

// save saves, and keeps the status informed.
func (e *editor) save(c host.Config) error {
	err := e.store.save(c)
	if err == nil {
		e.troubles.set(troubleSave)
	}
	return err
}

// Edit makes a change and returns when it is so and saved. On error all is as
// before. ctx is the daemon's, not that of the one who asks: a change whose
// turn has come goes on to its end, bounded by the time limits of its apps.
// progress, which may be nil, is told the news, never by two goroutines at a time.
func (e *editor) Edit(ctx context.Context, ch change, progress func(string)) error {
	if progress == nil {
		progress = func(string) {}
	}
	if err := e.await(ctx, ch, progress); err != nil {
		return err
	}
	defer func() { <-e.turn }()
	e.busy.Store(&ch.what)

	old := e.Config()
	next := old.Clone()
	if err := ch.do(&next); err != nil {
		return err
	}
	e.renumber(old, &next)
	if err := refuse(old, next, ch.file); err != nil {
		return err
	}
	if err := e.store.room(next); err != nil {
		return err
	}
	defer e.store.drop()

	e.box.Want(next)
	err := e.settle(ctx, old, next, progress)
	var wrong []*apps.Failure // of apps that went back alone
	if failures := failuresOf(err); (ch.separate || ch.keepNew) && len(failures) > 0 {
		wrong, err = failures, nil
		back := slices.DeleteFunc(slices.Clone(failures), func(f *apps.Failure) bool { return ch.keepNew && old.App(f.App) == nil })
		for _, f := range back {
			e.burn(f.App, next, old)
			revert(&next, old, f.App)
		}
		if len(back) > 0 {
			progress(errorOf(back).Error() + "; going back to what was before")
			e.box.Want(next)
			err = e.settle(ctx, old, next, progress)
		}
		// What was before may not start either; that must not undo the other apps.
		if len(failuresOf(err)) > 0 {
			e.log.Error("what was before a failed change is not back yet", "error", oneLine(err), "change", ch.what)
			err = nil
		}
	}
	if err == nil {
		err = e.save(next)
	}
	if err != nil {
		return e.undo(ctx, old, next, err, progress)
	}
	e.now.Store(&next)
	stayed := slices.DeleteFunc(slices.Clone(wrong), func(f *apps.Failure) bool { return old.App(f.App) != nil || next.App(f.App) == nil })
	return partly(wrong, len(differing(old, next))-len(stayed))
}

// await waits for the turn.
func (e *editor) await(ctx context.Context, ch change, progress func(string)) error {
	withdrawn := func() error {
		if ctx.Err() != nil {
			return errStopping
		}
		return context.Canceled
	}
	select {
	case <-ch.gone:
		return withdrawn()
	default:
	}
	select {
	case e.turn <- struct{}{}:
		return nil
	default:
	}
	progress("waiting for another change to end: " + *e.busy.Load())
	patience := time.NewTimer(e.patience)
	defer patience.Stop()
	select {
	case e.turn <- struct{}{}:
		return nil
	case <-ch.gone:
		return withdrawn()
	case <-ctx.Done():
		return errStopping
	case <-patience.C:
		return &control.Error{
			Code:    control.CodeBusy,
			Message: fmt.Sprintf("another change is still being made: %s", *e.busy.Load()),
			Hint:    "try again when it has ended; roost list shows how it goes",
		}
	}
}

// settle waits until next is so, as long as its apps may take.
func (e *editor) settle(ctx context.Context, old, next host.Config, progress func(string)) error {
	limit := patienceFor(old, next)
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	stop := watch(e.box, old, next, progress)
	err := e.box.Settle(bounded)
	stop()
	switch {
	case ctx.Err() != nil:
		return errStopping
	case err != nil && bounded.Err() != nil && errors.Is(err, context.DeadlineExceeded):
		return &control.Error{
			Code:    control.CodeFailed,
			Message: fmt.Sprintf("not done after %v: %s", limit, unsettled(old, next, e.box.Apps())),
			Hint:    "see what keeps it with: roost list, roost logs",
		}
	}
	return err
}

// undo wants the old Config again and returns cause, made fit for the socket.
func (e *editor) undo(ctx context.Context, old, next host.Config, cause error, progress func(string)) error {
	for _, a := range next.Apps {
		e.burn(a.Name, next, old)
	}
	if ctx.Err() != nil { // shutting down: the next start reads the old one from disk
		return errStopping
	}
	progress(cause.Error() + "; going back to what was before")
	e.box.Want(old)
	if err := e.settle(ctx, next, old, progress); err != nil {
		e.log.Error("what was before a failed change is not back yet", "error", err, "change", *e.busy.Load())
	}
	return failed(cause)
}

// renumber gives changed apps revisions that were never tried.
func (e *editor) renumber(old host.Config, next *host.Config) {
	for i := range next.Apps {
		a := &next.Apps[i]
		if before := old.App(a.Name); before != nil && before.Revision == a.Revision || a.Revision > e.burned[a.Name] {
			continue
		}
		fresh := e.burned[a.Name] + 1
		for j := range a.Slots {
			if a.Slots[j].Revision == a.Revision {
				a.Slots[j].Revision = fresh
			}
		}
		a.Revision = fresh
	}
}

func (e *editor) burn(app string, next, old host.Config) {
	a, before := next.App(app), old.App(app)
	if a != nil && (before == nil || before.Revision != a.Revision) {
		e.burned[app] = max(e.burned[app], a.Revision)
	}
}

// revert makes the app in next what it is in old.
func revert(next *host.Config, old host.Config, app string) {
	old = old.Clone()
	if a, before := next.App(app), old.App(app); a != nil && before != nil {
		*a = *before
	}
}

// refuse returns the problems of next that old did not have, or that are of
// file: a folder that has vanished elsewhere must not stand in the way of a restart.
func refuse(old, next host.Config, file string) error {
	problems := host.NewProblems(old, next)
	if file != "" {
		problems = slices.DeleteFunc(host.Validate(next), func(p host.Problem) bool {
			return p.File != file && !slices.Contains(problems, p)
		})
	}
	if len(problems) == 0 {
		return nil
	}
	return invalid(problems)
}

// patienceFor is how long the apps that differ may take: one slot after the
// other, each to stop and to become ready, and those after them that depend on
// them, and then some. One that is to be completed may take an hour more.
func patienceFor(old, next host.Config) time.Duration {
	cost := map[string]time.Duration{}
	for _, pair := range differing(old, next) {
		for _, a := range pair {
			if a == nil {
				continue
			}
			slot := a.ListenTimeout.Or(30*time.Second) + a.KillTimeout.Or(10*time.Second) + a.MinUptime.Or(time.Second) + time.Second
			cost[a.Name] = max(cost[a.Name], time.Duration(max(1, len(a.Slots)))*slot)
		}
	}
	for _, a := range next.Apps {
		for on, condition := range a.DependsOn {
			if cost[a.Name] > 0 && condition == apps.DependCompleted {
				cost[on] += time.Hour
			}
		}
	}
	each := func(a *apps.Wanted) time.Duration { return cost[a.Name] }
	return max(old.Longest(each), next.Longest(each)) + 20*time.Second
}

// differing pairs the apps that are not the same before and after; one of a
// pair is nil when the app is new or gone.
func differing(old, next host.Config) (pairs [][2]*apps.Wanted) {
	for i := range next.Apps {
		a, before := &next.Apps[i], old.App(next.Apps[i].Name)
		if before == nil || !reflect.DeepEqual(*a, *before) {
			pairs = append(pairs, [2]*apps.Wanted{before, a})
		}
	}
	for i := range old.Apps {
		if next.App(old.Apps[i].Name) == nil {
			pairs = append(pairs, [2]*apps.Wanted{&old.Apps[i], nil})
		}
	}
	return pairs
}
