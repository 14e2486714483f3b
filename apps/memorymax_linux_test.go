package apps

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMemoryMaxHoldsOrIsToldNotTo has two good ends, and the box decides which:
// the kernel ends the program, or the program runs and Status says why it may.
func TestMemoryMaxHoldsOrIsToldNotTo(t *testing.T) {
	a := live(t)
	w := a.node("app.js", `
		const held = []
		const eat = setInterval(() => {
			held.push(Buffer.alloc(16 << 20, 1))
			if (held.length === 16) { clearInterval(eat); console.log('full') }
		}, 5)
		setInterval(() => {}, 1000)`, 1)
	w.MemoryMax, w.RestartDelay = 128<<20, unitOf(time.Hour)
	a.Want(w)
	if err := memoryControl(); err != nil {
		eventually(t, "the program has its memory", func() bool { return a.said("full") })
		if got := a.Status().Problem; got != "memory_max does not hold: "+err.Error() {
			t.Errorf("problem %q, want %v", got, err)
		}
		w = next(w)
		w.MemoryMax = 0
		a.want(w)
		if got := a.Status().Problem; got != "" {
			t.Errorf("problem %q without memory_max", got)
		}
		return
	}
	const want = "was killed: it used more than memory_max (128 MB)"
	eventually(t, "the kernel has ended it", func() bool { return a.instance(0).Reason == want })
	if a.said("full") {
		t.Error("the program had more than its share")
	}
}

func TestTheKernelTellsWhyItKilled(t *testing.T) {
	for events, want := range map[string]string{
		"low 0\nhigh 0\nmax 12\noom 1\noom_kill 1\noom_group_kill 1\n": "was killed: it used more than memory_max (64.0 MB)",
		"low 0\nhigh 0\nmax 0\noom 0\noom_kill 1\n":                    "was killed: the box ran out of memory",
		"low 0\nhigh 0\nmax 12\noom 0\noom_kill 0\n":                   "",
		"": "",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "memory.events"), []byte(events), 0o600); err != nil {
			t.Fatal(err)
		}
		p := &program{launch: launch{wanted: &Wanted{Config: Config{MemoryMax: 64 << 20}}}, group: &cgroup{dir: dir, in: true}}
		if got := p.starved(); got != want {
			t.Errorf("%s: %q, want %q", strings.ReplaceAll(events, "\n", ", "), got, want)
		}
	}
}

func TestAControlGroupDoesNotMakeAProgramWithoutTreekillEndItsTree(t *testing.T) {
	no, dir := false, t.TempDir()
	cmd := exec.Command("tail", "-f", "/dev/null")
	cmd.SysProcAttr = attributes(nil)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &program{launch: launch{wanted: &Wanted{Config: Config{MemoryMax: 64 << 20, Treekill: &no}}}, group: &cgroup{dir: dir, in: true}, cmd: cmd, live: true}
	p.killTree()
	if _, err := os.Stat(filepath.Join(dir, "cgroup.kill")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("all of its group were killed")
		cmd.Process.Kill()
	}
	cmd.Wait()
}
