//go:build unix

package dns01

import (
	"os/exec"
	"syscall"
)

// alone puts cmd into a process group of its own, and has all of it killed when
// its time is over: a shell's children too.
func alone(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
