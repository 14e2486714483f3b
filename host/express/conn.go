package express

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"roost/internal/http1"
)

// conn is a connection in the lane. All but state belongs to its goroutine.
// While it is idle it holds little: no buffer, if it can wait without one, and
// nothing to answer with.
type conn struct {
	net.Conn
	lane   *Lane
	state  atomic.Int32
	blank  *http.Request
	cancel context.CancelFunc // of the requests' context
	wait   *waiter            // nil: there is a buffer always
	watch  *watch             // nil: not needed yet
	loan   loan

	read    []byte           // and not answered; in small or in large
	small   *[smallRead]byte // nil: not needed now
	large   *[maxHead]byte   // likewise
	framing http1.Framing
	scanned int       // of read, by framing
	taken   int       // of read, by the request: its head, and what there is of its body
	posted  bool      // by the request before
	last    string    // head; who asks again often asks the same
	begun   bool      // a head has, or the connection
	since   time.Time // when what is waited for has begun: the head, or else the wait
	armed   time.Time // the read deadline that is set; zero: none
	rested  bool      // since the last request
}

// work is what a request is answered with.
type work struct {
	request request
	answer  Answer
}

var works = sync.Pool{New: func() any { return new(work) }}

// done gives w back, without what the request was.
func (w *work) done() {
	w.request.Request = http.Request{}
	w.answer.release()
	w.answer.conn, w.answer.request, w.answer.to, w.answer.body = nil, nil, nil, nil
	works.Put(w)
}

const smallRead = 4 << 10

// Most heads fit into a small buffer, and none is longer than a large one.
var (
	smallReads = sync.Pool{New: func() any { return new([smallRead]byte) }}
	largeReads = sync.Pool{New: func() any { return new([maxHead]byte) }}
)

func (c *conn) begin() {
	c.wait = newWaiter(c.Conn)
	c.begun, c.since = true, time.Now()
	ctx, cancel := context.WithCancel(c.lane.o.Context(c.lane.life, c.Conn))
	c.cancel = cancel
	c.blank = blank(ctx, c.RemoteAddr().String())
}

// serve answers until the connection ends, or rests.
func (c *conn) serve() {
	rests := false
	defer func() {
		if rests {
			c.lane.running.Go(c.rest)
			return
		}
		if c.cancel != nil {
			c.cancel()
		}
		c.empty()
		c.lane.remove(c)
	}()
	rests = c.answer()
}

// answer answers requests, and tells whether the connection rests: otherwise it is at its end here.
func (c *conn) answer() (rests bool) {
	defer func() {
		if failure := recover(); failure != nil {
			if failure != http.ErrAbortHandler {
				c.lane.o.Log.Error("a connection made the program panic", "client", c.RemoteAddr(), "panic", failure, "stack", string(debug.Stack()))
			}
			_ = Linger(c.Conn)
		}
	}()
	if c.blank == nil {
		c.begin()
	}
	for {
		head, met := c.next()
		switch {
		case met == still:
			return true
		case met == over:
			_ = c.Close()
			return false
		case !c.state.CompareAndSwap(idle, busy) && !c.state.CompareAndSwap(fresh, busy):
			return false // cut meanwhile
		case met == beyond:
			c.handOn()
			return false
		case !c.do(head):
			return false
		}
	}
}

// What next has met.
const (
	whole  = iota // a head
	beyond        // what is not for the lane
	over          // the end
	still         // nothing for a while
)

// next reads until there is a head. It is a copy, once for all that are alike:
// what handlers are given may be kept for as long as they like.
func (c *conn) next() (head string, met int) {
	for {
		if c.scanned < len(c.read) {
			n, complete, refused := c.framing.Head(c.read[c.scanned:])
			c.scanned += n
			switch {
			case refused != nil, complete && c.framing.Announced() < 0:
				return "", beyond
			case complete:
				c.skip()
				if string(c.read[:c.scanned]) != c.last {
					c.last = string(c.read[:c.scanned])
				}
				return c.last, whole
			}
		}
		if len(c.read) > 0 && len(c.read) == cap(c.read) && !c.grow() {
			return "", beyond
		}
		n, err := c.more()
		switch {
		case err == nil:
		case errors.Is(err, io.EOF) && len(c.read) > 0:
			return "", beyond
		case err == errStill:
			return "", still
		default:
			return "", over
		}
		c.read = c.read[:len(c.read)+n]
	}
}

// skip drops the line ends that old clients send behind a POST, two at most, as net/http does.
func (c *conn) skip() {
	for n := 0; c.posted && n < 2 && len(c.read) > 1 && c.read[0] == '\r' && c.read[1] == '\n'; n++ {
		c.read = c.read[:copy(c.read, c.read[2:])]
		c.scanned -= 2
	}
	c.posted = false
}

// fill gives an empty connection a buffer.
func (c *conn) fill(small *[smallRead]byte) { c.small, c.read = small, small[:0] }

// empty takes its buffers from a connection of which there is nothing to answer.
func (c *conn) empty() {
	if c.large != nil {
		largeReads.Put(c.large)
	}
	if c.small != nil {
		smallReads.Put(c.small)
	}
	c.small, c.large, c.read = nil, nil, nil
}

// grow makes room for more of a head, if it may be longer.
func (c *conn) grow() bool {
	if c.large != nil {
		return false
	}
	c.large = largeReads.Get().(*[maxHead]byte)
	c.read = c.large[:copy(c.large[:], c.read)]
	return true
}

// more reads behind what was read. To set a deadline for each read would cost
// more than many a request: one that passes too early is moved on then.
func (c *conn) more() (n int, err error) {
	if len(c.read) > 0 && !c.begun && !(c.posted && c.framing.Between()) { // line ends behind a POST begin nothing
		c.begun, c.since = true, time.Now()
	}
	limit := c.lane.o.Idle
	if c.begun {
		limit = c.lane.o.Header
	}
	end := c.since.Add(limit)
	until := end
	if c.mayRest() {
		until = c.since.Add(limit / restAfter)
	}
	for {
		if c.armed.IsZero() || c.armed.After(until) {
			c.armed = until
			if err := c.SetReadDeadline(until); err != nil {
				return 0, err
			}
		}
		switch {
		case c.small == nil && c.wait != nil:
			n, err = c.wait.read(c)
		case c.small == nil:
			c.fill(smallReads.Get().(*[smallRead]byte))
			fallthrough
		default:
			n, err = c.Conn.Read(c.read[len(c.read):cap(c.read)])
		}
		if n > 0 {
			return n, nil
		}
		switch now := time.Now(); {
		case !errors.Is(err, os.ErrDeadlineExceeded) || !now.Before(end):
			return 0, err
		case !now.Before(until):
			return 0, errStill
		}
		c.armed = time.Time{}
	}
}

// do has the request answered whose head was read first, and tells whether to go on.
func (c *conn) do(head string) (again bool) {
	w := works.Get().(*work)
	defer w.done()
	if !w.request.read(head, c.blank) {
		c.handOn()
		return false
	}
	a := &w.answer
	r, brings := &w.request.Request, (*body)(nil)
	if n := c.framing.Announced(); n > 0 {
		own := *r // who still looks for its body later finds no other's
		r, brings = &own, &body{c: c, left: n}
		r.Body, r.ContentLength = brings, n
	}
	a.begin(c.Conn, r)
	a.conn, a.body, c.taken = c, brings, len(head)
	if len(c.read) == len(head) && brings == nil { // there is nothing to hold while it is answered
		c.forget(len(head))
		c.taken = 0
	}
	returned := false
	defer func() {
		if !returned {
			c.lane.answered.Add(1)
			a.abort()
			c.settle(brings, false)
		}
	}()
	c.lane.o.Handler.ServeHTTP(a, r)
	returned = true
	if a.handed {
		if c.taken == 0 {
			c.read = []byte(head)
		}
		c.handOn()
		return false
	}
	c.lane.answered.Add(1)
	more := a.end()
	if !c.settle(brings, a.err == nil && !r.Close) || !more {
		if said := r.Close && brings == nil && len(c.read) == c.taken; a.err != nil || said { // its last word: nothing follows
			_ = c.Close()
		} else {
			_ = Linger(c.Conn)
		}
		return false
	}
	c.forget(c.taken)
	c.posted = r.Method == http.MethodPost
	c.begun, c.rested, c.since = false, false, time.Now()
	c.state.Store(idle)
	if c.lane.ended.Load() && c.state.CompareAndSwap(idle, cut) {
		_ = Linger(c.Conn)
		return false
	}
	return true
}

// forget drops the first n bytes of what was read.
func (c *conn) forget(n int) {
	left := copy(c.read, c.read[n:])
	c.read = c.read[:left]
	c.framing, c.scanned = http1.Framing{}, 0
	if left == 0 {
		if c.large != nil {
			c.last = "" // nothing to hold while it is idle
		}
		c.empty()
	}
}

// handOn hands the connection on with what was read.
func (c *conn) handOn() {
	c.skip()
	_ = c.SetReadDeadline(time.Time{})
	c.lane.handed.Add(1)
	c.lane.o.HandOn(c.Conn, append([]byte(nil), c.read...))
}
