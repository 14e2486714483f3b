package host

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// groupMemory is what is left of the bound on the memory of this process's
// control group or of one around it, as a container or MemoryMax= of systemd
// sets it: of the one with the least left. of is 0 when there is none.
func groupMemory() (left, of uint64) {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(text)) {
		if own, v2 := strings.CutPrefix(strings.TrimSpace(line), "0::"); v2 { // cgroups(7)
			return groupMemoryIn("/sys/fs/cgroup", own)
		}
	}
	return 0, 0
}

// groupMemoryIn is groupMemory for the group own below root.
func groupMemoryIn(root, own string) (left, of uint64) {
	for dir := filepath.Clean("/" + own); ; dir = filepath.Dir(dir) {
		if l, o := oneGroup(filepath.Join(root, dir)); o > 0 && (of == 0 || l < left) {
			left, of = l, o
		}
		if dir == "/" {
			return left, of
		}
	}
}

// oneGroup is what the group dir has left of its bound. The kernel takes back what
// holds pages of files before it ends a process.
func oneGroup(dir string) (left, of uint64) {
	number := func(name string) (uint64, bool) {
		text, err := os.ReadFile(filepath.Join(dir, name))
		n, bad := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
		return n, err == nil && bad == nil // "max": no bound
	}
	bound, bounded := number("memory.max")
	used, known := number("memory.current")
	if !bounded || !known {
		return 0, 0
	}
	stat, _ := os.ReadFile(filepath.Join(dir, "memory.stat"))
	for line := range strings.Lines(string(stat)) {
		name, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		if n, err := strconv.ParseUint(text, 10, 64); err == nil && (name == "active_file" || name == "inactive_file") {
			used -= min(n, used)
		}
	}
	return bound - min(used, bound), bound
}
