package service

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"roost/service/control"
)

// errLocked is what lockFile returns when another process holds the lock.
var errLocked = errors.New("locked by another process")

// lock keeps a second daemon off one home. The kernel frees it when the
// process ends, however it ends: there is no stale lock.
type lock struct {
	file *os.File // open for as long as the lock is held
}

// takeLock locks the folder run, or says which process has.
func takeLock(run string) (*lock, error) {
	path := filepath.Join(run, "roost.lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open the lock: %w", err)
	}
	if err := lockFile(f); err != nil {
		text, _ := io.ReadAll(io.LimitReader(f, 64))
		f.Close()
		if !errors.Is(err, errLocked) {
			return nil, fmt.Errorf("cannot lock %s: %w", path, err)
		}
		holder := "another roost"
		if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
			holder = fmt.Sprintf("another roost (process %d)", pid)
		}
		return nil, &control.Error{
			Code:    control.CodeConflict,
			Message: fmt.Sprintf("%s already runs with %s", holder, filepath.Dir(path)),
			Hint:    "command that one (roost status, roost apply FILE, roost kill), or set ROOST_HOME to another folder for a second one",
		}
	}
	// The pid is for people; the lock does not depend on it.
	if err := f.Truncate(0); err == nil {
		fmt.Fprintf(f, "%d\n", os.Getpid())
	}
	return &lock{file: f}, nil
}

// writePID writes this process's id to a file, for those who look for it there,
// and returns what removes it.
func writePID(path string) (forget func(), err error) {
	if err := os.WriteFile(path, []byte(strconv.Itoa(os.Getpid())), 0o644); err != nil {
		return nil, fmt.Errorf("cannot write the process id: %w", err)
	}
	return func() { os.Remove(path) }, nil
}

// release gives the lock up. The file stays: removing it would let two
// processes lock two files of one name.
func (l *lock) release() { l.file.Close() }
