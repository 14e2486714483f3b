package apps

import (
	"bytes"
	"fmt"
	"os"
	"testing"
	"time"
)

func TestProcessesAreWaitedForWithoutAThreadEach(t *testing.T) {
	threads := func() (n int) {
		text, err := os.ReadFile("/proc/self/status")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Sscanf(string(text[bytes.Index(text, []byte("Threads:")):]), "Threads: %d", &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	a := live(t)
	w := a.script("", 40)
	w.Command, w.MinUptime = "tail -f /dev/null", unitOf(10*time.Millisecond)
	before := threads()
	a.want(w)
	if after := threads(); after-before > 20 {
		t.Errorf("%d threads, %d before the 40 processes", after, before)
	}
}
