package service

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"roost/apps"
	"roost/host"
	"roost/internal/durable"
	"roost/service/control"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// script is a program that the validation of an app accepts.
func script(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "app.sh")
	if err := os.WriteFile(path, []byte("#!/bin/sh\nexec sleep 1000\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func addApp(name, script string, n int) change {
	return change{what: "start " + name, do: func(c *host.Config) error {
		return register(c, control.StartRequest{Config: apps.Config{
			Name: name, Script: script, Cwd: filepath.Dir(script), Instances: apps.Instances(n),
		}}, 2)
	}}
}

func verb(verb string, words ...string) change {
	return change{what: verb + " " + words[0], separate: true, do: func(c *host.Config) error {
		chosen, err := resolve(*c, words)
		if err != nil {
			return err
		}
		r := control.ActRequest{Verb: verb}
		if chosen, err = working(*c, r, chosen); err != nil {
			return err
		}
		return act(c, r, chosen, 2)
	}}
}

func edit(t *testing.T, e *editor, ch change) {
	t.Helper()
	if err := e.Edit(t.Context(), ch, nil); err != nil {
		t.Fatalf("%s: %v", ch.what, err)
	}
}

func stored(t *testing.T, dir string) host.Config {
	t.Helper()
	c, problems, err := openStore(dir).load()
	if err != nil || len(problems) > 0 {
		t.Fatalf("state: %v, %v", problems, err)
	}
	return c
}

func newTestEditor(t *testing.T) (*editor, *fakeBox, string) {
	t.Helper()
	b, dir := &fakeBox{}, t.TempDir()
	return newEditor(b, openStore(dir), quiet), b, dir
}

func code(err error) string {
	var e *control.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func revisions(c host.Config, app string) (out []int) {
	for _, s := range c.App(app).Slots {
		out = append(out, s.Revision)
	}
	return out
}

func TestAnAcknowledgedChangeIsOnDisk(t *testing.T) {
	e, b, dir := newTestEditor(t)
	edit(t, e, addApp("web", script(t), 2))
	saved := stored(t, dir)
	if got := saved.App("web"); got == nil || len(got.Slots) != 2 || got.Slots[1].ID != 1 {
		t.Errorf("saved %+v", saved.Apps)
	}
	last := b.last()
	if b.settled != 1 || last.App("web") == nil {
		t.Errorf("the host was wanted %d times and settled %d times", len(b.wanted), b.settled)
	}
}

func TestAFailedChangeWantsTheOldConfigAgain(t *testing.T) {
	e, b, dir := newTestEditor(t)
	path := script(t)
	edit(t, e, addApp("web", path, 1))
	before := stored(t, dir)
	b.settle = func(_ context.Context, c host.Config) error {
		if slices.Max(revisions(c, "web")) > 1 {
			return &apps.Failure{App: "web", Reason: "slot 0 exited with status 3", Hint: "look at it", Output: []string{"boom"}}
		}
		return nil
	}
	ch := verb("reload", "web")
	ch.separate = false
	err := e.Edit(t.Context(), ch, nil)
	var failure *control.Error
	if !errors.As(err, &failure) || failure.Code != control.CodeFailed || !slices.Equal(failure.Output, []string{"boom"}) || failure.Hint != "look at it" {
		t.Errorf("got %#v", err)
	}
	if got := revisions(b.last(), "web"); !slices.Equal(got, []int{1}) {
		t.Errorf("the host was left wanting revisions %v", got)
	}
	after, now := stored(t, dir), e.Config()
	if !slices.Equal(revisions(after, "web"), revisions(before, "web")) || now.App("web").Revision != 1 {
		t.Errorf("a failed change was kept")
	}

	// The revision that failed is never given out again: an instance of it may still be ending.
	b.settle = nil
	edit(t, e, verb("reload", "web"))
	if got := revisions(b.last(), "web"); !slices.Equal(got, []int{3}) {
		t.Errorf("the next reload made revisions %v, want 3", got)
	}
}

func TestANewAppThatFailsStaysWhereThatIsAskedFor(t *testing.T) {
	e, b, dir := newTestEditor(t)
	path := script(t)
	edit(t, e, addApp("old", path, 1))
	b.settle = func(_ context.Context, c host.Config) error {
		var all []error
		for _, a := range c.Apps {
			if a.Name == "new" || a.Revision > 1 {
				all = append(all, &apps.Failure{App: a.Name, Reason: "exited with status 1"})
			}
		}
		return errors.Join(all...)
	}
	ch := addApp("new", path, 1)
	add := ch.do
	ch.do = func(c *host.Config) error {
		if err := add(c); err != nil {
			return err
		}
		c.Bump(c.App("old"), false)
		return nil
	}
	ch.keepNew = true
	var failure *control.Error
	if err := e.Edit(t.Context(), ch, nil); !errors.As(err, &failure) || failure.Code != control.CodeFailed {
		t.Errorf("got %v, want both failures", err)
	}
	for what, c := range map[string]host.Config{"wanted": b.last(), "saved": stored(t, dir), "published": e.Config()} {
		if c.App("new") == nil || c.App("old").Revision != 1 {
			t.Errorf("%s: the new app must stay, and the old one be as it was: %+v", what, c.Apps)
		}
	}
}

func TestOneBrokenAppOfManyGoesBackAlone(t *testing.T) {
	e, b, dir := newTestEditor(t)
	path := script(t)
	for _, name := range []string{"a", "bad", "c"} {
		edit(t, e, addApp(name, path, 1))
	}
	b.settle = func(_ context.Context, c host.Config) error {
		if slices.Max(revisions(c, "bad")) > 1 {
			return &apps.Failure{App: "bad", Reason: "never became ready"}
		}
		return nil
	}
	err := e.Edit(t.Context(), verb("reload", "all"), nil)
	if code(err) != control.CodeFailed || !strings.Contains(err.Error(), "bad: never became ready") {
		t.Errorf("got %v", err)
	}
	expect := func(a, bad, c int) {
		t.Helper()
		saved := stored(t, dir)
		for name, want := range map[string]int{"a": a, "bad": bad, "c": c} {
			if got := revisions(saved, name); got[0] != want {
				t.Errorf("%s is saved at revision %d, want %d", name, got[0], want)
			}
		}
	}
	expect(2, 1, 2)

	// Its program is gone for good: what was before does not start either.
	b.settle = func(_ context.Context, c host.Config) error {
		return errors.Join(&apps.Failure{App: "bad", Reason: "exited"})
	}
	if err := e.Edit(t.Context(), verb("restart", "all"), nil); code(err) != control.CodeFailed || !strings.Contains(err.Error(), "the other apps are done") {
		t.Errorf("got %v", err)
	}
	expect(3, 1, 3)
}

func TestAChangeThatCannotBeSavedIsRefusedBeforeAnythingIsTouched(t *testing.T) {
	e, b, dir := newTestEditor(t)
	path := script(t)
	edit(t, e, addApp("web", path, 1))
	if err := os.Rename(dir, dir+".away"); err != nil { // fails for root, too
		t.Fatal(err)
	}
	before := len(b.wanted)
	err := e.Edit(t.Context(), verb("delete", "web"), nil)
	if code(err) != control.CodeStorage || len(b.wanted) != before {
		t.Errorf("got %v; wanted %d more Configs", err, len(b.wanted)-before)
	}
	if err := os.Rename(dir+".away", dir); err != nil {
		t.Fatal(err)
	}
	edit(t, e, verb("delete", "web"))
}

func TestAChangeThatCannotBeSavedAfterAllIsUndone(t *testing.T) {
	for _, file := range []string{"state.json", "state.json.1"} {
		e, b, dir := newTestEditor(t)
		edit(t, e, addApp("web", script(t), 1))
		e.store.write = func(path string, data []byte, perm os.FileMode) error {
			if filepath.Base(path) == file {
				return &os.PathError{Op: "write", Path: path, Err: syscall.ENOSPC}
			}
			return durable.WriteFile(path, data, perm)
		}
		err := e.Edit(t.Context(), verb("delete", "web"), nil)
		if code(err) != control.CodeStorage || !strings.Contains(err.Error(), "no space left") {
			t.Errorf("%s: got %v", file, err)
		}
		last, saved, now := b.last(), stored(t, dir), e.Config()
		if last.App("web") == nil || saved.App("web") == nil || now.App("web") == nil {
			t.Errorf("%s: web is gone although the change failed", file)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "*.next")); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
		e.store.write = durable.WriteFile
		edit(t, e, verb("delete", "web"))
	}
}

func TestChangesAreMadeOneAtATime(t *testing.T) {
	e, b, _ := newTestEditor(t)
	path := script(t)
	edit(t, e, addApp("web", path, 1))
	gone := make(chan struct{})
	close(gone)
	withdrawn := verb("stop", "web")
	withdrawn.gone = gone
	if err := e.Edit(t.Context(), withdrawn, nil); !errors.Is(err, context.Canceled) || e.Config().Apps[0].Slots[0].Stopped {
		t.Errorf("a change that nobody waits for any more, before its turn, got %v", err)
	}
	inside, leave := make(chan bool), make(chan bool)
	b.settle = func(context.Context, host.Config) error { inside <- true; <-leave; return nil }
	first := make(chan error)
	go func() { first <- e.Edit(t.Context(), verb("reload", "web"), nil) }()
	<-inside

	e.patience = 1
	err := e.Edit(t.Context(), verb("stop", "web"), nil)
	if code(err) != control.CodeBusy || !strings.Contains(err.Error(), "reload web") {
		t.Errorf("a second change got %v, want busy and by what", err)
	}
	e.patience = 1 << 40
	if err := e.Edit(t.Context(), withdrawn, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a withdrawn change got %v", err)
	}

	waiting, second := make(chan string, 1), make(chan error)
	go func() {
		second <- e.Edit(t.Context(), verb("stop", "web"), func(news string) {
			select {
			case waiting <- news:
			default:
			}
		})
	}()
	if news := <-waiting; !strings.Contains(news, "reload web") {
		t.Errorf("the one who waits is told %q", news)
	}
	close(leave)
	go func() {
		for range inside {
		}
	}()
	if err := errors.Join(<-first, <-second); err != nil {
		t.Error(err)
	}
	close(inside)
	if now := e.Config(); !now.App("web").Slots[0].Stopped || now.App("web").Slots[0].Revision != 2 {
		t.Errorf("both changes are to be there: %+v", now.App("web"))
	}
}

func TestAChangeCutShortByTheEndIsNotMade(t *testing.T) {
	e, b, dir := newTestEditor(t)
	edit(t, e, addApp("web", script(t), 1))
	ctx, end := context.WithCancel(t.Context())
	b.settle = func(ctx context.Context, _ host.Config) error { end(); <-ctx.Done(); return ctx.Err() }
	if err := e.Edit(ctx, verb("stop", "web"), nil); code(err) != control.CodeStopping {
		t.Errorf("got %v", err)
	}
	if saved := stored(t, dir); saved.App("web").Slots[0].Stopped {
		t.Error("it was saved")
	}
}

func TestWhatBrokeElsewhereDoesNotStandInTheWay(t *testing.T) {
	e, _, _ := newTestEditor(t)
	path, other := script(t), script(t)
	edit(t, e, addApp("web", path, 1))
	edit(t, e, addApp("other", other, 1))
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	edit(t, e, verb("restart", "web"))
	if err := e.Edit(t.Context(), addApp("third", other, 1), nil); code(err) != control.CodeInvalid {
		t.Errorf("a new app with a missing script: %v", err)
	}
}

func TestStartUpWantsWithoutSettling(t *testing.T) {
	e, b, dir := newTestEditor(t)
	b.settle = func(context.Context, host.Config) error { t.Error("settled at start"); return nil }
	c := someApps()
	if err := e.begin(c); err != nil || len(b.wanted) != 1 {
		t.Errorf("got %v, wanted %d Configs", err, len(b.wanted))
	}
	if saved := stored(t, dir); len(saved.Apps) != len(c.Apps) {
		t.Errorf("saved %d apps", len(saved.Apps))
	}
}
