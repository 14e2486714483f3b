//go:build !windows

package static

import (
	"os"
	"syscall"
)

// readOnly opens without waiting: a named pipe put in a file's place would
// hold the request until somebody writes to it (open(2), O_NONBLOCK). For
// regular files it changes nothing.
const readOnly = os.O_RDONLY | syscall.O_NONBLOCK
