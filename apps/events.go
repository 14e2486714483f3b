package apps

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	maxEvents    = 100      // wait for a reader; the rest is lost to it
	maxEventData = 64 << 10 // of one message, bytes
)

// eventStream hands events to those who read them now.
type eventStream struct {
	mu      sync.Mutex
	readers []chan Event
	ended   bool
}

// Events returns what happens to the app's instances from now on. stop ends it
// and must be called; the channel is closed then, and when Run has ended. A
// slow reader loses events.
func (a *App) Events() (events <-chan Event, stop func()) { return a.events.follow() }

func (s *eventStream) follow() (<-chan Event, func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := make(chan Event, maxEvents)
	if s.ended {
		close(c)
		return c, func() {}
	}
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
func (s *eventStream) tell(e Event) {
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

func (s *eventStream) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	for _, c := range s.readers {
		close(c)
	}
	s.readers = nil
}

// happened tells that something has happened to the instance in slot n; the
// caller fills in what is special.
func (a *App) happened(n int, e Event) { a.teller(n)(e) }

// teller returns what tells the events of slot n; any goroutine may call it.
func (a *App) teller(n int) func(Event) {
	name, namespace, id := a.wanted.Name, a.wanted.namespace(), a.slots[n].id
	return func(e Event) {
		e.Time, e.App, e.Namespace, e.ID, e.Slot = time.Now().UTC(), name, namespace, id, n
		a.events.tell(e)
	}
}
