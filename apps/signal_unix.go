//go:build !windows

package apps

import (
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// signalNamed returns the signal of a name such as "SIGTERM" or "term".
func signalNamed(name string) (syscall.Signal, bool) {
	name = strings.ToUpper(name)
	if !strings.HasPrefix(name, "SIG") {
		name = "SIG" + name
	}
	s := unix.SignalNum(name)
	return s, s != 0
}
