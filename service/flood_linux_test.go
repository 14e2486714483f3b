package service

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"roost/apps"
	"roost/internal/unit"
	"roost/service/control"
)

// TestAFloodOfOutputLeavesTheOthersAlone has one app write lines, and one bytes
// without any line, as fast as they can, into small files: the daemon's memory
// stays where it is, commands are answered, and what another app says comes at once.
func TestAFloodOfOutputLeavesTheOthersAlone(t *testing.T) {
	dirs := home(t)
	c := spawn(t, dirs, "real")
	ctx := t.Context()
	for name, text := range map[string]string{
		"tick":    "while :; do date +%s.%N; sleep 0.02; done",
		"yes":     "exec yes " + strings.Repeat("x", 99),
		"endless": "exec tr '\\0' x </dev/zero",
	} {
		r := shell(t, name, text, 1)
		r.Config.MaxLogSize, r.Config.MaxLogFiles = unit.Size(4<<20), 2
		if _, err := c.Start(ctx, r, nil); err != nil {
			t.Fatal(err)
		}
	}
	go c.Logs(ctx, control.LogsRequest{Targets: []string{"yes", "endless"}, Follow: true}, func(apps.Line) error { return nil })
	enough := errors.New("enough")
	var latest time.Duration
	n := 0
	err := c.Logs(ctx, control.LogsRequest{Targets: []string{"tick"}, Follow: true}, func(l apps.Line) error {
		var said float64
		if _, err := fmt.Sscan(l.Text, &said); err != nil {
			return err
		}
		latest = max(latest, time.Since(time.UnixMicro(int64(said*1e6))))
		if n++; n == 60 {
			return enough
		}
		return nil
	})
	if err != enough || latest > 5*time.Second {
		t.Errorf("the latest line came after %v; %v", latest, err)
	}
	began := time.Now()
	if lines := 0; c.Logs(ctx, control.LogsRequest{Lines: 1000}, func(apps.Line) error { lines++; return nil }) != nil || lines != 1000 {
		t.Errorf("%d lines of all", lines)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("they took %v", took)
	}
	if rss := memoryOf(t, c.cmd.Process.Pid); rss > 150<<20 {
		t.Errorf("the daemon holds %d MB", rss>>20)
	} else {
		t.Logf("the latest line came after %v; the daemon holds %d MB", latest, rss>>20)
	}
	if _, err := c.Act(ctx, control.ActRequest{Verb: control.VerbStop, Targets: []string{"all"}}, nil); err != nil {
		t.Error(err)
	}
}

// memoryOf is the most that a process has held resident, in bytes.
func memoryOf(t *testing.T, pid int) (rss int64) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &rss); err == nil {
			return rss << 10
		}
	}
	t.Fatal("no VmHWM")
	return 0
}
