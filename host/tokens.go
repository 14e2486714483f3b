package host

import (
	"sync"
	"time"
)

// tokenBuckets are token buckets, one for each client: so many tokens at once, then
// one each so often. A bucket is one number, the moment at which it is full
// again (the generic cell rate algorithm, ITU-T I.371), and a full one need not
// be kept: the map holds who asked of late, and never more than maxBuckets.
type tokenBuckets struct {
	each time.Duration // in which a token comes back
	room time.Duration // how far from full a bucket may be that still has a token

	mu    sync.Mutex
	full  map[string]time.Duration // since start
	start time.Time
}

const maxBuckets = 1 << 16

func newTokenBuckets(size int, each time.Duration) *tokenBuckets {
	return &tokenBuckets{each: each, room: time.Duration(size-1) * each, full: map[string]time.Duration{}, start: time.Now()}
}

// take takes a token of key's bucket; where it has none, it says how long it
// takes until it has.
func (b *tokenBuckets) take(key string) (wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Since(b.start)
	full, known := b.full[key]
	full = max(full, now)
	if full-now > b.room {
		return full - now - b.room
	}
	if !known {
		b.forget(now)
	}
	b.full[key] = full + b.each
	return 0
}

// putBack undoes a take.
func (b *tokenBuckets) putBack(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if full, known := b.full[key]; known {
		b.full[key] = full - b.each
	}
}

// forget makes room for one more: each new client pays for looking at a few
// others, in the map's order, which is none. Where even those all count, the
// one that would be forgiven first goes: a flood of addresses costs those
// that take part in it.
func (b *tokenBuckets) forget(now time.Duration) {
	seen, least, who := 0, time.Duration(0), ""
	for key, full := range b.full {
		switch {
		case full <= now:
			delete(b.full, key)
		case who == "" || full < least:
			least, who = full, key
		}
		if seen++; seen == 8 {
			break
		}
	}
	if len(b.full) >= maxBuckets {
		delete(b.full, who)
	}
}
