package static

import (
	"container/list"
	"sync"
	"sync/atomic"
)

// overhead is counted for each content in memory besides its content: headers, heads,
// table and list, about.
const overhead = 1 << 10

// memory keeps contents, as they are and compressed, within a limit. When it is full, it
// gives up those nobody asked for since it last looked (SIEVE: one queue in
// order of arrival and a hand that moves over it; a hit sets one bit and
// takes no lock).
type memory struct {
	limit int64 // bytes

	used  atomic.Int64 // bytes; written with mu
	mu    sync.Mutex
	queue list.List // of kept, newest in front
	hand  *list.Element
	gone  bool // closed: keep nothing
}

// kept is a variant with its content, and where it is found.
type kept struct {
	slot    *atomic.Pointer[variant]
	variant *variant
}

// touch says that v was asked for.
func (m *memory) touch(v *variant) {
	if !v.visited.Load() {
		v.visited.Store(true)
	}
}

// room tells whether so many bytes fit in without anything being given up.
func (m *memory) room(size int64) bool { return m.used.Load()+size+overhead <= m.limit }

// hold puts v in the place of old, in one of a's slots, with its content if
// that fits, which it tells.
func (m *memory) hold(a *asset, slot *atomic.Pointer[variant], old, v *variant) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if slot.Load() != old {
		return false // another request was faster
	}
	if old != nil && old.held != nil {
		m.remove(old.held)
		old.held = nil
		v.visited.Store(old.visited.Load())
	}
	cost := v.size + overhead
	if cost > m.limit || m.gone || a.dropped {
		slot.Store(v.withoutBody())
		return false
	}
	for m.used.Load()+cost > m.limit {
		m.evict()
	}
	m.used.Add(cost)
	v.held = m.queue.PushFront(kept{slot, v})
	slot.Store(v)
	return true
}

// evict gives up the content of one variant. The queue is not empty.
func (m *memory) evict() {
	for {
		if m.hand == nil {
			m.hand = m.queue.Back()
		}
		e := m.hand
		k := e.Value.(kept)
		if k.variant.visited.Swap(false) {
			m.hand = e.Prev()
			continue
		}
		m.remove(e)
		k.slot.Store(k.variant.withoutBody())
		return
	}
}

func (m *memory) remove(e *list.Element) {
	if m.hand == e {
		m.hand = e.Prev()
	}
	m.used.Add(-e.Value.(kept).variant.size - overhead)
	m.queue.Remove(e)
}

// forget gives up an asset that has left the table. Requests that still have
// it keep its content until they are done.
func (m *memory) forget(a *asset) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a.dropped = true
	c := a.content.Load()
	if c == nil {
		return
	}
	m.drop(&c.identity)
	for as := range c.coded {
		m.drop(&c.coded[as])
	}
}

func (m *memory) drop(slot *atomic.Pointer[variant]) {
	if v := slot.Load(); v != nil && v.held != nil {
		m.remove(v.held)
		v.held = nil
		slot.Store(v.withoutBody())
	}
}

// forgetAll gives up everything, for good.
func (m *memory) forgetAll() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gone = true
	for e := m.queue.Front(); e != nil; e = e.Next() {
		k := e.Value.(kept)
		k.slot.Store(k.variant.withoutBody())
	}
	m.queue.Init()
	m.hand = nil
	m.used.Store(0)
}
