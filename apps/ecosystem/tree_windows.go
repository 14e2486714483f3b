package ecosystem

import (
	"os"
	"os/exec"
)

func ownGroup(*exec.Cmd) {} // Windows has no groups to kill

func killGroup(pid int) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return p.Kill()
}
