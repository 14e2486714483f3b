//go:build unix

package host

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"roost/apps"
)

func TestAProcessTreeThatOutgrowsItsLimitIsReplaced(t *testing.T) {
	t.Parallel()
	b, d := newBox(t), newDiary(t)
	var c Config
	// tail keeps all of a line that does not end
	app := d.app(&c, "worker", `
until [ -e grow ]; do sleep 0.05; done
rm grow
(head -c 150000000 /dev/zero; sleep 60) | tail >/dev/null &
`+forEver, nil)
	app.MaxMemoryRestart = 100 << 20
	b.settled(c)
	if err := os.WriteFile(filepath.Join(app.Cwd, "grow"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	replaced := func() (in apps.Instance, ok bool) {
		s := b.App("worker").Status()
		return s.Instances[0], strings.HasPrefix(s.Instances[0].Reason, "memory: ") && s.Instances[0].State == apps.StateReady
	}
	for end := time.Now().Add(20 * time.Second); ; <-time.After(10 * time.Millisecond) {
		in, ok := replaced()
		if ok {
			if !strings.HasSuffix(in.Reason, " MB used, 100 MB allowed") || in.Restarts != 1 {
				t.Errorf("instance = %+v", in)
			}
			break
		}
		if time.Now().After(end) {
			t.Fatalf("not replaced: %+v", in)
		}
	}
	d.follows("+worker -worker")

	app.MaxMemoryRestart = 0 // live, and the watch over memory ends
	b.settled(c)
}
