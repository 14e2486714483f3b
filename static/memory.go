package static

import (
	"container/list"
	"sync"
)

// overhead is counted for each file in memory besides its content: headers,
// table and list, about.
const overhead = 512

// memory keeps the content of small files within a limit. When it is full, it
// gives up those nobody asked for since it last looked (SIEVE: one queue in
// order of arrival and a hand that moves over it; a hit sets one bit and
// takes no lock).
type memory struct {
	limit int64 // bytes

	mu    sync.Mutex
	used  int64
	queue list.List // of kept, newest in front
	hand  *list.Element
	gone  bool // closed: keep nothing
}

type kept struct {
	asset   *asset
	variant *variant
}

// touch says that v was asked for.
func (m *memory) touch(v *variant) {
	if !v.visited.Load() {
		v.visited.Store(true)
	}
}

// hold makes v the variant of a, with its content if that fits.
func (m *memory) hold(a *asset, v *variant) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := a.variant.Load(); now != nil && now.body != nil {
		return // another request was faster
	}
	cost := v.size + overhead
	if cost > m.limit || m.gone || a.dropped {
		a.variant.Store(v.withoutBody())
		return
	}
	for m.used+cost > m.limit {
		m.evict()
	}
	m.used += cost
	v.held = m.queue.PushFront(kept{a, v})
	a.variant.Store(v)
}

// evict gives up one file's content. The queue is not empty.
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
		k.asset.variant.Store(k.variant.withoutBody())
		return
	}
}

func (m *memory) remove(e *list.Element) {
	if m.hand == e {
		m.hand = e.Prev()
	}
	m.used -= e.Value.(kept).variant.size + overhead
	m.queue.Remove(e)
}

// forget gives up an asset that has left the table. Requests that still have
// it keep its content until they are done.
func (m *memory) forget(a *asset) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a.dropped = true
	if v := a.variant.Load(); v != nil && v.held != nil {
		m.remove(v.held)
		v.held = nil
		a.variant.Store(v.withoutBody())
	}
}

// forgetAll gives up everything, for good.
func (m *memory) forgetAll() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gone = true
	for e := m.queue.Front(); e != nil; e = e.Next() {
		k := e.Value.(kept)
		k.asset.variant.Store(k.variant.withoutBody())
	}
	m.queue.Init()
	m.hand, m.used = nil, 0
}
