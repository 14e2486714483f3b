package host

import (
	"math"
	"sync/atomic"
	"time"
)

// A histogram counts durations in buckets, each a quarter wider than the one
// before, from 100 µs to about 90 s: quantiles are right to a fifth at worst,
// whatever the distribution, and adding one is a few nanoseconds.
const (
	buckets      = 62
	firstBound   = 100 * time.Microsecond
	bucketGrowth = 1.25
)

// bounds are the upper ends; the last bucket has none.
var bounds = func() (b [buckets - 1]time.Duration) {
	for i := range b {
		b[i] = time.Duration(float64(firstBound) * math.Pow(bucketGrowth, float64(i)))
	}
	return b
}()

var logGrowth = math.Log(bucketGrowth)

func bucketOf(d time.Duration) int {
	if d <= firstBound {
		return 0
	}
	i := min(int(math.Ceil(math.Log(float64(d)/float64(firstBound))/logGrowth)), buckets-1)
	// The logarithm may be off by one at a bound.
	if i < len(bounds) && d > bounds[i] {
		i++
	} else if d <= bounds[i-1] {
		i--
	}
	return i
}

type histogram struct {
	counts [buckets]atomic.Uint64
	sum    atomic.Int64 // nanoseconds
}

func (h *histogram) add(d time.Duration) {
	h.counts[bucketOf(d)].Add(1)
	h.sum.Add(int64(d))
}

// quantile is the duration that a share q of the counted ones do not exceed,
// by linear interpolation inside its bucket; 0 when there are none.
func quantile(counts []uint64, q float64) time.Duration {
	var total uint64
	for _, n := range counts {
		total += n
	}
	if total == 0 {
		return 0
	}
	rank := q * float64(total)
	var below float64
	for i, n := range counts {
		if below+float64(n) >= rank && n > 0 {
			var from time.Duration
			if i > 0 {
				from = bounds[i-1]
			}
			to := bounds[min(i, len(bounds)-1)]
			if i >= len(bounds) {
				return to
			}
			return from + time.Duration(float64(to-from)*(rank-below)/float64(n))
		}
		below += float64(n)
	}
	return bounds[len(bounds)-1]
}
