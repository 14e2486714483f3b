//go:build system && linux

package foreground_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestSystemTheFirstProcessOfAContainer runs the program as pid 1 of a pid
// namespace of its own.
func TestSystemTheFirstProcessOfAContainer(t *testing.T) {
	roost := build(t)
	t.Run("reaps orphans, and ends with its app's exit code", func(t *testing.T) {
		out, code := contain(t, roost, `
			(sh -c 'sleep 0.3 & exit' &) # an orphan that ends
			sleep 1.5
			ps -e -o pid=,stat=,comm= > "$OUT"
			exit 7`)
		if code != 7 {
			t.Errorf("exit code %d, want 7; it said\n%s", code, out.text)
		}
		if strings.Contains(out.list, " Z") || !strings.Contains(out.list, "roost") {
			t.Errorf("processes in the container:\n%s", out.list)
		}
	})
	t.Run("hands SIGTERM on", func(t *testing.T) {
		_, code := contain(t, roost, `
			trap 'echo bye; exit 0' TERM
			echo up
			(sleep 0.5; kill -TERM 1) &
			while :; do sleep 0.1; done`)
		if code != 0 {
			t.Errorf("exit code %d, want 0", code)
		}
	})
}

func build(t *testing.T) string {
	t.Helper()
	roost := filepath.Join(t.TempDir(), "roost")
	if out, err := exec.Command("go", "build", "-o", roost, "roost").CombinedOutput(); err != nil {
		t.Fatalf("cannot build: %v: %s", err, out)
	}
	return roost
}

type said struct{ text, list string }

// contain runs a script as the app of a container and returns what it said and
// its exit code.
func contain(t *testing.T, roost, script string) (said, int) {
	t.Helper()
	home, err := os.MkdirTemp("", "roost-init-") // short: it holds sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	file, list := filepath.Join(home, "app.sh"), filepath.Join(home, "list")
	if err := os.WriteFile(file, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", roost, "run", file, "--no-autorestart", "--min-uptime", "10")
	cmd.Env = append(os.Environ(), "ROOST_HOME="+home, "OUT="+list)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stuck := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	defer stuck.Stop()
	err = cmd.Wait()
	if e, exited := err.(*exec.ExitError); err != nil && !exited || exited && !e.Exited() {
		t.Fatalf("%v; it said\n%s", err, out.String())
	}
	text, _ := os.ReadFile(list)
	return said{out.String(), string(text)}, cmd.ProcessState.ExitCode()
}
