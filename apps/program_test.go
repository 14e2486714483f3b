//go:build unix

package apps

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"roost/internal/httplint"
	"roost/internal/testport"
)

func TestAShellScriptThatIgnoresSIGTERMIsKilledAtItsDeadline(t *testing.T) {
	a := live(t)
	w := a.sh("trap 'echo no' TERM\necho $$ > pid\nwhile :; do tail -f /dev/null & wait $!; done")
	w.MinUptime, w.KillTimeout = unitOf(100*time.Millisecond), unitOf(500*time.Millisecond)
	a.want(w)
	w.Slots[0].Stopped = true
	begun := time.Now()
	a.want(w)
	if took := time.Since(begun); took < 500*time.Millisecond {
		t.Errorf("stopped after %v, before its deadline", took)
	}
	if !gone(t, filepath.Join(a.dir, "pid")) {
		t.Error("it still runs")
	}
}

func TestTheWholeTreeIsKilled(t *testing.T) {
	if _, err := exec.LookPath("setsid"); err != nil {
		t.Fatal("setsid is missing; install it: apt-get install util-linux")
	}
	const script = `
		trap '' TERM
		tail -f /dev/null & echo $! > child
		(tail -f /dev/null & echo $! > grandchild) &
		setsid sh -c 'trap "" TERM; echo $$ > session; exec tail -f /dev/null' > /dev/null 2>&1 &
		(setsid sh -c 'trap "" TERM; echo $$ > daemon; exec tail -f /dev/null' &) # its parent is gone at once
		while [ ! -s session ] || [ ! -s daemon ] || [ ! -s grandchild ]; do :; done
		touch ready
		`
	for name, end := range map[string]string{"when it does not stop": "while :; do tail -f /dev/null; done", "when it exits by itself": "exit 3"} {
		for _, cgroups := range []bool{true, false} {
			t.Run(fmt.Sprint(name, ", cgroups ", cgroups), func(t *testing.T) {
				if !cgroups {
					withoutCgroups(t)
				}
				a := live(t)
				w := a.sh(script + end)
				w.MinUptime, w.KillTimeout = unitOf(100*time.Millisecond), unitOf(300*time.Millisecond)
				w.RestartDelay = unitOf(time.Hour)
				a.Want(w)
				eventually(t, "all run", func() bool { _, err := os.Stat(filepath.Join(a.dir, "ready")); return err == nil })
				if end != "exit 3" {
					a.stop()
				} else {
					eventually(t, "it has exited", func() bool { return a.instance(0).State == StateBackoff })
				}
				for _, file := range []string{"child", "grandchild", "session", "daemon"} {
					if !gone(t, filepath.Join(a.dir, file)) {
						t.Errorf("%s still runs", file)
					}
				}
			})
		}
	}
}

func TestAChildThatKeepsTheOutputOpenDoesNotHoldUpTheApp(t *testing.T) {
	a := live(t)
	// a child in another session that the mark in the environment does not tell
	w := a.sh(`echo out; echo err >&2; printf 'no newline'
		env -i /usr/bin/setsid /bin/sh -c 'echo $$ > holder; exec tail -f /dev/null' &
		while [ ! -s holder ]; do :; done
		exit 5`)
	withoutCgroups(t)
	w.RestartDelay = unitOf(time.Hour)
	err := a.try(w)
	var f *Failure
	if !errors.As(err, &f) || f.Reason != "slot 0 exited with status 5 before it was ready" || strings.Join(f.Output, ",") != "err" {
		t.Errorf("Settle = %+v", err)
	}
	eventually(t, "its lines are in the log", func() bool {
		lines, _ := tailOf(a.dir, []string{"web"}, []string{"out"}, 5)
		return len(lines) == 2 && lines[1].Text == "no newline"
	})
	text, _ := os.ReadFile(filepath.Join(a.dir, "holder"))
	var pid int
	fmt.Sscan(string(text), &pid)
	syscall.Kill(pid, syscall.SIGKILL)
}

func TestChildrenFinishWhatTheyDoWhenAskedToStop(t *testing.T) {
	a := live(t)
	// the shell dies of SIGTERM at once, its child needs longer
	w := a.sh(`sh -c 'trap "sleep 0.3; echo finished > done; exit" TERM; touch ready; while :; do sleep 0.05; done' &
		while [ ! -e ready ]; do :; done
		tail -f /dev/null`)
	w.MinUptime = unitOf(300 * time.Millisecond)
	a.want(w)
	a.stop()
	if text, err := os.ReadFile(filepath.Join(a.dir, "done")); string(text) != "finished\n" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestZombiesHoldUpNothing(t *testing.T) {
	for _, cgroups := range []bool{true, false} {
		t.Run(fmt.Sprint("cgroups ", cgroups), func(t *testing.T) {
			if !cgroups {
				withoutCgroups(t)
			}
			a := live(t)
			// tail inherits children that end, and waits for none of them
			w := a.sh("for i in 1 2 3 4 5; do (echo $i > ended.$i) & last=$!; done; echo $last > zombie\nexec tail -f /dev/null")
			w.MinUptime, w.KillTimeout = unitOf(200*time.Millisecond), unitOf(time.Minute)
			a.want(w)
			if !gone(t, filepath.Join(a.dir, "zombie")) {
				t.Fatal("the child has not ended")
			}
			a.stop() // which fails after half of kill_timeout
		})
	}
}

func TestAProgramThatGoesIntoTheBackgroundIsTold(t *testing.T) {
	if _, err := exec.LookPath("setsid"); err != nil {
		t.Fatal("setsid is missing; install it: apt-get install util-linux")
	}
	a := live(t)
	w := a.sh("(setsid sh -c 'echo $$ > daemon; exec tail -f /dev/null' &)\nwhile [ ! -s daemon ]; do :; done")
	w.RestartDelay = unitOf(time.Hour)
	f, ok := errors.AsType[*Failure](a.try(w))
	if !ok || f.Reason != "slot 0 exited with status 0 before it was ready" || !strings.Contains(f.Hint, "stay in the foreground") {
		t.Errorf("failure %+v", f)
	}
	if !gone(t, filepath.Join(a.dir, "daemon")) {
		t.Error("it runs in the background")
	}
}

func TestAProgramThatCannotBeStartedIsToldWhy(t *testing.T) {
	for name, c := range map[string]struct {
		change       func(*liveApp, *Wanted)
		reason, hint string
	}{
		"no first line":      {func(a *liveApp, w *Wanted) { w.Script = a.file("plain", "echo hello\n") }, "exec format error", "#!/bin/sh"},
		"lines of Windows":   {func(a *liveApp, w *Wanted) { w.Script = a.file("crlf", "#!/bin/sh\r\necho hello\r\n") }, "no such file", "end as on Windows"},
		"no folder":          {func(a *liveApp, w *Wanted) { w.Cwd, w.Script, w.Command = a.dir+"/no", "", "/bin/true" }, "does not exist", "mkdir -p"},
		"too many arguments": {func(a *liveApp, w *Wanted) { w.Args = Words{strings.Repeat("x", 4<<20)} }, "too long", "more than the system takes"},
		"no program":         {func(a *liveApp, w *Wanted) { w.Script = "nosuch" }, "does not exist", "cwd"},
	} {
		t.Run(name, func(t *testing.T) {
			a := live(t)
			w := a.sh("exec tail -f /dev/null")
			w.RestartDelay = unitOf(time.Hour)
			if name != "too many arguments" {
				w.Interpreter = ""
			}
			c.change(a, &w)
			f, ok := errors.AsType[*Failure](a.try(w))
			if !ok || !strings.Contains(f.Reason, c.reason) || !strings.Contains(f.Hint, c.hint) {
				t.Errorf("failure %+v", f)
			}
		})
	}
}

func TestWithoutTreekillOnlyTheProgramEnds(t *testing.T) {
	for name, trap := range map[string]string{"when asked": "", "when killed": "trap '' TERM;"} {
		t.Run(name, func(t *testing.T) {
			a := live(t)
			w := a.sh(trap + `sh -c 'trap "touch asked" TERM; echo $$ > child; while :; do sleep 0.05; done' > /dev/null 2>&1 &
				while [ ! -s child ]; do :; done
				while :; do sleep 0.05; done`)
			no := false
			w.Treekill, w.MinUptime, w.KillTimeout = &no, unitOf(200*time.Millisecond), unitOf(500*time.Millisecond)
			a.want(w)
			program := a.instance(0).PID
			a.stop()
			if gone(t, filepath.Join(a.dir, "child")) || exists(filepath.Join(a.dir, "asked")) {
				t.Error("its child was ended, or asked to")
			}
			if !ended(program) {
				t.Error("the program still runs")
			}
			var child int
			fmt.Sscan(a.read("child"), &child)
			syscall.Kill(child, syscall.SIGKILL)
		})
	}
}

func TestAProgramOnItsPrivatePort(t *testing.T) {
	needNode(t)
	for _, bind := range []string{"127.0.0.1", "::1", "0.0.0.0"} {
		t.Run(bind, func(t *testing.T) {
			a := live(t)
			a.file("app.js", `
				const server = require('node:http').createServer((req, res) => res.end([process.env.ROOST_SLOT, process.env.HOST, typeof process.send].join()))
				setTimeout(() => server.listen(process.env.PORT, process.env.BIND), 50)`)
			w := a.script("", 2)
			// not Node as far as we can see
			w.Command, w.Serves, w.Env = "/bin/sh -c 'exec node app.js'", true, map[string]string{"BIND": bind, "PORT": "1", "HOST": "x"}
			a.want(w)
			if st := a.Status(); st.Kind != "port" {
				t.Errorf("kind %q", st.Kind)
			}
			first, second := a.instance(0).Address, a.instance(1).Address
			if first == second || !strings.Contains(first, ":2") {
				t.Errorf("addresses %s and %s", first, second)
			}
			if code, body := a.get("/"); code != 200 || !strings.HasSuffix(body, ",127.0.0.1,undefined") {
				t.Errorf("%d %s", code, body)
			}
		})
	}
}

func TestAFixedPortApp(t *testing.T) {
	needNode(t)
	a := live(t)
	w := a.script("", 1)
	a.file("app.js", "require('node:http').createServer((req, res) => res.end(process.env.ROOST_REVISION)).listen(process.env.PORT)")
	w.Command, w.Serves, w.Port = "/bin/sh -c 'exec node app.js'", true, testport.Free(t)
	a.want(w)
	if st := a.Status(); st.Kind != "fixed port" || !strings.HasPrefix(st.Strategy, "replace: ") {
		t.Errorf("status = %+v", st)
	}
	a.answers("/", "1")
	answered := make(chan string, 1)
	a.Want(next(w))
	go func() { code, body := a.get("/"); answered <- fmt.Sprint(code, " ", body) }()
	if err := a.Settle(t.Context()); err != nil {
		t.Error(err)
	}
	if got := within(t, "the request that waited", answered); got != "200 2" && got != "200 1" {
		t.Errorf("answer %q", got)
	}
	a.answers("/", "2")
	a.stop()

	l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", w.Port))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	b := live(t)
	var f *Failure
	if err := b.try(w); !errors.As(err, &f) || f.Port != w.Port || f.Reason != fmt.Sprintf("slot 0: port %d is already in use", w.Port) {
		t.Errorf("Settle = %+v", err)
	}
}

func TestSocketActivation(t *testing.T) {
	needNode(t)
	a := live(t)
	port := testport.Free(t)
	w := a.script(a.file("app.js", `
		const { LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES, ROOST_SLOT } = process.env
		if (+LISTEN_PID !== process.pid || LISTEN_FDS !== '2' || LISTEN_FDNAMES !== 'roost:port') throw new Error('LISTEN_*')
		const answer = (req, res) => res.end('slot ' + ROOST_SLOT)
		require('node:http').createServer(answer).listen({ fd: 3 })
		require('node:http').createServer(answer).listen({ fd: 4 })`), 2)
	w.ListenFDs, w.Port, w.Serves = true, port, true
	a.want(w)
	if st := a.Status(); st.Kind != "listen_fds" || st.Strategy != "overlap" {
		t.Errorf("status = %+v", st)
	}
	seen := map[string]bool{}
	for range 20 {
		_, body := a.get("/")
		seen[body] = true
	}
	if !seen["slot 0"] || !seen["slot 1"] {
		t.Errorf("answers %v", seen)
	}
	if body, err := getPort(port, "/"); err != nil || !strings.HasPrefix(body, "slot ") {
		t.Errorf("own port: %q, %v", body, err)
	}
	a.want(next(w))
}

// TestMain runs the tests or, called with NOTIFY in the environment, is a
// program that says that it is ready as sd_notify(3) does, and works on.
func TestMain(m *testing.M) {
	if os.Getenv("NOTIFY") == "" {
		os.Exit(httplint.Run(m, httplint.Apps, httplint.Unguarded))
	}
	c, err := net.Dial("unixgram", os.Getenv("NOTIFY_SOCKET"))
	if err != nil {
		panic(err)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	fmt.Fprint(c, "STATUS=warm\nREADY=1")
	<-stop
}

func TestReadyByNotify(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	a := live(t)
	w := a.sh(`while [ ! -e go ]; do sleep 0.02; done
		NOTIFY=1 exec ` + self)
	w.WaitReady = true
	a.Want(w)
	eventually(t, "it runs", func() bool { return a.instance(0).PID != 0 })
	if in := a.instance(0); in.State != StateStarting {
		t.Errorf("state %s", in.State)
	}
	a.file("go", "")
	a.want(w)
	if in := a.instance(0); in.State != StateReady {
		t.Errorf("state %s", in.State)
	}
}

func TestNobodyElseCanSayReady(t *testing.T) {
	a := live(t)
	w := a.sh("echo $NOTIFY_SOCKET > socket\nexec tail -f /dev/null")
	w.WaitReady, w.ListenTimeout = true, unitOf(1500*time.Millisecond)
	a.Want(w)
	path := filepath.Join(a.dir, "socket")
	eventually(t, "it runs", func() bool { text, _ := os.ReadFile(path); return len(text) > 1 })
	text, _ := os.ReadFile(path)
	c, err := net.Dial("unixgram", strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "READY=1")
	if err := a.Settle(t.Context()); err == nil {
		t.Error("ready by the word of a process that is not of its tree")
	}
}

func TestWhatCannotStartIsSaidWithAHint(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(a *liveApp, w *Wanted)
		want  string
	}{
		"a script that does not exist": {func(a *liveApp, w *Wanted) { w.Script = "nothing.sh" }, "slot 0: script nothing.sh does not exist"},
		"a program that cannot run":    {func(a *liveApp, w *Wanted) { w.Script, w.Command = "", a.file("text", "\x7fELF") }, "slot 0: cannot start "},
		"a user that does not exist":   {func(a *liveApp, w *Wanted) { w.User = "nobody-at-all" }, "slot 0: user nobody-at-all does not exist"},
	} {
		t.Run(name, func(t *testing.T) {
			a := live(t)
			w := a.sh("exit 0")
			c.spoil(a, &w)
			var f *Failure
			if err := a.try(w); !errors.As(err, &f) || !strings.HasPrefix(f.Reason, c.want) || f.Hint == "" {
				t.Errorf("Settle = %+v", f)
			}
		})
	}
}

func TestSignalsReachTheProgram(t *testing.T) {
	a := live(t)
	w := a.sh("trap 'echo hup > got' HUP\necho > ready\nwhile :; do sleep 0.02; done")
	w.MinUptime = unitOf(50 * time.Millisecond)
	a.want(w)
	eventually(t, "it runs", func() bool { _, err := os.Stat(filepath.Join(a.dir, "ready")); return err == nil })
	if err := a.Signal(0, syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it has heard it", func() bool { _, err := os.Stat(filepath.Join(a.dir, "got")); return err == nil })
}

func TestFollowShowsLinesAsTheyCome(t *testing.T) {
	a := live(t)
	w := a.sh("while [ ! -e go ]; do sleep 0.02; done\necho hello\nexec tail -f /dev/null")
	w.MinUptime = unitOf(50 * time.Millisecond)
	a.want(w)
	_, lines, stop := a.Follow()
	defer stop()
	a.file("go", "")
	if l := within(t, "a line", lines); l.Text != "hello" || l.App != "web" || l.Stream != "out" || l.Slot != 0 {
		t.Errorf("line %+v", l)
	}
}
