package apps

import (
	"errors"
	"net/http"
	"slices"
	"sync"

	"golang.org/x/net/http/httpguts"

	"roost/apps/upstream"
	"roost/internal/http1"
)

// attempts are the tries of one request, one after the other, all with the
// same words. They are reused.
type attempts struct {
	w       http.ResponseWriter
	r       *http.Request
	request upstream.Request
	claim   claim
	first   [maxTries]*endpoint
	inform  func(int, []http1.Field) // interim; made once
}

var attemptsPool = sync.Pool{New: func() any {
	t := &attempts{}
	t.inform = t.interim
	return t
}}

// begin makes all that is sent of r, but for a body that is too large for it:
// that is b. status is not 0 when the client asks for what cannot be sent.
func (t *attempts) begin(w http.ResponseWriter, r *http.Request) (b *body, status int) {
	t.w, t.r = w, r
	t.claim.r, t.claim.tried = r, t.first[:0]
	q := &t.request
	q.NoContent, q.Repeatable, q.Interim = r.Method == http.MethodHead, idempotent(r.Method), t.inform
	with := hasBody(r)
	var ok bool
	if q.Head, ok = appendHead(q.Head[:0], r, with && r.ContentLength < 0); !ok {
		return nil, http.StatusBadRequest
	}
	if !with {
		return nil, 0
	}
	q.Expect = r.ProtoAtLeast(1, 1) && httpguts.HeaderValuesContainsToken(r.Header["Expect"], "100-continue")
	if r.ContentLength > 0 && r.ContentLength <= smallBody && !q.Expect {
		from := len(q.Head)
		q.Head = slices.Grow(q.Head, int(r.ContentLength))[:from+int(r.ContentLength)]
		if err := readFull(r.Body, q.Head[from:]); err != nil {
			return nil, t.undelivered(err)
		}
		return nil, 0
	}
	// or net/http reads the body to its end before it sends the answer's head
	_ = http.NewResponseController(w).EnableFullDuplex()
	b = newBody(r)
	q.Body, q.Chunked = b, r.ContentLength < 0
	return b, 0
}

// undelivered is the status for a body that the client did not deliver.
func (t *attempts) undelivered(err error) int {
	status := failureStatus(t.r.Context(), err)
	if t.r.ProtoMajor == 1 {
		t.w.Header().Set("Connection", "close") // what follows has no beginning: net/http may take the rest for a request
	}
	return status
}

// end gives the memory of t back.
func (t *attempts) end() {
	head := t.request.Head
	if cap(head) > 2*smallBody {
		head = nil
	}
	*t = attempts{inform: t.inform}
	t.request.Head = head
	attemptsPool.Put(t)
}

// interim passes an interim answer on, such as 103 with its early hints, to
// those who know of such (RFC 9110 section 15.2). It has no content (section 8.6).
func (t *attempts) interim(status int, fields []http1.Field) {
	if !t.r.ProtoAtLeast(1, 1) {
		return
	}
	h := t.w.Header()
	before := h.Clone()
	copyFields(h, fields)
	delete(h, "Content-Length")
	h["Transfer-Encoding"] = nil // has net/http leave that out of a copy: over HTTP/2 it may still be writing when we go on
	t.w.WriteHeader(status)
	clear(h)
	for name, values := range before {
		h[name] = values
	}
}

// idempotent tells whether a request may be sent twice (RFC 9110, section 9.2.2).
func idempotent(method string) bool {
	switch method {
	case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE":
		return true
	}
	return false
}

// repeatable reports whether the failed try leaves the request free to go to
// another instance: nothing of it was sent, or sending it twice does no harm
// and nothing of an answer has come.
func repeatable(r *http.Request, err error) bool {
	e, ok := errors.AsType[*upstream.Error](err)
	return !ok || !e.Sent || !e.Heard && idempotent(r.Method)
}
