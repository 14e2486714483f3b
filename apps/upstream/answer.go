package upstream

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"roost/internal/http1"
)

// maxHead bounds the head of an answer, and all interim ones before it, in bytes.
const maxHead = 256 << 10

var (
	errHead  = errors.New("the head of the answer is too large")
	errShort = io.ErrUnexpectedEOF
)

// Answer is the answer to a request, of which the content is still to be read.
// It is not to be used any more when it has been closed.
type Answer struct {
	// Head is what the instance says. The strings live for as long as anybody wants.
	Head http1.Answer

	conn    *conn // that it is part of
	request *Request
	sender  *sender // nil: there is none

	buf   *buffer
	r, w  int // what is in buf and not used
	heard bool
	kind  framing
	left  int64
	chunk http1.Chunks

	trailer []http1.Field
}

// framing is what the end of content is known by.
type framing uint8

const (
	broken framing = iota // or not known yet
	over                  // all is read
	counted
	chunked
	untilClose
)

// readHead reads until there is a head that no other follows.
func (a *Answer) readHead() error {
	seen, before := 0, 0 // of the head; bytes of the heads before it
	for {
		end := 0
		if a.w > a.r {
			a.heard = true
			end, seen = http1.HeadEnd(a.buf.bytes[a.r:a.w], seen)
		}
		if end == 0 {
			if before+a.w-a.r > maxHead {
				return errHead
			}
			a.makeRoom()
			n, err := a.conn.receive(&a.buf, a.w, forever)
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			if err != nil {
				return err
			}
			a.w += n
			continue
		}
		err := a.Head.Read(string(a.buf.bytes[a.r : a.r+end]))
		a.r += end
		if before += end; err == nil && before > maxHead {
			err = errHead
		}
		if err != nil {
			return err
		}
		if a.Head.Status >= 200 || a.Head.Status == http.StatusSwitchingProtocols {
			a.begin()
			return nil
		}
		a.interim()
	}
}

// makeRoom makes room behind what was read.
func (a *Answer) makeRoom() {
	switch {
	case a.r == a.w:
		a.r, a.w = 0, 0
		release(&a.buf) // it is taken when there is something
	case a.w < len(a.buf.bytes):
	case a.r > 0:
		a.w = copy(a.buf.bytes, a.buf.bytes[a.r:a.w])
		a.r = 0
	default:
		larger := &buffer{make([]byte, 2*len(a.buf.bytes))}
		copy(larger.bytes, a.buf.bytes)
		release(&a.buf)
		a.buf = larger
	}
}

func (a *Answer) interim() {
	switch {
	case a.Head.Status == http.StatusContinue:
		if a.sender != nil {
			a.sender.tell(true)
		}
	case a.request.Interim != nil:
		a.request.Interim(a.Head.Status, a.Head.Fields)
	}
}

// begin finds out where the content ends (RFC 9112 section 6.3).
func (a *Answer) begin() {
	if a.sender != nil {
		a.sender.tell(false)
	}
	switch status := a.Head.Status; {
	case a.request.NoContent, status < 200, status == http.StatusNoContent, status == http.StatusNotModified:
		a.kind = over
	case a.Head.Chunked:
		a.kind = chunked
		a.chunk.Reset()
	case a.Head.Length > 0:
		a.kind, a.left = counted, a.Head.Length
	case a.Head.Length == 0:
		a.kind = over
	default:
		a.kind, a.Head.Close = untilClose, true
	}
}

// Length is how many bytes of content are left; -1: that is not known yet.
func (a *Answer) Length() int64 {
	switch a.kind {
	case over:
		return 0
	case counted:
		return a.left
	}
	return -1
}

// Next returns what comes next of the content, valid until the next call;
// io.EOF when all has been read. It waits for so long, where wait is positive,
// and as long as it takes where it is negative; nothing means that nothing has
// come. more says that there was more to read than was asked for.
func (a *Answer) Next(wait time.Duration) (p []byte, more bool, err error) {
	for {
		switch a.kind {
		case over:
			return nil, false, io.EOF
		case broken:
			return nil, false, errShort
		}
		if a.r < a.w {
			p, err := a.data()
			if err != nil {
				a.kind = broken
				return nil, false, err
			}
			if len(p) > 0 {
				return p, a.w == len(a.buf.bytes), nil
			}
			continue
		}
		a.r, a.w = 0, 0
		if wait != notNow {
			release(&a.buf) // it is taken when there is something
		}
		n, err := a.conn.receive(&a.buf, 0, wait)
		switch {
		case err == io.EOF && a.kind == untilClose:
			a.kind = over
		case err == io.EOF:
			a.kind = broken
			return nil, false, errShort
		case err != nil:
			a.kind = broken
			return nil, false, err
		case n == 0:
			return nil, false, nil
		}
		a.w = n
	}
}

// data takes content from what was read.
func (a *Answer) data() (p []byte, err error) {
	p = a.buf.bytes[a.r:a.w]
	switch a.kind {
	case counted:
		p = p[:min(int64(len(p)), a.left)]
		a.r += len(p)
		if a.left -= int64(len(p)); a.left == 0 {
			a.kind = over
		}
	case chunked:
		var n int
		p, n, err = a.chunk.Next(p)
		a.r += n
		if a.chunk.Ended() {
			a.kind = over
			a.trailer, err = a.chunk.Trailer()
		}
	case untilClose:
		a.r = a.w
	}
	return p, err
}

// Trailer is what followed the content, when that has been read.
func (a *Answer) Trailer() []http1.Field { return a.trailer }

// Close ends the answer. The connection is kept when all of it was read and
// nothing stands against it.
func (a *Answer) Close() {
	k := a.conn
	good := a.kind == over && a.Head.Status >= 200 && !a.Head.Close && a.r == a.w &&
		(a.sender == nil || a.sender.sent.Load())
	if a.sender != nil {
		a.sender.tell(false)
	}
	a.free()
	k.client.give(k, good && k.park())
}

// manyFields is more than nearly all answers have.
const manyFields = 64

// free makes a ready for the next request.
func (a *Answer) free() {
	release(&a.buf)
	fields := a.Head.Fields[:cap(a.Head.Fields)]
	if len(fields) > manyFields {
		fields = nil
	}
	clear(fields)
	chunk := a.chunk
	chunk.Reset()
	*a = Answer{Head: http1.Answer{Fields: fields[:0]}, conn: a.conn, chunk: chunk}
}

// Upgrade gives out the connection of an answer with status 101, in place of Close.
func (a *Answer) Upgrade() (io.ReadWriteCloser, error) {
	k := a.conn
	t := &tunnel{conn: k}
	if a.r < a.w {
		t.first = append(t.first, a.buf.bytes[a.r:a.w]...)
	}
	a.free()
	if !k.client.free(k) {
		_ = k.Close()
		return nil, net.ErrClosed
	}
	return t, nil
}

// tunnel is a connection on which HTTP is spoken no more.
type tunnel struct {
	*conn
	first []byte // what was read of it already
}

func (t *tunnel) Read(p []byte) (int, error) {
	if len(t.first) > 0 {
		n := copy(p, t.first)
		t.first = t.first[n:]
		return n, nil
	}
	return t.conn.Read(p)
}

// CloseWrite ends our half.
func (t *tunnel) CloseWrite() error {
	if h, ok := t.Conn.(interface{ CloseWrite() error }); ok {
		return h.CloseWrite()
	}
	return nil
}

// ended says that the connection has been cut or closed, on our side.
func (a *Answer) ended(err error) bool {
	return a.conn.down.Load() || errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded)
}
