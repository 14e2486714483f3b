package service

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"roost/service/control"
)

// TestADiskThatTakesNothingStopsChangesAndNothingElse lets no write to a file
// succeed, as on a full disk, by the limit on the size of files (setrlimit(2)):
// that needs no root. TestSystemAFullDisk fills a real one.
func TestADiskThatTakesNothingStopsChangesAndNothingElse(t *testing.T) {
	dirs := home(t)
	c := spawn(t, dirs, "real")
	ctx := t.Context()
	talks := shell(t, "talks", "while :; do echo talk; sleep 0.01; done", 1)
	if _, err := c.Start(ctx, talks, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Start(ctx, shell(t, "rests", "exec sleep 1000", 2), nil); err != nil {
		t.Fatal(err)
	}
	before, err := c.Instances(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	limit := func(bytes uint64) {
		t.Helper()
		if err := unix.Prlimit(c.cmd.Process.Pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: bytes, Max: unix.RLIM_INFINITY}, nil); err != nil {
			t.Fatal(err)
		}
	}
	limit(1)
	for _, r := range []control.ActRequest{{Verb: "delete", Targets: []string{"rests"}}, {Verb: "restart", Targets: []string{"all"}}} {
		if _, err := c.Act(ctx, r, nil); code(err) != control.CodeStorage {
			t.Errorf("%s: %v", r.Verb, err)
		}
	}
	if after, err := c.Instances(ctx, nil); err != nil || !slices.Equal(pids(before), pids(after)) {
		t.Errorf("before %v, after %v, %v", pids(before), pids(after), err)
	}
	limit(unix.RLIM_INFINITY)
	if _, err := c.Act(ctx, control.ActRequest{Verb: "stop", Targets: []string{"rests"}}, nil); err != nil {
		t.Errorf("with room again: %v", err)
	}
	file := filepath.Join(dirs.Logs, "talks-out.log")
	from, _ := os.Stat(file)
	eventually(t, "the log goes on", func() bool {
		now, err := os.Stat(file)
		return err == nil && now.Size() > from.Size()
	})
	c.signal(t, unix.SIGTERM)
	if err := c.wait(t); err != nil {
		t.Errorf("end: %v\n%s", err, c.said)
	}
	if got := stored(t, dirs.State); strings.Join(names(got), " ") != "talks rests" || !got.App("rests").Slots[0].Stopped {
		t.Errorf("kept: %+v", got.Apps)
	}
}
