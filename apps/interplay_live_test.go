//go:build unix

package apps

import (
	"os"
	"strings"
	"testing"
)

func TestWhatCouldNotStartAgainIsNotStoppedToBeRenewed(t *testing.T) {
	a := live(t)
	w := a.sh("exec tail -f /dev/null")
	vars := a.file("vars", "A=1")
	w.EnvFile = Paths{vars}
	a.want(w)
	before := a.instance(0)
	if err := os.Remove(vars); err != nil {
		t.Fatal(err)
	}
	a.post(func() { a.slots[0].renew("cron_restart: @daily") })
	eventually(t, "it is told why", func() bool {
		return strings.Contains(a.instance(0).Reason, "cron_restart: @daily; the one to take its place")
	})
	if in := a.instance(0); in.PID != before.PID || in.State != StateReady || !strings.Contains(in.Reason, "vars does not exist") {
		t.Errorf("instance = %+v, want it as before", in)
	}
	a.file("vars", "A=2")
	eventually(t, "it is renewed", func() bool { in := a.instance(0); return in.PID != 0 && in.PID != before.PID && in.State == StateReady })
	if in := a.instance(0); in.Restarts != 1 || in.Reason != "cron_restart: @daily" {
		t.Errorf("instance = %+v", in)
	}
}
