//go:build unix

package service

import (
	"fmt"
	"os"
	"runtime"
	"syscall"

	"roost/service/control"
)

// privileged reports whether this process uses the system's folders.
func privileged() bool { return os.Geteuid() == 0 }

// systemDirs follows the Filesystem Hierarchy Standard 3.0, and hier(7) on macOS.
func systemDirs() Dirs {
	d := Dirs{
		Config: "/etc/roost", State: "/var/lib/roost", TLS: "/var/lib/roost/tls", Releases: "/var/lib/roost/releases",
		Logs: "/var/log/roost", Run: "/run/roost",
	}
	if runtime.GOOS != "linux" {
		d.State, d.TLS, d.Releases, d.Run = "/var/db/roost", "/var/db/roost/tls", "/var/db/roost/releases", "/var/run/roost"
	}
	return d
}

// temporary is not os.TempDir: that follows TMPDIR, and a daemon and its clients have different ones.
func temporary() string { return "/tmp" }

// trusted refuses a folder for sockets that somebody else could have made
// there, or can reach: it must be this user's, root's, or that of the owner of run.
func trusted(dir, run string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	owner := info.Sys().(*syscall.Stat_t).Uid
	ok := owner == uint32(os.Geteuid()) || owner == 0
	if other, err := os.Stat(run); err == nil && owner == other.Sys().(*syscall.Stat_t).Uid {
		ok = true
	}
	if !ok || !info.IsDir() || info.Mode().Perm()&0o077 != 0 {
		return &control.Error{
			Code:    control.CodeForbidden,
			Message: fmt.Sprintf("the folder for sockets %s is not this user's own: %v, owned by user %d", dir, info.Mode(), owner),
			Hint:    "remove it, or set ROOST_HOME to a shorter path",
		}
	}
	return nil
}
