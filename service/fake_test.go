package service

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"syscall"
	"time"

	"roost/apps"
	"roost/host"
	"roost/service/control"
	"roost/tls"
)

// fakeBox is a host whose apps are what is wanted as soon as it is wanted,
// unless settle says otherwise.
type fakeBox struct {
	// certificates are how they stand, and renewal is what comes of one; set before anybody asks.
	certificates []control.Certificate
	renewal      error
	// settle, when not nil, is what Settle does. It must return when ctx ends.
	settle func(ctx context.Context, c host.Config) error

	mu      sync.Mutex
	wanted  []host.Config // all that was wanted, oldest first
	settled int           // how often Settle was called
	touched []string      // what was done to programs
	lines   map[string]chan apps.Line
	happens []apps.Event // to be heard by all who follow events
	ended   bool
}

func (b *fakeBox) Run(ctx context.Context) error {
	<-ctx.Done()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	return nil
}

func (b *fakeBox) Want(c host.Config) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wanted = append(b.wanted, c.Clone())
}

func (b *fakeBox) Settle(ctx context.Context) error {
	b.mu.Lock()
	b.settled++
	settle, c := b.settle, b.wanted[len(b.wanted)-1]
	b.mu.Unlock()
	if settle == nil {
		return ctx.Err()
	}
	return settle(ctx, c)
}

func (b *fakeBox) last() host.Config {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.wanted) == 0 {
		return host.Config{}
	}
	return b.wanted[len(b.wanted)-1]
}

func (b *fakeBox) Apps() (all []apps.Status) {
	for _, a := range b.last().Apps {
		s := apps.Status{Name: a.Name, Namespace: a.Namespace, Revision: a.Revision, Strategy: "overlap"}
		for n, slot := range a.Slots {
			i := apps.Instance{App: a.Name, ID: slot.ID, Slot: n, Revision: slot.Revision, State: apps.StateReady, PID: 1000 + slot.ID}
			if slot.Stopped {
				i.State, i.PID = apps.StateStopped, 0
			}
			s.Instances = append(s.Instances, i)
		}
		all = append(all, s)
	}
	return all
}

func (b *fakeBox) Look() look {
	return look{certificates: b.certificates, listeners: []control.Listener{{Name: "http", Address: "[::]:8080"}, {Name: "https", Address: "[::]:8443"}}}
}
func (b *fakeBox) Measure()                            {}
func (b *fakeBox) Renew(context.Context, string) error { return b.renewal }
func (b *fakeBox) CA() (tls.CA, error)                 { return tls.CA{Subject: "the internal CA"}, nil }
func (b *fakeBox) Metrics() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("roost_up 1\n")) })
}

func (b *fakeBox) App(name string) program {
	c := b.last()
	if c.App(name) == nil {
		return nil
	}
	return fakeProgram{b, name}
}

func (b *fakeBox) Events() (<-chan apps.Event, func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	events := make(chan apps.Event, len(b.happens))
	for _, e := range b.happens {
		events <- e
	}
	return events, func() {}
}

type fakeProgram struct {
	box  *fakeBox
	name string
}

func (p fakeProgram) note(what string) {
	p.box.mu.Lock()
	defer p.box.mu.Unlock()
	p.box.touched = append(p.box.touched, what+" "+p.name)
}

func (p fakeProgram) Signal(id int, s syscall.Signal) error {
	if id < 0 {
		p.note(s.String() + " all of")
	} else {
		p.note(s.String() + " one of")
	}
	return nil
}
func (p fakeProgram) Reset()        { p.note("reset") }
func (p fakeProgram) Flush() error  { p.note("flush"); return nil }
func (p fakeProgram) Reopen() error { p.note("reopen"); return nil }
func (p fakeProgram) LogFiles(int) apps.LogFiles {
	return apps.LogFiles{Out: p.name + "-out.log", Err: p.name + "-error.log"}
}
func (p fakeProgram) History() *apps.History { return &apps.History{} }

func (p fakeProgram) Input(slot int, text []byte) error {
	if string(text) == "deaf\n" {
		return apps.ErrDeaf
	}
	p.note(fmt.Sprintf("input %q to slot %d of", text, slot))
	return nil
}

func (p fakeProgram) Message(slot int, m json.RawMessage) error {
	p.note(fmt.Sprintf("message %s to slot %d of", m, slot))
	return nil
}

func (p fakeProgram) Trigger(ctx context.Context, slot int, action string, param *string) (json.RawMessage, error) {
	switch action {
	case "say":
		return json.RawMessage(fmt.Sprintf(`{"slot":%d,"param":%q}`, slot, *param)), nil
	case "hang":
		<-ctx.Done()
		return nil, context.Cause(ctx)
	case "one":
		if slot == 0 {
			return json.RawMessage("1"), nil
		}
	}
	return nil, apps.ErrNoAction
}

func (p fakeProgram) Environ(slot int) []string {
	if p.name == "idle" {
		return nil
	}
	return []string{"KEY=value=1", fmt.Sprintf("SLOT=%d", slot)}
}

func (p fakeProgram) Follow() (*apps.History, <-chan apps.Line, func()) {
	p.box.mu.Lock()
	defer p.box.mu.Unlock()
	lines := p.box.lines[p.name]
	if lines == nil {
		lines = make(chan apps.Line, 16)
		if p.box.lines == nil {
			p.box.lines = map[string]chan apps.Line{}
		}
		p.box.lines[p.name] = lines
	}
	return &apps.History{}, lines, func() {}
}

// emit has an app say something to whoever follows it.
func (b *fakeBox) emit(app, text string) {
	b.mu.Lock()
	lines := b.lines[app]
	b.mu.Unlock()
	if lines != nil {
		lines <- apps.Line{Time: time.Now(), App: app, Stream: "out", Text: text}
	}
}
