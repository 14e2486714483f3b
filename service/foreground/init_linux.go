package foreground

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// asInit marks the environment of the program that an init has started.
const asInit = "ROOST_INIT"

// Init makes this process, when it is the first of a container (pid 1), what
// such a process must be: it starts this program again, hands signals on to
// it, and reaps whatever else ends, for orphans become its children. It
// returns when the program has ended, with its exit code, 128 and the signal's
// number when a signal ended it; false when this process is not the first.
func Init() (code int, was bool, err error) {
	if os.Getpid() != 1 || os.Getenv(asInit) != "" {
		return 0, false, nil
	}
	heard := make(chan os.Signal, 32)
	signal.Notify(heard, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH)
	self, err := os.Executable()
	if err != nil {
		return 1, true, fmt.Errorf("cannot find this program: %w", err)
	}
	pid, err := syscall.ForkExec(self, os.Args, &syscall.ProcAttr{
		Env: append(os.Environ(), asInit+"=1"), Files: []uintptr{0, 1, 2},
		Sys: &syscall.SysProcAttr{Setpgid: true}, // a terminal's Ctrl-C comes once, through here
	})
	if err != nil {
		return 1, true, fmt.Errorf("cannot start this program: %w", err)
	}
	go func() {
		for s := range heard {
			_ = syscall.Kill(pid, s.(syscall.Signal))
		}
	}()
	for {
		var status unix.WaitStatus
		ended, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case err == unix.EINTR || err == nil && ended != pid:
		case err != nil:
			return 1, true, fmt.Errorf("cannot wait for this program: %w", err)
		case status.Signaled():
			return 128 + int(status.Signal()), true, nil
		default:
			return status.ExitStatus(), true, nil
		}
	}
}

// IsInit reports whether Init has started this process.
func IsInit() bool { return os.Getenv(asInit) != "" }
