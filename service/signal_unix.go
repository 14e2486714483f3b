//go:build unix

package service

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"roost/service/control"
)

// survived are signals that would end the daemon for what its writes report as
// errors anyway: a terminal or pager that went away, a limit on the size of
// files. They are caught; ignored, they would be so in every app, too.
var survived = []os.Signal{syscall.SIGPIPE, syscall.SIGXFSZ}

// reopening are signals that have the log files opened again.
var reopening = []os.Signal{syscall.SIGUSR2}

// signalOf reads "SIGUSR2", "usr2" or "12" (signal(7)).
func signalOf(name string) (syscall.Signal, error) {
	if n, err := strconv.Atoi(name); err == nil && n > 0 && n < 65 {
		return syscall.Signal(n), nil
	}
	long := strings.ToUpper(name)
	if !strings.HasPrefix(long, "SIG") {
		long = "SIG" + long
	}
	if s := unix.SignalNum(long); s != 0 {
		return s, nil
	}
	return 0, &control.Error{Code: control.CodeInvalid, Message: fmt.Sprintf("unknown signal %q", name), Hint: "such as SIGUSR2, HUP or 12; kill -l lists them"}
}
