//go:build linux

package apps

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestSweepEndsWhatAKilledDaemonLeftBehind(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	var started []*exec.Cmd
	for _, dir := range []string{a, a, b} {
		cmd := exec.Command("tail", "-f", "/dev/null")
		cmd.Env = append(os.Environ(), "ROOST_INSTANCE="+newMark(dir, true))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
		started = append(started, cmd)
	}
	d := socketDir{path: a}
	stale, api := d.file(laneExt), filepath.Join(a, "roost.sock")
	for _, path := range []string{stale, api} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if n := Sweep(a); n != 2 {
		t.Errorf("%d processes ended, want 2", n)
	}
	for i, cmd := range started {
		if got, want := ended(cmd.Process.Pid), i < 2; got != want {
			t.Errorf("process %d ended: %v, want %v", i, got, want)
		}
	}
	if _, err := os.Stat(stale); err == nil {
		t.Error("an instance's socket is left")
	}
	if _, err := os.Stat(api); err != nil {
		t.Error("another socket is gone")
	}
	if n := Sweep(t.TempDir()); n != 0 {
		t.Errorf("%d processes ended in an unused folder", n)
	}
	if one, two := newMark(a, true), newMark(a, true); one == two || one[:strings.Index(one, "-")] != two[:strings.Index(two, "-")] {
		t.Errorf("marks %s and %s, want one beginning and two ends", one, two)
	}
}

func TestSweepLeavesWhatMayOutliveItsInstance(t *testing.T) {
	dir := t.TempDir()
	env := append(os.Environ(), "ROOST_INSTANCE="+newMark(dir, false))
	var started []*exec.Cmd
	for _, attr := range []*syscall.SysProcAttr{
		{Setpgid: true}, // the program itself
		{},              // its child
		{Setsid: true},  // a daemon that it has started
	} {
		cmd := exec.Command("tail", "-f", "/dev/null")
		cmd.Env, cmd.SysProcAttr = env, attr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
		started = append(started, cmd)
	}
	if n := Sweep(dir); n != 1 || !ended(started[0].Process.Pid) || ended(started[1].Process.Pid) || ended(started[2].Process.Pid) {
		t.Errorf("%d processes ended, want the first only", n)
	}
}
