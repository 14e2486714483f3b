//go:build unix

package apps

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTheLayersOfAnEnvironment(t *testing.T) {
	daemon := []string{"PATH=/daemon", "HOME=/root", "LC_ALL=C", "SECRET=1", "NOTIFY_SOCKET=/run/systemd/notify", "LANG=de", "BROKEN"}
	w := &Wanted{
		Config: Config{Env: map[string]string{"PATH": "/env", "A": "env"}},
		Environ: map[string]string{"PATH": "/shell", "HOME": "/home/shell", "A": "shell", "B": "shell", "LISTEN_FDS": "3",
			"ROOST_HOME": "/x", "NODE_CHANNEL_FD": "3", "NODE_UNIQUE_ID": "1", "NODE_APP_INSTANCE": "7", "JOURNAL_STREAM": "8:1", "WATCHDOG_USEC": "1"},
	}
	all, err := layers(daemon, w, &account{name: "web", home: "/home/web"})
	got := environList(join(all))
	want := []string{"A=env", "B=shell", "HOME=/home/web", "LANG=de", "LC_ALL=C", "LOGNAME=web", "PATH=/env", "USER=web"}
	if err != nil {
		t.Error(err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("environment = %s\nwant %s", strings.Join(got, " "), strings.Join(want, " "))
	}
}

func TestFilterEnvKeepsVariablesOfTheShellOut(t *testing.T) {
	w := &Wanted{Environ: map[string]string{"SECRET_KEY": "1", "MY_SECRET": "2", "SECRET": "3", "KEPT": "4"}}
	for _, c := range []struct {
		filter FilterEnv
		want   string
	}{
		{FilterEnv{}, "KEPT=4 MY_SECRET=2 SECRET=3 SECRET_KEY=1"},
		{FilterEnv{All: true}, ""},
		{FilterEnv{Name: "SECRET"}, "KEPT=4 MY_SECRET=2 SECRET_KEY=1"},
		{FilterEnv{Parts: []string{"SECRET", "NONE"}}, "KEPT=4"},
	} {
		w.FilterEnv = c.filter
		all, err := layers(nil, w, nil)
		if got := strings.Join(environList(join(all)), " "); got != c.want || err != nil {
			t.Errorf("%+v: %s, %v", c.filter, got, err)
		}
	}
}

func TestEnvFilesAreReadAtEachStartBelowEnv(t *testing.T) {
	a := live(t)
	w := a.sh(`echo "$A $B $C $D $E" > env.$ROOST_REVISION; exec tail -f /dev/null`)
	w.MinUptime = unitOf(10 * time.Millisecond)
	w.Environ = map[string]string{"A": "shell", "B": "shell", "PATH": os.Getenv("PATH")}
	w.EnvFile = Paths{"one.env", a.file("two.env", "C=two\r\nD='$two'"), "missing.env?"}
	w.Env = map[string]string{"D": "env"}
	a.file("one.env", "\ufeff# comment\nexport B=\"one\nline\"\nC=one\nE=${C}-x # more\n")
	a.want(w)
	if got := a.read("env.1"); got != "shell one\nline two env one-x" {
		t.Errorf("environment %q", got)
	}
	a.file("one.env", "B=again")
	w = next(w)
	a.want(w)
	if got := a.read("env.2"); got != "shell again two env " {
		t.Errorf("environment %q", got)
	}
	sources, err := EnvSources(w)
	if err != nil || sources["A"] != "shell" || sources["B"] != filepath.Join(a.dir, "one.env") || sources["D"] != "env" || sources["HOME"] != "daemon" {
		t.Errorf("sources %v, %v", sources, err)
	}
}

func TestABrokenEnvFileFailsTheStart(t *testing.T) {
	a := live(t)
	w := a.sh("touch ran; exec tail -f /dev/null")
	w.RestartDelay = unitOf(time.Hour)
	big := strings.Repeat("A=1\n", maxEnvFile/4+1)
	for _, c := range []struct{ name, text, what string }{
		{"statement", "A=1\n\nSECRET no\nB=2\n", "statement.env:3: is not KEY=value"},
		{"quote", "A=1\nB=\"x\ny\"\n# z\nC='SECRET\nD=1", "quote.env:5: is not KEY=value"},
		{"empty", "A=1\n=SECRET", `empty.env:2: "" is no name`},
		{"ours", "A=1\nexport LISTEN_FDS=1", "ours.env:2: LISTEN_FDS is set for each instance"},
		{"zero", "A=x\x00SECRET", "zero.env:1: A has a zero byte"},
		{"big", big, "at most"},
		{"double", "A=SECRET\n" + strings.Repeat("A=$A${A}\n", 40), "double.env:1"},
		{"long", "A=1\n" + strings.Repeat("B=2\n", 10000) + "SECRET\n", "long.env:10002: is not KEY=value"},
		{"folder", "", "is not a file"},
		{"none", "", "does not exist"},
	} {
		path := filepath.Join(a.dir, c.name+".env")
		switch c.name {
		case "none":
		case "folder":
			if err := os.Mkdir(path, 0o755); err != nil {
				t.Fatal(err)
			}
		default:
			a.file(c.name+".env", c.text)
		}
		w = next(w)
		w.EnvFile = Paths{c.name + ".env"}
		err := a.try(w)
		f, ok := errors.AsType[*Failure](err)
		if !ok || !strings.Contains(f.Reason, c.what) || !strings.Contains(f.Reason, path) || f.Hint == "" || strings.Contains(f.Reason+f.Hint, "SECRET") {
			t.Errorf("%s: %v (%+v)", c.name, err, f)
		}
		if exists(filepath.Join(a.dir, "ran")) {
			t.Error("the program was started")
		}
	}
}

func TestWhatTellsInstancesApart(t *testing.T) {
	a := live(t)
	w := a.script(a.file("app.sh", `echo "$PORT $NR ${NODE_APP_INSTANCE-none} $pm_id" > env.$ROOST_SLOT; exec tail -f /dev/null`), 2)
	w.Interpreter, w.MinUptime = "/bin/sh", unitOf(10*time.Millisecond)
	w.Env, w.IncrementVar, w.InstanceVar = map[string]string{"PORT": "3000"}, "PORT", "NR"
	w.Slots[1].ID = 7
	a.want(w)
	if got := a.read("env.0") + ", " + a.read("env.1"); got != "3000 0 none 0, 3001 1 none 7" {
		t.Errorf("environments %s", got)
	}
	w = next(w)
	w.RestartDelay, w.Env = unitOf(time.Hour), map[string]string{"PORT": "many"}
	if err := a.try(w); err == nil || !strings.Contains(err.Error(), "no whole number in PORT") {
		t.Errorf("Settle = %v", err)
	}
}

func TestPythonDoesNotBufferWhatItPrints(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		t.Fatal("python3 is missing; install it: make deps")
	}
	a := live(t)
	w := a.script(a.file("app.py", "import time\nprint('said')\ntime.sleep(1000)"), 1)
	a.Want(w)
	eventually(t, "it is in the log", func() bool { return a.said("said") })
}
