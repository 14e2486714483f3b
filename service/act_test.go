package service

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"roost/apps"
	"roost/host"
	"roost/service/control"
)

// three has a daemon with the apps web (2 instances), api and mail, the latter
// two in the namespace back.
func three(t *testing.T) (running, *fakeBox) {
	t.Helper()
	b := &fakeBox{}
	d := begin(t, Options{Dirs: home(t), host: withFake(b)})
	path := script(t)
	for _, name := range []string{"web", "api", "mail"} {
		r := newApp(name, path, 1)
		r.Config.Env = map[string]string{"KEY": "secret"}
		r.Environ = map[string]string{"TOKEN": "hidden"}
		if name == "web" {
			r.Config.Instances = 2
		} else {
			r.Config.Namespace = "back"
		}
		if _, err := d.Start(t.Context(), r, nil); err != nil {
			t.Fatal(err)
		}
	}
	return d, b
}

func keys(pairs ...string) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = json.RawMessage(pairs[i+1])
	}
	return out
}

func wantError(t *testing.T, what string, err error, code, text string) {
	t.Helper()
	var e *control.Error
	if !errors.As(err, &e) || e.Code != code || !strings.Contains(strings.Join(append(e.Problems, e.Message, e.Hint), "\n"), text) {
		t.Errorf("%s: got %#v, want %s with %q", what, err, code, text)
	}
}

func TestKeysAreSetAsTheAppIsRestarted(t *testing.T) {
	d, b := three(t)
	act := func(r control.ActRequest) error { _, err := d.Act(t.Context(), r, nil); return err }
	err := act(control.ActRequest{Verb: "restart", Targets: []string{"web"}, Set: keys("max_memory_restart", `"64M"`, "instances", "3", "env", `{"KEY": null, "PORT": 3000}`)})
	c := b.last()
	web := c.App("web")
	if err != nil || web.MaxMemoryRestart != 64<<20 || len(web.Slots) != 3 || !cmp.Equal(web.Env, map[string]string{"PORT": "3000"}) || web.Revision != 2 || !web.Replace {
		t.Errorf("set: %v, %+v", err, web)
	}
	if err := act(control.ActRequest{Verb: "reload", Targets: []string{"web"}, Set: keys("max_memory_restart", "null")}); err != nil || b.last().Apps[0].MaxMemoryRestart != 0 || b.last().Apps[0].Replace {
		t.Errorf("unset: %v, %+v", err, b.last().Apps[0])
	}
	if err := act(control.ActRequest{Verb: "start", Targets: []string{"api"}, Set: keys("port", "4000")}); err != nil || b.last().Apps[1].Port != 4000 || b.last().Apps[1].Revision != 2 {
		t.Errorf("start of what runs, with keys: %v, %+v", err, b.last().Apps[1])
	}
	before := b.last()
	wantError(t, "an unknown key", act(control.ActRequest{Verb: "restart", Targets: []string{"web"}, Set: keys("instence", "3")}), control.CodeInvalid, `did you mean "instances"?`)
	wantError(t, "a wrong value", act(control.ActRequest{Verb: "restart", Targets: []string{"web"}, Set: keys("kill_timeout", `"soon"`)}), control.CodeInvalid, "length of time")
	wantError(t, "a value that cannot be", act(control.ActRequest{Verb: "restart", Targets: []string{"web"}, Set: keys("port", "70000")}), control.CodeInvalid, "port")
	wantError(t, "one of several instances", act(control.ActRequest{Verb: "restart", Targets: []string{"0"}, Set: keys("port", "1")}), control.CodeConflict, "name the app")
	wantError(t, "another name", act(control.ActRequest{Verb: "restart", Targets: []string{"web"}, Set: keys("name", `"www"`)}), control.CodeInvalid, "renamed")
	wantError(t, "keys with stop", act(control.ActRequest{Verb: "stop", Targets: []string{"web"}, Set: keys("port", "1")}), control.CodeInvalid, "stop sets no keys")
	wantError(t, "running with start", act(control.ActRequest{Verb: "start", Targets: []string{"web"}, Running: true}), control.CodeInvalid, "start does not look")
	if diff := cmp.Diff(before.Apps, b.last().Apps); diff != "" {
		t.Errorf("refused requests changed something:\n%s", diff)
	}
}

func TestOnlyAndRunningRestrictWhatTargetsMean(t *testing.T) {
	d, b := three(t)
	act := func(r control.ActRequest) (string, error) {
		done, err := d.Act(t.Context(), r, nil)
		return strings.Join(done.Apps, " "), err
	}
	if done, err := act(control.ActRequest{Verb: "stop", Targets: []string{"all"}, Only: []string{"back"}}); done != "api mail" || err != nil {
		t.Errorf("stop --only back: %s, %v", done, err)
	}
	if _, err := act(control.ActRequest{Verb: "restart", Targets: []string{"all"}, Running: true}); err != nil {
		t.Error(err)
	}
	if c := b.last(); !c.App("api").Slots[0].Stopped || c.App("web").Revision != 2 {
		t.Errorf("restart of what runs: %+v", c.Apps)
	}
	if _, err := act(control.ActRequest{Verb: "reload", Targets: []string{"all"}}); err != nil || b.last().Apps[0].Revision != 3 || !b.last().Apps[1].Slots[0].Stopped {
		t.Errorf("reload of all where some are stopped: %v", err)
	}
	_, err := act(control.ActRequest{Verb: "restart", Targets: []string{"back"}, Running: true})
	wantError(t, "nothing runs", err, control.CodeConflict, "roost start")
	_, err = act(control.ActRequest{Verb: "stop", Targets: []string{"web"}, Only: []string{"back"}})
	wantError(t, "nothing is left", err, control.CodeNotFound, "none of web is in back")
	_, err = act(control.ActRequest{Verb: "stop", Targets: []string{"all"}, Only: []string{"bakc"}})
	wantError(t, "an unknown restriction", err, control.CodeNotFound, "did you mean back?")
}

func TestSoManyAppsAtATimeUntilOneFails(t *testing.T) {
	d, b := three(t)
	b.mu.Lock()
	from := len(b.wanted)
	b.settle = func(_ context.Context, c host.Config) error {
		if c.App("api").Revision > 1 {
			return &apps.Failure{App: "api", Reason: "does not start"}
		}
		return nil
	}
	b.mu.Unlock()
	_, err := d.Act(t.Context(), control.ActRequest{Verb: "restart", Targets: []string{"all"}, Parallel: 1}, nil)
	wantError(t, "a failure in the middle", err, control.CodeFailed, "not touched: mail")
	c := b.last()
	if c.App("web").Revision != 2 || c.App("api").Revision != 1 || c.App("mail").Revision != 1 {
		t.Errorf("web is to be restarted, api as before, mail not touched: %+v", c.Apps)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.wanted) == from || b.wanted[from].App("api").Revision != 1 {
		t.Error("the first step is to change web alone")
	}
}

func TestSoManyAppsAtATimeMeansWhatWasThereAtFirst(t *testing.T) {
	d, b := three(t)
	act := func(r control.ActRequest) (string, error) {
		r.Parallel = 1
		done, err := d.Act(t.Context(), r, nil)
		return strings.Join(done.Apps, " "), err
	}
	if _, err := act(control.ActRequest{Verb: "stop", Targets: []string{"api", "0"}}); err != nil || !b.last().Apps[0].Slots[0].Stopped || b.last().Apps[0].Slots[1].Stopped {
		t.Errorf("stop of an app and an instance: %v, %+v", err, b.last().Apps)
	}
	if done, err := act(control.ActRequest{Verb: "restart", Targets: []string{"all"}, Running: true}); err != nil || done != "web mail" {
		t.Errorf("restart of what runs: %q, %v", done, err)
	}
	if done, err := act(control.ActRequest{Verb: "delete", Targets: []string{"web", "back"}, Only: []string{"web", "mail"}}); err != nil || done != "web mail" || len(b.last().Apps) != 1 {
		t.Errorf("delete: %q, %v, %+v", done, err, b.last().Apps)
	}
}

func TestValuesOfVariablesAreToldToThoseWhoAsk(t *testing.T) {
	d, b := three(t)
	ctx := t.Context()
	all, err := d.Apps(ctx, false)
	text, _ := json.Marshal(all)
	if err != nil || len(all) != 3 || all[0].Name != "web" || strings.Contains(string(text), "secret") || strings.Contains(string(text), "hidden") {
		t.Errorf("apps: %s, %v", text, err)
	}
	if age := time.Since(all[0].Created); age < 0 || age > limit {
		t.Errorf("created %v ago", age)
	}
	all, err = d.Apps(ctx, true)
	if err != nil || all[2].Config.Env["KEY"] != "secret" || all[2].Values["TOKEN"] != "hidden" {
		t.Errorf("apps with values: %+v, %v", all, err)
	}
	if app, err := d.AppValues(ctx, "web"); err != nil || app.Config.Env["KEY"] != "secret" {
		t.Errorf("describe with values: %+v, %v", app, err)
	}
	if env, err := d.Environ(ctx, 1); err != nil || !cmp.Equal(env, map[string]string{"KEY": "value=1", "SLOT": "1"}) {
		t.Errorf("environ: %v, %v", env, err)
	}
	if _, err := d.Start(ctx, newApp("idle", b.last().Apps[0].Script, 1), nil); err != nil {
		t.Fatal(err)
	}
	_, err = d.Environ(ctx, 4)
	wantError(t, "the environment of what does not run", err, control.CodeConflict, "roost describe idle")
	_, err = d.Environ(ctx, 99)
	wantError(t, "of nothing", err, control.CodeNotFound, "roost list")
}

func TestVersionIsThatOfTheNearestPackage(t *testing.T) {
	dir := t.TempDir()
	below := filepath.Join(dir, "app", "src")
	if err := os.MkdirAll(below, 0o700); err != nil {
		t.Fatal(err)
	}
	var p packages
	file := filepath.Join(dir, "app", "package.json")
	for _, c := range []struct{ text, want string }{{`{"version": "1.2.3"}`, "1.2.3"}, {`{"version": "1.2.30"}`, "1.2.30"}, {`{"version": 1}`, ""}, {"no json", ""}} {
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := p.of(below); got != c.want {
			t.Errorf("%s: %q, want %q", c.text, got, c.want)
		}
	}
}

func TestInputReachesWhatRuns(t *testing.T) {
	d, b := three(t)
	ctx := t.Context()
	replies, err := d.Input(ctx, control.InputRequest{Targets: []string{"web", "mail"}, Text: "hello\n"})
	if err != nil || len(replies) != 3 || replies[1].App != "web" || replies[1].ID != 1 || replies[2].ID != 3 || replies[0].Error != "" {
		t.Errorf("%+v, %v", replies, err)
	}
	b.mu.Lock()
	got := slices.Sorted(slices.Values(b.touched))
	b.mu.Unlock()
	if want := []string{`input "hello\n" to slot 0 of mail`, `input "hello\n" to slot 0 of web`, `input "hello\n" to slot 1 of web`}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if replies, err = d.Input(ctx, control.InputRequest{Targets: []string{"0"}, Text: "deaf\n"}); err != nil || len(replies) != 1 || !strings.Contains(replies[0].Error, "does not read") {
		t.Errorf("one that does not read: %+v, %v", replies, err)
	}
	if _, err := d.Act(ctx, control.ActRequest{Verb: "stop", Targets: []string{"web"}}, nil); err != nil {
		t.Fatal(err)
	}
	_, err = d.Input(ctx, control.InputRequest{Targets: []string{"web"}, Text: "x"})
	wantError(t, "input for what is stopped", err, control.CodeConflict, "roost start web")
	_, err = d.Input(ctx, control.InputRequest{Targets: []string{"wbe"}, Text: "x"})
	wantError(t, "input for nobody", err, control.CodeNotFound, "did you mean web?")
}
