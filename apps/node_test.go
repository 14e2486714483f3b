//go:build unix

package apps

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"roost/internal/testport"
)

// answering is a server of Node's that says which slot and revision it is.
const answering = `
const http = require('node:http')
const server = http.createServer((req, res) => res.end(process.env.NODE_APP_INSTANCE + ' ' + process.env.ROOST_REVISION))
`

func TestTwoNodeInstancesShareAPortAndHavePrivateSockets(t *testing.T) {
	a := live(t)
	port := testport.Free(t)
	w := a.node("app.js", answering+fmt.Sprintf("server.listen(%d)", port), 2)
	w.Serves = true
	a.want(w)
	if st := a.Status(); st.Kind != "node" || st.Strategy != "overlap" {
		t.Errorf("status = %+v", st)
	}
	seen := map[string]bool{}
	for range 20 {
		code, body := a.get("/")
		if code != 200 {
			t.Fatalf("%d %s", code, body)
		}
		seen[body] = true
	}
	if !seen["0 1"] || !seen["1 1"] {
		t.Errorf("answers %v, want from both", seen)
	}
	if body, err := getPort(port, "/"); err != nil || !strings.HasSuffix(body, " 1") {
		t.Errorf("own port: %q, %v", body, err)
	}
	for slot := range 2 {
		if in := a.instance(slot); in.State != StateReady || !strings.HasPrefix(in.Address, "unix:"+a.run) || in.Requests == 0 || in.PID == 0 {
			t.Errorf("instance = %+v", in)
		}
	}
	a.stop()
	if _, err := net.DialTimeout("tcp", fmt.Sprint("127.0.0.1:", port), time.Second); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("own port of an app that is gone: %v, want refused", err)
	}
}

func TestAnESModuleWithExpressLikeUse(t *testing.T) {
	a := live(t)
	w := a.node("app.mjs", `
		import { createServer } from 'node:http'
		const app = (req, res) => res.end(req.socket.remoteAddress + ' ' + req.headers['x-forwarded-proto'])
		const server = createServer(app).listen(process.env.PORT, () => console.log('on ' + server.address().port))`, 1)
	w.Port = testport.Free(t)
	w.Serves = true
	a.want(w)
	a.answers("/", "127.0.0.1 http")
	lines, err := tailOf(a.dir, []string{"web"}, []string{"out"}, 5)
	eventually(t, "the line is in the log", func() bool {
		lines, err = tailOf(a.dir, []string{"web"}, []string{"out"}, 5)
		return err == nil && len(lines) == 1
	})
	if lines[0].Text != fmt.Sprint("on ", w.Port) {
		t.Errorf("line %+v", lines[0])
	}
}

func TestAnInstanceThatIsKilledLosesNoRequest(t *testing.T) {
	a := live(t)
	port := testport.Free(t)
	w := a.node("app.js", answering+fmt.Sprintf("server.listen(%d)", port), 2)
	w.Serves = true
	a.want(w)
	var failed, done atomic.Int64
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		wg.Go(func() {
			for !isClosed(stop) {
				if code, body := a.get("/"); code != 200 {
					t.Log(code, body)
					failed.Add(1)
				}
				done.Add(1)
			}
		})
	}
	for round := range 4 {
		slot := round % 2
		before := a.instance(slot)
		eventually(t, "requests flow", func() bool { return done.Load() > int64(100*(round+1)) })
		syscall.Kill(before.PID, syscall.SIGKILL)
		eventually(t, "it is replaced", func() bool {
			in := a.instance(slot)
			return in.State == StateReady && in.PID != before.PID && in.PID != 0
		})
	}
	close(stop)
	wg.Wait()
	if failed.Load() > 0 {
		t.Errorf("%d of %d requests failed", failed.Load(), done.Load())
	}
}

func TestOneInstanceThatIsKilledKeepsItsCallersWaiting(t *testing.T) {
	a := live(t)
	port := testport.Free(t)
	w := a.node("app.js", answering+fmt.Sprintf("server.listen(%d)", port), 1)
	w.Serves = true
	w.MinUptime = unitOf(time.Millisecond)
	a.want(w)
	for range 3 {
		pid := a.instance(0).PID
		begun := time.Now()
		syscall.Kill(pid, syscall.SIGKILL)
		eventually(t, "it is dead", func() bool { return ended(pid) })
		if body, err := getPort(port, "/"); err != nil || body != "0 1" {
			t.Errorf("own port: %q, %v", body, err)
		}
		own := time.Since(begun)
		eventually(t, "it is replaced", func() bool { in := a.instance(0); return in.State == StateReady && in.PID != pid && in.PID != 0 })
		a.answers("/", "0 1")
		t.Logf("killed to answered: %v", own.Round(time.Millisecond))
	}
	if in := a.instance(0); in.Restarts != 3 || in.Reason != "was ended by SIGKILL" {
		t.Errorf("instance = %+v", in)
	}
}

func TestReloadAndScaleLoseNoRequest(t *testing.T) {
	a := live(t)
	port := testport.Free(t)
	w := a.node("app.js", answering+fmt.Sprintf("server.listen(%d)", port), 2)
	w.Serves = true
	a.want(w)
	var failed, done atomic.Int64
	var wg sync.WaitGroup
	stop := make(chan struct{})
	check := func(get func() error) {
		wg.Go(func() {
			for !isClosed(stop) {
				if err := get(); err != nil {
					failed.Add(1)
					t.Log(err)
				}
				done.Add(1)
			}
		})
	}
	for range 3 {
		check(func() error {
			if code, body := a.get("/"); code != 200 {
				return fmt.Errorf("%d %s", code, body)
			}
			return nil
		})
	}
	check(func() error { _, err := getPort(port, "/"); return err })
	for range 3 {
		w = next(w)
		a.want(w)
	}
	four := w
	four.Slots = append(append([]Slot(nil), w.Slots...), Slot{ID: 2, Revision: w.Revision}, Slot{ID: 3, Revision: w.Revision})
	a.want(four)
	a.want(w)
	close(stop)
	wg.Wait()
	if failed.Load() > 0 {
		t.Errorf("%d of %d requests failed", failed.Load(), done.Load())
	}
	t.Logf("%d requests", done.Load())
}

func TestAReloadOfBrokenCodeKeepsTheOldServing(t *testing.T) {
	a := live(t)
	w := a.node("app.js", answering+"server.listen(0)", 2)
	w.Serves = true
	a.want(w)
	a.file("app.js", "console.error('about to fail'); throw new Error('broken')")
	err := a.try(next(w))
	var f *Failure
	if !errors.As(err, &f) || f.Reason != "slot 0 exited with status 1 before it was ready" || !strings.Contains(strings.Join(f.Output, "\n"), "Error: broken") {
		t.Fatalf("Settle = %+v", err)
	}
	for range 4 {
		if code, body := a.get("/"); code != 200 || !strings.HasSuffix(body, " 1") {
			t.Errorf("%d %s, want the old revision", code, body)
		}
	}
	a.want(w)
	a.file("app.js", answering+"server.listen(0)")
	a.want(next(w))
	if code, body := a.get("/"); code != 200 || !strings.HasSuffix(body, " 2") {
		t.Errorf("%d %s, want the new revision", code, body)
	}
}

func TestACodeThatNeverListensAfterOneThatDidIsNotReady(t *testing.T) {
	a := live(t)
	w := a.node("app.js", answering+"server.listen(0)", 1)
	a.want(w)
	a.file("app.js", "setInterval(() => {}, 1000)")
	bad := next(w)
	bad.ListenTimeout = unitOf(1500 * time.Millisecond)
	err := a.try(bad)
	var f *Failure
	if !errors.As(err, &f) || f.Reason != "slot 0 was not ready within 1.5s" || !strings.HasPrefix(f.Hint, "it must call listen itself") {
		t.Errorf("Settle = %+v", err)
	}
	if in := a.instance(0); in.Revision != 1 || in.State != StateReady {
		t.Errorf("instance = %+v", in)
	}
}

func TestABackgroundNodeAppIsReadyWhenItHasLived(t *testing.T) {
	a := live(t)
	w := a.node("app.js", "setInterval(() => {}, 1000)", 1)
	w.MinUptime = unitOf(300 * time.Millisecond)
	begun := time.Now()
	a.want(w)
	if lived := time.Since(begun); lived < 300*time.Millisecond {
		t.Errorf("ready after %v", lived)
	}
	if in := a.instance(0); in.Address != "" {
		t.Errorf("address %q", in.Address)
	}
}

func TestWaitReadyWaitsForTheMessageAndNothingElse(t *testing.T) {
	a := live(t)
	flag := filepath.Join(a.dir, "go")
	w := a.node("app.js", answering+fmt.Sprintf(`server.listen(0, () => {
		const timer = setInterval(() => { if (require('fs').existsSync(%q)) { process.send('ready'); clearInterval(timer) } }, 5)
	})`, flag), 1)
	w.Serves, w.WaitReady = true, true
	a.Want(w)
	eventually(t, "it listens", func() bool { return a.instance(0).State == StateStarting && probeLane(a) })
	if in := a.instance(0); in.State != StateStarting {
		t.Errorf("state %s before the message", in.State)
	}
	a.file("go", "")
	a.want(w)
	a.answers("/", "0 1")
}

// probeLane reports whether the private socket answers.
func probeLane(a *liveApp) bool {
	socks, _ := filepath.Glob(filepath.Join(a.run, "i*."+laneExt))
	return len(socks) == 1 && probe(a.t.Context(), "unix", socks[0], "GET", "/") == 200
}

func TestAHealthPathMustAnswerWell(t *testing.T) {
	a := live(t)
	flag := filepath.Join(a.dir, "go")
	w := a.node("app.js", fmt.Sprintf(`
		require('node:http').createServer((req, res) => {
			if (req.url === '/health' && req.headers.host === 'localhost' && req.headers['x-forwarded-proto'] === 'https')
				console.log('asked')
			res.statusCode = require('fs').existsSync(%q) ? 204 : 503
			res.end()
		}).listen(0)`, flag), 1)
	w.Serves, w.Health = true, "/health"
	a.Want(w)
	eventually(t, "it is asked", func() bool {
		lines, _ := tailOf(a.dir, []string{"web"}, []string{"out"}, 3)
		return len(lines) > 1
	})
	if in := a.instance(0); in.State != StateStarting {
		t.Errorf("state %s with an unhealthy answer", in.State)
	}
	a.file("go", "")
	a.want(w)
}

func TestShutdownByMessage(t *testing.T) {
	a := live(t)
	w := a.node("app.js", answering+`server.listen(0)
		process.on('SIGINT', () => console.log('signal'))
		process.on('message', (m) => { if (m === 'shutdown') { require('fs').writeFileSync('stopped', m); process.exit(0) } })`, 1)
	w.Serves, w.ShutdownWithMessage = true, true
	a.want(w)
	w.Slots[0].Stopped = true
	a.want(w)
	if got, err := os.ReadFile(filepath.Join(a.dir, "stopped")); string(got) != "shutdown" {
		t.Errorf("message %q, %v", got, err)
	}
	if in := a.instance(0); in.State != StateStopped || in.ExitCode == nil || *in.ExitCode != 0 {
		t.Errorf("instance = %+v", in)
	}
	if code, _ := a.get("/"); code != 503 {
		t.Errorf("a stopped app answers %d", code)
	}
}

func TestABlockedEventLoopIsReplaced(t *testing.T) {
	a := live(t)
	w := a.node("app.js", `require('node:http').createServer((req, res) => {
		if (req.url === '/block') for (;;);
		res.end('fine')
	}).listen(0)`, 1)
	w.Serves, w.HeartbeatTimeout = true, new(unitOf(time.Second))
	w.MinUptime = unitOf(time.Millisecond)
	a.want(w)
	pid := a.instance(0).PID
	go a.get("/block")
	eventually(t, "it is replaced", func() bool {
		in := a.instance(0)
		return in.PID != pid && in.State == StateReady && strings.HasPrefix(in.Reason, "its event loop was blocked for 1")
	})
	a.answers("/", "fine")
	eventually(t, "the lag is measured", func() bool { return a.instance(0).LagMS > 0 })
}

func TestAPortThatAnotherProgramHolds(t *testing.T) {
	a := live(t)
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	w := a.node("app.js", answering+fmt.Sprintf("server.listen(%d)", port), 1)
	w.Serves = true
	var f *Failure
	if err := a.try(w); !errors.As(err, &f) || f.Port != port || f.Hint != fmt.Sprintf("another program holds port %d: stop it, or choose another port", port) ||
		!strings.Contains(strings.Join(f.Output, "\n"), fmt.Sprintf("listen EADDRINUSE: address already in use :::%d", port)) {
		t.Errorf("Settle = %+v", err)
	}
}

func TestWorkerThreadsAndChildrenAreLeftAlone(t *testing.T) {
	a := live(t)
	w := a.node("app.js", answering+`
		const { Worker } = require('node:worker_threads')
		new Worker("require('node:http').createServer((q, s) => s.end('thread')).listen(0, '127.0.0.1')", { eval: true })
		require('node:child_process').spawn(process.execPath, ['-e', "require('fs').writeFileSync('child', String(process.pid)); require('http').createServer().listen(0)"], { stdio: 'inherit' })
		setTimeout(() => server.listen(0), 100)`, 1)
	w.Serves = true
	a.want(w)
	a.answers("/", "0 1")
	eventually(t, "the child runs", func() bool { _, err := os.Stat(filepath.Join(a.dir, "child")); return err == nil })
	a.stop()
	if !gone(t, filepath.Join(a.dir, "child")) {
		t.Error("the child has outlived its instance")
	}
}

func TestAPortNoLongerUsedIsClosed(t *testing.T) {
	a := live(t)
	first, second := testport.Free(t), testport.Free(t)
	w := a.node("app.js", answering+fmt.Sprintf("server.listen(%d)", first), 1)
	a.want(w)
	a.file("app.js", answering+fmt.Sprintf("server.listen(%d)", second))
	a.want(next(w))
	if _, err := getPort(second, "/"); err != nil {
		t.Error(err)
	}
	eventually(t, "the old port is closed", func() bool {
		c, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", first))
		if err == nil {
			c.Close()
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	})
	w = next(w)
	w.Slots[0].Stopped = true
	a.want(w)
	eventually(t, "a stopped app's port is closed", func() bool {
		c, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", second))
		if err == nil {
			c.Close()
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	})
}
