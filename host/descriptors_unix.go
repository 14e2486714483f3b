//go:build unix

package host

import (
	"errors"
	"syscall"
)

// openFiles is how many files this process may have open. Go's runtime has
// raised the limit as far as it may be raised (setrlimit(2), RLIMIT_NOFILE);
// apps are started with the one before.
func openFiles() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 1024
	}
	return int(min(limit.Cur, 1<<30))
}

// outOfFiles: this process, or the system, has as many files open as it may.
func outOfFiles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}
