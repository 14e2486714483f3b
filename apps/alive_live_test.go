//go:build unix

package apps

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"roost/internal/testport"
)

func needPython(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Fatal("python3 is missing; install it: make deps")
	}
}

// eager is a check that asks often.
func eager(c Check) *Check {
	c.Interval, c.Timeout = unitOf(50*time.Millisecond), unitOf(300*time.Millisecond)
	return &c
}

// replaced waits until the instance in slot 0 is another than pid, because of reason.
func (a *liveApp) replaced(pid int, reason string) {
	a.t.Helper()
	eventually(a.t, "an instance with the reason "+reason, func() bool {
		in := a.instance(0)
		return in.PID != pid && in.PID != 0 && in.State == StateReady && strings.Contains(in.Reason, reason)
	})
}

const ailing = `
	setInterval(() => {}, 1e6)
	let well = true
	const server = require('node:http').createServer((req, res) => {
		if (req.url === '/fall-ill') well = false
		if (req.url === '/health' && !well) res.statusCode = 500
		if (req.url === '/health' && well === null) return
		if (req.url === '/hang') well = null
		if (req.url === '/close') server.close()
		res.end(String(process.pid))
	})
	server.listen(process.env.PORT)
`

func TestAnInstanceWhoseCheckFailsIsReplacedWithTheReason(t *testing.T) {
	needNode(t)
	for name, c := range map[string]struct {
		check        Check
		path, reason string
	}{
		"status": {Check{HTTP: "/health"}, "/fall-ill", "check: GET /health answered 500 (3 times)"},
		"silent": {Check{HTTP: "/health", Failures: 1}, "/hang", "check: GET /health: no answer within 300ms"},
		"closed": {Check{TCP: "instance", Failures: 2}, "/close", "check: it listens nowhere (2 times)"},
	} {
		t.Run(name, func(t *testing.T) {
			a := live(t)
			w := a.node("app.js", ailing, 1)
			w.Serves, w.Port, w.Check = true, testport.Free(t), eager(c.check)
			a.want(w)
			pid := a.instance(0).PID
			a.get(c.path)
			a.replaced(pid, c.reason)
			if code, body := a.get("/health"); code != 200 || body == fmt.Sprint(pid) {
				t.Errorf("afterwards: %d from process %s", code, body)
			}
		})
	}
}

func TestAFailingCheckLosesNoRequestThatTheInstanceAnswers(t *testing.T) {
	a := live(t)
	w := a.node("app.js", `
		let well = true
		require('node:http').createServer((req, res) => {
			if (req.url === '/health') { res.statusCode = well ? 200 : 500; return res.end() }
			well = false
			setTimeout(() => res.end('done'), 1500)
		}).listen(process.env.PORT)`, 1)
	w.Serves, w.Check = true, eager(Check{HTTP: "/health"})
	a.want(w)
	pid := a.instance(0).PID
	answered := make(chan string, 1)
	go func() {
		code, body := a.get("/work")
		answered <- fmt.Sprint(code, " ", body)
	}()
	a.replaced(pid, "check: GET /health answered 500 (3 times)")
	if got := within(t, "the answer", answered); got != "200 done" {
		t.Errorf("a request in flight got %q", got)
	}
}

func TestAnHTTPCheckReachesEveryKindOfInstance(t *testing.T) {
	for name, shape := range map[string]func(a *liveApp, w *Wanted){
		"port":       func(*liveApp, *Wanted) {}, // that no site leads to it does not matter
		"fixed port": func(a *liveApp, w *Wanted) { w.Port = testport.Free(a.t) },
		"listen_fds": func(_ *liveApp, w *Wanted) { w.ListenFDs = true },
	} {
		t.Run(name, func(t *testing.T) {
			a := live(t)
			w := a.checked(name == "listen_fds")
			shape(a, &w)
			a.want(w)
			if kind := a.Status().Kind; kind != name {
				t.Errorf("its kind is %s, want %s", kind, name)
			}
			first := a.instance(0).PID
			if err := os.WriteFile(filepath.Join(a.dir, "ill"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			eventually(t, "its check to fail", func() bool {
				return strings.HasPrefix(a.instance(0).Reason, "check: GET /health answered 500 (3 times)") && a.instance(0).PID != first
			})
		})
	}
}

// checked is an app of a program that answers HTTP with 500 where its folder
// has a file called "ill".
func (a *liveApp) checked(activated bool) Wanted {
	needPython(a.t)
	socket := `s = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))`
	if activated {
		socket = `s = socket.socket(fileno=3)`
	}
	path := a.file("app.py", `
import os, socket
`+socket+`
while True:
    c, _ = s.accept()
    status = b"500 Ill" if os.path.exists("ill") else b"200 OK"
    try:
        c.recv(65536)
        c.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    except OSError:
        pass
    c.close()
`)
	w := a.script(path, 1)
	w.Check = eager(Check{HTTP: "/health"})
	w.KillTimeout = unitOf(500 * time.Millisecond)
	return w
}

func TestATCPCheckAsksAnAddressElsewhere(t *testing.T) {
	a := live(t)
	database := listenTCP(t)
	go func() {
		for {
			c, err := database.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	w := a.sh("exec sleep 1000")
	w.MinUptime = unitOf(10 * time.Millisecond)
	w.Check = eager(Check{TCP: database.Addr().String()})
	a.want(w)
	pid := a.instance(0).PID
	database.Close()
	a.replaced(pid, fmt.Sprintf("check: %v: connection refused (3 times)", database.Addr()))
}

func TestAnExecCheckRunsAsTheInstanceAndLeavesNothing(t *testing.T) {
	t.Run("with what the system has", testExecCheck)
	t.Run("without control groups", func(t *testing.T) {
		withoutCgroups(t)
		testExecCheck(t)
	})
}

func testExecCheck(t *testing.T) {
	a := live(t)
	a.file("check.sh", `#!/bin/sh
		put() { echo $2 > $1.new && mv $1.new $1; }
		echo "$COLOUR $ROOST_SLOT $ROOST_APP ${NOTIFY_SOCKET-none} $PWD" > env
		sleep 1000 & put left $!
		setsid sleep 1000 & put far $!
		[ ! -e ill ] && exit 0
		echo first; echo disk full >&2; exit 3`)
	w := a.sh("exec sleep 1000")
	w.MinUptime, w.Env = unitOf(10*time.Millisecond), map[string]string{"COLOUR": "blue"}
	w.Check = eager(Check{Exec: Words{"./check.sh"}})
	a.want(w)
	eventually(t, "the check has run", func() bool {
		text, _ := os.ReadFile(filepath.Join(a.dir, "env"))
		return string(text) == fmt.Sprintf("blue 0 web none %s\n", a.dir)
	})
	pid := a.instance(0).PID
	a.file("ill", "")
	a.replaced(pid, "check: ./check.sh exited with status 3: disk full (3 times)")
	w.Slots[0].Stopped = true
	a.want(w)
	for _, name := range []string{"left", "far"} {
		path := filepath.Join(a.dir, name)
		eventually(t, "what the check started has ended", func() bool { return gone(t, path) })
	}
}

func TestAnExecCheckThatHangsIsEndedWithItsTree(t *testing.T) {
	a := live(t)
	a.file("check.sh", `#!/bin/sh
		trap '' TERM INT
		(trap '' TERM INT; while :; do sleep 1; done) &
		echo $! > pid.new && mv pid.new pid
		wait`)
	w := a.sh("exec sleep 1000")
	w.MinUptime = unitOf(10 * time.Millisecond)
	w.Check = &Check{Exec: Words{"./check.sh"}, Failures: 1, Interval: unitOf(50 * time.Millisecond), Timeout: unitOf(time.Second)}
	a.want(w)
	pid := a.instance(0).PID
	a.replaced(pid, "check: ./check.sh: no answer within 1s")
	w.Slots[0].Stopped = true
	a.want(w)
	eventually(t, "the check's tree has ended", func() bool { return gone(t, filepath.Join(a.dir, "pid")) })
}

func TestACheckThatCannotRunSaysSo(t *testing.T) {
	a := live(t)
	w := a.sh("exec sleep 1000")
	w.MinUptime = unitOf(10 * time.Millisecond)
	w.Check = eager(Check{Exec: Words{"no-such-program"}, Failures: 1})
	a.want(w)
	a.replaced(a.instance(0).PID, "check: no-such-program: file does not exist")
}

// beating sends WATCHDOG=1 for as long as the file "ill" is not there.
const beating = `
import os, socket, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.connect(os.environ["NOTIFY_SOCKET"])
every = int(os.environ["WATCHDOG_USEC"]) / 1e6 / 4
assert int(os.environ["WATCHDOG_PID"]) == os.getpid()
s.send(b"READY=1\nSTATUS=warm \x1b[31mand fed\nWATCHDOG=1")
while not os.path.exists("ill"):
    s.send(b"WATCHDOG=1")
    time.sleep(every)
`

func TestAProgramOnItsLeaveNeedNotBeat(t *testing.T) {
	needPython(t)
	a := live(t)
	w := a.script(a.file("app.py", `
import signal, sys, time
def leave(*_):
    time.sleep(1.5)
    print("finished")
    sys.exit(0)
`+strings.Replace(beating, "s.send", "signal.signal(signal.SIGTERM, leave)\ns.send", 1)+"time.sleep(1000)"), 1)
	w.WaitReady, w.HeartbeatTimeout = true, new(unitOf(500*time.Millisecond))
	a.want(w)
	w.Slots[0].Stopped = true
	a.want(w)
	if !a.said("finished") {
		t.Error("it was killed while it finished what it did")
	}
}

func TestASilentProgramIsReplacedAndOneThatBeatsIsNot(t *testing.T) {
	needPython(t)
	a := live(t)
	w := a.script(a.file("app.py", beating+"time.sleep(1000)"), 1)
	w.WaitReady, w.HeartbeatTimeout = true, new(unitOf(600*time.Millisecond))
	a.want(w)
	first := a.instance(0)
	end := time.Now().Add(1500 * time.Millisecond)
	eventually(t, "some limits to pass", func() bool { return time.Now().After(end) })
	if in := a.instance(0); in.PID != first.PID || in.Note != "warm [31mand fed" {
		t.Errorf("an instance that beats is %+v", in)
	}
	a.file("ill", "")
	a.replaced(first.PID, "sent no WATCHDOG=1 for 600ms")
}

func TestAProgramMayAskToBeReplacedAndChangeItsLimit(t *testing.T) {
	needPython(t)
	a := live(t)
	w := a.script(a.file("app.py", beating+`
s.send(b"WATCHDOG_USEC=0")
time.sleep(1)
open("lived", "w").close()
while not os.path.exists("worse"): time.sleep(0.01)
os.remove("ill"); os.remove("worse")
s.send(b"WATCHDOG=trigger")
time.sleep(1000)`), 1)
	w.WaitReady, w.HeartbeatTimeout = true, new(unitOf(400*time.Millisecond))
	a.want(w)
	pid := a.instance(0).PID
	a.file("ill", "")
	eventually(t, "it lives without a limit", func() bool {
		_, err := os.Stat(filepath.Join(a.dir, "lived"))
		return err == nil
	})
	if now := a.instance(0).PID; now != pid {
		t.Fatalf("process %d has been replaced by %d", pid, now)
	}
	a.file("worse", "")
	a.replaced(pid, "asked to be replaced (WATCHDOG=trigger)")
}

func TestAHeartbeatTimeoutOfZeroLeavesABlockedNodeAlone(t *testing.T) {
	a := live(t)
	w := a.node("app.js", `require('node:http').createServer((req, res) => {
		const end = Date.now() + 1500
		while (req.url === '/block' && Date.now() < end);
		res.end(String(process.pid))
	}).listen(0)`, 1)
	w.Serves, w.HeartbeatTimeout = true, new(unitOf(0))
	a.want(w)
	pid := a.instance(0).PID
	if code, body := a.get("/block"); code != 200 || body != fmt.Sprint(pid) {
		t.Errorf("%d from process %s, want 200 from %d", code, body, pid)
	}
	if now := a.instance(0).PID; now != pid {
		t.Errorf("process %d has taken its place", now)
	}
}

func TestStickyClientsKeepTheirSlotAcrossAReload(t *testing.T) {
	a := live(t)
	w := a.node("app.js", `
		const server = require('node:http').createServer((req, res) => res.end(process.env.NODE_APP_INSTANCE))
		server.on('upgrade', (req, socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n' + process.env.NODE_APP_INSTANCE + '\n'))
		server.listen(0)`, 3)
	w.Serves, w.Sticky = true, "cookie"
	a.want(w)
	host := httptest.NewServer(a.App)
	defer host.Close()
	ask := func(cookie string) (slot, set string) {
		t.Helper()
		r, _ := http.NewRequest("GET", host.URL, nil)
		if cookie != "" {
			r.Header.Set("Cookie", cookie)
		}
		r.Close = true
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body := make([]byte, 10)
		n, _ := res.Body.Read(body)
		set, _, _ = strings.Cut(res.Header.Get("Set-Cookie"), ";")
		return string(body[:n]), set
	}
	cookies := map[string]string{}
	for len(cookies) < 3 {
		slot, set := ask("")
		cookies[slot] = set
	}
	a.want(next(w))
	for slot, cookie := range cookies {
		if got, set := ask(cookie); got != slot || set != "" {
			t.Errorf("after a reload slot %s answers a client of slot %s, with the cookie %q", got, slot, set)
		}
		if got := upgraded(t, host.Listener.Addr().String(), cookie); got != slot {
			t.Errorf("a websocket of a client of slot %s leads to slot %s", slot, got)
		}
	}
	w = next(next(w))
	w.Slots = w.Slots[:1]
	a.want(w)
	if got, set := ask(cookies["2"]); got != "0" || set != cookies["0"] {
		t.Errorf("a client of a slot that is gone got slot %s and the cookie %q", got, set)
	}
}

// upgraded returns the first line after an upgrade.
func upgraded(t *testing.T, address, cookie string) string {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: h\r\nCookie: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", cookie)
	var all strings.Builder
	buf := make([]byte, 1000)
	for {
		n, err := c.Read(buf)
		all.Write(buf[:n])
		if err != nil {
			break
		}
	}
	_, rest, _ := strings.Cut(all.String(), "\r\n\r\n")
	return strings.TrimSpace(rest)
}
