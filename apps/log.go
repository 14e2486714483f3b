package apps

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// stream is one of the two that a process writes to.
type stream int

const (
	streamOut stream = iota
	streamErr
)

// streamNames are the streams as Line has them, streamFiles as files have them.
var (
	streamNames = [2]string{"out", "err"}
	streamFiles = [2]string{"-out.log", "-error.log"}
)

const (
	defaultLogSize  = 10 << 20
	defaultLogFiles = 10
	// maxPending bounds what waits for the disk, in bytes for each stream.
	maxPending = 1 << 20
	// diskPause is how long after a failed write the next is tried.
	diskPause = time.Second
	// closePatience is how long close waits for a disk that does not answer.
	closePatience = 5 * time.Second
)

// logBook keeps the output of one app: a file for each stream, rotated, and
// the followers of its lines. Nothing that goes wrong with either holds an app
// up: lines are formatted into a bounded buffer, which one goroutine writes.
//
//	lineWriter ─┐               ┌─ <app>-out.log
//	lineWriter ─┼─ waiting[2] ──┤     (one goroutine, many lines a write)
//	lineWriter ─┘  └ followers  └─ <app>-error.log
//
// While the disk fails, lines wait; those that find no room are counted, and
// the place where they are missing says how many.
type logBook struct {
	app   string
	log   *slog.Logger
	pause time.Duration // diskPause
	// output takes each line as well, when not nil; it may hold the app up.
	output func(Line)

	maxSize  atomic.Int64
	maxFiles atomic.Int64

	mu        sync.Mutex // of the fields below; nothing slow is done under it
	waiting   [2]waitingLines
	followers []*follower
	started   bool
	closed    bool

	wake    chan struct{}
	closing chan struct{} // closed by close
	ended   chan struct{} // closed when the goroutine has returned

	problem atomic.Pointer[string] // why lines are not written now; nil: they are

	disk  sync.Mutex // of the files; taken before mu
	files [2]bookFile
}

// waitingLines wait for the disk.
type waitingLines struct {
	text  []byte
	lines int
	lost  int // came after them and found no room
}

// bookFile is one stream's file and what is on its way there.
type bookFile struct {
	lineFile
	name   string
	buf    []byte
	done   int       // of buf, is in the file
	failed bool      // the last write did
	warned time.Time // when a slow disk was complained of
}

// lineFile is a file of lines. The real one is logFile.
type lineFile interface {
	// write appends lines and returns how many bytes of them are in the file.
	write(p []byte, maxSize int64, keep int) (int, error)
	truncate() error
	reopen() error
	close() error
}

// newLogBook makes the book of app in the folder dir. Files rotate at maxSize
// bytes (10 MB when 0) and maxFiles of them are kept (10 when 0). Its
// goroutine runs from the first line to close.
func newLogBook(dir, app string, maxSize int64, maxFiles int, log *slog.Logger) *logBook {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	b := &logBook{app: app, log: log, pause: diskPause,
		wake: make(chan struct{}, 1), closing: make(chan struct{}), ended: make(chan struct{})}
	b.limits(maxSize, maxFiles)
	for s := range b.files {
		path := logPath(dir, app, stream(s))
		b.files[s].name, b.files[s].lineFile = path, &logFile{path: path}
	}
	return b
}

func logPath(dir, app string, s stream) string {
	return filepath.Join(dir, SafeName(app)+streamFiles[s])
}

// limits changes what newLogBook was given, from the next write on.
func (b *logBook) limits(maxSize int64, maxFiles int) {
	if maxSize == 0 {
		maxSize = defaultLogSize
	}
	if maxFiles == 0 {
		maxFiles = defaultLogFiles
	}
	b.maxSize.Store(maxSize)
	b.maxFiles.Store(int64(maxFiles))
}

// emit takes a line in. It does not keep text.
func (b *logBook) emit(slot int, s stream, text []byte) {
	if b.output != nil {
		b.output(Line{Time: time.Now().UTC().Truncate(time.Millisecond), App: b.app, Slot: slot, Stream: streamNames[s], Text: string(text)})
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	now := time.Now() // under the lock: a file's times do not go back
	if w := &b.waiting[s]; w.lost > 0 || len(w.text)+len(text) > maxPending {
		w.lost++
	} else {
		w.text = appendLine(w.text, now, slot, text)
		w.lines++
	}
	if !b.started {
		b.started = true
		go b.run()
	}
	select {
	case b.wake <- struct{}{}:
	default:
	}
	if len(b.followers) > 0 {
		line := Line{Time: now.UTC().Truncate(time.Millisecond), App: b.app, Slot: slot, Stream: streamNames[s], Text: string(text)}
		for _, f := range b.followers {
			f.push(line)
		}
	}
}

// run writes what waits, until close.
func (b *logBook) run() {
	defer close(b.ended)
	for {
		select {
		case <-b.wake:
		case <-b.closing:
			b.write()
			return
		}
		for !b.write() {
			select { // lines wait rather than meet the same failure each
			case <-time.After(b.pause):
			case <-b.closing:
				b.write()
				return
			}
		}
	}
}

// write writes what waits and reports whether all of it is in the files.
func (b *logBook) write() bool {
	b.disk.Lock()
	defer b.disk.Unlock()
	out, err := b.writeStream(streamOut), b.writeStream(streamErr)
	return out && err
}

func (b *logBook) writeStream(s stream) bool {
	f := &b.files[s]
	for {
		if f.done == len(f.buf) && !b.take(s) {
			return true
		}
		n, err := f.write(f.buf[f.done:], b.maxSize.Load(), int(b.maxFiles.Load()))
		f.done += n
		if err != nil {
			why := fmt.Sprintf("cannot write %s: %v", f.name, err)
			b.problem.Store(&why)
			if !f.failed {
				b.log.Error("cannot write log: lines wait, and are lost when they are too many", "file", f.name, "error", err)
			}
			f.failed = true
			return false
		}
		if f.failed {
			f.failed = false
			b.problem.Store(nil)
			b.log.Info("log is written again", "file", f.name)
		}
	}
}

// take moves the lines that wait into f.buf, and behind them the word that
// more are missing. It reports whether there are any.
func (b *logBook) take(s stream) bool {
	f := &b.files[s]
	empty := f.buf[:0]
	if cap(empty) > maxPending/4 {
		empty = nil // one burst is no reason to keep its room
	}
	b.mu.Lock()
	w := b.waiting[s]
	b.waiting[s] = waitingLines{text: empty}
	b.mu.Unlock()
	f.buf, f.done = w.text, 0
	if w.lost > 0 {
		f.buf = appendLine(f.buf, time.Now(), ourSlot, fmt.Appendf(nil, "roost: %d lines are missing here: the disk did not take them", w.lost))
		if now := time.Now(); now.Sub(f.warned) > time.Minute {
			f.warned = now
			b.log.Warn("log lines lost: the disk did not take them", "file", f.name, "lines", w.lost)
		}
	}
	return len(f.buf) > 0
}

// sync writes what waits, now, and reports whether all of it is in the files.
func (b *logBook) sync() bool { return b.write() }

// flush empties the files, removes the rotated ones and forgets what waits.
func (b *logBook) flush() error {
	b.disk.Lock()
	defer b.disk.Unlock()
	b.mu.Lock()
	b.waiting = [2]waitingLines{}
	b.mu.Unlock()
	var errs []error
	for s := range b.files {
		f := &b.files[s]
		f.buf, f.done = nil, 0
		if err := f.truncate(); err != nil {
			errs = append(errs, fmt.Errorf("cannot empty log %s: %w", f.name, err))
		}
	}
	return errors.Join(errs...)
}

// reopen closes the files that are open and opens them again, at once.
func (b *logBook) reopen() error {
	b.disk.Lock()
	defer b.disk.Unlock()
	var errs []error
	for s := range b.files {
		f := &b.files[s]
		if err := f.reopen(); err != nil {
			errs = append(errs, fmt.Errorf("cannot open log %s again: %w", f.name, err))
		}
	}
	return errors.Join(errs...)
}

// close writes what waits and ends the book and its followers. Lines that come
// later are dropped. It waits 5 s at most for a disk that does not answer.
func (b *logBook) close() error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return nil
	}
	b.closed = true
	started, followers := b.started, b.followers
	b.followers = nil
	b.mu.Unlock()
	for _, f := range followers {
		f.finish()
	}
	close(b.closing)
	if started {
		select {
		case <-b.ended:
		case <-time.After(closePatience):
			return fmt.Errorf("cannot finish the log of %s: the disk does not answer", b.app)
		}
	}
	b.disk.Lock()
	defer b.disk.Unlock()
	var errs []error
	for s := range b.files {
		f := &b.files[s]
		if left := bytes.Count(f.buf[f.done:], []byte{'\n'}) + b.waiting[s].lines + b.waiting[s].lost; left > 0 {
			errs = append(errs, fmt.Errorf("cannot write the last %d lines to %s", left, f.name))
		}
		errs = append(errs, f.close())
	}
	return errors.Join(errs...)
}
