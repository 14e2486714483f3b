package apps

import (
	"bytes"
	"fmt"
	"time"
)

const (
	// maxWaiting is from where on an app is held up until the disk has taken its lines, in bytes for each file.
	maxWaiting = 256 << 10
	// maxPending bounds what waits for a disk that fails, in bytes for each file.
	maxPending = 1 << 20
)

// logSink is a file and what is on its way there.
type logSink struct {
	name string // the file's path

	// Guarded by the book's mu.
	place   logPlace
	waiting waitingLines
	came    int           // lines so far
	room    chan struct{} // closed when the disk has taken what waits; nil: nobody waits for that
	failing bool          // the last write failed
	stalled bool          // the disk does not answer
	until   time.Time     // when it is given up, once no more comes to it

	// Belong to whoever has the book's disk.
	file    lineFile
	buf     []byte // what is being written; assigned under mu, too
	done    int    // of buf, is in the file
	failed  bool   // the last write did
	problem string // why, or what else is wrong
	tried   time.Time
	warned  time.Time // when a slow disk was complained of
}

// waitingLines wait for the disk.
type waitingLines struct {
	text  []byte
	lines int
	lost  int // came after them and found no room
}

// lineFile is a file of lines. The real one is logFile.
type lineFile interface {
	// write appends lines and returns how many bytes of them are in the file. An
	// error with all of them written is something else that is wrong.
	write(p []byte, maxSize int64, keep int) (int, error)
	truncate() error
	reopen() error
	close() error
	// reader opens the file as it stands, and says when.
	reader() (*backward, time.Time, error)
}

// full reports whether lines should wait for room; the book's mu is held.
func (s *logSink) full() bool { return len(s.waiting.text) >= maxWaiting && !s.failing && !s.stalled }

// release lets those go on who wait for room; the book's mu is held.
func (s *logSink) release() {
	if s.room != nil {
		close(s.room)
		s.room = nil
	}
}

// add has lines wait; the book's mu is held.
func (s *logSink) add(now time.Time, from origin, lines [][]byte) {
	w, f := &s.waiting, &s.place.format
	before, after := f.frame(now, from)
	s.came += len(lines)
	for _, text := range lines {
		if w.lost > 0 || len(w.text)+len(text) > maxPending {
			w.lost++
			continue
		}
		w.text = append(w.text, before...)
		w.text = f.appendText(w.text, text)
		w.text = append(w.text, after...)
		w.lines++
	}
}

// idle reports whether all that came is in the file.
func (s *logSink) idle() bool { return s.done == len(s.buf) && s.waiting.lines+s.waiting.lost == 0 }

// left is how many lines are not in the file.
func (s *logSink) left() int {
	return bytes.Count(s.buf[s.done:], []byte{'\n'}) + s.waiting.lines + s.waiting.lost
}

// over reports whether a sink that nothing comes to any more can go; the book's
// mu is held.
func (s *logSink) over(b *logBook) bool {
	if !s.idle() && time.Now().Before(s.until) {
		return false
	}
	if left := s.left(); left > 0 {
		b.log.Warn("log lines lost: the file that they were for could not be written", "file", s.name, "lines", left)
	}
	s.file.close()
	return true
}

// writeSink writes what waits in s and reports whether all of it is in the file.
func (b *logBook) writeSink(s *logSink) bool {
	for {
		if s.done == len(s.buf) && !b.take(s) {
			return true
		}
		s.tried = time.Now()
		n, err := s.file.write(s.buf[s.done:], b.maxSize.Load(), int(b.maxFiles.Load()))
		s.done += n
		failed := err != nil && s.done < len(s.buf)
		switch {
		case failed:
			if !s.failed {
				b.log.Error("cannot write log: lines wait, and are lost when they are too many", "file", s.name, "error", err)
			}
			s.problem = fmt.Sprintf("cannot write %s: %v", s.name, err)
		case err != nil:
			if s.problem == "" {
				b.log.Error("something is wrong with a log, which is written nevertheless", "file", s.name, "error", err)
			}
			s.problem = fmt.Sprintf("%s: %v", s.name, err)
		case s.problem != "":
			s.problem = ""
			b.log.Info("log is written again", "file", s.name)
		}
		if failed != s.failed {
			s.failed = failed
			b.mu.Lock()
			s.failing = failed
			s.release()
			b.mu.Unlock()
		}
		if failed {
			return false
		}
	}
}

// rest gives up the room of a sink for which nothing comes; both locks are held.
func (s *logSink) rest() {
	if s.idle() {
		s.buf, s.done, s.waiting.text = nil, 0, nil
	}
}

// take moves the lines that wait into s.buf, and behind them the word that
// more are missing. It reports whether there are any.
func (b *logBook) take(s *logSink) bool {
	b.mu.Lock()
	w, format := s.waiting, s.place.format
	if w.lines == 0 && w.lost == 0 {
		b.mu.Unlock()
		return false
	}
	s.waiting = waitingLines{text: s.buf[:0]}
	s.buf, s.done = w.text, 0
	s.stalled = false
	s.release()
	b.mu.Unlock()
	if w.lost > 0 {
		before, after := format.frame(time.Now(), origin{slot: ourSlot, id: unknown, stream: streamErr})
		s.buf = append(s.buf, before...)
		s.buf = format.appendText(s.buf, fmt.Appendf(nil, "roost: %d lines are missing here: the disk did not take them", w.lost))
		s.buf = append(s.buf, after...)
		if now := time.Now(); now.Sub(s.warned) > time.Minute {
			s.warned = now
			b.log.Warn("log lines lost: the disk did not take them", "file", s.name, "lines", w.lost)
		}
	}
	return true
}
