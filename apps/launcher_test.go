//go:build unix

package apps

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"roost/internal/testcache"
	"roost/internal/testport"
)

// npm is an app in whose folder npm start runs a command.
func (a *liveApp) npm(start string, instances int) Wanted {
	needNode(a.t)
	if _, err := exec.LookPath("npm"); err != nil {
		a.t.Fatal("npm is missing; install it: make deps")
	}
	a.file("package.json", fmt.Sprintf(`{"scripts":{"start":%q}}`, start))
	w := a.script("npm", instances)
	w.Args = Words{"start", "--no-update-notifier"}
	return w
}

func TestNpmStartSharesThePortThatItsServerHasChosen(t *testing.T) {
	a := live(t)
	port := testport.Free(t)
	a.file("server.js", answering+fmt.Sprintf("server.listen(%d)", port))
	w := a.npm("node server.js", 2)
	w.Serves = true
	a.want(w)
	if st := a.Status(); st.Kind != "node" || st.Strategy != "overlap" {
		t.Errorf("status = %+v", st)
	}
	seen := map[string]bool{}
	for range 20 {
		_, body := a.get("/")
		seen[body] = true
	}
	if !seen["0 1"] || !seen["1 1"] {
		t.Errorf("answers %v, want from both", seen)
	}
	a.want(next(w))
	if body, err := getPort(port, "/"); err != nil || !strings.HasSuffix(body, " 2") {
		t.Errorf("own port after a reload: %q, %v", body, err)
	}
	if in := a.instance(0); !strings.HasPrefix(in.Runtime, "node v") {
		t.Errorf("runtime %q", in.Runtime)
	}
	pid := a.instance(0).PID
	syscall.Kill(pid, syscall.SIGKILL)
	eventually(t, "it is replaced", func() bool { in := a.instance(0); return in.PID != pid && in.State == StateReady })
	a.stop()
	if _, err := getPort(port, "/"); err == nil {
		t.Error("something answers after the end")
	}
}

func TestNpmStartOfNext(t *testing.T) {
	a := live(t)
	site := testcache.NPM(t, "../examples/npm/next")
	for _, name := range []string{"node_modules", "pages", "next.config.js"} {
		if err := os.Symlink(filepath.Join(site, name), filepath.Join(a.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(filepath.Join(a.dir, ".next"), os.DirFS(filepath.Join(site, ".next"))); err != nil {
		t.Fatal(err)
	}
	w := a.npm("next start", 1)
	w.Serves, w.Port = true, testport.Free(t)
	w.Env = map[string]string{"NEXT_TELEMETRY_DISABLED": "1"}
	w.ListenTimeout = unitOf(60 * time.Second)
	a.want(w)
	if st := a.Status(); st.Kind != "node" {
		t.Errorf("status = %+v", st)
	}
	if code, body := a.get("/"); code != 200 || !strings.Contains(body, "<html") {
		t.Errorf("%d %.200s", code, body)
	}
	if body, err := getPort(w.Port, "/"); err != nil || !strings.Contains(body, "<html") {
		t.Errorf("own port: %.200s, %v", body, err)
	}
}

func TestACommandThatIsAScriptOfNodesIsHosted(t *testing.T) {
	a := live(t)
	needNode(t)
	a.file("tool", "#!/usr/bin/env node\n"+answering+"server.listen(0)")
	w := a.script("", 1)
	w.Script, w.Command, w.Serves = "", "./tool --flag", true
	a.want(w)
	a.answers("/", "0 1")
}

func TestAClusterOfPM2sKindRunsTheWorkersPart(t *testing.T) {
	a := live(t)
	port := testport.Free(t)
	w := a.node("app.js", fmt.Sprintf(`
		const cluster = require('cluster')
		if (cluster.isMaster) for (let i = 0; i < 8; i++) cluster.fork()
		else require('http').createServer((req, res) => res.end('worker ' + cluster.worker.id)).listen(%d)`, port), 2)
	w.Serves, w.Instances = true, 2
	a.want(w)
	seen := map[string]bool{}
	for range 20 {
		_, body := a.get("/")
		seen[body] = true
	}
	if len(seen) != 2 || !seen["worker 1"] || !seen["worker 2"] {
		t.Errorf("answers %v, want from both", seen)
	}
	w = next(w)
	w.ExecMode = "fork"
	w.Slots = w.Slots[:1]
	a.want(w)
	if code, body := a.get("/"); code != 200 || !strings.HasPrefix(body, "worker ") {
		t.Errorf("its own cluster answers %d %s", code, body)
	}
	if body, err := getPort(port, "/"); err != nil || !strings.HasPrefix(body, "worker ") {
		t.Errorf("own port of its own cluster: %q, %v", body, err)
	}
}

func TestWorkersShareAUDPPort(t *testing.T) {
	a := live(t)
	port := testport.Free(t)
	w := a.node("app.js", answering+fmt.Sprintf(`
		const socket = require('dgram').createSocket('udp4')
		socket.on('message', (m, from) => socket.send('heard ' + m, from.port, from.address))
		socket.bind(%d, '127.0.0.1', () => {
			require('dgram').createSocket('udp4').bind(() => server.listen(0)) // and one of its own
		})`, port), 2)
	w.Serves, w.Instances = true, 2
	a.want(w)
	a.want(next(w))
	c, err := net.Dial("udp", fmt.Sprint("127.0.0.1:", port))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	buf := make([]byte, 100)
	for range 5 {
		fmt.Fprint(c, "you")
		if n, err := c.Read(buf); err != nil || string(buf[:n]) != "heard you" {
			t.Fatalf("%q, %v", buf[:n], err)
		}
	}
	a.stop()
	if l, err := net.ListenPacket("udp", fmt.Sprint("127.0.0.1:", port)); err != nil {
		t.Errorf("the port is still taken: %v", err)
	} else {
		l.Close()
	}
}
