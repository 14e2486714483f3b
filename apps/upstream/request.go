package upstream

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"roost/internal/http1"
)

// Request is what an instance is asked. Nothing of it is used any more when
// the Answer has been closed, but for a Body's reader that has not returned yet.
type Request struct {
	// Head is what is sent first: a whole head, and behind it the whole body if
	// Body is nil.
	Head []byte
	// NoContent says that no answer to it has content, as of HEAD.
	NoContent bool
	// Repeatable says that it does no harm if the instance gets it twice.
	Repeatable bool
	// Body is sent while the answer is awaited.
	Body Body
	// Chunked says that Body is to be sent in chunks.
	Chunked bool
	// Expect says that Body is sent when the instance asks for it with 100, or
	// has not said anything for a second.
	Expect bool
	// Interim hears of interim answers but 100; nil: nobody does.
	Interim func(status int, fields []http1.Field)
}

// Body is a body that may have to be sent more than once.
type Body interface {
	// Reader returns what reads it from its start, in place of the one before;
	// nil when it has been read too far for that, which may be so any time after the first.
	Reader() io.Reader
	// AppendTrailer appends the lines that follow a chunked body that has been read.
	AppendTrailer([]byte) []byte
}

// ErrLost is what a request gets whose Body cannot be sent any more.
var ErrLost = errors.New("the body has been read too far to be sent again")

// Error is how a request failed on a connection.
type Error struct {
	Err   error
	Sent  bool // some of it may have reached the instance
	Heard bool // the instance had begun to answer
}

func (e *Error) Error() string { return "cannot get an answer: " + e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Do sends q and returns the answer when its head has come; close it. The
// error is dial's, ErrClosed, ErrLost, or an *Error. When ctx ends, so does the
// connection, until the answer is closed.
//
// A kept connection may have come to its end unseen: then q goes to the same
// instance again, on a new one, where that does no harm.
func (c *Client) Do(ctx context.Context, q *Request) (*Answer, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	for again := false; ; {
		var k *conn
		if !again {
			k = c.take(ctx)
		}
		if k == nil {
			var err error
			if k, err = c.connect(ctx); err != nil {
				return nil, err
			}
		}
		var from io.Reader
		if q.Body != nil {
			if from = q.Body.Reader(); from == nil {
				c.give(k, false)
				return nil, ErrLost
			}
		}
		a, err := k.ask(q, from)
		switch {
		case err == nil:
			return a, nil
		case err.Err == errStale:
			continue
		case again || !k.kept || err.Heard || err.Sent && !q.Repeatable || ctx.Err() != nil:
			return nil, err
		}
		again = true
	}
}

// ask sends q on k, its Body as from reads it, and reads the head of the answer.
func (k *conn) ask(q *Request, from io.Reader) (*Answer, *Error) {
	a := &k.answer
	a.request = q
	into := &a.buf
	if q.Body != nil {
		into = nil
	}
	sent, n, err := k.send(q.Head, into)
	if q.Body != nil && err == nil {
		a.sender = newSender(k, q, from)
		go a.sender.run()
	}
	a.w = n
	// An instance that takes no more may have answered already: reading tells.
	if err == nil || sent > 0 && n == 0 && !a.ended(err) {
		err = a.readHead()
	}
	if err != nil {
		failure := &Error{Err: err, Sent: sent > 0, Heard: a.heard || a.w > 0}
		a.Close()
		return nil, failure
	}
	return a, nil
}

// sender sends a body. It may outlive the answer: as long as the body's reader does not return.
type sender struct {
	conn    *conn
	body    Body
	from    io.Reader
	chunked bool
	wanted  chan bool   // one word about whether to begin; nil: begin
	sent    atomic.Bool // all of it
}

// expectTimeout is how long an instance may think about whether it wants a body.
const expectTimeout = time.Second

func newSender(k *conn, q *Request, from io.Reader) *sender {
	s := &sender{conn: k, body: q.Body, from: from, chunked: q.Chunked}
	if q.Expect {
		s.wanted = make(chan bool, 1)
	}
	return s
}

// tell says whether the body is wanted, once.
func (s *sender) tell(wanted bool) {
	select {
	case s.wanted <- wanted:
	default:
	}
}

func (s *sender) run() {
	if s.wanted != nil {
		select {
		case wanted := <-s.wanted:
			if !wanted {
				return
			}
		case <-time.After(expectTimeout):
		}
	}
	b := buffers.Get().(*buffer)
	defer buffers.Put(b)
	const before, behind = len("7fff\r\n"), len("\r\n") // of a piece
	for {
		n, err := s.from.Read(b.bytes[before : bufferSize-behind])
		if n > 0 {
			piece := b.bytes[before : before+n]
			if s.chunked {
				piece = frame(b.bytes, before, n)
			}
			if _, err := s.conn.Write(piece); err != nil {
				return // what it is worth shows in what comes from the instance
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			s.conn.cut()
			return
		}
	}
	if s.chunked {
		end := append(s.body.AppendTrailer(append(b.bytes[:0], "0\r\n"...)), "\r\n"...)
		if _, err := s.conn.Write(end); err != nil {
			return
		}
	}
	s.sent.Store(true)
}

// frame makes a chunk of the n bytes at in b.
func frame(b []byte, at, n int) []byte {
	const digits = "0123456789abcdef"
	copy(b[at+n:], "\r\n")
	i := at - 2
	copy(b[i:], "\r\n")
	for size := n; size > 0; size >>= 4 {
		i--
		b[i] = digits[size&15]
	}
	return b[i : at+n+2]
}
