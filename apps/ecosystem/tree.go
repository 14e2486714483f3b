package ecosystem

import (
	"errors"
	"os"

	"github.com/shirou/gopsutil/v3/process"
)

// killTree kills a process and all that descends from it, also what has made
// itself a session of its own, as long as its parents live.
func killTree(pid int) error {
	parents := map[int32][]int32{}
	all, _ := process.Processes()
	for _, p := range all {
		if parent, err := p.Ppid(); err == nil {
			parents[parent] = append(parents[parent], p.Pid)
		}
	}
	err := killGroup(pid)
	doomed := parents[int32(pid)]
	for len(doomed) > 0 {
		p := doomed[0]
		doomed = append(doomed[1:], parents[p]...)
		if victim, e := os.FindProcess(int(p)); e == nil {
			if e := victim.Kill(); e != nil && !errors.Is(e, os.ErrProcessDone) {
				err = errors.Join(err, e)
			}
		}
	}
	return err
}
