package apps

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"slices"
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

// streamNames are the streams as Line has them.
var streamNames = [2]string{"out", "err"}

const (
	defaultLogSize  = 10 << 20
	defaultLogFiles = 10
	// diskPause is how long after a failed write the next is tried.
	diskPause = time.Second
	// closePatience is how long close waits for a disk that does not answer.
	closePatience = 5 * time.Second
	// stallPatience is how long an app is held up by a disk that does not answer.
	stallPatience = 5 * time.Second
	// retirePatience is how long a file that is no longer wanted has for the lines that were meant for it.
	retirePatience = time.Minute
	// readPatience is how long a reader waits for a disk that does not answer.
	readPatience = time.Second
	// batchLines is how many lines are taken in at once, without a look at the room that is left.
	batchLines = 256
)

// logBook keeps the output of one app: its files, rotated, and the followers
// of its lines. Lines are formatted into bounded buffers, a sink for each file,
// which one goroutine writes, so that many lines are one write.
//
//	lineWriter ─┐               ┌─ <app>-out.log
//	lineWriter ─┼─ sinks ───────┤     (one goroutine, many lines a write)
//	lineWriter ─┘  └ followers  └─ <app>-error.log
//
// An app that writes faster than the disk takes it is held up, as by any pipe.
// A disk that fails or does not answer holds no app up: its lines wait; those that
// find no room are counted, and the place where they are missing says how many.
type logBook struct {
	app    string
	layout logLayout
	log    *slog.Logger
	pause  time.Duration // diskPause
	// output takes each line as well, when not nil; it may hold the app up.
	output func(Line)

	maxSize  atomic.Int64
	maxFiles atomic.Int64

	mu        sync.Mutex // of the fields below; nothing slow is done under it
	ids       []int      // of the slots
	off       bool       // nothing is kept
	sinks     []*logSink // replaced, not changed
	retiring  []*logSink // no more comes to them; what waits is written
	routes    map[route][]*logSink
	followers []*follower
	started   bool
	closed    bool

	wake    chan struct{}
	closing chan struct{} // closed by close
	ended   chan struct{} // closed when the goroutine has returned

	problem atomic.Pointer[string] // why lines are not written now; nil: they are

	disk chan struct{} // has a token: whoever takes it has the files; taken before mu
}

// route is what leads to sinks; the slot is anySlot where slots share them.
type route struct {
	slot   int
	stream stream
}

// newLogBook makes the book of an app; what it keeps, and where, is said by want.
// Its goroutine runs from the first line to close.
func newLogBook(layout logLayout, app string, log *slog.Logger) *logBook {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	b := &logBook{app: app, layout: layout, log: log, pause: diskPause, disk: make(chan struct{}, 1),
		wake: make(chan struct{}, 1), closing: make(chan struct{}), ended: make(chan struct{})}
	b.disk <- struct{}{}
	return b
}

// want says how output is kept from now on. Lines that came before go where
// they were to go.
func (b *logBook) want(w *Wanted) {
	b.maxSize.Store(cmp.Or(int64(w.MaxLogSize), defaultLogSize)) // at once: a writer that saw 0 would rotate at each line
	b.maxFiles.Store(cmp.Or(int64(w.MaxLogFiles), defaultLogFiles))
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	b.off = w.DisableLogs
	for n, s := range w.Slots {
		if n < len(b.ids) {
			b.ids[n] = s.ID
		} else {
			b.ids = append(b.ids, s.ID) // and those of slots that are gone stay: their instances may still say something
		}
	}
	var sinks []*logSink
	b.routes = map[route][]*logSink{}
	for _, place := range b.layout.places(w, b.ids) {
		var s *logSink
		if i := slices.IndexFunc(b.sinks, func(s *logSink) bool { return s.place.path == place.path }); i >= 0 {
			s = b.sinks[i]
			s.place = place
		} else {
			s = &logSink{place: place, name: place.path, file: openLogFile(place.path, place.mode)}
		}
		sinks = append(sinks, s)
		for name, has := range place.streams {
			if has {
				r := route{place.slot, stream(name)}
				b.routes[r] = append(b.routes[r], s)
			}
		}
	}
	for _, s := range b.sinks {
		if !slices.Contains(sinks, s) {
			s.until = time.Now().Add(retirePatience)
			b.retiring = append(b.retiring, s)
		}
	}
	b.sinks = sinks
	b.poke()
}

// sinksOf are where lines go; b.mu is held.
func (b *logBook) sinksOf(from origin) []*logSink {
	own, shared := b.routes[route{from.slot, from.stream}], b.routes[route{anySlot, from.stream}]
	if len(own) == 0 {
		return shared
	}
	return slices.Concat(own, shared)
}

// emit takes lines in. It does not keep them. It waits while the disk has too
// much to do, but not for one that fails.
func (b *logBook) emit(slot int, s stream, lines [][]byte) {
	for len(lines) > 0 {
		n := min(len(lines), batchLines)
		b.emitBatch(origin{slot: slot, id: unknown, stream: s}, lines[:n])
		lines = lines[n:]
	}
}

func (b *logBook) emitBatch(from origin, lines [][]byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for !b.closed && !b.off {
		if full := slices.IndexFunc(b.sinksOf(from), (*logSink).full); full >= 0 {
			b.awaitRoom(b.sinksOf(from)[full])
			continue
		}
		break
	}
	if b.closed || b.off {
		return
	}
	if from.slot < len(b.ids) {
		from.id = b.ids[from.slot]
	}
	now := time.Now() // under the lock: a file's times do not go back
	var seen []Line
	if len(b.followers) > 0 || b.output != nil {
		seen = b.lines(now, from, lines)
	}
	for _, s := range b.sinksOf(from) {
		s.add(now, from, lines)
	}
	if !b.started {
		b.started = true
		go b.run()
	}
	b.poke()
	for _, f := range b.followers {
		f.push(seen)
	}
	if b.output != nil {
		b.mu.Unlock()
		for _, l := range seen {
			b.output(l)
		}
		b.mu.Lock()
	}
}

// lines are what followers get; b.mu is held.
func (b *logBook) lines(now time.Time, from origin, texts [][]byte) []Line {
	var dated logFormat
	var before []byte
	if sinks := b.sinksOf(from); len(sinks) > 0 {
		dated = sinks[0].place.format
		before, _ = dated.frame(now, from)
	}
	lines := make([]Line, len(texts))
	for i, text := range texts {
		lines[i] = Line{Time: now.UTC().Truncate(time.Millisecond), App: b.app, ID: from.id, Slot: from.slot,
			Stream: streamNames[from.stream], Text: dated.shown(before, text)}
	}
	return lines
}

// awaitRoom waits until the disk has taken something of what waits in s; b.mu
// is held, but not meanwhile.
func (b *logBook) awaitRoom(s *logSink) {
	if s.room == nil {
		s.room = make(chan struct{})
	}
	room := s.room
	b.mu.Unlock()
	timer := time.NewTimer(stallPatience)
	defer timer.Stop()
	select {
	case <-room:
		b.mu.Lock()
	case <-b.closing:
		b.mu.Lock()
	case <-timer.C:
		b.mu.Lock()
		if s.room == room {
			s.stalled = true
			s.release()
		}
	}
}

func (b *logBook) poke() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// run writes what waits, until close.
func (b *logBook) run() {
	defer close(b.ended)
	later := time.NewTimer(b.pause) // to try again, or to rest
	defer later.Stop()
	for resting := false; ; {
		select {
		case <-b.wake:
			resting = false
		case <-later.C:
		case <-b.closing:
			<-b.disk
			b.write(true)
			b.disk <- struct{}{}
			return
		}
		<-b.disk
		if !b.write(false) {
			later.Reset(b.pause)
		} else if !resting {
			later.Reset(b.pause)
			resting = true
		} else {
			b.rest()
		}
		b.disk <- struct{}{}
	}
}

// rest gives up the room of what has come, once nothing has come for a while.
func (b *logBook) rest() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.sinks {
		s.rest()
	}
}

// write writes what waits and reports whether all of it is in the files.
// Files that failed a moment ago are left in peace, unless all says otherwise.
// The caller has the disk.
func (b *logBook) write(all bool) bool {
	b.mu.Lock()
	sinks, retiring := b.sinks, b.retiring
	b.mu.Unlock()
	done := true
	var why *string
	for _, s := range slices.Concat(retiring, sinks) {
		if (all || !s.failed || time.Since(s.tried) >= b.pause) && !b.writeSink(s) || s.failed {
			done = false
		}
		if why == nil && s.problem != "" {
			why = new(s.problem)
		}
	}
	if len(retiring) > 0 {
		b.mu.Lock()
		b.retiring = slices.DeleteFunc(b.retiring, func(s *logSink) bool { return s.over(b) })
		b.mu.Unlock()
	}
	b.problem.Store(why)
	return done
}

// sync writes what waits, now, and reports whether all of it is in the files.
func (b *logBook) sync() bool {
	<-b.disk
	defer func() { b.disk <- struct{}{} }()
	return b.write(true)
}

// each does something to every file, and returns what went wrong.
func (b *logBook) each(what string, do func(*logSink) error) error {
	<-b.disk
	defer func() { b.disk <- struct{}{} }()
	b.mu.Lock()
	sinks := b.sinks
	b.mu.Unlock()
	var errs []error
	for _, s := range sinks {
		if err := do(s); err != nil {
			errs = append(errs, fmt.Errorf(what+": %w", s.name, err))
		}
	}
	return errors.Join(errs...)
}

// flush empties the files, removes the rotated ones and forgets what waits.
func (b *logBook) flush() error {
	return b.each("cannot empty log %s", func(s *logSink) error {
		b.mu.Lock()
		s.waiting, s.came = waitingLines{}, 0
		s.release()
		b.mu.Unlock()
		s.buf, s.done = nil, 0
		return s.file.truncate()
	})
}

// reopen closes the files that are open and opens them again, at once.
func (b *logBook) reopen() error {
	return b.each("cannot open log %s again", func(s *logSink) error { return s.file.reopen() })
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
	<-b.disk
	defer func() { b.disk <- struct{}{} }()
	var errs []error
	for _, s := range slices.Concat(b.sinks, b.retiring) {
		if left := s.left(); left > 0 {
			errs = append(errs, fmt.Errorf("cannot write the last %d lines to %s", left, s.name))
		}
		errs = append(errs, s.file.close())
	}
	return errors.Join(errs...)
}
