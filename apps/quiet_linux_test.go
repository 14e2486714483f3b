package apps

import (
	"context"
	"errors"
	"os/exec"
	"testing"
	"time"
)

func TestAProgramIsQuietWhenAllItsProcessesWait(t *testing.T) {
	for script, want := range map[string]bool{
		"exec tail -f /dev/null":                       true,
		"tail -f /dev/null & wait":                     true,
		"while :; do :; done":                          false,
		"sh -c 'while :; do :; done' & child=$!; wait": false,
	} {
		t.Run(script, func(t *testing.T) {
			cmd := exec.Command("sh", "-c", "trap 'kill $child; exit' TERM\n"+script)
			cmd.SysProcAttr = attributes(nil)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			p := &program{launch: launch{wanted: &Wanted{}}, mark: "quiet", cmd: cmd, live: true}
			t.Cleanup(func() { p.killTree(); cmd.Wait() })
			p.pid.Store(int64(cmd.Process.Pid))
			limit := patience
			if !want {
				limit = 4 * quietTime
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			if got := p.awaitQuiet(ctx); got != want {
				t.Errorf("quiet: %v", got)
			}
		})
	}
}

func TestOnlyTheFirstStartIsJudgedSoonerThanMinUptime(t *testing.T) {
	a := live(t)
	w := a.sh("[ -e bad ] && { sleep 0.5; exit 3; }\nexec tail -f /dev/null")
	soon := false
	for range 5 { // a busy box may take longer than that
		begun := time.Now()
		a.want(w)
		if soon = time.Since(begun) < defaultMinUptime; soon {
			break
		}
		w.Slots[0].Stopped = true
		a.want(w)
		w = next(w)
		w.Slots[0].Stopped = false
	}
	if !soon {
		t.Error("a program that waits is not ready before min_uptime")
	}
	a.file("bad", "")
	var f *Failure
	if err := a.try(next(w)); !errors.As(err, &f) || f.Reason != "slot 0 exited with status 3 before it was ready" {
		t.Errorf("a program that fails in min_uptime took the place of one that ran: %v", err)
	}
}

func TestAProgramThatRunsOnceAndFailsSoonIsReported(t *testing.T) {
	a, no := live(t), false
	w := a.sh("sleep 0.5; exit 3")
	w.Autorestart = &no
	var f *Failure
	if err := a.try(w); !errors.As(err, &f) || f.Reason != "slot 0 exited with status 3 before it was ready" {
		t.Errorf("%v, want to be told how it ended", err)
	}
}
