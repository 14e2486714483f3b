package apps

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
)

// watchdog is what a program says of itself by sd_notify(3), but for READY=1.
type watchdog struct {
	limit atomic.Int64 // how long it may be silent, in nanoseconds; 0: for ever
	beats atomic.Uint64
	note  atomic.Pointer[string]
}

// maxNote is how much of a note is kept, in bytes.
const maxNote = 200

// Note is what the program says of itself.
func (w *watchdog) Note() string {
	if note := w.note.Load(); note != nil {
		return *note
	}
	return ""
}

// prepareWatchdog has a program that does not run in Node send WATCHDOG=1
// again and again, if a limit is declared (sd_watchdog_enabled(3)).
func (p *program) prepareWatchdog(s *setup) {
	limit := p.wanted.HeartbeatTimeout
	if p.kind == kindNode || limit == nil || *limit == 0 {
		return
	}
	p.watchdog.limit.Store(int64(*limit))
	s.ours["WATCHDOG_USEC"] = strconv.FormatInt(time.Duration(*limit).Microseconds(), 10)
	s.pids = append(s.pids, "WATCHDOG_PID")
	s.helpers = append(s.helpers, p.watch)
}

// watch ends the program when it has been silent for too long. On its leave it
// may finish what it does without a word, within kill_timeout.
func (p *program) watch(ctx context.Context) {
	select {
	case <-p.ready:
	case <-ctx.Done():
		return
	}
	limit := func() time.Duration { return time.Duration(p.watchdog.limit.Load()) }
	before := uint64(0)
	heard := func() bool {
		was := before
		before = p.watchdog.beats.Load()
		return before != was || p.away()
	}
	if silent(ctx, limit, heard) {
		p.log.Error("the program is silent; the instance is killed", "limit", limit())
		p.fail(fmt.Sprintf("sent no WATCHDOG=1 for %v", limit()))
	}
}

// notified takes a line that the program has sent to its notify socket.
func (p *program) notified(line []byte) {
	key, value, _ := bytes.Cut(line, []byte("="))
	switch string(key) {
	case "READY":
		if string(value) == "1" {
			p.isTold()
		}
	case "WATCHDOG":
		switch string(value) {
		case "1":
			p.watchdog.beats.Add(1)
		case "trigger":
			p.log.Error("the program asks to be replaced; the instance is killed")
			p.fail("asked to be replaced (WATCHDOG=trigger)")
		}
	case "WATCHDOG_USEC":
		usec, err := strconv.ParseInt(string(value), 10, 64)
		if err == nil && usec >= 0 && usec < int64(1<<62/time.Microsecond) {
			p.watchdog.limit.Store(usec * int64(time.Microsecond))
		}
	case "STATUS":
		p.watchdog.note.Store(new(noteOf(value)))
	}
}

// noteOf is a text of one line that is safe to show.
func noteOf(b []byte) string {
	text := strings.ToValidUTF8(string(b[:min(len(b), maxNote)]), "")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, text))
}
