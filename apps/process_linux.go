package apps

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// awaitExit returns when the process has exited, and leaves it unreaped: until
// reap no other process can have its pid or process group. A pidfd
// (pidfd_open(2)) lets hundreds be waited for without a thread for each; where
// there is none (Linux before 5.10), the wait blocks one.
func (p *program) awaitExit() {
	pid := p.cmd.Process.Pid
	if fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK); err == nil {
		f := os.NewFile(uintptr(fd), "pidfd")
		defer f.Close()
		if conn, err := f.SyscallConn(); err == nil && conn.Read(func(uintptr) bool { return exited(pid, unix.WNOHANG) }) == nil {
			return
		}
	}
	exited(pid, 0)
}

// exited reports whether a child has exited; unless flags say otherwise it
// waits until that is so.
func exited(pid, flags int) bool {
	for {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOWAIT|flags, nil)
		if !errors.Is(err, unix.EINTR) {
			return err != nil || info.Signo != 0
		}
	}
}
