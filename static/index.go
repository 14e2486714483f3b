package static

import (
	"hash/maphash"
	"iter"
	"slices"
)

// index finds things by their paths. It is a hash table that is cut in pages,
// so that a changed copy shares all pages but those that differ, and that
// keeps nothing but pointers: a hundred thousand files cost 13 bytes each, and
// a change of one copies one page. A map has the path besides, and is copied whole.
//
//	hash of the path ── upper half ──> page ── lower half ──> slot, or one of the next
//
// The zero value is empty.
type index[E entry] struct {
	count int
	pages []page[E] // a power of two of them
}

// entry is what an index holds: a pointer to what knows its path.
type entry interface {
	comparable
	key() string
}

// page is a hash table with linear probing; at least a quarter of the slots are empty.
type page[E entry] struct {
	used  int
	slots []E
}

const pageFill = 256 // entries a page holds on the average before all are halved

var seed = maphash.MakeSeed()

// get returns what has the path, or the zero value.
func (x *index[E]) get(path string) E {
	var none E
	if x.count == 0 {
		return none
	}
	hash := maphash.String(seed, path)
	slots := x.pages[x.page(hash)].slots
	if len(slots) == 0 {
		return none
	}
	for i := home(hash, len(slots)); slots[i] != none; i = next(i, len(slots)) {
		if slots[i].key() == path {
			return slots[i]
		}
	}
	return none
}

func (x *index[E]) page(hash uint64) int { return int(hash>>32) & (len(x.pages) - 1) }

// home returns the slot where a hash belongs, next the one to try after i.
func home(hash uint64, slots int) int { return int(hash & (1<<32 - 1) * uint64(slots) >> 32) }

func next(i, slots int) int {
	if i++; i < slots {
		return i
	}
	return 0
}

// all goes over the entries, in no order.
func (x *index[E]) all() iter.Seq[E] {
	return func(yield func(E) bool) {
		var none E
		for _, p := range x.pages {
			for _, e := range p.slots {
				if e != none && !yield(e) {
					return
				}
			}
		}
	}
}

// indexEdit is a copy of an index being changed. What it was copied from stays as it is.
type indexEdit[E entry] struct {
	index[E]
	own []bool // pages that no other index has
}

func (x index[E]) edit() *indexEdit[E] {
	pages := slices.Clone(x.pages)
	return &indexEdit[E]{index[E]{x.count, pages}, make([]bool, len(pages))}
}

// put adds e in place of what has its path.
func (x *indexEdit[E]) put(e E) {
	if x.count >= pageFill*len(x.pages) {
		x.split()
	}
	hash := maphash.String(seed, e.key())
	p := x.change(x.page(hash))
	if 4*(p.used+1) > 3*len(p.slots) {
		p.resize(p.used*3/2 + 4)
	}
	if p.put(hash, e) {
		x.count++
	}
}

// remove takes out what has the path.
func (x *indexEdit[E]) remove(path string) {
	var none E
	if x.get(path) == none {
		return
	}
	hash := maphash.String(seed, path)
	p := x.change(x.page(hash))
	p.remove(hash, path)
	x.count--
}

// change returns a page to be changed, which is copied if others have it.
func (x *indexEdit[E]) change(n int) *page[E] {
	p := &x.pages[n]
	if !x.own[n] {
		p.slots = slices.Clone(p.slots)
		x.own[n] = true
	}
	return p
}

// split doubles the number of pages.
func (x *indexEdit[E]) split() {
	old := x.index
	n := max(1, 2*len(old.pages))
	x.index = index[E]{old.count, make([]page[E], n)}
	x.own = make([]bool, n)
	for i := range x.own {
		x.own[i] = true
	}
	for e := range old.all() {
		hash := maphash.String(seed, e.key())
		p := &x.pages[x.page(hash)]
		if 4*(p.used+1) > 3*len(p.slots) {
			p.resize(p.used*3/2 + 4)
		}
		p.put(hash, e)
	}
}

func (p *page[E]) resize(slots int) {
	var none E
	old := p.slots
	*p = page[E]{slots: make([]E, slots)}
	for _, e := range old {
		if e != none {
			p.put(maphash.String(seed, e.key()), e)
		}
	}
}

// put tells whether e is new.
func (p *page[E]) put(hash uint64, e E) bool {
	var none E
	i := home(hash, len(p.slots))
	for ; p.slots[i] != none; i = next(i, len(p.slots)) {
		if p.slots[i].key() == e.key() {
			p.slots[i] = e
			return false
		}
	}
	p.slots[i] = e
	p.used++
	return true
}

// remove closes the gap with those behind it that would not be found any more
// (Knuth, The Art of Computer Programming, volume 3, algorithm 6.4R).
func (p *page[E]) remove(hash uint64, path string) {
	var none E
	n := len(p.slots)
	gap := home(hash, n)
	for p.slots[gap].key() != path {
		gap = next(gap, n)
	}
	p.used--
	for i := next(gap, n); p.slots[i] != none; i = next(i, n) {
		// It may move to the gap unless its home lies behind the gap, going round.
		at := home(maphash.String(seed, p.slots[i].key()), n)
		if (i-at+n)%n >= (i-gap+n)%n {
			p.slots[gap] = p.slots[i]
			gap = i
		}
	}
	p.slots[gap] = none
}
