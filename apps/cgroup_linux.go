package apps

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// cgroup is a control group (cgroups(7), version 2) that holds the processes
// of one instance, whatever they do: ending all of them is one write. A nil one
// stands for none: there is no version 2, or nobody has left us a part of it.
type cgroup struct {
	dir string
	in  bool // a process has been started in it
}

// cgroupParent is our own control group if we may make others in it, else "".
var cgroupParent = sync.OnceValue(func() string {
	dir, err := findCgroup()
	if err != nil {
		return ""
	}
	sweepCgroups(dir)
	return dir
})

// cgroupsFail is set when the kernel or a sandbox refuses to start a process in a control group.
var cgroupsFail atomic.Bool

const cgroupPrefix = "roost-"

func findCgroup() (string, error) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", err
	}
	var root, path string
	for line := range strings.Lines(string(mounts)) {
		// proc_pid_mountinfo(5): the mount point is the fifth field, the type follows " - "
		fields, after, _ := strings.Cut(line, " - ")
		if f := strings.Fields(fields); strings.HasPrefix(after, "cgroup2 ") && len(f) > 4 && f[3] == "/" {
			root = f[4]
		}
	}
	for line := range strings.Lines(string(own)) {
		if rest, ok := strings.CutPrefix(line, "0::"); ok {
			path = strings.TrimSuffix(rest, "\n")
		}
	}
	if root == "" || path == "" {
		return "", errors.New("no cgroup v2")
	}
	dir := filepath.Join(root, path)
	if err := unix.Access(filepath.Join(dir, "cgroup.procs"), unix.W_OK); err != nil {
		return "", err
	}
	if os.Geteuid() == 0 && !delegated(dir) {
		return "", errors.New("systemd has not delegated our cgroup")
	}
	// the files of a child tell what the kernel can do; the root has fewer
	probe := filepath.Join(dir, cgroupPrefix+strconv.Itoa(os.Getpid())+"-probe")
	if err := os.Mkdir(probe, 0o755); err != nil {
		return "", err
	}
	defer os.Remove(probe)
	_, err = os.Stat(filepath.Join(probe, "cgroup.kill")) // Linux 5.14
	return dir, err
}

// delegated reports whether root may make groups in dir: it always can, but
// where systemd runs, only in what a unit with Delegate= has been given
// (systemd.resource-control(5)).
func delegated(dir string) bool {
	if _, err := os.Stat("/run/systemd/system"); errors.Is(err, fs.ErrNotExist) {
		return true
	}
	for _, name := range []string{"user.delegate", "trusted.delegate"} {
		value := make([]byte, 8)
		if n, err := unix.Getxattr(dir, name, value); err == nil && string(value[:n]) == "1" {
			return true
		}
	}
	return false
}

// sweepCgroups removes the empty groups of daemons that have been killed.
func sweepCgroups(dir string) {
	old, err := filepath.Glob(filepath.Join(dir, cgroupPrefix+"*"))
	if err != nil {
		return
	}
	for _, path := range old {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(path), cgroupPrefix), "-")
		if n, err := strconv.Atoi(pid); err == nil && unix.Kill(n, 0) == unix.ESRCH {
			os.Remove(path)
		}
	}
}

// newCgroup makes a group for one instance; nil when there is none to have.
func newCgroup(name string) *cgroup {
	if cgroupsFail.Load() || cgroupParent() == "" {
		return nil
	}
	dir := filepath.Join(cgroupParent(), fmt.Sprintf("%s%d-%s", cgroupPrefix, os.Getpid(), name))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil
	}
	return &cgroup{dir: dir}
}

// start starts cmd in the group; without it, when that is refused.
func (c *cgroup) start(cmd *exec.Cmd, who *account) error {
	cmd.SysProcAttr = attributes(who)
	if c == nil {
		return cmd.Start()
	}
	dir, err := os.Open(c.dir)
	if err != nil {
		return cmd.Start()
	}
	defer dir.Close()
	again := *cmd
	cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(dir.Fd())
	err = cmd.Start()
	if err == nil {
		c.in = true
		return nil
	}
	again.SysProcAttr = attributes(who)
	*cmd = again
	if plain := cmd.Start(); plain != nil {
		return plain
	}
	cgroupsFail.Store(true)
	return nil
}

// holds reports whether a process has been started in the group.
func (c *cgroup) holds() bool { return c != nil && c.in }

// kill ends all processes of the group; false when they are not in it.
func (c *cgroup) kill() bool {
	return c != nil && c.in && os.WriteFile(filepath.Join(c.dir, "cgroup.kill"), []byte("1"), 0) == nil
}

// populated reports whether a living process is in the group, if that is known.
func (c *cgroup) populated() (left, known bool) {
	if c == nil || !c.in {
		return false, false
	}
	events, err := os.ReadFile(filepath.Join(c.dir, "cgroup.events"))
	return bytes.Contains(events, []byte("populated 1")), err == nil
}

// remove removes the group. The kernel may need a moment to see that those who
// were in it are gone; what is left after that the next daemon sweeps away.
func (c *cgroup) remove() {
	if c == nil {
		return
	}
	for wait := time.Millisecond; ; wait *= 2 {
		err := os.Remove(c.dir)
		if !errors.Is(err, unix.EBUSY) || wait > 100*time.Millisecond {
			return
		}
		time.Sleep(wait)
	}
}
