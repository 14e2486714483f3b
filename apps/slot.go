package apps

import (
	"slices"
	"time"
)

// slot is one of an app's numbered places. It holds the instance that serves
// it and, during a rolling reload, the one that is about to. It belongs to the
// app's loop.
type slot struct {
	id        int
	cur, next *instance
	leaving   []*instance

	begun    bool      // something has been started here since something is wanted
	pending  bool      // the last Want changed it, and it is not settled yet
	badly    bool      // ... but ended before it was ready
	ended    bool      // its program has ended as it may; nothing starts here until something new is wanted
	fails    int       // instances in a row that did not start well
	errored  bool      // so many that the next start is a long way off
	retryAt  time.Time // the next start, when it waits
	reason   string    // why the last instance is gone, when nobody wanted that
	exitCode *int      // of the last instance
	restarts int
	listened bool // the last ready instance took requests, so that the next ones must as well
}

// empty reports whether no process is left.
func (s *slot) empty() bool { return s.cur == nil && s.next == nil && len(s.leaving) == 0 }

// blocked reports whether an instance that is leaving must have gone before
// the next one starts.
func (s *slot) blocked() bool {
	return slices.ContainsFunc(s.leaving, func(i *instance) bool { return i.last || i.kind.alone() })
}

// forgive forgets failures, for a slot that something new is wanted of.
func (s *slot) forgive() {
	s.ended, s.badly, s.errored, s.fails, s.retryAt, s.reason, s.exitCode = false, false, false, 0, time.Time{}, "", nil
}
