package service

import (
	"fmt"
	"os"
	"strings"
	"syscall"

	"roost/service/control"
)

// survived are signals that are of no concern; Windows has none.
var survived []os.Signal

// reopening is for log files, which others can move only where there is a signal to tell.
var reopening []os.Signal

// signalOf knows the signals that mean something on Windows: the two that end a process.
func signalOf(name string) (syscall.Signal, error) {
	switch strings.TrimPrefix(strings.ToUpper(name), "SIG") {
	case "KILL", "9":
		return syscall.SIGKILL, nil
	case "TERM", "15":
		return syscall.SIGTERM, nil
	case "INT", "2":
		return syscall.SIGINT, nil
	}
	return 0, &control.Error{Code: control.CodeInvalid, Message: fmt.Sprintf("no signal %q on Windows", name), Hint: "SIGINT, SIGTERM or SIGKILL"}
}
