package apps

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
)

// memoryControl makes the kernel account for the memory of each of our groups
// (memory in cgroup.subtree_control, cgroups(7)). It does so once, when the
// first app asks for it, since that may move this process into a group of its
// own: one that hands out control to groups below may have no processes.
var memoryControl = sync.OnceValue(func() error {
	dir := cgroupParent()
	if dir == "" {
		return errors.New("this system has left us no control group (cgroup v2)")
	}
	controllers, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	if err != nil {
		return cause(err)
	}
	if !hasWord(controllers, "memory") {
		return errors.New("our control group has no control of memory (cgroup v2)")
	}
	enable := func() error { return writeCgroup(dir, "cgroup.subtree_control", "+memory") }
	if err = enable(); errors.Is(err, syscall.EBUSY) {
		if err = leaveGroup(dir); err == nil {
			err = enable()
		}
	}
	return cause(err)
})

// leaveGroup moves this process, which must be the only one in the group dir,
// into a group below.
func leaveGroup(dir string) error {
	procs, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	if err != nil {
		return err
	}
	me := strconv.Itoa(os.Getpid())
	if string(bytes.TrimSpace(procs)) != me {
		return errors.New("other processes are in our control group")
	}
	own := filepath.Join(dir, cgroupPrefix+me+"-main")
	if err := os.Mkdir(own, 0o755); err != nil {
		return err
	}
	return writeCgroup(own, "cgroup.procs", me)
}

// limitMemory gives the group at most so many bytes, of swap none; who needs
// more is killed, with all others of the group.
func (c *cgroup) limitMemory(most int64) error {
	if err := memoryControl(); err != nil {
		return err
	}
	if c == nil {
		return errNoGroup
	}
	if err := writeCgroup(c.dir, "memory.max", strconv.FormatInt(most, 10)); err != nil {
		return cause(err)
	}
	writeCgroup(c.dir, "memory.swap.max", "0") // where there is swap
	writeCgroup(c.dir, "memory.oom.group", "1")
	return nil
}

// outOfMemory reports whether the kernel has killed a process of the group
// because memory ran out: the group's own share of it, or the box's.
func (c *cgroup) outOfMemory() (own, box bool) {
	if c == nil {
		return false, false
	}
	text, err := os.ReadFile(filepath.Join(c.dir, "memory.events"))
	if err != nil {
		return false, false
	}
	events := map[string]int{}
	for line := range bytes.Lines(text) {
		var name string
		var n int
		if _, err := fmt.Sscan(string(line), &name, &n); err == nil {
			events[name] = n
		}
	}
	killed := events["oom_kill"] > 0
	return killed && events["oom"] > 0, killed && events["oom"] == 0
}

func writeCgroup(dir, file, text string) error {
	return os.WriteFile(filepath.Join(dir, file), []byte(text), 0)
}

func hasWord(text []byte, word string) bool {
	for field := range bytes.FieldsSeq(text) {
		if string(field) == word {
			return true
		}
	}
	return false
}
