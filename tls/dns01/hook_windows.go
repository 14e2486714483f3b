package dns01

import (
	"os/exec"
	"syscall"
)

// alone keeps cmd from opening a window.
func alone(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{HideWindow: true} }
