//go:build unix

package node

import "time"

// Lag is how late the instance's event loop is.
func (c *Channel) Lag() Lag {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lag
}

// Ping asks the event loop to answer, unless it owes an answer already: then it
// returns false. One that has left the channel is not asked, and owes nothing.
func (c *Channel) Ping() (answered bool) {
	c.mu.Lock()
	if c.ponged != c.pinged && !c.closed {
		c.lag.Last = time.Since(c.sent)
		c.mu.Unlock()
		return false
	}
	c.pinged++
	n := c.pinged
	c.sent = time.Now()
	c.mu.Unlock()
	switch c.Send(message{Cmd: ours, Act: "ping", N: n}) {
	case nil, ErrClosed:
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pinged-- // it was not asked: the program has not read for long
	return false
}

func (c *Channel) pong(m message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.N == c.pinged && c.ponged != m.N {
		c.ponged = m.N
		c.lag = Lag{Last: time.Since(c.sent), P50: delay(m.P50), P99: delay(m.P99)}
	}
}
