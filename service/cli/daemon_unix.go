//go:build unix

package cli

import "syscall"

// rootDir keeps no folder of the user's in use.
func rootDir() string { return "/" }

// detached puts a daemon into a session of its own (setsid(2)): no terminal's
// Ctrl-C or hang-up reaches it.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
