//go:build unix

package apps

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"roost/apps/node"
)

// defaultHeartbeat is how long an event loop may be silent.
const defaultHeartbeat = 30 * time.Second

// channel is the message channel of a Node instance, and what it has been
// given over it. A nil one, as other programs have, does nothing.
type channel struct {
	*node.Channel
	hello chan struct{} // closed once the hook runs
	once  sync.Once

	mu   sync.Mutex
	uses map[uint64]ownPort // the shared sockets that its servers hold, by question
}

// prepareNode gives the program the hook, the channel (file descriptor 3) and
// the private socket (the next); where it only launches another one, with
// higher numbers, which pass it.
func (p *program) prepareNode(s *setup, dir socketDir) error {
	hook, err := node.WriteHook(dir.path)
	if err != nil {
		return err
	}
	private, err := p.privateSocket(dir)
	if err != nil {
		return err
	}
	c := &channel{hello: make(chan struct{}), uses: map[uint64]ownPort{}}
	said := &talk{write: func(v any) error { return c.Send(v) }}
	var child *os.File
	c.Channel, child, err = node.Open(node.Events{
		Hello: func(version string) {
			said.runs("node " + version)
			c.once.Do(func() { close(c.hello) })
		},
		Ready: p.isTold,
		Message: func(raw json.RawMessage) {
			if !said.hear(raw) {
				p.tell(Event{Kind: EventMessage, PID: p.PID(), Data: raw})
			}
		},
		Ask:       func(q node.Question) { p.answer(c, s.user, q) },
		Closed:    func(n uint64) { c.give(p.ports, n); p.changed() },
		Listening: func(l node.Listening) { p.nodeListens(l, private.path) },
		Unlistening: func() {
			p.reachable(nil)
		},
		Elsewhere: func(port int) {
			p.log.Info("the program listens on another port than it declares", "declared", p.wanted.Port, "listens", port)
		},
		Drained: func() { p.drainedOnce.Do(func() { close(p.drained) }) },
		Broken: func(err error) {
			p.log.Warn("the program writes to its message channel what is not a message; it is ignored", "error", err)
		},
	})
	if err != nil {
		private.file.Close()
		return err
	}
	s.files = []*os.File{child, private.file}
	h := node.Hosting{Hook: hook, Channel: 3, Port: p.wanted.Port}
	if s.launches() {
		claim, err := node.NewClaim(dir.path)
		if err != nil {
			c.Close()
			return err
		}
		s.files = append(s.files, claim)
		h.Channel, h.Claim = node.Inherited, node.Inherited+2
	} else if p.wanted.clustered() {
		h.Worker = p.slot + 1
	}
	h.Lane = h.Channel + 1
	s.files = append(make([]*os.File, h.Channel-3), s.files...)
	s.finish = h.Environ
	s.helpers = append(s.helpers, func(ctx context.Context) { p.serve(ctx, c) })
	s.helpers = append(s.helpers, func(ctx context.Context) { p.heartbeat(ctx, c) })
	p.later(func() {
		c.Close()
		for n := range c.uses {
			c.give(p.ports, n)
		}
	})
	p.node.Store(c)
	p.talk.Store(said)
	return nil
}

// serve runs the channel until ctx ends.
func (p *program) serve(ctx context.Context, c *channel) {
	defer context.AfterFunc(ctx, c.Close)()
	c.Serve()
}

func (p *program) nodeListens(l node.Listening, path string) {
	if l.Lane {
		p.reachable(newEndpoint("unix", path))
	} else {
		p.log.Warn("the program's server cannot take plain HTTP/1.1: no site can lead to it", "port", l.Port)
	}
	p.isLocated()
}

// answer gives a server of the program the shared socket that it asks for.
// An app that runs as another user gets no port that only root may bind,
// unless it declares it.
func (p *program) answer(c *channel, who *account, q node.Question) {
	if !who.mayBindLow() && q.Port < 1024 && q.Port != p.wanted.Port {
		c.Deny(q, "EACCES")
		return
	}
	o := ownPort{q.Host, q.Port, q.IPv6Only, q.UDP}.normal()
	fd, err := p.ports.take(o)
	if err != nil {
		if isTaken(err) && !q.UDP {
			p.busy.Store(int64(q.Port))
		}
		p.log.Warn("cannot listen for the program", "port", q.Port, "error", cause(err))
		c.Deny(q, errorCode(err))
		return
	}
	c.mu.Lock()
	c.uses[q.N] = o
	c.mu.Unlock()
	p.busy.Store(0)
	if c.Give(q, fd) != nil {
		c.give(p.ports, q.N)
	}
}

// give ends the use of a shared socket.
func (c *channel) give(ports *ports, n uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if o, ok := c.uses[n]; ok {
		delete(c.uses, n)
		ports.give(o)
	}
}

// debugged reports whether somebody may be stepping through the program.
func debugged(c *Config) bool {
	return slices.ContainsFunc(append(slices.Clone(c.NodeArgs), strings.Fields(c.Env["NODE_OPTIONS"])...),
		func(arg string) bool { return strings.HasPrefix(arg, "--inspect") })
}

// heartbeatLimit is how long the event loop may be silent; 0: for ever.
func (p *program) heartbeatLimit() time.Duration {
	switch limit := p.wanted.HeartbeatTimeout; {
	case debugged(&p.wanted.Config):
		return 0
	case limit != nil:
		return time.Duration(*limit)
	}
	return defaultHeartbeat
}

// heartbeat measures the lag of the event loop, and ends the instance when the
// loop stops turning.
func (p *program) heartbeat(ctx context.Context, c *channel) {
	for _, first := range []<-chan struct{}{c.hello, p.ready} {
		select {
		case <-first:
		case <-ctx.Done():
			return
		}
	}
	limit := p.heartbeatLimit()
	if silent(ctx, func() time.Duration { return limit }, c.Ping) {
		lag := max(limit, c.Lag().Last).Round(100 * time.Millisecond)
		p.log.Error("the event loop does not turn; the instance is killed", "lag", lag)
		p.fail(fmt.Sprintf("its event loop was blocked for %v", lag))
	}
}

// Retire has the program's own port take no new connections. Programs without
// a hook cannot be told.
func (p *program) Retire() <-chan struct{} {
	c := p.node.Load()
	if c == nil || !isClosed(c.hello) || c.Channel.Retire() != nil {
		p.drainedOnce.Do(func() { close(p.drained) })
	}
	return p.drained
}

func (c *channel) shutdown() bool { return c != nil && c.Send("shutdown") == nil }

func (c *channel) leave() {
	if c != nil {
		c.Leave()
	}
}

func (c *channel) lag() node.Lag {
	if c == nil {
		return node.Lag{}
	}
	return c.Lag()
}

// normal is the same place by its one name: Node calls all addresses "::" as well.
func (o ownPort) normal() ownPort {
	if o.host == "::" && !o.ipv6Only {
		o.host = ""
	}
	return o
}
