package service

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"roost/apps"
	"roost/host"
	"roost/service/control"
)

// limit bounds every wait in tests.
const limit = 30 * time.Second

// home makes the folder of a daemon, with a path short enough for sockets.
func home(t *testing.T) Dirs {
	t.Helper()
	dir, err := os.MkdirTemp("", "roost")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dirsBelow(dir)
}

// running is a daemon in this process.
type running struct {
	*control.Client
	info Info
	stop func() error // ends it and returns what Run did
}

// begin starts a daemon and waits until it is ready. What o does not say is a
// fake host and a quiet log.
func begin(t *testing.T, o Options) running {
	t.Helper()
	r, err := tryBegin(t, o)
	if err != nil {
		t.Fatalf("the daemon did not start: %v", err)
	}
	return r
}

func tryBegin(t *testing.T, o Options) (running, error) {
	t.Helper()
	if o.Log == nil {
		o.Log = quiet
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan Info, 1), make(chan error, 1)
	o.Ready = func(i Info) { ready <- i }
	go func() { ended <- Run(ctx, o) }()
	stop := func() error {
		cancel()
		select {
		case err := <-ended:
			ended <- err
			return err
		case <-time.After(limit):
			return errors.New("the daemon does not end")
		}
	}
	t.Cleanup(func() { stop() })
	select {
	case info := <-ready:
		return running{Client: control.Dial(o.Dirs.Socket()), info: info, stop: stop}, nil
	case err := <-ended:
		ended <- err
		return running{}, err
	case <-time.After(limit):
		t.Fatal("the daemon is not ready")
	}
	return running{}, nil
}

func withFake(b *fakeBox) func(host.Options) (box, error) {
	return func(host.Options) (box, error) { return b, nil }
}

// eventually polls until ok, with a deadline.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", limit, what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

func newApp(name, script string, n int) control.StartRequest {
	return control.StartRequest{Config: apps.Config{Name: name, Script: script, Cwd: filepath.Dir(script), Instances: apps.Instances(n)}}
}

func states(rows []apps.Instance) (out []string) {
	for _, r := range rows {
		out = append(out, r.App+":"+string(r.State))
	}
	return out
}

func TestEveryVerbThroughTheSocket(t *testing.T) {
	b := &fakeBox{}
	d := begin(t, Options{Dirs: home(t), Version: "1.2.3", host: withFake(b)})
	ctx, path := t.Context(), script(t)
	request := newApp("web", path, 2)
	request.Environ = map[string]string{"TOKEN": "secret"}
	request.Config.Env = map[string]string{"KEY": "secret"}

	if pong, err := d.Ping(ctx); err != nil || pong.Version != "1.2.3" || pong.PID != os.Getpid() {
		t.Errorf("ping: %+v, %v", pong, err)
	}
	if a, err := d.Start(ctx, request, nil); err != nil || !slices.Equal(states(a.Instances), []string{"web:ready", "web:ready"}) {
		t.Fatalf("start: %+v, %v", a, err)
	}
	if _, err := d.Start(ctx, newApp("mail", path, 1), nil); err != nil {
		t.Fatal(err)
	}
	do := func(verb string, targets ...string) control.Acted {
		t.Helper()
		a, err := d.Act(ctx, control.ActRequest{Verb: verb, Targets: targets, Signal: "usr1"}, nil)
		if err != nil {
			t.Fatalf("%s %v: %v", verb, targets, err)
		}
		return a
	}
	slots := func(app string) []apps.Slot { c := b.last(); return c.App(app).Slots }

	if do("stop", "1"); slots("web")[0].Stopped || !slots("web")[1].Stopped {
		t.Errorf("stop of one instance: %+v", slots("web"))
	}
	if do("start", "web"); slots("web")[0].Revision != 1 || slots("web")[1].Stopped {
		t.Errorf("start is to start what is stopped and leave the rest: %+v", slots("web"))
	}
	if do("start", "web"); slots("web")[0].Revision < 2 {
		t.Errorf("start of what runs is a restart: %+v", slots("web"))
	}
	c := b.last()
	if !c.App("web").Replace {
		t.Error("a restart is to replace")
	}
	do("reload", "all")
	if c = b.last(); c.App("web").Replace || c.App("mail").Replace {
		t.Error("a reload is to overlap")
	}
	if a, err := d.Act(ctx, control.ActRequest{Verb: "restart", Targets: []string{"mail"}, Environ: map[string]string{"A": "b"}}, nil); err != nil {
		t.Errorf("restart: %v, %v", a, err)
	}
	if c = b.last(); c.App("mail").Environ["A"] != "b" || c.App("web").Environ["TOKEN"] != "secret" {
		t.Error("--update-env is to reach the restarted app alone")
	}
	for _, change := range []struct {
		by   string
		want int
	}{{"4", 4}, {"+2", 6}, {"-1", 5}, {"5", 5}, {"2", 2}} {
		if a, err := d.Scale(ctx, control.ScaleRequest{App: "web", Change: change.by}, nil); err != nil || len(a.Instances) != change.want {
			t.Errorf("scale %s: %d instances, %v", change.by, len(a.Instances), err)
		}
	}
	do("reset", "web")
	do("flush", "all")
	do("reopen", "web")
	do("signal", "web")
	do("signal", "2")
	want := []string{"reset web", "flush web", "flush mail", "reopen web", "user defined signal 1 all of web", "user defined signal 1 one of mail"}
	if !slices.Equal(b.touched, want) {
		t.Errorf("done to programs: %q", b.touched)
	}

	app, err := d.App(ctx, "web")
	text, _ := json.Marshal(app)
	if err != nil || !slices.Equal(app.Environ, []string{"TOKEN"}) || strings.Contains(string(text), "secret") || len(app.Logs) != 2 {
		t.Errorf("describe: %s, %v", text, err)
	}
	if c = b.last(); c.App("web").Env["KEY"] != "secret" {
		t.Error("describing an app masked its environment itself")
	}
	rows, err := d.Instances(ctx, []string{"mail"})
	if err != nil || !slices.Equal(states(rows), []string{"mail:ready"}) {
		t.Errorf("list: %v, %v", rows, err)
	}
	s, err := d.Status(ctx)
	if err != nil || len(s.Apps) != 2 || s.Box.CPUs == 0 || s.Box.MemoryTotal == 0 || s.Box.DaemonRSS == 0 || len(s.Problems) != 0 {
		t.Errorf("status: %+v, %v", s, err)
	}
	if ca, err := d.CA(ctx); err != nil || ca.Subject != "the internal CA" {
		t.Errorf("CA: %+v, %v", ca, err)
	}
	if m, err := d.Metrics(ctx); err != nil || !strings.Contains(string(m), "roost_up 1") {
		t.Errorf("metrics: %s, %v", m, err)
	}
	if a := do("delete", "web"); len(a.Instances) != 0 || !slices.Equal(a.Apps, []string{"web"}) {
		t.Errorf("delete: %+v", a)
	}
	if err := d.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	eventually(t, "the daemon is gone", func() bool {
		_, err := d.Ping(ctx)
		return errors.Is(err, control.ErrNotRunning)
	})
	if err := d.stop(); err != nil || !b.ended {
		t.Errorf("end: %v; the host has ended: %v", err, b.ended)
	}
}

func TestAnAppIsDescribedByWhateverNameItHas(t *testing.T) {
	d := begin(t, Options{Dirs: home(t), host: withFake(&fakeBox{})})
	path := script(t)
	for _, name := range []string{"My App", "@scope/pkg", "a/b/", "/a", "100%", "%2F", "a%20b", "?values=true", "#1", "a;b", "a+b", "日本", `a\b`, "a//b", "a/../b"} {
		if _, err := d.Start(t.Context(), newApp(name, path, 1), nil); err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		if app, err := d.App(t.Context(), name); err != nil || app.Name != name {
			t.Errorf("%q is described as %q: %v", name, app.Name, err)
		}
		if rows, err := d.Instances(t.Context(), []string{name}); err != nil || len(rows) != 1 || rows[0].App != name {
			t.Errorf("%q has the instances %v: %v", name, rows, err)
		}
		if done, err := d.Act(t.Context(), control.ActRequest{Verb: control.VerbStop, Targets: []string{"all"}, Only: []string{name}}, nil); err != nil || len(done.Apps) != 1 || done.Apps[0] != name {
			t.Errorf("%q alone is not stopped, but %q: %v", name, done.Apps, err)
		}
	}
}

func TestSitesAreAddedAndRemovedByCommand(t *testing.T) {
	b := &fakeBox{}
	d := begin(t, Options{Dirs: home(t), host: withFake(b)})
	ctx := t.Context()
	docs := control.SiteRequest{Site: host.Site{Domains: []string{"docs.localhost"}, Target: host.Target{Root: t.TempDir()}}}
	p, err := d.AddSite(ctx, docs, nil)
	if err != nil || len(p.Changes) != 1 || p.Changes[0].Verb != "add" || p.Changes[0].Kind != "site" {
		t.Errorf("add: %+v, %v", p, err)
	}
	if _, err := d.AddSite(ctx, docs, nil); code(err) != control.CodeInvalid {
		t.Errorf("the same domain twice: %v", err)
	}
	var e *control.Error
	_, err = d.RemoveSite(ctx, control.SiteRequest{Site: host.Site{Domains: []string{"dosc.localhost"}}}, nil)
	if !errors.As(err, &e) || e.Code != control.CodeNotFound || !strings.Contains(e.Hint, "docs.localhost") {
		t.Errorf("an unknown site: %#v", err)
	}
	if p, err := d.RemoveSite(ctx, control.SiteRequest{Site: host.Site{Target: docs.Site.Target}}, nil); err != nil || len(p.Changes) != 1 {
		t.Errorf("remove: %+v, %v", p, err)
	}
	if c := b.last(); len(c.Sites) != 0 {
		t.Errorf("left: %+v", c.Sites)
	}
}

func TestApplyShowsThePlanAndMakesItSo(t *testing.T) {
	b := &fakeBox{}
	d := begin(t, Options{Dirs: home(t), host: withFake(b)})
	ctx, file := t.Context(), filepath.Join(filepath.Dir(script(t)), "roost.toml")
	one := "[[app]]\nname = \"one\"\nscript = \"app.sh\"\ninstances = 2\n"
	two := "[[app]]\nname = \"two\"\nscript = \"app.sh\"\n"

	verbs := func(p control.Plan) (out []string) {
		for _, c := range p.Changes {
			out = append(out, c.Verb+" "+c.Kind+" "+c.Name)
		}
		return out
	}
	apply := func(text string, dry bool) []string {
		t.Helper()
		p, err := d.Apply(ctx, control.ApplyRequest{File: file, Text: text, DryRun: dry}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return verbs(p)
	}
	if got := apply(one+two, true); !slices.Equal(got, []string{"add app one", "add app two"}) || len(b.wanted) != 1 {
		t.Errorf("dry run: %v; wanted %d Configs", got, len(b.wanted))
	}
	apply(one+two, false)
	if got := apply(one+two, false); len(got) != 0 {
		t.Errorf("applied again: %v", got)
	}
	a, err := d.Act(ctx, control.ActRequest{Verb: "stop", Targets: []string{"two"}}, nil)
	if err != nil || len(a.Notes) != 1 || !strings.Contains(a.Notes[0], file) {
		t.Errorf("stop of an app of a file: %+v, %v", a, err)
	}
	if a, err := d.Scale(ctx, control.ScaleRequest{App: "one", Change: "3"}, nil); err != nil || len(a.Notes) != 1 {
		t.Errorf("scale of an app of a file: %+v, %v", a, err)
	}
	if got := apply(one, false); !slices.Equal(got, []string{"change app one", "remove app two"}) {
		t.Errorf("without two: %v", got)
	}
	if c := b.last(); !slices.Equal(names(c), []string{"one"}) || len(c.App("one").Slots) != 2 {
		t.Errorf("left: %+v", c.Apps)
	}
}

func TestTenMistakesAreToldAtOnceAndChangeNothing(t *testing.T) {
	b := &fakeBox{}
	d := begin(t, Options{Dirs: home(t), host: withFake(b)})
	file := filepath.Join(t.TempDir(), "roost.toml")
	text := strings.Join([]string{
		"[host]", `http = "8080"`, `access_log_format = "xml"`, "nonsense = 1",
		"[[site]]", `domains = ["a.example", "a.example"]`, `root = "missing"`,
		"[[site]]", `domains = ["b.example"]`, `app = "nobody"`,
		"[[site]]", `domains = ["A.example"]`, `root = "."`, "spa = \"yes\"",
		"[[app]]", `name = "web"`, `script = "none.js"`, `listen_timeout = "soon"`, `instances = "many"`,
		"[[app]]", `name = "web"`, `command = "sleep 1"`,
	}, "\n")
	_, err := d.Apply(t.Context(), control.ApplyRequest{File: file, Text: text}, nil)
	var e *control.Error
	if !errors.As(err, &e) || e.Code != control.CodeInvalid || len(e.Problems) < 10 || len(b.wanted) != 1 {
		t.Fatalf("got %v", err)
	}
	for _, p := range e.Problems {
		if !strings.HasPrefix(p, file+":") {
			t.Errorf("a problem without its place: %s", p)
		}
	}

	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := tryBegin(t, Options{Dirs: home(t), File: file, host: withFake(&fakeBox{})}); !errors.As(err, &e) || len(e.Problems) < 10 {
		t.Errorf("started with it: %v", err)
	}
	u := begin(t, Options{Dirs: home(t), File: file, Unattended: true, host: withFake(&fakeBox{})})
	if s, err := u.Status(t.Context()); err != nil || len(s.Problems) < 10 || !s.Unattended {
		t.Errorf("unattended: %v, %v", s, err)
	}
	if err := u.Again(t.Context()); err != nil {
		t.Error(err)
	}
	eventually(t, "the daemon is gone", func() bool {
		_, err := u.Ping(t.Context())
		return errors.Is(err, control.ErrNotRunning)
	})
	if err := u.stop(); !errors.Is(err, errAgain) { // a failure, after which it is started again
		t.Errorf("it ended with %v", err)
	}
}

func TestWrongRequestsAreRefusedWithAHint(t *testing.T) {
	b := &fakeBox{}
	d := begin(t, Options{Dirs: home(t), host: withFake(b)})
	ctx, path := t.Context(), script(t)
	if _, err := d.Start(ctx, newApp("web", path, 2), nil); err != nil {
		t.Fatal(err)
	}
	act := func(verb string, targets ...string) error {
		_, err := d.Act(ctx, control.ActRequest{Verb: verb, Targets: targets, Signal: "NONE"}, nil)
		return err
	}
	scale := func(by string) error {
		_, err := d.Scale(ctx, control.ScaleRequest{App: "web", Change: by}, nil)
		return err
	}
	start := func(r control.StartRequest) error { _, err := d.Start(ctx, r, nil); return err }
	relative := newApp("new", path, 1)
	relative.Config.Cwd = "."
	_, unknownApp := d.App(ctx, "wbe")
	_, unknownRow := d.Instances(ctx, []string{"wbe"})
	_, relativeFile := d.Apply(ctx, control.ApplyRequest{File: "roost.toml"}, nil)
	for what, c := range map[string]struct {
		err        error
		code, hint string
	}{
		"an unknown app":       {act("stop", "wbe"), control.CodeNotFound, "did you mean web?"},
		"describing one":       {unknownApp, control.CodeNotFound, "did you mean web?"},
		"listing one":          {unknownRow, control.CodeNotFound, "did you mean web?"},
		"no target":            {act("stop"), control.CodeInvalid, "all"},
		"an unknown verb":      {act("explode", "web"), control.CodeInvalid, ""},
		"an unknown signal":    {act("signal", "web"), control.CodeInvalid, "SIGUSR2"},
		"a name that is taken": {start(newApp("web", path, 1)), control.CodeConflict, "--force"},
		"scale to none":        {scale("0"), control.CodeInvalid, "roost stop web"},
		"scale below":          {scale("-2"), control.CodeInvalid, "roost stop web"},
		"scale to words":       {scale("two"), control.CodeInvalid, "+2"},
		"scale without end":    {scale("100000"), control.CodeInvalid, "1000"},
		"a relative folder":    {start(relative), control.CodeInvalid, ""},
		"a missing script":     {start(newApp("new", path+"x", 1)), control.CodeInvalid, ""},
		"a relative file":      {relativeFile, control.CodeInvalid, ""},
	} {
		var e *control.Error
		if !errors.As(c.err, &e) || e.Code != c.code || !strings.Contains(e.Hint, c.hint) {
			t.Errorf("%s: got %#v", what, c.err)
		}
	}
	if err := act("stop", "web"); err != nil {
		t.Fatal(err)
	}
	if err := act("reload", "web"); code(err) != control.CodeConflict {
		t.Errorf("reload of what is stopped: %v", err)
	}
	again := newApp("web", path, 3)
	if a, err := d.Start(ctx, again, nil); err != nil || len(a.Instances) != 3 { // the same program, stopped
		t.Errorf("start of the same script again: %+v, %v", a, err)
	}
	again.Force = true
	if a, err := d.Start(ctx, again, nil); err != nil || len(a.Instances) != 3 {
		t.Errorf("start --force: %+v, %v", a, err)
	}
}

func TestRawRequestsThatAreNotOursAreRefused(t *testing.T) {
	dirs := home(t)
	begin(t, Options{Dirs: dirs, host: withFake(&fakeBox{})})
	send := func(head, body string) string {
		t.Helper()
		c, err := net.Dial("unix", dirs.Socket())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(limit))
		go io.WriteString(c, head+" HTTP/1.1\r\nHost: roost\r\nConnection: close\r\nContent-Length: "+itoa(len(body))+"\r\n\r\n"+body)
		answer, _ := io.ReadAll(c)
		return string(answer)
	}
	for what, c := range map[string][3]string{
		"unknown field":  {"POST /v1/scale", `{"app":"web","change":"2","force":true}`, "422"},
		"wrong type":     {"POST /v1/scale", `{"app":7}`, "422"},
		"no JSON":        {"POST /v1/act", `verb=stop`, "422"},
		"two documents":  {"POST /v1/scale", `{"app":"web","change":"2"}{}`, "422"},
		"too large":      {"POST /v1/apply", `{"file":"/x","text":"` + strings.Repeat("x", 2<<20) + `"}`, "422"},
		"unknown path":   {"GET /v2/apps", "", "404"},
		"wrong method":   {"DELETE /v1/apps", "", "404"},
		"too many lines": {"GET /v1/logs?lines=999999999", "", "422"},
		"a bad stream":   {"GET /v1/logs?lines=1&stream=both", "", "422"},
	} {
		got := send(c[0], c[1])
		if !strings.HasPrefix(got, "HTTP/1.1 "+c[2]) || !strings.Contains(got, `"error":{"code":"`) {
			t.Errorf("%s: got %.300s", what, got)
		}
	}
}

func itoa(n int) string { b, _ := json.Marshal(n); return string(b) }

func TestStrangersAreRefused(t *testing.T) {
	dirs := home(t)
	var peer atomic.Int64
	peer.Store(4242)
	d := begin(t, Options{Dirs: dirs, host: withFake(&fakeBox{}), peer: func(net.Conn) (int, error) { return int(peer.Load()), nil }})
	if _, err := d.Ping(t.Context()); code(err) != control.CodeForbidden {
		t.Errorf("a stranger got %v", err)
	}
	peer.Store(0)
	if _, err := d.Ping(t.Context()); err != nil {
		t.Errorf("root got %v", err)
	}
	for path, want := range map[string]fs.FileMode{dirs.Run: 0o700, dirs.Socket(): 0o600, filepath.Join(dirs.Run, "roost.lock"): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v, want %v", path, info.Mode(), err, want)
		}
	}
}

func TestTwoDaemonsOnOneHome(t *testing.T) {
	dirs := home(t)
	d := begin(t, Options{Dirs: dirs, host: withFake(&fakeBox{})})
	var e *control.Error
	_, err := tryBegin(t, Options{Dirs: dirs, host: withFake(&fakeBox{})})
	if !errors.As(err, &e) || e.Code != control.CodeConflict || e.Hint == "" || !strings.Contains(e.Message, "process "+itoa(os.Getpid())) {
		t.Errorf("the second got %#v", err)
	}
	if _, err := d.Ping(t.Context()); err != nil {
		t.Errorf("the first does not answer any more: %v", err)
	}
}

func TestAStaleSocketOfACrashIsReplaced(t *testing.T) {
	dirs := home(t)
	if err := dirs.make(); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", dirs.Socket())
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
	d := begin(t, Options{Dirs: dirs, host: withFake(&fakeBox{})})
	if _, err := d.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if err := d.stop(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(dirs.Socket()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is left behind: %v", err)
	}
}

func TestARestartBringsTheSameAppsBack(t *testing.T) {
	dirs, path := home(t), script(t)
	d := begin(t, Options{Dirs: dirs, host: withFake(&fakeBox{})})
	ctx := t.Context()
	for _, name := range []string{"a", "b", "c"} {
		if _, err := d.Start(ctx, newApp(name, path, 2), nil); err != nil {
			t.Fatal(err)
		}
	}
	most := newApp("most", path, int(apps.Max))
	if _, err := d.Start(ctx, most, nil); err != nil {
		t.Fatal(err)
	}
	for _, r := range []control.ActRequest{{Verb: "stop", Targets: []string{"3"}}, {Verb: "delete", Targets: []string{"a"}}, {Verb: "restart", Targets: []string{"c"}}} {
		if _, err := d.Act(ctx, r, nil); err != nil {
			t.Fatal(err)
		}
	}
	before, err := d.Instances(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.stop(); err != nil {
		t.Fatal(err)
	}
	b := &fakeBox{settle: func(context.Context, host.Config) error { t.Error("settled at start"); return nil }}
	d = begin(t, Options{Dirs: dirs, host: withFake(b)})
	after, err := d.Instances(ctx, nil)
	if err != nil || !reflect.DeepEqual(before, after) {
		t.Errorf("before %+v\nafter  %+v, %v", before, after, err)
	}
	if c := b.last(); c.App("most").Instances != apps.Max {
		t.Error("\"max\" has become a number")
	}
}

func TestACorruptStateIsToldInTheStatus(t *testing.T) {
	dirs, path := home(t), script(t)
	d := begin(t, Options{Dirs: dirs, host: withFake(&fakeBox{})})
	for _, name := range []string{"first", "second"} {
		if _, err := d.Start(t.Context(), newApp(name, path, 1), nil); err != nil {
			t.Fatal(err)
		}
	}
	d.stop()
	if err := os.WriteFile(filepath.Join(dirs.State, "state.json"), []byte("{\"vers"), 0o600); err != nil {
		t.Fatal(err)
	}
	d = begin(t, Options{Dirs: dirs, host: withFake(&fakeBox{})})
	s, err := d.Status(t.Context())
	if err != nil || len(s.Apps) != 1 || s.Apps[0].Name != "first" || len(s.Problems) != 2 || !strings.Contains(s.Problems[0], "corrupt-") {
		t.Errorf("%+v, %v", s, err)
	}
	if !slices.Equal(d.info.Problems, s.Problems) {
		t.Errorf("who started it is told %v", d.info.Problems)
	}
}

func TestAStateThatCannotBeSavedAtStartIsToldAndTriedAgain(t *testing.T) {
	dirs, path := home(t), script(t)
	d := begin(t, Options{Dirs: dirs, host: withFake(&fakeBox{})})
	if _, err := d.Start(t.Context(), newApp("kept", path, 1), nil); err != nil {
		t.Fatal(err)
	}
	d.stop()
	// A folder in the place of the previous state fails every save, for root, too.
	inTheWay := filepath.Join(dirs.State, "state.json.1")
	if err := errors.Join(os.Remove(inTheWay), os.MkdirAll(filepath.Join(inTheWay, "x"), 0o700)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(filepath.Dir(path), "roost.toml")
	if err := os.WriteFile(file, []byte("[[app]]\nname = \"new\"\nscript = \"app.sh\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d = begin(t, Options{Dirs: dirs, File: file, host: withFake(&fakeBox{})})
	s, err := d.Status(t.Context())
	if err != nil || len(s.Apps) != 2 || len(s.Problems) != 1 || !strings.Contains(s.Problems[0], "not on disk") {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := d.Act(t.Context(), control.ActRequest{Verb: "stop", Targets: []string{"kept"}}, nil); code(err) != control.CodeStorage {
		t.Errorf("a change that cannot be saved: %v", err)
	}
	if err := os.RemoveAll(inTheWay); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Act(t.Context(), control.ActRequest{Verb: "stop", Targets: []string{"kept"}}, nil); err != nil {
		t.Error(err)
	}
	if s, err := d.Status(t.Context()); err != nil || len(s.Problems) != 0 {
		t.Errorf("after a save: %v, %v", s.Problems, err)
	}
	if c := stored(t, dirs.State); len(c.Apps) != 2 {
		t.Errorf("saved: %v", names(c))
	}
}

func TestAChangeGoesOnWhenItsClientLeaves(t *testing.T) {
	b := &fakeBox{}
	d := begin(t, Options{Dirs: home(t), host: withFake(b)})
	if _, err := d.Start(t.Context(), newApp("web", script(t), 1), nil); err != nil {
		t.Fatal(err)
	}
	inside, leave := make(chan bool), make(chan bool)
	b.mu.Lock()
	b.settle = func(ctx context.Context, _ host.Config) error { inside <- true; <-leave; return ctx.Err() }
	b.mu.Unlock()
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, err := d.Act(ctx, control.ActRequest{Verb: "stop", Targets: []string{"web"}}, nil)
		left <- err
	}()
	<-inside
	cancel()
	<-left
	close(leave)
	eventually(t, "web is stopped for good", func() bool {
		rows, err := d.Instances(t.Context(), nil)
		return err == nil && len(rows) == 1 && rows[0].State == apps.StateStopped
	})
}

func TestTheEndOfTheDaemonCutsAChangeShort(t *testing.T) {
	b, dirs := &fakeBox{}, home(t)
	d := begin(t, Options{Dirs: dirs, host: withFake(b)})
	if _, err := d.Start(t.Context(), newApp("web", script(t), 1), nil); err != nil {
		t.Fatal(err)
	}
	inside := make(chan bool, 1)
	b.mu.Lock()
	b.settle = func(ctx context.Context, _ host.Config) error { inside <- true; <-ctx.Done(); return ctx.Err() }
	b.mu.Unlock()
	answer := make(chan error)
	go func() {
		_, err := d.Act(t.Context(), control.ActRequest{Verb: "stop", Targets: []string{"web"}}, nil)
		answer <- err
	}()
	<-inside
	if err := d.stop(); err != nil {
		t.Errorf("end: %v", err)
	}
	if err := <-answer; code(err) != control.CodeStopping {
		t.Errorf("the change got %v", err)
	}
	if c := stored(t, dirs.State); c.App("web").Slots[0].Stopped {
		t.Error("it was saved")
	}
}

func TestFollowersGetLinesOfAppsThatComeLater(t *testing.T) {
	b := &fakeBox{}
	d := begin(t, Options{Dirs: home(t), host: withFake(b)})
	path := script(t)
	if _, err := d.Start(t.Context(), newApp("one", path, 1), nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	got, ended := make(chan string, 100), make(chan error)
	go func() {
		ended <- d.Logs(ctx, control.LogsRequest{Follow: true}, func(l apps.Line) error { got <- l.App; return nil })
	}()
	next := func(app string) {
		t.Helper()
		eventually(t, "a line of "+app, func() bool {
			b.emit(app, "hello")
			select {
			case from := <-got:
				return from == app
			case <-time.After(time.Millisecond):
				return false
			}
		})
	}
	next("one")
	if _, err := d.Start(t.Context(), newApp("two", path, 1), nil); err != nil {
		t.Fatal(err)
	}
	next("two")
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("the end of following: %v", err)
	}
}
