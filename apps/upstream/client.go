package upstream

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

const (
	// idleTicks are how many ticks a connection is kept that nobody uses. Node,
	// Bun and Deno close theirs after 5 s; a request that meets that close is
	// lost, so ours is shorter.
	idleTicks = 4
	tick      = time.Second
	maxIdle   = 1024 // connections
)

// ErrClosed is what requests get when the Client has been closed.
var ErrClosed = errors.New("the instance's connections have been closed")

// Client has the connections to one instance.
type Client struct {
	dial func(context.Context) (net.Conn, error)

	mu      sync.Mutex // guards what follows
	open    map[io.Closer]struct{}
	closed  bool
	retired bool
	idle    []*conn // the last one in is the first one out
	now     uint32  // in ticks, which pass while a connection is idle
	ticking bool
	timer   *time.Timer
	brief   listeners
}

// New returns a Client that opens connections by dial.
func New(dial func(context.Context) (net.Conn, error)) *Client { return &Client{dial: dial} }

// take returns a kept connection for a request; nil when there is none.
func (c *Client) take(ctx context.Context) *conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := len(c.idle) - 1
	if last < 0 {
		return nil
	}
	k := c.idle[last]
	c.idle[last], c.idle = nil, c.idle[:last]
	c.brief.add(&c.mu, k, ctx)
	return k
}

// connect opens a connection for a request. The error is dial's, or ErrClosed.
func (c *Client) connect(ctx context.Context) (*conn, error) {
	nc, err := c.dial(ctx)
	if err != nil {
		return nil, err
	}
	k := newConn(c, nc)
	if !c.Join(k) {
		nc.Close()
		return nil, ErrClosed
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.brief.add(&c.mu, k, ctx)
	return k, nil
}

// free tells that k's request has ended, and whether k has not been cut for it.
func (c *Client) free(k *conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.brief.remove(k)
}

// give takes k back from a request, for the next one if it is good.
func (c *Client) give(k *conn, good bool) {
	c.mu.Lock()
	if !c.brief.remove(k) || !good || c.closed || c.retired || len(c.idle) == maxIdle {
		c.mu.Unlock()
		_ = k.Close()
		return
	}
	defer c.mu.Unlock()
	k.kept, k.since = true, c.now
	c.idle = append(c.idle, k)
	switch {
	case c.ticking:
	case c.timer == nil:
		c.timer = time.AfterFunc(tick, c.tick)
	default:
		c.timer.Reset(tick)
	}
	c.ticking = true
}

// tick closes the connections that have been idle for long.
func (c *Client) tick() {
	c.mu.Lock()
	c.now++
	n := 0
	for n < len(c.idle) && c.now-c.idle[n].since >= idleTicks {
		n++
	}
	old := append([]*conn(nil), c.idle[:n]...)
	left := copy(c.idle, c.idle[n:])
	clear(c.idle[left:])
	c.idle = c.idle[:left]
	if c.ticking = left > 0; c.ticking {
		c.timer.Reset(tick)
	}
	c.mu.Unlock()
	for _, k := range old {
		k.Close()
	}
}

// CloseIdle closes the connections that nobody uses, and from now on each as soon as nobody does.
func (c *Client) CloseIdle() {
	c.mu.Lock()
	old := c.idle
	c.idle, c.retired = nil, true
	c.mu.Unlock()
	for _, k := range old {
		k.Close()
	}
}

// Join has Close close with, too, until Leave; it returns false when Close has been called.
func (c *Client) Join(with io.Closer) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	if c.open == nil {
		c.open = map[io.Closer]struct{}{}
	}
	c.open[with] = struct{}{}
	return true
}

// Leave undoes Join.
func (c *Client) Leave(with io.Closer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, with)
}

// Close closes all connections, those in use too, and lets no new one in.
func (c *Client) Close() {
	c.mu.Lock()
	open := c.open
	c.open, c.idle, c.closed = nil, nil, true
	c.mu.Unlock()
	for k := range open {
		k.Close()
	}
}
