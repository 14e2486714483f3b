//go:build unix

package install

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"roost/service/control"
)

// fakeSystemctl puts a systemctl into PATH that writes its words to the file
// which is returned.
func fakeSystemctl(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	if err := os.WriteFile(filepath.Join(dir, "systemctl"), []byte("#!/bin/sh\necho \"$@\" >> "+log+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	return log
}

func TestTheUnitOfAHomeOfPM2IsAsInTheGoldenFile(t *testing.T) {
	const golden = "testdata/pm2-ann.service"
	got := AtBoot{Name: "pm2-ann", User: "ann", Home: "/home/ann/.pm2", Program: "/usr/local/bin/pm2"}.unit()
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

func TestBootWritesAndEnablesAUnitAndUnbootTakesItAway(t *testing.T) {
	log := fakeSystemctl(t)
	at := AtBoot{Name: "pm2-ann", User: "ann", Home: "/home/ann/.pm2", Program: "/usr/local/bin/pm2", dir: t.TempDir()}
	path, err := Boot(t.Context(), at)
	if err != nil || path != filepath.Join(at.dir, "pm2-ann.service") {
		t.Fatalf("%s, %v", path, err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	if _, err := Unboot(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the unit is still there: %v", err)
	}
	said, err := os.ReadFile(log)
	if want := "daemon-reload\nenable pm2-ann.service\ndisable pm2-ann.service\ndaemon-reload\n"; err != nil || string(said) != want {
		t.Errorf("systemctl was told %q (%v), want %q", said, err, want)
	}
	var refused *control.Error
	if _, err := Unboot(t.Context(), at); !errors.As(err, &refused) || refused.Code != control.CodeNotFound || refused.Hint == "" {
		t.Errorf("a second time: %v", err)
	}
}

func TestNamesThatWouldWriteElsewhereAreRefused(t *testing.T) {
	fakeSystemctl(t)
	for _, at := range []AtBoot{
		{Name: "../../etc/x", User: "ann"}, {Name: "a b", User: "ann"}, {Name: "", User: "ann"},
		{Name: "x", User: "ann\nExecStartPre=/bin/true"}, {Name: "x", User: "ann", Home: "/a\nExecStartPre=/bin/true"},
	} {
		at.dir = t.TempDir()
		if _, err := Boot(t.Context(), at); err == nil {
			t.Errorf("%+v is taken", at)
		}
		if left, _ := filepath.Glob(filepath.Join(at.dir, "*")); len(left) > 0 {
			t.Errorf("%+v has left %s", at, strings.Join(left, " "))
		}
	}
}
