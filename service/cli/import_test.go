//go:build unix

package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"roost/internal/testcache"
)

// movingBox is a folder with apps that PM2 runs, and homes of PM2 and of ours.
type movingBox struct {
	t    *testing.T
	work string
	env  []string
}

func newMovingBox(t *testing.T) *movingBox {
	t.Helper()
	modules := filepath.Join(testcache.NPM(t, "testdata/npm"), "node_modules", ".bin")
	home, err := os.MkdirTemp("", "roost-move-") // short: sockets live below it
	if err != nil {
		t.Fatal(err)
	}
	b := &movingBox{t: t, work: t.TempDir(), env: []string{
		"PATH=" + modules + ":" + os.Getenv("PATH"), "HOME=" + home, "PM2_HOME=" + home + "/pm2", "ROOST_HOME=" + home + "/roost",
		"NO_COLOR=1", "PM2_DISABLE_VERSION_CHECK=true", "SECRET=of the shell", "ROOST_TEST_CACHE=" + os.Getenv("ROOST_TEST_CACHE"),
	}}
	t.Cleanup(func() {
		b.try("roost", "kill")
		b.try("pm2", "kill")
		os.RemoveAll(home)
	})
	b.write("web.js", `require('node:http').createServer((q, r) => r.end(process.env.SECRET)).listen(0)`)
	b.write("clock.sh", `while :; do echo tick; sleep 1; done`)
	return b
}

func (b *movingBox) write(name, text string) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.work, name), []byte(text), 0o755); err != nil {
		b.t.Fatal(err)
	}
}

func (b *movingBox) try(args ...string) (string, error) {
	path, err := exec.LookPath(args[0])
	if args[0] == "pm2" {
		path, err = strings.TrimPrefix(strings.SplitN(b.env[0], ":", 2)[0], "PATH=")+"/pm2", nil
	}
	if err != nil {
		b.t.Fatal(err)
	}
	cmd := exec.Command(path, args[1:]...)
	cmd.Dir, cmd.Env = b.work, b.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// run runs a command that must succeed and returns all that it said.
func (b *movingBox) run(args ...string) string {
	b.t.Helper()
	out, err := b.try(args...)
	if err != nil {
		b.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (b *movingBox) says(out string, texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		if !strings.Contains(out, text) {
			b.t.Errorf("it does not say %q:\n%s", text, out)
		}
	}
}

func TestAppsMoveOverFromAPM2ThatRuns(t *testing.T) {
	t.Parallel()
	b := newMovingBox(t)
	b.run("pm2", "start", "web.js", "-i", "2", "--max-memory-restart", "300M")
	b.run("pm2", "start", "clock.sh")
	b.run("pm2", "stop", "clock")

	out := b.run("roost", "import", "pm2")
	b.says(out, "web: "+b.work+"/web.js, 2 instances", "clock: "+b.work+"/clock.sh, 1 instance, stopped", "nothing was changed", "--take-over")
	if _, err := b.try("roost", "ping"); err == nil {
		t.Error("a daemon was started only to look")
	}
	b.says(b.run("pm2", "jlist"), `"online"`)
	if out, err := b.try("roost", "import", "pm2", "--take-over", "--json"); err == nil {
		t.Errorf("--json with --take-over succeeded:\n%s", out)
	} else {
		b.says(out, "--json only shows", "hint: leave it out")
	}

	out = b.run("roost", "import", "pm2", "--take-over")
	b.says(out, "PM2 saves its list and ends", "took over web, clock")
	b.says(b.run("roost", "list"), "ready", "stopped")
	b.says(b.run("roost", "describe", "web"), "300 MB")
	b.says(b.run("roost", "env", "0", "--show-env"), "SECRET=of the shell")

	if out, err := b.try("roost", "import", "pm2", b.env[2][len("PM2_HOME="):]+"/dump.pm2", "--take-over"); err == nil {
		t.Errorf("apps that are there were taken over again:\n%s", out)
	} else {
		b.says(out, "there is an app web here already", "hint: delete it")
	}
}

func TestPM2GetsItsAppsBackWhenTheyCannotStartHere(t *testing.T) {
	t.Parallel()
	b := newMovingBox(t)
	b.run("pm2", "start", "web.js")
	b.write("web.js", "throw new Error('broken meanwhile')")
	out, err := b.try("roost", "import", "pm2", "--take-over")
	if err == nil {
		t.Fatalf("it succeeded:\n%s", out)
	}
	b.says(out, "PM2 gets them back", "broken meanwhile")
	b.says(b.run("pm2", "jlist"), `"name":"web"`)
	if out := b.run("roost", "list", "--json"); strings.TrimSpace(out) != "[]" {
		t.Errorf("roost has kept %s", out)
	}
}

func TestADumpIsShownOrRefused(t *testing.T) {
	t.Parallel()
	b := newMovingBox(t)
	if out, err := b.try("roost", "import", "pm2"); err == nil {
		t.Errorf("it found something:\n%s", out)
	} else {
		b.says(out, "PM2 does not run in", "hint: name its dump")
	}
	for text, want := range map[string]string{
		"{not json":      "no list of processes",
		`[{"name":"x"}]`: "no name, or no absolute pm_exec_path",
		`[{"name":"web","pm_exec_path":"/nowhere/web.js","pm_cwd":"/nowhere","env":{"A":"1"}}]`:                   "1 app cannot be started here",
		`[{"name":"web","pm_exec_path":"` + b.work + `/web.js","pm_cwd":"` + b.work + `","max_restarts":"many"}]`: "max_restarts",
	} {
		b.write("dump.pm2", text)
		out, err := b.try("roost", "import", "pm2", "dump.pm2")
		if err == nil {
			t.Errorf("%s is taken:\n%s", text, out)
		}
		b.says(out, want)
	}
	b.write("dump.pm2", `[{"name":"web","pm_exec_path":"`+b.work+`/web.js","pm_cwd":"`+b.work+`","env":{"A":"1"},"A":"1","post_update":["npm i"],"env_production":{"B":"2"}}]`)
	out := b.run("roost", "import", "pm2", "dump.pm2")
	b.says(out, "web: "+b.work+"/web.js, 1 instance", "not taken over: env_production, post_update")
	b.says(b.run("roost", "import", "pm2", "dump.pm2", "--json"), `"left"`)

	b.write("dump.pm2", `[{"name":"pages","pm_exec_path":"/usr/lib/node_modules/pm2/lib/API/Serve.js","pm_cwd":"`+b.work+`","env":{"PM2_SERVE_PATH":".","PM2_SERVE_PORT":"8081"}}]`)
	b.says(b.run("roost", "import", "pm2", "dump.pm2", "--json"), ` _serve"`, `"port": 8081`) // not PM2's server, which goes with it
}
