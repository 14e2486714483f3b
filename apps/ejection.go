package apps

import (
	"sync/atomic"
	"time"
)

// health is what requests have learnt of an endpoint (passive ejection): one
// that cannot be connected to twice in a row, or that breaks five answers in a
// row, gets no requests for a while, first 1 s, doubled up to 10 s. After that
// one more failure is enough; one good answer clears all. The pool uses an
// ejected endpoint all the same where it has no other. An instance whose check
// fails is out in the same way.
type health struct {
	bad    atomic.Int32 // weight of the failures in a row
	times  atomic.Int32 // ejections in a row
	until  atomic.Int64 // Unix nanoseconds; 0 when in rotation
	unwell atomic.Bool  // the instance's own check fails: out of rotation until it does not
}

const (
	ejectAt      = 5
	badConnect   = 3
	badAnswer    = 1
	ejectFirst   = time.Second
	ejectLongest = 10 * time.Second
)

// good notes a good answer.
func (h *health) good() {
	if h.bad.Load() != 0 {
		h.bad.Store(0)
		h.times.Store(0)
		h.until.Store(0)
	}
}

// failed notes a failure and returns for how long it ejects the endpoint; 0 if not.
func (h *health) failed(weight int32) time.Duration {
	now := time.Now().UnixNano()
	until := h.until.Load()
	if h.bad.Add(weight) < ejectAt || until > now {
		return 0
	}
	d := min(ejectFirst<<min(h.times.Load(), 10), ejectLongest)
	if !h.until.CompareAndSwap(until, now+int64(d)) {
		return 0 // somebody else has ejected it for the same failure
	}
	h.times.Add(1)
	return d
}

// in reports whether the endpoint is in rotation.
func (h *health) in() bool {
	until := h.until.Load()
	return !h.unwell.Load() && (until == 0 || time.Now().UnixNano() >= until)
}
