package apps

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// pidFiles are the files that tell the process of each slot. While a slot has
// two, in a reload, its file tells the older one, which serves; so it is right
// again when the newer one fails.
type pidFiles struct {
	mu   sync.Mutex
	pids map[string][]int // by path, the oldest first
}

// enter has the file tell pid, unless it tells an older process.
func (f *pidFiles) enter(path string, pid int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.pids == nil {
		f.pids = map[string][]int{}
	}
	f.pids[path] = append(f.pids[path], pid)
	if len(f.pids[path]) > 1 {
		return nil
	}
	return writePID(path, pid)
}

// leave has the file tell the next process, or removes it.
func (f *pidFiles) leave(path string, pid int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	left := slices.DeleteFunc(f.pids[path], func(p int) bool { return p == pid })
	if len(left) == 0 {
		delete(f.pids, path)
		return os.Remove(path)
	}
	f.pids[path] = left
	return writePID(path, left[0])
}

// pidTemp begins the name of a pid file that is being written.
const pidTemp = ".pid-"

// writePID replaces the file, so that nobody reads half of it.
func writePID(path string, pid int) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("cannot make the folder of pid file %s: %w", path, cause(err))
	}
	file, err := os.CreateTemp(dir, pidTemp+"*")
	if err == nil {
		defer os.Remove(file.Name())
		_, err = fmt.Fprintln(file, pid)
		if e := file.Chmod(0o644); err == nil {
			err = e
		}
		if e := file.Close(); err == nil {
			err = e
		}
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("cannot write pid file %s: %w", path, cause(err))
	}
	return nil
}

// pidPath is the file that tells the process of w's slot; empty: none does.
func pidPath(w *Wanted, slot int, pm2Home string) string {
	id := "-" + strconv.Itoa(w.Slots[slot].ID)
	switch {
	case w.PIDFile != "":
		path := seenFrom(w.Cwd, w.PIDFile)
		ext := filepath.Ext(path)
		return strings.TrimSuffix(path, ext) + id + ext
	case pm2Home != "":
		return filepath.Join(pm2Home, "pids", PM2Name(w.Name)+id+".pid")
	}
	return ""
}

// writePIDFile tells the process of the program, until it has ended.
func (p *program) writePIDFile() {
	path, pid := pidPath(p.wanted, p.slot, p.pm2Home), p.cmd.Process.Pid
	if path == "" {
		return
	}
	if err := p.pidFiles.enter(path, pid); err != nil {
		p.log.Warn("the process id is not told", "error", err)
	}
	p.later(func() {
		if err := p.pidFiles.leave(path, pid); err != nil && !os.IsNotExist(err) {
			p.log.Warn("the process id that is told is out of date", "error", err)
		}
	})
}
