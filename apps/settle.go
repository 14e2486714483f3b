package apps

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"
)

// conclude sees whether the last Want has become true.
func (a *App) conclude() {
	if a.changing && a.reached() {
		a.changing, a.failure, a.want.aborted = false, nil, false
		for n := range a.slots {
			a.slots[n].pending = false
		}
	}
	a.despair()
}

// report tells the callers of Settle, if there is something to tell.
func (a *App) report() {
	var err error
	switch {
	case a.ending:
		err = ErrEnded
	case a.failure != nil:
		err = a.failure
	case a.changing:
		return
	}
	for _, c := range a.settle {
		c <- err
	}
	a.settle = nil
}

// reached reports whether all that the last Want changed is as it should be.
func (a *App) reached() bool {
	for n := range a.slots {
		s := &a.slots[n]
		switch {
		case !s.pending:
		case !a.want.runs(n):
			if !s.empty() {
				return false
			}
		case s.ended:
			if s.badly {
				return false
			}
		case s.next != nil, s.cur == nil, s.cur.state != StateReady, !a.want.fits(s.cur, n):
			return false
		case len(s.leaving) > 0: // the change is made when the old program has gone
			return false
		}
	}
	return true
}

// outputLines is how many last lines a Failure carries.
const outputLines = 20

// fail notes that an instance of what is newly wanted has failed. The first
// failure counts: it ends a rolling reload.
func (a *App) fail(s *slot, inst *instance, out outcome, hint string) {
	n := inst.slot
	if !s.pending || a.failure != nil || !a.want.runs(n) || !a.want.fits(inst, n) {
		return
	}
	f := &Failure{App: a.wanted.Name, Reason: fmt.Sprintf("slot %d %v", n, out), Hint: hint, Output: inst.proc.Last(outputLines), Port: out.port}
	switch {
	case out.err != nil:
		f.Reason = fmt.Sprintf("slot %d: %v", n, out.err)
	case inst.state == StateStarting && out.cause == "":
		f.Reason += " before it was ready"
	}
	if f.Hint == "" {
		f.Hint = failureHint(out, f)
	}
	a.failure, a.want.aborted = f, true
	a.log.Warn("not as wanted", "reason", f.Reason)
}

// failureHint says what to do about an instance that failed to start.
func failureHint(out outcome, f *Failure) string {
	said := func(text string) bool {
		return slices.ContainsFunc(f.Output, func(line string) bool { return strings.Contains(line, text) })
	}
	if c, ok := out.err.(*Complaint); ok {
		return c.Hint
	}
	switch {
	case out.port != 0:
		return fmt.Sprintf("another program holds port %d: stop it, or choose another port", out.port)
	case out.err != nil && startHint(out.err) != "":
		return startHint(out.err)
	case out.err != nil:
		return "see that the program can be run by hand from the folder cwd"
	case said("EADDRINUSE") || said("ddress already in use"):
		return "another program holds the port: stop it, or choose another port"
	case said("Cannot find module") || said("ERR_MODULE_NOT_FOUND"):
		return "install what the program needs (npm install), or check cwd"
	case said("EACCES") || said("ermission denied"):
		return "see that its user may read the files, and bind the port, that it needs"
	case out.exited && out.code == 0:
		return "it ended by itself: if it puts itself into the background, have it stay in the foreground"
	case len(f.Output) > 0:
		return "see its last lines"
	}
	return "it said nothing: run it by hand to see why"
}

// startHint says what to do about a program that the system did not start.
func startHint(err error) string {
	switch {
	case errors.Is(err, syscall.ENOEXEC):
		return "begin it with a line such as #!/bin/sh, or set interpreter"
	case errors.Is(err, syscall.E2BIG):
		return "its arguments and environment are more than the system takes"
	case errors.Is(err, fs.ErrNotExist):
		return "what its first line (#!) names does not exist, or its lines end as on Windows"
	}
	return ""
}

// unreadyHint says what an instance should have done to be ready.
func (a *App) unreadyHint(inst *instance) string {
	c := inst.config
	what := ""
	switch {
	case c.WaitReady && inst.kind == kindNode:
		what = "with wait_ready it must call process.send('ready')"
	case c.WaitReady:
		what = "with wait_ready it must send READY=1 to the socket in $NOTIFY_SOCKET (sd_notify)"
	case c.Health != "":
		what = "GET " + c.Health + " must answer 2xx or 3xx"
	case inst.kind == kindNode && c.Port > 0:
		what = fmt.Sprintf("it must listen on port %d, as declared", c.Port)
	case inst.kind == kindNode:
		what = "it must call listen itself, not in a child process"
	case inst.kind == kindPort:
		what = "it must listen on 127.0.0.1 and the port in $PORT (or declare as port the one that it always has)"
	case inst.kind == kindFixed:
		what = fmt.Sprintf("it must listen on port %d", c.Port)
	case inst.kind == kindListen:
		what = "it must answer HTTP on file descriptor 3 (sd_listen_fds)"
	default:
		what = "it must live for min_uptime"
	}
	return what + "; if it only needs longer, raise listen_timeout"
}
