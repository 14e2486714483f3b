//go:build unix

package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"roost/apps"
	"roost/internal/httplint"
	"roost/internal/unit"
	"roost/service/control"
)

// program writes a shell script and returns a request to start it: it is
// ready after 50 ms.
func shell(t *testing.T, name, text string, n int) control.StartRequest {
	t.Helper()
	path := filepath.Join(t.TempDir(), name+".sh")
	write(t, path, "#!/bin/sh\n"+text+"\n")
	r := newApp(name, path, n)
	r.Config.Interpreter = "/bin/sh"
	r.Config.MinUptime = unit.Duration(50 * time.Millisecond)
	r.Config.KillTimeout = unit.Duration(5 * time.Second)
	return r
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
}

func pids(rows []apps.Instance) (out []int) {
	for _, r := range rows {
		out = append(out, r.PID)
	}
	return out
}

func lives(pid int) bool {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	ended := strings.Contains(string(stat), ") Z ") // and nobody has asked how
	return pid > 0 && syscall.Kill(pid, 0) == nil && !ended
}

func nodeNeeded(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Fatal("this test needs node: apt-get install nodejs")
	}
}

func TestRealProcessesThroughTheirLives(t *testing.T) {
	d := begin(t, Options{Dirs: home(t)})
	ctx := t.Context()
	var news []string
	a, err := d.Start(ctx, shell(t, "web", "sleep 1000 & wait", 2), func(s string) { news = append(news, s) })
	if err != nil || !slices.Equal(states(a.Instances), []string{"web:ready", "web:ready"}) {
		t.Fatalf("start: %+v, %v", a, err)
	}
	first := pids(a.Instances)
	if !lives(first[0]) || !lives(first[1]) {
		t.Errorf("processes %v do not run", first)
	}
	act := func(verb string, targets ...string) []apps.Instance {
		t.Helper()
		a, err := d.Act(ctx, control.ActRequest{Verb: verb, Targets: targets}, nil)
		if err != nil {
			t.Fatalf("%s: %v", verb, err)
		}
		return a.Instances
	}
	if rows := act("stop", "1"); rows[1].State != apps.StateStopped || rows[0].PID != first[0] || lives(first[1]) {
		t.Errorf("stop of one: %+v", rows)
	}
	if rows := act("start", "web"); rows[1].State != apps.StateReady || rows[0].PID != first[0] {
		t.Errorf("start of what is stopped: %+v", rows)
	}
	second := pids(act("restart", "web"))
	if slices.Contains(second, first[0]) || lives(first[0]) {
		t.Errorf("restart: %v became %v", first, second)
	}
	third := pids(act("reload", "all"))
	if slices.ContainsFunc(third, func(p int) bool { return slices.Contains(second, p) }) || lives(second[0]) {
		t.Errorf("reload: %v became %v", second, third)
	}
	if a, err := d.Scale(ctx, control.ScaleRequest{App: "web", Change: "+1"}, nil); err != nil || len(a.Instances) != 3 {
		t.Errorf("scale: %+v, %v", a, err)
	}
	eventually(t, "figures of all processes", func() bool {
		rows, err := d.Instances(ctx, nil)
		return err == nil && len(rows) == 3 && !slices.ContainsFunc(rows, func(i apps.Instance) bool { return i.Memory == 0 })
	})
	rows, _ := d.Instances(ctx, nil)
	if act("delete", "web"); slices.ContainsFunc(pids(rows), lives) {
		t.Error("deleted, but processes live")
	}
	if rows, err := d.Instances(ctx, nil); err != nil || len(rows) != 0 {
		t.Errorf("after delete: %+v, %v", rows, err)
	}
}

func TestTheEndLeavesNothingRunning(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent(),
		// lumberjack keeps a goroutine for each file that it has rotated, for ever;
		goleak.IgnoreAnyFunction("gopkg.in/natefinch/lumberjack%2ev2.(*Logger).millRun"),
		// certmagic's notices only when it wakes that its lock has been released.
		goleak.IgnoreAnyFunction("github.com/caddyserver/certmagic.keepLockfileFresh"))
	dirs, b := home(t), nodeBox(t, "127.0.0.1:0")
	d := begin(t, Options{Dirs: dirs, File: b})
	if _, err := d.Start(t.Context(), shell(t, "hello", "echo hello; exec sleep 1000", 1), nil); err != nil {
		t.Fatal(err)
	}
	followed, ended := make(chan bool, 1), make(chan error)
	go func() {
		ended <- d.Logs(t.Context(), control.LogsRequest{Follow: true, Lines: 10}, func(apps.Line) error {
			select {
			case followed <- true:
			default:
			}
			return nil
		})
	}()
	<-followed
	if err := d.stop(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, control.ErrNotRunning) {
		t.Errorf("the one who follows is told %v", err)
	}
}

func TestAnAppThatExitsAtOnceIsNotKept(t *testing.T) {
	d := begin(t, Options{Dirs: home(t)})
	_, err := d.Start(t.Context(), shell(t, "bad", "echo boom >&2; exit 3", 1), nil)
	var e *control.Error
	if !errors.As(err, &e) || e.Code != control.CodeFailed || !slices.Contains(e.Output, "boom") || !strings.Contains(e.Message, "3") || e.Hint == "" {
		t.Errorf("got %#v", err)
	}
	if rows, err := d.Instances(t.Context(), nil); err != nil || len(rows) != 0 {
		t.Errorf("it was kept: %+v, %v", rows, err)
	}
}

func TestAReloadThatFailsKeepsTheOldInstances(t *testing.T) {
	nodeNeeded(t)
	// Who says that it is ready has read its script, and one that fails is not ready for having been slow to.
	const good = "process.send('ready'); setInterval(() => {}, 1000)"
	script := filepath.Join(t.TempDir(), "web.js")
	write(t, script, good)
	d := begin(t, Options{Dirs: home(t)})
	ctx, r := t.Context(), newApp("web", script, 2)
	r.Config.WaitReady = true
	a, err := d.Start(ctx, r, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // twice: the second must not take the first's failed revision for its own
		write(t, script, "console.log('broken release'); process.exit(1)")
		_, err = d.Act(ctx, control.ActRequest{Verb: "reload", Targets: []string{"web"}}, nil)
		var e *control.Error
		if !errors.As(err, &e) || e.Code != control.CodeFailed || !slices.Contains(e.Output, "broken release") {
			t.Errorf("got %v", err)
		}
		rows, err := d.Instances(ctx, nil)
		if err != nil || !slices.Equal(pids(rows), pids(a.Instances)) || !slices.Equal(states(rows), []string{"web:ready", "web:ready"}) {
			t.Errorf("before %+v\nafter  %+v, %v", a.Instances, rows, err)
		}
	}
	write(t, script, good)
	b, err := d.Act(ctx, control.ActRequest{Verb: "reload", Targets: []string{"web"}}, nil)
	if err != nil || len(b.Instances) != 2 || b.Instances[0].PID == a.Instances[0].PID {
		t.Errorf("a good release after it: %+v, %v", b.Instances, err)
	}
}

func TestOneBrokenAppDoesNotKeepTheOthersDownAtStart(t *testing.T) {
	dirs := home(t)
	d := begin(t, Options{Dirs: dirs})
	ctx, breaks := t.Context(), shell(t, "breaks", "exec sleep 1000", 1)
	for _, r := range []control.StartRequest{breaks, shell(t, "good", "exec sleep 1000", 2), shell(t, "rests", "exec sleep 1000", 1)} {
		if _, err := d.Start(ctx, r, nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Act(ctx, control.ActRequest{Verb: "stop", Targets: []string{"rests"}}, nil); err != nil {
		t.Fatal(err)
	}
	before, err := d.Instances(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.stop(); err != nil {
		t.Errorf("end: %v", err)
	}
	if slices.ContainsFunc(pids(before), lives) {
		t.Error("processes outlived the daemon")
	}
	write(t, breaks.Config.Script, "#!/bin/sh\nexit 1\n")
	d = begin(t, Options{Dirs: dirs})
	eventually(t, "the good ones are back as they were", func() bool {
		rows, err := d.Instances(ctx, []string{"good", "rests"})
		return err == nil && slices.Equal(states(rows), []string{"good:ready", "good:ready", "rests:stopped"}) && rows[0].ID == before[1].ID
	})
}

// nodeBox writes a config of a Node app with two instances and a folder on
// one site, and returns its file.
func nodeBox(t *testing.T, address string) string {
	t.Helper()
	nodeNeeded(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "server.js"), `require('http').createServer((q, r) => r.setHeader('X-From-App', 'node').end('pid ' + process.pid + ' of ' + process.env.NAME)).listen(0, () => console.log('listening'))`)
	if err := os.Mkdir(filepath.Join(dir, "public"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "public", "index.html"), "<p>hello")
	file := filepath.Join(dir, "roost.toml")
	write(t, file, fmt.Sprintf(`
[host]
http  = %q
https = "off"

[[site]]
domains = ["box.localhost"]
root = "public"
redirect_https = false

  [[site.route]]
  path = "/api/"
  app = "web"

[[app]]
name = "web"
script = "server.js"
instances = 2
env = { NAME = "roost" }
`, address))
	return file
}

// ask sends one request to the box and returns what came.
func ask1(client *http.Client, address, path string) (string, error) {
	r, err := http.NewRequest("GET", "http://"+address+path, nil)
	if err != nil {
		return "", err
	}
	r.Host = "box.localhost"
	a, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err == nil && a.StatusCode != 200 {
		err = fmt.Errorf("%s: %s", a.Status, text)
	}
	return string(text), err
}

func TestTheBoxServesWhileItIsReloadedAndScaled(t *testing.T) {
	file := nodeBox(t, "127.0.0.1:0")
	d := begin(t, Options{Dirs: home(t), File: file})
	if len(d.info.Addresses) != 1 || len(d.info.Problems) != 0 {
		t.Fatalf("ready with %+v", d.info)
	}
	address := strings.TrimPrefix(d.info.Addresses[0], "http ")
	if text, err := ask1(http.DefaultClient, address, "/"); err != nil || text != "<p>hello" {
		t.Errorf("the folder: %q, %v", text, err)
	}
	if text, err := ask1(http.DefaultClient, address, "/api/"); err != nil || !strings.HasSuffix(text, "of roost") { // waits until an instance is ready
		t.Errorf("the app: %q, %v", text, err)
	}

	var asked atomic.Int64
	var wg sync.WaitGroup
	ctx, end := context.WithCancel(t.Context())
	for range 4 {
		wg.Go(func() {
			client := &http.Client{Transport: &httplint.Transport{T: t, Base: &http.Transport{}}}
			defer client.CloseIdleConnections()
			for ctx.Err() == nil {
				if _, err := ask1(client, address, "/api/x"); err != nil {
					t.Errorf("a request failed: %v", err)
					return
				}
				asked.Add(1)
			}
		})
	}
	change := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := d.Act(ctx, control.ActRequest{Verb: "reload", Targets: []string{"web"}}, nil)
	change("reload", err)
	_, err = d.Scale(ctx, control.ScaleRequest{App: "web", Change: "4"}, nil)
	change("scale up", err)
	_, err = d.Scale(ctx, control.ScaleRequest{App: "web", Change: "-2"}, nil)
	change("scale down", err)
	_, err = d.Act(ctx, control.ActRequest{Verb: "signal", Targets: []string{"0"}, Signal: "KILL"}, nil)
	change("kill", err)
	n := asked.Load()
	eventually(t, "requests go on", func() bool { return asked.Load() > n+20 })
	end()
	wg.Wait()

	s, err := d.Status(t.Context())
	if err != nil || len(s.Sites) != 1 || s.Sites[0].Traffic.Requests == 0 || s.Sites[0].Traffic.Classes["2xx"] == 0 {
		t.Errorf("status: %+v, %v", s.Sites, err)
	}
	app, err := d.App(t.Context(), "web")
	if err != nil || app.Traffic == nil || app.Kind != "node" || !slices.Equal(app.Sites, []string{"box.localhost/api/"}) || app.Source != file {
		t.Errorf("describe: %+v, %v", app, err)
	}
	if m, err := d.Metrics(t.Context()); err != nil || !strings.Contains(string(m), `roost_app_instances{app="web",state="ready"}`) {
		t.Errorf("metrics: %v\n%.500s", err, m)
	}
	if ca, err := d.CA(t.Context()); err != nil || !strings.Contains(ca.Certificate, "BEGIN CERTIFICATE") {
		t.Errorf("CA: %+v, %v", ca, err)
	}
}

func TestAPortThatIsTakenIsToldWithItsHolderAndUndone(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	d := begin(t, Options{Dirs: home(t)})
	file := nodeBox(t, taken.Addr().String())
	text, _ := os.ReadFile(file)
	_, err = d.Apply(t.Context(), control.ApplyRequest{File: file, Text: string(text)}, nil)
	var e *control.Error
	if !errors.As(err, &e) || e.Code != control.CodeFailed || !strings.Contains(e.Message, "taken") || e.Hint == "" {
		t.Errorf("got %#v", err)
	}
	if s, err := d.Status(t.Context()); err != nil || len(s.Apps) != 0 || len(s.Sites) != 0 {
		t.Errorf("it was kept: %+v, %v", s, err)
	}

	// At start the rest runs, loudly.
	b := begin(t, Options{Dirs: home(t), File: file})
	if len(b.info.Problems) != 1 || !strings.Contains(b.info.Problems[0], "taken") || len(b.info.Addresses) != 0 {
		t.Errorf("told %+v", b.info)
	}
	if _, err := b.Act(t.Context(), control.ActRequest{Verb: "restart", Targets: []string{"web"}}, nil); err != nil {
		t.Errorf("a command about something else: %v", err)
	}
}

func TestThePortOfAnAppThatIsTakenIsToldWithItsHolder(t *testing.T) {
	nodeNeeded(t)
	d := begin(t, Options{Dirs: home(t)})
	listener := filepath.Join(t.TempDir(), "listener.js")
	write(t, listener, `const s = require('node:net').createServer().listen(0, () => console.log(s.address().port))`)
	other := exec.Command("node", listener)
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { other.Process.Kill(); other.Wait() }()
	var port int
	if _, err := fmt.Fscan(out, &port); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(t.TempDir(), "web.js")
	write(t, script, fmt.Sprintf(`require('node:http').createServer().listen(%d)`, port))
	_, err = d.Start(t.Context(), newApp("web", script, 1), nil)
	var e *control.Error
	want := fmt.Sprintf("port %d is taken by node (pid %d)", port, other.Process.Pid)
	if runtime.GOOS != "linux" {
		want = "before it was ready" // the holder is known on Linux only
	}
	if !errors.As(err, &e) || !strings.Contains(e.Message, want) || e.Hint == "" {
		t.Errorf("got %#v, want %q", err, want)
	}
}

func TestLogsAreMergedAndFollowedWithoutGapOrDouble(t *testing.T) {
	d := begin(t, Options{Dirs: home(t)})
	ctx := t.Context()
	count := "i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done"
	if _, err := d.Start(ctx, shell(t, "count", count, 1), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Start(ctx, shell(t, "err", "echo complaint >&2; exec sleep 1000", 1), nil); err != nil {
		t.Fatal(err)
	}
	enough := errors.New("enough")
	var got []string
	err := d.Logs(ctx, control.LogsRequest{Targets: []string{"count"}, Lines: 20, Follow: true}, func(l apps.Line) error {
		if l.App != "count" || l.Stream != "out" {
			return fmt.Errorf("a line of %+v", l)
		}
		if got = append(got, l.Text); len(got) == 200 {
			return enough
		}
		return nil
	})
	if err != enough {
		t.Fatal(err)
	}
	for i := 1; i < len(got); i++ {
		if next(got[i-1]) != got[i] {
			t.Fatalf("after %s came %s: %v", got[i-1], got[i], got)
		}
	}
	got = nil
	each := func(l apps.Line) error { got = append(got, l.App+" "+l.Text); return nil }
	if err := d.Logs(ctx, control.LogsRequest{Lines: 100, Stream: "err"}, each); err != nil || !slices.Equal(got, []string{"err complaint"}) {
		t.Errorf("the err stream: %v, %v", got, err)
	}
	if err := d.Logs(ctx, control.LogsRequest{Lines: 5, Targets: []string{"nobody"}}, each); code(err) != control.CodeNotFound {
		t.Errorf("logs of nobody: %v", err)
	}
	if _, err := d.Act(ctx, control.ActRequest{Verb: "flush", Targets: []string{"err"}}, nil); err != nil {
		t.Error(err)
	}
	got = nil
	if err := d.Logs(ctx, control.LogsRequest{Lines: 5, Targets: []string{"err"}}, each); err != nil || len(got) != 0 {
		t.Errorf("after flush: %v, %v", got, err)
	}
}

func TestWhoFollowsSeesTheFirstLinesOfAnAppThatComesLater(t *testing.T) {
	d := begin(t, Options{Dirs: home(t)})
	talk := shell(t, "talk", "echo one; echo two; while :; do sleep 0.1; echo more; done", 1)
	talk.Config.LogType = "raw" // no times to go by
	if _, err := d.Start(t.Context(), talk, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it has spoken", func() bool {
		n := 0
		err := d.Logs(t.Context(), control.LogsRequest{Lines: 10}, func(apps.Line) error { n++; return nil })
		return err == nil && n > 2
	})
	if _, err := d.Act(t.Context(), control.ActRequest{Verb: control.VerbDelete, Targets: []string{"talk"}}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Start(t.Context(), shell(t, "mark", "echo mark; exec sleep 1000", 1), nil); err != nil {
		t.Fatal(err)
	}
	enough, got, follows := errors.New("enough"), make(chan string, 100), make(chan struct{})
	ended := make(chan error)
	go func() {
		ended <- d.Logs(t.Context(), control.LogsRequest{Follow: true, Lines: 10}, func(l apps.Line) error {
			if l.App == "mark" {
				close(follows)
				return nil
			}
			got <- l.Text
			if len(got) == 5 {
				return enough
			}
			return nil
		})
	}()
	<-follows
	if _, err := d.Start(t.Context(), talk, nil); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != enough {
		t.Fatal(err)
	}
	for _, want := range []string{"one", "two", "more", "more", "more"} { // once, and nothing of its life before
		if text := <-got; text != want {
			t.Errorf("%q where %q should be", text, want)
		}
	}
}

func TestSIGUSR2OpensTheLogFilesAgain(t *testing.T) {
	dirs := home(t)
	c := spawn(t, dirs, "real")
	if _, err := c.Start(t.Context(), shell(t, "web", "echo hello; exec sleep 1000", 1), nil); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dirs.Logs, "web-out.log")
	eventually(t, "the file is there", func() bool { _, err := os.Stat(path); return err == nil })
	if err := os.Rename(path, path+".moved"); err != nil {
		t.Fatal(err)
	}
	c.signal(t, syscall.SIGUSR2)
	eventually(t, "the file is there again, though nothing was written", func() bool { _, err := os.Stat(path); return err == nil })
}

func next(number string) string {
	var n int
	json.Unmarshal([]byte(number), &n)
	return itoa(n + 1)
}

func TestADaemonOfItsOwnEndsItsAppsOnSIGTERM(t *testing.T) {
	dirs := home(t)
	c := spawn(t, dirs, "real")
	a, err := c.Start(t.Context(), shell(t, "web", "trap '' TERM; while :; do sleep 0.05; done", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	c.signal(t, syscall.SIGTERM)
	eventually(t, "the control socket is closed", func() bool {
		_, err := c.Ping(t.Context())
		return errors.Is(err, control.ErrNotRunning)
	})
	c.signal(t, syscall.SIGTERM) // the app does not listen: hurry
	began := time.Now()
	if err := c.wait(t); err != nil {
		t.Errorf("%v\n%s", err, c.said)
	}
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("the second signal did not hurry: %v", took)
	}
	if lives(a.Instances[0].PID) {
		t.Error("the app outlived the daemon")
	}
}
