//go:build unix

package apps

import (
	"slices"
	"strings"
	"testing"
)

func TestTheLayersOfAnEnvironment(t *testing.T) {
	daemon := []string{"PATH=/daemon", "HOME=/root", "LC_ALL=C", "SECRET=1", "NOTIFY_SOCKET=/run/systemd/notify", "LANG=de", "BROKEN"}
	w := &Wanted{
		Config: Config{Env: map[string]string{"PATH": "/env", "A": "env", "ROOST_SLOT": "9"}},
		Environ: map[string]string{"PATH": "/shell", "HOME": "/home/shell", "A": "shell", "B": "shell", "LISTEN_FDS": "3",
			"ROOST_HOME": "/x", "NODE_CHANNEL_FD": "3", "NODE_UNIQUE_ID": "1", "NODE_APP_INSTANCE": "7", "JOURNAL_STREAM": "8:1", "WATCHDOG_USEC": "1"},
	}
	got := environment(daemon, w, map[string]string{"HOME": "/home/web", "USER": "web"}, map[string]string{"ROOST_SLOT": "0", "NODE_APP_INSTANCE": "0"})
	want := []string{"A=env", "B=shell", "HOME=/home/web", "LANG=de", "LC_ALL=C", "NODE_APP_INSTANCE=0", "PATH=/env", "ROOST_SLOT=0", "USER=web"}
	if !slices.Equal(got, want) {
		t.Errorf("environment = %s\nwant %s", strings.Join(got, " "), strings.Join(want, " "))
	}
	if got := searchPath(w); got != "/env" {
		t.Errorf("PATH = %q", got)
	}
	w.Env = nil
	if got := searchPath(w); got != "/shell" {
		t.Errorf("PATH = %q", got)
	}
}
