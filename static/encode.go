package static

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const (
	calm       = 100 * time.Millisecond // without a request, after which there is time to compress well
	impatience = 10 * time.Second       // after which it is done though requests keep coming
	saves      = 20                     // a coding must save one part in so many
)

// What all folders of the box may do at a time, so that requests that need no
// compressing do not wait for a processor: those that need it, and the rest.
var (
	quickSlots = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))
	slowSlot   = make(chan struct{}, 1)
)

// useless stands where a coding would be that does not make a content smaller.
var useless = &variant{}

// encoder is what is to be compressed with nobody waiting. Run works it off.
type encoder struct {
	asked atomic.Bool // a request came since the encoder last looked
	wake  chan struct{}

	mu    sync.Mutex
	first []encoding // for the first time, as they are too large to do it while a request waits
	again []encoding // with more effort
}

// encoding is an asset to be compressed. Whoever makes one has called begin.
type encoding struct {
	asset *asset
	as    coding
	how   effort
}

// busy says that a request came.
func (e *encoder) busy() {
	if !e.asked.Load() {
		e.asked.Store(true)
	}
}

func (e *encoder) add(job encoding) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if job.how == quick {
		e.first = append(e.first, job)
	} else {
		e.again = append(e.again, job)
	}
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// take takes a job out.
func (e *encoder) take(how effort) (job encoding, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	from := &e.first
	if how == best {
		from = &e.again
	}
	if len(*from) == 0 {
		return encoding{}, false
	}
	job, *from = (*from)[0], (*from)[1:]
	return job, true
}

// coded returns the content of a in a coding, compressed here; nil if it is
// not there now. The first request for a small file compresses it. Who comes
// meanwhile, or when all are busy with others, is not kept waiting.
func (f *Folder) coded(ctx context.Context, t *table, a *asset, as coding) *variant {
	c := a.contents()
	v := c.coded[as].Load()
	switch {
	case v != nil && v.body != nil:
		return v
	case v == useless, !f.compresses, !a.kind.compress, a.stamp.size < compressFrom, a.stamp.size > compressTo:
		return nil
	case v != nil && !f.memory.room(v.size):
		return nil // given up for want of room: not again and again
	case !c.begin(as, quick):
		return nil
	}
	job := encoding{a, as, quick}
	if a.stamp.size > maxInMemory {
		f.encoder.add(job)
		return nil
	}
	select {
	case quickSlots <- struct{}{}:
		defer func() {
			<-quickSlots
			c.end(as, quick)
		}()
		return f.encode(ctx, t, job)
	default:
		f.encoder.add(job)
		return nil
	}
}

// encode compresses an asset and keeps the outcome, which it returns; nil if
// there is none, because the file is changing or it would be of no use.
func (f *Folder) encode(ctx context.Context, t *table, job encoding) *variant {
	c, slot := job.asset.contents(), &job.asset.contents().coded[job.as]
	old := slot.Load()
	if done := old != nil && old.body != nil; done != (job.how == best) {
		return old // done meanwhile; or given up
	}
	plain := f.plain(ctx, t, job.asset)
	if plain == nil {
		return nil
	}
	body, err := compress(ctx, job.as, job.how, plain)
	switch {
	case err != nil:
		return nil
	case job.how == best && len(body) >= len(old.body):
		return old
	case job.how == quick && len(body) > len(plain)-len(plain)/saves:
		for i := range c.coded {
			c.coded[i].CompareAndSwap(nil, useless)
		}
		return nil
	}
	at := job.asset.stamp
	at.size = int64(len(body))
	v := newVariant(job.asset.path, at, body)
	if old != nil {
		v.former = old.etag
		if old.etag == v.etag {
			v.former = old.former
		}
	}
	if f.memory.hold(job.asset, slot, old, v) && job.how == quick && c.begin(job.as, best) {
		f.encoder.add(encoding{job.asset, job.as, best})
	}
	return v
}

// plain returns the content of a as it is; nil if it is not now what the table says.
func (f *Folder) plain(ctx context.Context, t *table, a *asset) []byte {
	c := a.contents()
	if v := c.identity.Load(); v != nil && v.body != nil {
		return v.body
	}
	if a.stamp.size <= maxInMemory {
		v, file, err := f.load(ctx, t, a)
		if file != nil {
			file.Close() // it has grown
		}
		if err == nil && c.knows(v) {
			return v.body
		}
		return nil
	}
	file, at, err := f.open(ctx, t, a)
	if err != nil {
		return nil
	}
	defer file.Close()
	if at != a.stamp {
		f.changed(a.path)
		return nil
	}
	if body, now, whole, err := readWhole(ctx, file, at, compressTo); err == nil && whole && now == a.stamp {
		return body
	}
	return nil
}

// work compresses what there is to compress until ctx ends.
func (f *Folder) work(ctx context.Context) {
	e := &f.encoder
	rest := time.NewTimer(0)
	defer rest.Stop()
	waiting := time.Now()
	for ctx.Err() == nil {
		if job, ok := e.take(quick); ok {
			f.behind(ctx, job)
			job.asset.contents().end(job.as, quick)
			continue
		}
		if !e.some() {
			select {
			case <-ctx.Done():
			case <-e.wake:
			}
			waiting = time.Now()
			continue
		}
		e.asked.Store(false)
		rest.Reset(calm)
		select {
		case <-ctx.Done():
			return
		case <-e.wake: // it may be one that cannot wait
			continue
		case <-rest.C:
		}
		if e.asked.Load() && time.Since(waiting) < impatience {
			continue
		}
		if job, ok := e.take(best); ok {
			job.asset.contents().end(job.as, best) // what is made anew from now on is another job
			f.behind(ctx, job)
		}
		waiting = time.Now()
	}
}

// some tells whether there is something to be compressed.
func (e *encoder) some() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.first) > 0 || len(e.again) > 0
}

// behind does a job with nobody waiting for it.
func (f *Folder) behind(ctx context.Context, job encoding) {
	select {
	case <-ctx.Done():
		return
	case slowSlot <- struct{}{}:
	}
	defer func() { <-slowSlot }()
	if t := f.table.Load(); t.asset(job.asset.path) == job.asset {
		f.encode(ctx, t, job)
	}
}
