package cli

import (
	"os"
	"syscall"

	"golang.org/x/sys/windows"
)

// rootDir keeps no folder of the user's in use.
func rootDir() string { return os.Getenv("SystemRoot") }

// detached gives a daemon no console, so that closing this one does not end it.
func detached() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: windows.DETACHED_PROCESS | windows.CREATE_NEW_PROCESS_GROUP}
}
