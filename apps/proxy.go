package apps

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"roost/apps/upstream"
)

// maxTries is how many endpoints a request goes to before it fails.
const maxTries = 3

// retryAfter is what a client is told to wait, in seconds.
const retryAfter = "5"

// statusClientGone is written, to the access log more than to anybody, when
// the client has gone before its answer came (nginx's code).
const statusClientGone = 499

// ServeHTTP forwards a request to a ready instance, and to another where the
// first cannot have acted on it. What cannot be answered gets
//
//	503  the app is stopped, no instance became ready in time, too many wait
//	504  no instance could be connected to in time
//	502  an instance broke its answer off before its head, or gave none
//	499  the client has gone
//	400, 408, 413  the client's body is malformed, stopped coming, is too large
//	405  CONNECT, which makes sense to a forward proxy only
//
// It panics with http.ErrAbortHandler when an answer breaks off after its
// head, which is how net/http is told to show the client that it is not whole.
func (p *pool) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodConnect:
		p.fail(w, r, http.StatusMethodNotAllowed)
		return
	case strings.ContainsFunc(r.Host, func(c rune) bool { return c >= 0x80 }) || !httpguts.ValidHostHeader(r.Host):
		p.fail(w, r, http.StatusBadRequest) // HTTP/2 lets it through; the transport would fail
		return
	}
	t := attemptsPool.Get().(*attempts)
	defer t.end()
	b, status := t.begin(w, r)
	defer b.shut(w, r)
	if status != 0 {
		p.fail(w, r, status)
		return
	}
	c := &t.claim
	c.p = p
	for try := 1; ; try++ {
		e, err := c.next(r.Context())
		if err != nil {
			p.unanswered(w, r, err)
			return
		}
		a, err := e.upstream.Do(r.Context(), &t.request)
		if err == nil {
			if c.unknown != nil {
				c.unknown.mark(w, r, e)
			}
			p.answer(w, r, e, a, b)
			return
		}
		e.release()
		if r.Context().Err() != nil {
			if r.ProtoMajor == 1 && !b.whole() {
				w.Header().Set("Connection", "close")
			}
			w.WriteHeader(statusClientGone)
			return
		}
		if err := b.failure(); err != nil {
			p.fail(w, r, t.undelivered(err))
			return
		}
		if err != upstream.ErrLost {
			p.failed(e, err)
		}
		if try == maxTries || !repeatable(r, err) || !b.again() {
			p.fail(w, r, statusOf(err))
			return
		}
		c.tried = append(c.tried, e)
	}
}

// failed notes that e failed a request.
func (p *pool) failed(e *endpoint, err error) {
	weight := int32(badAnswer)
	if _, ok := errors.AsType[*dialError](err); ok {
		weight = badConnect
	}
	if d := e.health.failed(weight); d > 0 && e.word.Load()&retired == 0 {
		p.o.log.Warn("instance fails requests: it gets none for a while unless it is the only one", "address", e.String(), "for", d, "error", err)
	}
}

// unanswered tells the client why its request reached no endpoint.
func (p *pool) unanswered(w http.ResponseWriter, r *http.Request, err error) {
	switch err {
	case errRefused:
	case errFull, errNotReady:
		w.Header().Set("Retry-After", retryAfter)
	default:
		w.WriteHeader(statusClientGone)
		return
	}
	p.fail(w, r, http.StatusServiceUnavailable)
}

func (p *pool) fail(w http.ResponseWriter, r *http.Request, status int) {
	switch {
	case status == statusClientGone:
		w.WriteHeader(status)
	case p.o.fail == nil:
		http.Error(w, http.StatusText(status), status)
	default:
		p.o.fail(w, r, status)
	}
}

// Witness is a ResponseWriter that is told which slot's instance answers its
// request, the address that it has ("unix" and a path, or "tcp"), and when the
// head of the answer came.
type Witness interface {
	AnsweredBy(slot int, network, address string, at time.Time)
}

func statusOf(err error) int {
	if d, ok := errors.AsType[*dialError](err); ok &&
		(errors.Is(d, context.DeadlineExceeded) || errors.Is(d, os.ErrDeadlineExceeded)) {
		return http.StatusGatewayTimeout
	}
	return http.StatusBadGateway
}

// answer copies what the instance answers to the client, while b is sent.
func (p *pool) answer(w http.ResponseWriter, r *http.Request, e *endpoint, a *upstream.Answer, b *body) {
	now := time.Now()
	e.answered(now)
	if w, ok := w.(Witness); ok {
		w.AnsweredBy(e.slot, e.network, e.address, now)
	}
	if a.Head.Status == http.StatusSwitchingProtocols {
		e.upgrade()
		defer e.hangup()
		if err := p.tunnel(w, r, e, a); err != nil {
			p.failed(e, err)
			p.fail(w, r, http.StatusBadGateway)
			return
		}
		e.health.good()
		return
	}
	defer e.release()
	defer a.Close()
	h := w.Header()
	copyFields(h, a.Head.Fields)
	announced := announceTrailer(h, &a.Head)
	w.WriteHeader(a.Head.Status)
	read, write := copyBody(w, a)
	if read == nil && write == nil {
		e.health.good()
		copyTrailer(w, a, announced)
		return
	}
	if read != nil && r.Context().Err() == nil && b.failure() == nil {
		p.failed(e, read)
	}
	panic(http.ErrAbortHandler)
}
