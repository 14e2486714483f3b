package apps

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"sync/atomic"
)

// replayLimit is how much of a request's body is kept to send it again, in bytes.
const replayLimit = 64 << 10

// body is a request's body that may have to be sent more than once. It is
// streamed, not collected: what has been read is kept only while it is little.
//
// One try reads it at a time: a transport that reports failure has stopped
// reading. The last try may still be reading when the request has been
// answered, until shut.
type body struct {
	src  io.Reader
	kept []byte
	lost bool  // more has been read than is kept
	err  error // how src ended

	over atomic.Bool
}

// newBody returns r's body, nil when it has none.
func newBody(r *http.Request) *body {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return nil
	}
	b := &body{src: r.Body}
	if r.ContentLength > 0 && r.ContentLength <= replayLimit {
		b.kept = make([]byte, 0, r.ContentLength)
	}
	return b
}

// again reports whether the body can be sent from its start.
func (b *body) again() bool { return b == nil || !b.lost }

// attach gives out the body, from its start.
func (b *body) attach(out *http.Request) {
	if b == nil {
		return
	}
	out.Body = &bodyReader{b: b}
	out.GetBody = func() (io.ReadCloser, error) {
		if b.lost {
			return nil, errors.New("the body has been read too far to send it again")
		}
		return &bodyReader{b: b}, nil
	}
}

// shut ends all reading: a request's body may not be read when its handler has returned.
func (b *body) shut() {
	if b != nil {
		b.over.Store(true)
	}
}

// failure is the status for a body that the client did not deliver; 0 when it did.
func (b *body) failure(ctx context.Context) int {
	var tooLarge *http.MaxBytesError
	switch {
	case b == nil, b.err == nil, b.err == io.EOF:
		return 0
	case errors.As(b.err, &tooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.Is(b.err, os.ErrDeadlineExceeded):
		return http.StatusRequestTimeout
	case ctx.Err() != nil, errors.Is(b.err, io.ErrUnexpectedEOF):
		return statusClientGone
	}
	return http.StatusBadRequest
}

// bodyReader reads a body for one try. Closing it leaves the body be: closing a
// client's body would wait for the rest of it.
type bodyReader struct {
	b      *body
	at     int
	closed atomic.Bool
}

func (t *bodyReader) Read(p []byte) (int, error) {
	b := t.b
	if t.closed.Load() || b.over.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	if t.at < len(b.kept) {
		n := copy(p, b.kept[t.at:])
		t.at += n
		return n, nil
	}
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.src.Read(p)
	switch {
	case b.lost:
	case len(b.kept)+n <= replayLimit:
		b.kept = append(b.kept, p[:n]...)
		t.at += n
	default:
		b.kept, b.lost = nil, true
	}
	b.err = err
	return n, err
}

func (t *bodyReader) Close() error {
	t.closed.Store(true)
	return nil
}
