package service

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for _, p := range pairs {
			if k, v, _ := strings.Cut(p, "="); k == name {
				return v
			}
		}
		return ""
	}
}

func TestDirsFollowTheHomeAndTheUser(t *testing.T) {
	d, err := FindDirs(env("ROOST_HOME=/srv/r", "HOME=/home/u"))
	if err != nil || d.State != "/srv/r" || d.Socket() != "/srv/r/run/roost.sock" || d.Logs != "/srv/r/logs" {
		t.Errorf("ROOST_HOME: %+v, %v", d, err)
	}
	d, err = userDirs(env("HOME=/home/u"))
	if err != nil || d.State != "/home/u/.roost" || d.TLS != "/home/u/.roost/tls" || d.Releases != "/home/u/.roost/releases" {
		t.Errorf("user: %+v, %v", d, err)
	}
	if d := systemDirs(); runtime.GOOS == "linux" && (d.Socket() != "/run/roost/roost.sock" || d.State != "/var/lib/roost" || d.File() != "/etc/roost/roost.toml") {
		t.Errorf("system: %+v", d)
	}
	d, err = FindDirs(env("HOME=/home/u"))
	if want := systemDirs(); err != nil || privileged() && d != want || !privileged() && d.State != "/home/u/.roost" {
		t.Errorf("this user: %+v, %v", d, err)
	}
}

func TestTooLongAHomeHasItsSocketsElsewhereForDaemonAndClientAlike(t *testing.T) {
	long := filepath.Join(t.TempDir(), strings.Repeat("very-long-", 12))
	t.Setenv("ROOST_HOME", long)
	d, err := FindDirs(os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(d.Sockets()) })
	if len(d.Socket()) > 100 || d.Sockets() == d.Run {
		t.Fatalf("the socket would be %s", d.Socket())
	}
	if err := d.make(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(d.Sockets()); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
	t.Setenv("TMPDIR", t.TempDir()) // the client's shell has another one
	socket, _, err := Locate()
	if err != nil || socket != d.Socket() {
		t.Errorf("the client looks at %s (%v), the daemon listens at %s", socket, err, d.Socket())
	}
	if err := os.Chmod(d.Sockets(), 0o777); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Locate(); err == nil || !strings.Contains(err.Error(), "not this user's own") {
		t.Errorf("a folder that all may write: %v", err)
	}
}

func TestDirsAreMadePrivate(t *testing.T) {
	d := dirsBelow(filepath.Join(t.TempDir(), "home"))
	if err := d.make(); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{d.State, d.TLS, d.Run, d.Logs, d.Releases} {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", dir, info, err)
		}
	}
}
