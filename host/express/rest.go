package express

import "errors"

// A goroutine keeps the stack that it has needed to answer, or half of that at best. A
// connection on which nothing is asked for a while goes on in a new one, whose
// stack is as small as it was to begin with while it does nothing but wait.

// restAfter is the part of the idle timeout that is a while: of 120 s 5 s.
const restAfter = 24

// errStill is what more returns when it is time for that.
var errStill = errors.New("nothing for a while")

// mayRest tells whether a connection that waits can do so in a new goroutine:
// it waits for a head of which nothing has come, holds no buffer and has not rested yet.
func (c *conn) mayRest() bool {
	return !c.begun && !c.rested && c.small == nil && c.wait != nil
}

// rest waits in a new goroutine, and answers on.
func (c *conn) rest() {
	c.rested = true
	c.armed = c.since.Add(c.lane.o.Idle)
	if c.SetReadDeadline(c.armed) == nil {
		c.wait.rest()
	}
	c.serve() // reads what there is, or hears the same as the wait
}
