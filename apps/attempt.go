package apps

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"sync"
)

// attempt is one try of a request on one endpoint. It notes how far it got.
type attempt struct {
	w             http.ResponseWriter
	conn          *conn
	read, written int64 // of conn, when the try got it

	mu   sync.Mutex
	over bool // w is no longer the attempt's
}

// send sends the request to e and returns the head of its answer.
func (t *attempt) send(ctx context.Context, e *endpoint, out *http.Request, b *body) (*http.Response, error) {
	out = out.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:        t.gotConn,
		Got1xxResponse: t.inform,
	}))
	b.attach(out)
	res, err := e.transport.RoundTrip(out)
	t.mu.Lock()
	t.over = true
	t.mu.Unlock()
	return res, err
}

func (t *attempt) gotConn(i httptrace.GotConnInfo) {
	if c, ok := i.Conn.(*conn); ok {
		t.conn, t.read, t.written = c, c.read.Load(), c.written.Load()
		c.begun.Store(t.written)
	}
}

// inform passes an interim answer on, such as 103 with its early hints. 100 is
// left out: net/http sends that when the body is asked for.
func (t *attempt) inform(status int, fields textproto.MIMEHeader) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over || status == http.StatusContinue {
		return nil
	}
	h := t.w.Header()
	before := h.Clone()
	copyHeader(h, http.Header(fields))
	t.w.WriteHeader(status)
	clear(h)
	for name, values := range before {
		h[name] = values
	}
	return nil
}

// idempotent are the methods that may be sent twice (RFC 9110, section 9.2.2).
var idempotent = []string{"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"}

// invalid reports whether the transport refused to send the request at all, for
// something in its head; no instance is to blame for that.
func (t *attempt) invalid(err error) bool {
	_, dial := errors.AsType[*dialError](err)
	return t.conn == nil && !dial
}

// repeatable reports whether the failed try leaves the request free to go to
// another instance: nothing of it was sent, or sending it twice does no harm
// and nothing of an answer has come.
func (t *attempt) repeatable(r *http.Request, err error) bool {
	if _, dial := errors.AsType[*dialError](err); dial || t.conn.written.Load() == t.written {
		return true
	}
	return t.conn.read.Load() == t.read && slices.Contains(idempotent, r.Method)
}
