package install

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"roost/host"
	"roost/service/control"
)

func TestUnitIsAsInTheGoldenFile(t *testing.T) {
	const golden = "testdata/roost.service"
	got := Unit("/usr/local/bin/roost", Arguments("/etc/roost/roost.toml"))
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the unit differs from %s (after a wanted change: UPDATE_GOLDEN=1 go test ./service/install)\n%s", golden, got)
	}
}

func TestExecStartIsReadBackAsWritten(t *testing.T) {
	for word, want := range map[string]string{
		"/usr/local/bin/roost": "/usr/local/bin/roost",
		"/opt/my tools/roost":  `"/opt/my tools/roost"`,
		"/srv/100%/$x":         "/srv/100%%/$$x",
		`/srv/a"b\c`:           `"/srv/a\"b\\c"`,
		"":                     `""`,
	} {
		if got := quote(word); got != want {
			t.Errorf("quote(%q) = %s, want %s", word, got, want)
		}
	}
}

func TestStatusReadsWhatSystemctlShows(t *testing.T) {
	for name, c := range map[string]struct {
		show string
		want Status
	}{
		"running": {
			"MainPID=42\nNRestarts=3\nLoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\n",
			Status{Installed: true, Enabled: true, Running: true, State: "active (running)", PID: 42, Restarts: 3},
		},
		"failing over and over is to be stopped": {
			"MainPID=0\nNRestarts=9\nLoadState=loaded\nActiveState=activating\nSubState=auto-restart\nUnitFileState=enabled\n",
			Status{Installed: true, Enabled: true, Running: true, State: "activating (auto-restart)", Restarts: 9},
		},
		"stopped and disabled": {
			"MainPID=0\nNRestarts=0\nLoadState=loaded\nActiveState=inactive\nSubState=dead\nUnitFileState=disabled\n",
			Status{Installed: true, State: "inactive (dead)"},
		},
		"not installed": {
			"MainPID=0\nNRestarts=0\nLoadState=not-found\nActiveState=inactive\nSubState=dead\nUnitFileState=\n",
			Status{State: "not installed"},
		},
	} {
		if got := parseShow(Status{}, c.show); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestProgramIsCopiedUnlessItLiesInASystemFolder(t *testing.T) {
	for _, dir := range systemDirs {
		if at := filepath.Join(filepath.Clean(dir), targetName); Target(at) != at {
			t.Errorf("Target(%s) = %s: it should stay", at, Target(at))
		}
	}
	home := filepath.Join(t.TempDir(), "roost")
	if got, want := Target(home), filepath.Join(targetDir, targetName); got != want {
		t.Errorf("Target(%s) = %s, want %s", home, got, want)
	}
}

func TestPlaceReplacesAnOlderProgram(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "roost"), filepath.Join(dir, "bin", "roost")
	for _, text := range []string{"first", "second"} {
		if err := os.WriteFile(from, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		if copied, err := place(from, to); err != nil || !copied {
			t.Fatalf("place: %v, %v", copied, err)
		}
		if got, _ := os.ReadFile(to); string(got) != text {
			t.Errorf("%s holds %q, want %q", to, got, text)
		}
	}
	if copied, err := place(to, to); err != nil || copied {
		t.Errorf("place onto itself: %v, %v; want no copy", copied, err)
	}
	if _, err := place(filepath.Join(dir, "missing"), to); err == nil || !strings.Contains(err.Error(), "cannot read the program") {
		t.Errorf("place of a missing program: %v", err)
	}
}

func TestExampleConfigIsWrittenOnceAndOnlyComments(t *testing.T) {
	file := filepath.Join(t.TempDir(), "etc", "roost", "roost.toml")
	if written, err := writeExample(file); err != nil || !written {
		t.Fatalf("first: %v, %v", written, err)
	}
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if written, err := writeExample(file); err != nil || written {
		t.Fatalf("second: %v, %v", written, err)
	}
	if got, _ := os.ReadFile(file); string(got) != "mine" {
		t.Errorf("the user's config was overwritten with %q", got)
	}
	if config, problems := host.Check(file, []byte(Example), ""); len(problems) > 0 || len(config.Sites)+len(config.Apps) > 0 {
		t.Errorf("the example declares %+v, with problems %v", config, problems)
	}
	for line := range strings.Lines(Example) {
		if strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "#") {
			t.Errorf("the example has an active line: %s", line)
		}
	}
}

func TestOrdinaryUserIsToldToUseSudo(t *testing.T) {
	if Privileged() {
		t.Log("runs with rights: only the words are looked at")
	}
	if got, want := rights("/home/ann/roost", "install"), "/home/ann/roost service install"; !strings.HasSuffix(got, want) {
		t.Errorf("hint %q does not end in %q", got, want)
	}
	s := &Service{o: Options{Program: "/home/ann/roost"}}
	err := s.privileged("install")
	var e *control.Error
	if !Privileged() && (!errors.As(err, &e) || e.Code != control.CodeForbidden) {
		t.Errorf("privileged: %v, want forbidden", err)
	}
}
