package pm2

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"roost/apps"
	"roost/service/control"
)

func someRows(names ...string) []row {
	var rows []row
	for i, name := range names {
		rows = append(rows, row{&control.App{}, apps.Instance{App: name, Namespace: "default", ID: i, PID: 100 + i, State: apps.StateReady, Uptime: 61, Memory: 55155098, CPU: 3.21}})
	}
	return rows
}

func draw(rows []row, width int) string {
	var out strings.Builder
	(&console{out: &out}).grid(layout(rows, width))
	return out.String()
}

func TestTheTableHasTheColumnsThatFit(t *testing.T) {
	for _, c := range []struct {
		name  string
		width int
		head  string
	}{
		{"web", 0, "│ id │ name   │ namespace   │ version │ mode    │ pid      │ uptime │ ↺    │ status    │ cpu      │ mem      │ user     │ watching │"},
		{"web", 132, "│ id │ name   │ namespace   │ version │ mode    │ pid      │ uptime │ ↺    │ status    │ cpu      │ mem      │ user     │ watching │"},
		{"web", 131, "│ id │ name   │ mode     │ ↺    │ status    │ cpu      │ memory   │"},
		{"web", 67, "│ id │ name   │ mode     │ ↺    │ status    │ cpu      │ memory   │"},
		{"web", 66, "│ id │ name   │ status    │ cpu    │ mem      │"},
		{"averyverylongnameofanapp", 153, "│ id │ name                        │ namespace   │ version │ mode    │ pid      │ uptime │ ↺    │ status    │ cpu      │ mem      │ user     │ watching │"},
		{"averyverylongnameofanapp", 79, "│ id │ name               │ mode     │ ↺    │ status    │ cpu      │ memory   │"},
		{"averyverylongnameofanapp", 78, "│ id │ name               │ status    │ cpu    │ mem      │"},
	} {
		got := strings.Split(draw(someRows(c.name), c.width), "\n")
		if got[1] != c.head {
			t.Errorf("%s on %d columns:\n%s\nwant\n%s", c.name, c.width, got[1], c.head)
		}
	}
	want := `┌────┬────────┬──────────┬──────┬───────────┬──────────┬──────────┐
│ id │ name   │ mode     │ ↺    │ status    │ cpu      │ memory   │
├────┼────────┼──────────┼──────┼───────────┼──────────┼──────────┤
│ 0  │ web    │ fork     │ 0    │ online    │ 3.2%     │ 52.6mb   │
│ 1  │ app    │ fork     │ 0    │ waiting … │ 3.2%     │ 52.6mb   │
└────┴────────┴──────────┴──────┴───────────┴──────────┴──────────┘
`
	rows := someRows("web", "app")
	rows[1].State = apps.StateBackoff
	if got := draw(rows, 80); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestQuantitiesAreWrittenAsPM2Does(t *testing.T) {
	for seconds, want := range map[float64]string{0.4: "0s", 119: "119s", 121: "2m", 7199: "119m", 7200: "2h", 47 * 3600: "47h", 48 * 3600: "2D"} {
		r := row{&control.App{}, apps.Instance{PID: 1, State: apps.StateReady, Uptime: seconds}}
		if got := r.age(); got != want {
			t.Errorf("%v s is %q, want %q", seconds, got, want)
		}
	}
	for n, want := range map[uint64]string{0: "0b", 1023: "1023b", 1024: "1.0kb", 55155098: "52.6mb", 3 << 30: "3.0gb"} {
		if got := size(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
	for v, want := range map[float64]string{0: "0%", 3.21: "3.2%", 17: "17%", 0.04: "0%"} {
		if got := percent(v); got != want {
			t.Errorf("%v is %q, want %q", v, got, want)
		}
	}
}

func TestOfAReloadTheNewInstanceIsShown(t *testing.T) {
	rows := rowsOf([]control.App{{Status: apps.Status{Instances: []apps.Instance{
		{App: "web", ID: 3, Revision: 1, PID: 10, State: apps.StateReady}, {App: "web", ID: 3, Revision: 2, PID: 11, State: apps.StateStarting},
		{App: "web", ID: 1, Revision: 1, PID: 12, State: apps.StateDraining},
	}}}})
	var got []string
	for _, r := range rows {
		got = append(got, fmt.Sprintf("%d %d %s", r.ID, r.PID, r.status()))
	}
	if want := "1 12 stopping, 3 11 launching"; strings.Join(got, ", ") != want {
		t.Errorf("got %s, want %s", strings.Join(got, ", "), want)
	}
}

func TestAHomeInWhichPM2ItselfRunsIsRefused(t *testing.T) {
	home, err := os.MkdirTemp("", "pm2-") // short: a socket lives in it
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(home)
	t.Setenv("PM2_HOME", home)
	l, err := net.Listen("unix", filepath.Join(home, "rpc.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var out, wrong strings.Builder
	if code := Main([]string{"pm2", "ls"}, strings.NewReader(""), &out, &wrong); code != 1 || !strings.Contains(wrong.String(), "PM2's own daemon runs in "+home) {
		t.Errorf("exit %d: %s%s", code, out.String(), wrong.String())
	}
	if _, err := net.DialTimeout("unix", filepath.Join(home, "roost", "run", "roost.sock"), time.Second); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a daemon was started: %v", err)
	}
}
