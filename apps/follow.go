package apps

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// maxFollow is how many lines wait for a follower that reads slower than the
// app writes, maxFollowBytes how much text.
const (
	maxFollow      = 1000
	maxFollowBytes = 2 << 20
)

// follower hands the lines of a book to one reader. Lines that find no room
// are counted, and one line says in their place how many there were.
type follower struct {
	app   string
	lines chan Line
	wake  chan struct{}
	stop  chan struct{}

	mu       sync.Mutex
	waiting  []Line
	held     int // bytes of text that wait
	lost     int
	finished bool // no more will come
}

// follow returns what has come so far and the lines that come from now on. The
// channel is closed after stop, and when the book ends and its last line has
// been read.
func (b *logBook) follow() (*History, <-chan Line, func()) {
	f := &follower{app: b.app, lines: make(chan Line), wake: make(chan struct{}, 1), stop: make(chan struct{})}
	h := b.history(f)
	go f.run()
	return h, f.lines, sync.OnceFunc(func() {
		b.mu.Lock()
		b.followers = slices.DeleteFunc(slices.Clone(b.followers), func(g *follower) bool { return g == f })
		b.mu.Unlock()
		close(f.stop)
	})
}

// attach gives f the lines that come from now on; b.mu is held.
func (b *logBook) attach(f *follower) {
	if b.closed {
		f.finished = true
	} else {
		b.followers = append(b.followers, f)
	}
}

// push takes lines in; it never waits.
func (f *follower) push(lines []Line) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, l := range lines {
		if len(f.waiting) >= maxFollow || f.held >= maxFollowBytes {
			f.lost++
			continue
		}
		f.noteLost()
		f.waiting = append(f.waiting, l)
		f.held += len(l.Text)
	}
	f.poke()
}

// noteLost puts the word about lost lines where they are missing.
func (f *follower) noteLost() {
	if f.lost > 0 {
		f.waiting = append(f.waiting, Line{Time: time.Now().UTC().Truncate(time.Millisecond), App: f.app, ID: unknown, Slot: ourSlot, Stream: streamNames[streamErr],
			Text: fmt.Sprintf("roost: %d lines are missing here: they came faster than they were read", f.lost)})
		f.lost = 0
	}
}

func (f *follower) finish() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.finished = true
	f.poke()
}

func (f *follower) poke() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// run hands out lines until stop or finish.
func (f *follower) run() {
	defer close(f.lines)
	for {
		f.mu.Lock()
		f.noteLost()
		batch, finished := f.waiting, f.finished
		f.waiting, f.held = nil, 0
		f.mu.Unlock()
		for _, l := range batch {
			select {
			case f.lines <- l:
			case <-f.stop:
				return
			}
		}
		if len(batch) > 0 {
			continue
		}
		if finished {
			return
		}
		select {
		case <-f.wake:
		case <-f.stop:
			return
		}
	}
}
