package apps

import (
	"bytes"
	"math"
	"slices"
	"time"
)

// History is the output of an app up to a moment, for Tail. It holds files
// open until it is closed.
type History struct {
	app     string
	sources []*lineSource
	err     error
}

// Fresh leaves only what has come since the app is supervised, and returns h.
func (h *History) Fresh() *History {
	for _, s := range h.sources {
		s.most = s.came
	}
	return h
}

// Close closes the files.
func (h *History) Close() {
	for _, s := range h.sources {
		s.close()
	}
}

// history returns what has come so far. With a follower, that gets exactly
// what comes later. Of a disk that does not answer within a second the files
// are read as they are found.
func (b *logBook) history(f *follower) *History {
	h := &History{app: b.app}
	timer := time.NewTimer(readPatience)
	defer timer.Stop()
	held := true
	select {
	case <-b.disk:
		defer func() { b.disk <- struct{}{} }()
	case <-timer.C:
		held = false
	}
	b.mu.Lock()
	sinks := b.readable()
	for _, s := range sinks {
		waiting := bytes.Clone(s.waiting.text)
		if held {
			waiting = slices.Concat(s.buf[s.done:], waiting)
		}
		from := &lineSource{place: s.place, ids: slices.Clone(b.ids), like: s.place.like(b.app), came: s.came, most: math.MaxInt}
		if len(b.ids) == 1 {
			from.like.Slot, from.like.ID = 0, b.ids[0] // there is no other
		}
		if len(waiting) > 0 {
			from.memory = bytes.Split(bytes.TrimSuffix(waiting, []byte{'\n'}), []byte{'\n'})
		}
		h.sources = append(h.sources, from)
	}
	if f != nil {
		b.attach(f)
	}
	b.mu.Unlock()
	for i, s := range sinks {
		if err := h.sources[i].open(s.file); err != nil && h.err == nil {
			h.err = err
		}
	}
	return h
}

// readable are the sinks to read from: without those whose lines are in others,
// too, where these have both streams; b.mu is held.
func (b *logBook) readable() []*logSink {
	var own []*logSink
	var has [2]bool
	for _, s := range b.sinks {
		if !s.place.also {
			own = append(own, s)
			has[streamOut] = has[streamOut] || s.place.streams[streamOut]
			has[streamErr] = has[streamErr] || s.place.streams[streamErr]
		}
	}
	if has == [2]bool{true, true} || len(own) == len(b.sinks) {
		return own
	}
	return slices.DeleteFunc(slices.Clone(b.sinks), func(s *logSink) bool { return !s.place.also })
}

// like is what the place tells of each of its lines.
func (p *logPlace) like(app string) Line {
	l := Line{App: app, ID: unknown, Slot: p.slot}
	switch p.streams {
	case [2]bool{true, false}:
		l.Stream = streamNames[streamOut]
	case [2]bool{false, true}:
		l.Stream = streamNames[streamErr]
	}
	return l
}
