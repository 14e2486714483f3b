package apps

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
)

const (
	// replayLimit is how much of a request's body is kept to send it again, in bytes.
	replayLimit = 64 << 10
	// smallBody is how long a body may be that is sent with the head, in bytes.
	smallBody = 8 << 10
)

// body is a request's body that may have to be sent more than once. It is
// streamed, not collected: what has been read is kept only while it is little.
//
// The reader that was given out last reads it. One of a try that has failed may
// be waiting for the client all the same: then the last one waits for it, and
// has what has come. Nothing begins to read after shut.
type body struct {
	src  io.Reader
	tail http.Header // of src; filled when it ends
	ends []string    // the names of it that go on
	now  atomic.Pointer[bodyReader]
	lost atomic.Bool           // more has been read than is kept
	err  atomic.Pointer[error] // how src ended
	over atomic.Bool

	mu      sync.Mutex // guards what follows, and is held while src is read
	kept    []byte
	trailer []byte // as it is sent
}

// hasBody tells whether r has a body.
func hasBody(r *http.Request) bool {
	return r.ContentLength != 0 && r.Body != nil && r.Body != http.NoBody
}

// readFull fills p.
func readFull(from io.Reader, p []byte) error {
	for len(p) > 0 {
		n, err := from.Read(p)
		p = p[n:]
		switch {
		case len(p) == 0 || err == nil:
		case err == io.EOF:
			return io.ErrUnexpectedEOF
		default:
			return err
		}
	}
	return nil
}

func newBody(r *http.Request) *body {
	b := &body{src: r.Body, tail: r.Trailer, ends: announced(r)} // r itself may be another's when this is read last
	if r.ContentLength > 0 && r.ContentLength <= replayLimit {
		b.kept = make([]byte, 0, r.ContentLength)
	}
	return b
}

// again reports whether the body can be sent from its start.
func (b *body) again() bool { return b == nil || !b.lost.Load() }

// Reader gives out the body, from its start; nil if that is lost.
func (b *body) Reader() io.Reader {
	if b.lost.Load() {
		return nil
	}
	t := &bodyReader{b: b}
	b.now.Store(t)
	return t
}

// AppendTrailer appends the fields that followed the body.
func (b *body) AppendTrailer(to []byte) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append(to, b.trailer...)
}

// shut ends all reading: a request's body may not be read when its handler has
// returned. net/http takes a rest that it cannot read for the next request, and
// panics where two read: so the connection ends with a body that was not read whole.
func (b *body) shut(w http.ResponseWriter, r *http.Request) {
	if b == nil {
		return
	}
	b.over.Store(true)
	if r.ProtoMajor == 1 && !b.whole() {
		endConnection(w)
	}
}

// whole tells whether all of the body has been read.
func (b *body) whole() bool {
	if b == nil {
		return true
	}
	err := b.err.Load()
	return err != nil && *err == io.EOF
}

// endConnection has net/http close a connection behind the answer, even if its
// head has been sent: it does so when a body is too large.
func endConnection(w http.ResponseWriter) {
	for {
		outer, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			break
		}
		w = outer.Unwrap()
	}
	tooLarge := http.MaxBytesReader(w, io.NopCloser(strings.NewReader("x")), 0)
	_, _ = tooLarge.Read(make([]byte, 1))
}

// failure is how the client did not deliver the body; nil when it did.
func (b *body) failure() error {
	if b == nil {
		return nil
	}
	if err := b.err.Load(); err != nil && *err != io.EOF {
		return *err
	}
	return nil
}

// failureStatus is the status for a body that the client did not deliver.
func failureStatus(ctx context.Context, err error) int {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return http.StatusRequestTimeout
	case ctx.Err() != nil, errors.Is(err, io.ErrUnexpectedEOF):
		return statusClientGone
	}
	return http.StatusBadRequest
}

// bodyReader reads a body for one try, until the next one has its own.
type bodyReader struct {
	b  *body
	at int // in what is kept
}

const beyond = -1 // what is kept: the only one that may read on

func (t *bodyReader) Read(p []byte) (int, error) {
	b := t.b
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.over.Load() || b.now.Load() != t:
		return 0, http.ErrBodyReadAfterClose
	case t.at != beyond && t.at < len(b.kept):
		n := copy(p, b.kept[t.at:])
		t.at += n
		return n, nil
	case b.lost.Load() && t.at != beyond:
		return 0, http.ErrBodyReadAfterClose // one before has read on
	}
	if err := b.err.Load(); err != nil {
		return 0, *err
	}
	n, err := b.src.Read(p)
	switch {
	case b.lost.Load():
	case len(b.kept)+n <= replayLimit:
		b.kept = append(b.kept, p[:n]...)
		t.at += n
	default:
		b.kept, t.at = nil, beyond
		b.lost.Store(true)
	}
	if err == io.EOF {
		b.trailer = appendTrailer(b.trailer, b.tail, b.ends)
	}
	if err != nil {
		b.err.Store(&err)
	}
	if b.now.Load() != t {
		return 0, http.ErrBodyReadAfterClose
	}
	return n, err
}
