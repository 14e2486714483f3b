package host

import (
	"context"
	"io"
	"math"
	"time"

	"golang.org/x/time/rate"

	"roost/internal/unit"
)

// Bandwidth bounds how fast each answer is sent.
type Bandwidth struct {
	// Rate is bytes a second, 1 KiB to 1 GiB. What a second has room for may go at once.
	Rate unit.Size `toml:"rate" json:"rate,omitempty"`
	// After is how many bytes go first, as fast as the client takes them; none when absent.
	After unit.Size `toml:"after" json:"after,omitempty"`
	Switch
}

// slower is the one of two bounds that takes longer in the end; nil is none.
func slower(a, b *Bandwidth) *Bandwidth {
	if a == nil || b != nil && b.Rate < a.Rate {
		return b
	}
	return a
}

// pace is the bound of one answer: a token bucket that holds a second's bytes.
// It waits between writes and never in one, so that what watches whether a
// write moves (progress, stall) sees only the client's slowness.
type pace struct {
	bucket *rate.Limiter
	slice  int64           // bytes between two waits
	free   int64           // bytes that may still go without the bucket
	ending <-chan struct{} // closed when the host ends: what has begun is sent as fast as can be
}

const (
	paceSlices = 8                     // in a second
	paceGrain  = 10 * time.Millisecond // a shorter wait is left to the next one
)

func newPace(b *Bandwidth, ending <-chan struct{}) *pace {
	if b == nil {
		return nil
	}
	return &pace{
		bucket: rate.NewLimiter(rate.Limit(b.Rate), int(b.Rate)),
		slice:  max(int64(b.Rate)/paceSlices, 1<<10),
		free:   int64(b.After), ending: ending,
	}
}

// take waits until some of left bytes may be sent and says how many. Before
// it waits, it has what was written sent. It ends with ctx.
func (p *pace) take(ctx context.Context, left int64, flush func()) (int64, error) {
	if p.free > 0 {
		n := min(left, p.free)
		p.free -= n
		return n, nil
	}
	n := min(left, p.slice)
	wait := p.bucket.ReserveN(time.Now(), int(n)).Delay()
	if wait < paceGrain {
		return n, nil
	}
	flush()
	over := time.NewTimer(wait)
	defer over.Stop()
	select {
	case <-over.C:
	case <-p.ending:
		p.free = math.MaxInt64
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	return n, nil
}

// writePaced writes p in slices.
func (x *exchange) writePaced(p []byte) (n int, err error) {
	for {
		may, err := x.pace.take(x.request.Context(), int64(len(p)-n), x.Flush)
		if err != nil {
			return n, err
		}
		m, err := x.write(p[n : n+int(may)])
		n += m
		if err != nil || n == len(p) {
			return n, err
		}
	}
}

// unpaced is an exchange whose writes do not wait.
type unpaced exchange

func (u *unpaced) Write(p []byte) (int, error) { return (*exchange)(u).write(p) }

// readPaced sends r in slices, a file as what net/http takes for one.
func (x *exchange) readPaced(r io.Reader) (n int64, err error) {
	left := int64(math.MaxInt64)
	limited, _ := r.(*io.LimitedReader)
	if limited != nil {
		r, left = limited.R, limited.N
	}
	for left > 0 {
		may, err := x.pace.take(x.request.Context(), left, x.Flush)
		if err != nil {
			return n, err
		}
		part := io.LimitedReader{R: r, N: may}
		m, err := x.readFrom(&part)
		n, left = n+m, left-may+part.N
		if limited != nil {
			limited.N = left
		}
		if err != nil || part.N > 0 { // r is at its end
			return n, err
		}
	}
	return n, nil
}
