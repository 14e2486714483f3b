package host

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/shirou/gopsutil/v3/mem"
)

// pressure says when connections give way to what else needs memory.
type pressure struct {
	from  int                      // connections: fewer hold too little to matter
	every time.Duration            // between two looks
	left  func() (left, of uint64) // bytes of memory that can be had; of 0: unknown
}

// calmLooks are so many that idle connections rest meanwhile, see express.
const calmLooks = 8

var defaultPressure = pressure{from: 1000, every: time.Second, left: memoryLeft}

// short tells whether so little memory is left that the kernel might soon end
// a process.
func short(left, of uint64) bool { return of > 0 && left < min(of/20, 128<<20) }

// relieve closes the connections that have been idle for the longest when
// memory runs out: at each look a quarter of all, as long as there are many. It
// costs nothing as long as there are few.
func (l *connections) relieve(ctx context.Context) {
	for {
		select {
		case <-l.many:
		case <-ctx.Done():
			return
		}
		freed, calm := l.taken.Load(), 0 // connections that had been opened when memory was given back last; looks since others were
		for p, taken := l.pressure.Load(), freed; l.most() >= p.from; p = l.pressure.Load() {
			select {
			case <-time.After(p.every):
			case <-ctx.Done():
				return
			}
			was := taken
			taken = l.taken.Load()
			calm++
			if taken-was >= uint64(p.from)/10 {
				calm = 0
			}
			if calm >= calmLooks && taken-freed >= uint64(p.from)/2 {
				freed = taken
				debug.FreeOSMemory() // what it took to open a crowd, and to answer it, is more than what it holds
			}
			if left, of := p.left(); short(left, of) {
				closed := l.cutIdle(l.most()/4, p.from)
				l.tellPressure(closed, left)
				if closed > 0 {
					debug.FreeOSMemory() // what they had, or the next look would not see it
				}
			}
		}
	}
}

// cutIdle cuts up to n connections, those that have been idle for the longest
// first, of which at least so many stay, and returns how many.
func (l *connections) cutIdle(n, stay int) int {
	l.mu.Lock()
	var victims []*member
	for len(victims) < n && len(l.all.open) > stay {
		victim := l.all.longestIdle()
		if victim == nil {
			break
		}
		l.drop(victim)
		victims = append(victims, victim)
	}
	l.mu.Unlock()
	for _, m := range victims {
		m.cut()
	}
	return len(victims)
}

// tellPressure says that connections were closed, at most once a minute.
func (l *connections) tellPressure(closed int, left uint64) {
	if closed == 0 || time.Since(l.pressed) < time.Minute || l.log == nil {
		return
	}
	l.pressed = time.Now()
	l.log.Warn("connections without a request are closed: memory runs out", "closed", closed, "open", l.most(), "bytes_left", left,
		"hint", "see what uses it: roost list; or lower max_connections in [host]")
}

// most is how many connections are open.
func (l *connections) most() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.all.open)
}

// memoryLeft is what the box has left for this process, or the control group that
// it is in, whichever is less.
func memoryLeft() (left, of uint64) {
	if box, err := mem.VirtualMemory(); err == nil {
		left, of = box.Available, box.Total
	}
	if groupLeft, groupOf := groupMemory(); groupOf > 0 && (of == 0 || groupLeft < left) {
		left, of = groupLeft, groupOf
	}
	return left, of
}
