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

// EventStream hands the events of apps to those who read them now. Its zero
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

// tell never waits.
func (s *EventStream) tell(e Event) {
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

// happened tells that something has happened to the instance in slot n; the
// caller fills in what is special.
func (a *App) happened(n int, e Event) { a.teller(n)(e) }

// teller returns what tells the events of slot n; any goroutine may call it.
func (a *App) teller(n int) func(Event) {
	name, namespace, id := a.wanted.Name, a.wanted.namespace(), a.slots[n].id
	return func(e Event) {
		e.Time, e.App, e.Namespace, e.ID, e.Slot = time.Now().UTC(), name, namespace, id, n
		a.o.Events.tell(e)
	}
}
