package apps

import (
	"errors"

	"golang.org/x/sys/unix"
)

// awaitExit returns when the process has exited, and leaves it unreaped: until
// reap no other process can have its pid or process group.
func (p *program) awaitExit() {
	for {
		err := unix.Waitid(unix.P_PID, p.cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}
