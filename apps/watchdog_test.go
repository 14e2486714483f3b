package apps

import (
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode"
)

func newNotified(limit time.Duration) *program {
	p := &program{log: slog.New(slog.DiscardHandler), told: make(chan struct{}), killed: make(chan struct{})}
	p.watchdog.limit.Store(int64(limit))
	return p
}

func TestWhatAProgramSaysOfItself(t *testing.T) {
	p := newNotified(time.Minute)
	for _, line := range []string{"READY=0", "WATCHDOG=1", "WATCHDOG=2", "WATCHDOG", "WATCHDOG_USEC=2000000", "WATCHDOG_USEC=-1", "WATCHDOG_USEC=x",
		"WATCHDOG_USEC=9223372036854775807", "STATUS= 3 of 4\tjobs\x1b[0m \xff"} {
		p.notified([]byte(line))
	}
	if isClosed(p.told) || isClosed(p.killed) {
		t.Error("it said neither that it is ready nor that it wants to be replaced")
	}
	if n := p.watchdog.beats.Load(); n != 1 {
		t.Errorf("%d beats, want 1", n)
	}
	if limit := time.Duration(p.watchdog.limit.Load()); limit != 2*time.Second {
		t.Errorf("its limit is %v, want 2s", limit)
	}
	if note := p.Note(); note != "3 of 4jobs[0m" {
		t.Errorf("its note is %q", note)
	}
	p.notified([]byte("READY=1"))
	p.notified([]byte("STATUS="))
	if !isClosed(p.told) || p.Note() != "" {
		t.Errorf("ready %v, note %q", isClosed(p.told), p.Note())
	}
	p.notified([]byte("WATCHDOG=trigger"))
	if !isClosed(p.killed) || p.cause != "asked to be replaced (WATCHDOG=trigger)" {
		t.Errorf("killed %v, because %q", isClosed(p.killed), p.cause)
	}
}

func FuzzNotified(f *testing.F) {
	for _, line := range []string{"READY=1", "WATCHDOG=trigger", "WATCHDOG_USEC=1", "STATUS=\x1b[31mred\xff", "=", ""} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		p := newNotified(time.Second)
		p.notified(line)
		if note := p.Note(); len(note) > maxNote || strings.ContainsFunc(note, unicode.IsControl) {
			t.Errorf("%q makes the note %q", line, note)
		}
		if p.watchdog.limit.Load() < 0 {
			t.Errorf("%q makes the limit negative", line)
		}
	})
}
