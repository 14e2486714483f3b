package service

import (
	"os"

	"golang.org/x/sys/windows"
)

// lockFile locks one byte far behind the pid, which others may then still read.
func lockFile(f *os.File) error {
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, &windows.Overlapped{Offset: 1 << 20})
	if err == windows.ERROR_LOCK_VIOLATION {
		return errLocked
	}
	return err
}
