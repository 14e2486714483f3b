package apps

import (
	"strings"
	"syscall"
)

// signalNamed returns the signal of a name such as "SIGTERM" or "term";
// Windows has only these, and they end the process (see process_windows.go).
func signalNamed(name string) (syscall.Signal, bool) {
	switch strings.TrimPrefix(strings.ToUpper(name), "SIG") {
	case "INT":
		return syscall.SIGINT, true
	case "TERM":
		return syscall.SIGTERM, true
	case "KILL":
		return syscall.SIGKILL, true
	}
	return 0, false
}
