package host

import (
	"sync/atomic"
	"time"
)

// figures counts the requests of one site or one app. Requests add to it
// without locks; the last minutes are kept in windows of ten seconds.
type figures struct {
	classes  [5]atomic.Uint64 // by status class, 1xx to 5xx
	bytes    atomic.Uint64
	inFlight atomic.Int64
	latency  histogram // since the start
	windows  [windowCount]window
	now      func() time.Time // a seam
}

const (
	windowLength = 10 * time.Second
	windowCount  = 31 // five minutes, and the window that is being filled
)

// window counts the requests that ended in one ten seconds. Whoever comes
// first in a new one empties it; a request that counts in just that moment may
// be lost here, never in the totals.
type window struct {
	epoch  atomic.Int64 // time / windowLength
	counts [buckets]atomic.Uint32
}

// Figures is a copy of what a site or an app has answered.
type Figures struct {
	// Requests is how many ended since the program started, Classes how many
	// of them with 1xx, 2xx, 3xx, 4xx and 5xx.
	Requests uint64    `json:"requests"`
	Classes  [5]uint64 `json:"classes"`
	// Bytes is what was sent of bodies.
	Bytes uint64 `json:"bytes"`
	// InFlight is how many are being answered.
	InFlight int64 `json:"in_flight"`
	// PerMinute is how many ended in the last minute.
	PerMinute float64 `json:"requests_per_minute"`
	// P50, P90 and P99 are milliseconds from the first byte of the head to the
	// last of the answer, of the last five minutes; 0 when nothing was answered.
	P50 float64 `json:"p50_ms"`
	P90 float64 `json:"p90_ms"`
	P99 float64 `json:"p99_ms"`
}

func newFigures() *figures { return &figures{now: time.Now} }

func (f *figures) begin() { f.inFlight.Add(1) }

// end counts a request; end times are those of now.
func (f *figures) end(now time.Time, took time.Duration, status int, bytes int64) {
	f.inFlight.Add(-1)
	if class := status/100 - 1; class >= 0 && class < len(f.classes) {
		f.classes[class].Add(1)
	}
	f.bytes.Add(uint64(max(bytes, 0)))
	f.latency.add(took)
	epoch := now.UnixNano() / int64(windowLength)
	w := &f.windows[epoch%windowCount]
	if was := w.epoch.Load(); was != epoch && w.epoch.CompareAndSwap(was, epoch) {
		for i := range w.counts {
			w.counts[i].Store(0)
		}
	}
	w.counts[bucketOf(took)].Add(1)
}

func (f *figures) snapshot() Figures {
	var s Figures
	for i := range f.classes {
		s.Classes[i] = f.classes[i].Load()
		s.Requests += s.Classes[i]
	}
	s.Bytes, s.InFlight = f.bytes.Load(), f.inFlight.Load()

	now := f.now().UnixNano()
	epoch := now / int64(windowLength)
	part := float64(now%int64(windowLength)) / float64(windowLength) // of the window that is being filled
	const minute = int64(time.Minute / windowLength)
	recent := make([]uint64, buckets)
	for i := range f.windows {
		w := &f.windows[i]
		age := epoch - w.epoch.Load()
		if age < 0 || age >= windowCount {
			continue
		}
		var n uint64
		for j := range w.counts {
			c := uint64(w.counts[j].Load())
			recent[j] += c
			n += c
		}
		switch {
		case age < minute:
			s.PerMinute += float64(n)
		case age == minute: // the share of it that is less than a minute ago
			s.PerMinute += float64(n) * (1 - part)
		}
	}
	ms := func(q float64) float64 { return float64(quantile(recent, q)) / float64(time.Millisecond) }
	s.P50, s.P90, s.P99 = ms(0.5), ms(0.9), ms(0.99)
	return s
}
