package apps

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	maxEvents    = 250      // wait for a reader; the rest is lost to it
	maxEventData = 64 << 10 // of one message, bytes
)

// EventStream hands events to those who read them now. Its zero
// value is ready for use.
type EventStream struct {
	mu      sync.Mutex
	readers []chan Event
}

// Follow returns what happens to instances from now on. stop ends it and must be
// called; the channel is closed then. A slow reader loses events.
func (s *EventStream) Follow() (events <-chan Event, stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := make(chan Event, maxEvents)
	s.readers = append(s.readers, c)
	return c, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if at := slices.Index(s.readers, c); at >= 0 {
			s.readers = slices.Delete(s.readers, at, at+1)
			close(c)
		}
	}
}

// Tell never waits.
func (s *EventStream) Tell(e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.readers) == 0 {
		return
	}
	if len(e.Data) > maxEventData {
		e.Reason, e.Data = fmt.Sprintf("the message is too long to be shown: %d bytes", len(e.Data)), nil
	}
	for _, c := range s.readers {
		select {
		case c <- e:
		default:
		}
	}
}

// happened notes that something has happened to the instance in slot n; the
// caller fills in what is special.
func (a *App) happened(n int, e Event) { a.untold = append(a.untold, a.eventOf(n)(e)) }

// tell tells what has happened once Status shows it, so that who hears of
// something and looks sees what has come of it.
func (a *App) tell() {
	if len(a.untold) == 0 {
		return
	}
	a.show()
	for _, e := range a.untold {
		a.o.Events.Tell(e)
	}
	a.untold = nil
}

// teller returns what tells at once what an instance in slot n knows before the
// app does: that it has started, and its messages. Any goroutine may call it.
func (a *App) teller(n int) func(Event) {
	of := a.eventOf(n)
	return func(e Event) { a.o.Events.Tell(of(e)) }
}

func (a *App) eventOf(n int) func(Event) Event {
	name, namespace, id := a.wanted.Name, a.wanted.namespace(), a.slots[n].id
	return func(e Event) Event {
		e.Time, e.App, e.Namespace, e.ID, e.Slot = time.Now().UTC(), name, namespace, id, n
		return e
	}
}
