package apps

import (
	"sync/atomic"
	"time"
)

// health is what requests have learnt of an endpoint (passive ejection): one
// that cannot be connected to twice in a row, or that breaks five answers in a
// row, gets no requests for a while, first 1 s, doubled up to 10 s. After that
// one more failure is enough; one good answer clears all.
type health struct {
	bad     atomic.Int32 // weight of the failures in a row
	ejected atomic.Int32 // times in a row
	until   atomic.Int64 // Unix nanoseconds; 0 when in rotation
}

const (
	ejectAt      = 5
	badConnect   = 3
	badAnswer    = 1
	ejectFirst   = time.Second
	ejectLongest = 10 * time.Second
)

func (h *health) good() {
	if h.bad.Load() != 0 {
		h.bad.Store(0)
		h.ejected.Store(0)
		h.until.Store(0)
	}
}

// failed notes a failure and returns how long the endpoint is ejected by it; 0 if not.
func (h *health) failed(weight int32, now time.Time) time.Duration {
	if h.bad.Add(weight) < ejectAt || !h.in(now) {
		return 0
	}
	d := min(ejectFirst<<min(h.ejected.Add(1)-1, 10), ejectLongest)
	h.until.Store(now.Add(d).UnixNano())
	return d
}

// in reports whether the endpoint is in rotation.
func (h *health) in(now time.Time) bool {
	until := h.until.Load()
	return until == 0 || now.UnixNano() >= until
}
