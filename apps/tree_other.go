//go:build unix && !linux

package apps

import (
	gops "github.com/shirou/gopsutil/v3/process"
	"golang.org/x/sys/unix"
)

func groupOf(p process) int {
	group, err := unix.Getpgid(p.pid)
	if err != nil {
		return 0
	}
	return group
}

// carries is false: environments cannot be read here. A process that has left
// both its group and its parent is not found.
func carries(process, string) (is, known bool) { return false, true }

// killOrphans finds none, for the same reason.
func killOrphans(string) int { return 0 }

// ended reports whether a process is a zombie, or not there.
func ended(pid int) bool {
	p, err := gops.NewProcess(int32(pid))
	if err != nil {
		return true
	}
	status, err := p.Status()
	return err == nil && len(status) > 0 && status[0] == gops.Zombie
}

func parentOf(pid int) (int, error) {
	p, err := gops.NewProcess(int32(pid))
	if err != nil {
		return 0, err
	}
	parent, err := p.Ppid()
	return int(parent), err
}

// end sends SIGKILL to the process, unless another has got its pid since.
func (p process) end() {
	if now := details(process{pid: p.pid}); now.born == p.born {
		unix.Kill(p.pid, unix.SIGKILL)
	}
}
