//go:build unix

package node

import "time"

// Lag is how long the instance's event loop took to answer the last ping.
func (c *Channel) Lag() time.Duration { return time.Duration(c.lag.Load()) }

// Watch pings the event loop every few seconds, at least six times in timeout,
// and returns true when it has been silent for timeout. It returns false when
// the channel or stop has ended.
//
// Silence is counted in steps of a ping each, so that a daemon that was itself
// stopped for a while (a laptop asleep, a debugger) does not blame the instance.
func (c *Channel) Watch(stop <-chan struct{}, timeout time.Duration) (silent bool) {
	step := min(max(timeout/6, 100*time.Millisecond), 5*time.Second)
	tick := time.NewTicker(step)
	defer tick.Stop()
	quiet := time.Duration(0)
	for {
		if !c.ping() {
			quiet += step
		} else {
			quiet = 0
		}
		if quiet >= timeout {
			return true
		}
		select {
		case <-tick.C:
		case <-stop:
			return false
		case <-c.done:
			return false
		}
	}
}

// ping sends a ping unless the last one is still without an answer; it reports
// whether it was answered.
func (c *Channel) ping() (answered bool) {
	c.mu.Lock()
	if c.ponged != c.pinged {
		c.lag.Store(int64(time.Since(c.sent)))
		c.mu.Unlock()
		return false
	}
	c.pinged++
	n := c.pinged
	c.sent = time.Now()
	c.mu.Unlock()
	if c.Send(message{Cmd: ours, Act: "ping", N: n}) == nil {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pinged-- // it was not asked: the program has not read for long
	return false
}

func (c *Channel) pong(n uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n == c.pinged && c.ponged != n {
		c.ponged = n
		c.lag.Store(int64(time.Since(c.sent)))
	}
}
