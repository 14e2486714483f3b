package apps

import (
	"sync/atomic"
	"time"
)

// minuteRate counts events of the last 60 seconds, in one cell a second.
// A cell holds the second it is of in its upper half and the count in its
// lower, so that a stale cell is seen and replaced without a lock.
type minuteRate [60]atomic.Uint64

func (m *minuteRate) add(now time.Time) {
	second := uint64(uint32(now.Unix()))
	cell := &m[second%60]
	for {
		old := cell.Load()
		next := second<<32 | 1
		if old>>32 == second {
			next = old + 1
		}
		if cell.CompareAndSwap(old, next) {
			return
		}
	}
}

func (m *minuteRate) sum(now time.Time) (n uint64) {
	second := uint32(now.Unix())
	for i := range m {
		cell := m[i].Load()
		if second-uint32(cell>>32) < 60 {
			n += cell & (1<<32 - 1)
		}
	}
	return n
}
