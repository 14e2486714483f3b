//go:build system && unix

package apps

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestSystemAnAppRunsAsItsUser wants root. Everything that an instance needs
// must be within its user's reach although the folder of sockets is root's.
func TestSystemAnAppRunsAsItsUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("run as root: make test-system")
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	const text = `
		const fs = require('node:fs')
		const seen = [process.getuid(), process.getgid(), process.env.USER, process.env.HOME, process.getgroups().length].join()
		fs.writeFileSync('/dev/stdout', 'reopened\n')
		const http = require('node:http')
		const low = http.createServer()
		low.on('error', (e) => {
			http.createServer((req, res) => res.end(seen + ' ' + e.code)).listen(0, () => {
				require('node:child_process').execFileSync('systemd-notify', ['--ready'])
			})
		})
		low.listen(99)`
	for name, closed := range map[string]bool{"in a folder that all may enter": false, "in one that only root may": true} {
		t.Run(name, func(t *testing.T) {
			a := live(t)
			dir, err := os.MkdirTemp("", "roost-user")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.RemoveAll(dir) })
			if err := os.Chmod(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if closed {
				inner := filepath.Join(a.run, "inner", "run")
				if err := os.MkdirAll(inner, 0o700); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { os.RemoveAll(filepath.Join(a.run, "inner")) })
				a.App.o.RunDir = inner
			}
			script := filepath.Join(dir, "app.js")
			if err := os.WriteFile(script, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			needNode(t)
			w := a.script(script, 1)
			w.Cwd, w.User, w.Serves, w.WaitReady = dir, "nobody", true, true
			a.want(w)
			code, body := a.get("/")
			want := fmt.Sprintf("%s,%s,nobody,%s,", nobody.Uid, nobody.Gid, nobody.HomeDir)
			if code != 200 || !strings.HasPrefix(body, want) || !strings.HasSuffix(body, " EACCES") {
				t.Errorf("%d %s, want %s… and no port below 1024", code, body, want)
			}
			if lines, err := tailOf(a.dir, []string{"web"}, nil, 5); err == nil && len(lines) > 0 && lines[0].Text != "reopened" {
				t.Errorf("lines %+v", lines)
			}
			if closed {
				os.RemoveAll(filepath.Join(a.run, "inner"))
			}
		})
	}
}

// TestSystemUsersAndGroupsByNameAndNumber wants root.
func TestSystemUsersAndGroupsByNameAndNumber(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("run as root: make test-system")
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	daemon, err := user.LookupGroup("daemon")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ user, group, want string }{
		{"", "daemon", "0 " + daemon.Gid + " root"},
		{"", "54321", "0 54321 root"},
		{nobody.Uid, "", nobody.Uid + " " + nobody.Gid + " nobody"},
		{"nobody", daemon.Gid, nobody.Uid + " " + daemon.Gid + " nobody"},
		{"54321", "daemon", "54321 " + daemon.Gid + " root"}, // who has no name keeps the names that there are
		{"54321", "", "54321 54321 root"},
	} {
		t.Run(c.user+":"+c.group, func(t *testing.T) {
			a := live(t)
			dir, err := os.MkdirTemp("", "roost-user") // the test's own folders are closed to others
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.RemoveAll(dir) })
			if err := os.Chmod(dir, 0o777); err != nil {
				t.Fatal(err)
			}
			w := a.sh("")
			w.Script, w.Interpreter, w.Cwd = "", "", dir
			w.Command = `/bin/sh -c 'read line; echo "$(id -u) $(id -g) $USER $line"; exec tail -f /dev/null'`
			w.User, w.Group, w.Environ = c.user, c.group, map[string]string{"USER": "root", "PATH": os.Getenv("PATH")}
			a.want(w)
			if err := a.Input(0, []byte("read\n")); err != nil {
				t.Fatal(err)
			}
			eventually(t, "it says who it is", func() bool { return a.said(c.want + " read") })
		})
	}
}

// TestSystemACheckRunsAsTheUserOfTheInstance wants root.
func TestSystemACheckRunsAsTheUserOfTheInstance(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("run as root: make test-system")
	}
	a := live(t)
	dir, err := os.MkdirTemp("", "roost-user")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	w := a.script("", 1)
	w.Script, w.Command, w.Cwd, w.User = "", "sleep 1000", dir, "nobody"
	w.MinUptime = unitOf(10 * time.Millisecond)
	w.Check = eager(Check{Exec: Words{"sh", "-c", "id -un; id -G; echo $HOME >&2; echo $(id -un) $(id -Gn) $HOME; exit 1"}})
	a.want(w)
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	a.replaced(a.instance(0).PID, "check: sh exited with status 1: nobody nogroup "+nobody.HomeDir+" (3 times)")
}
