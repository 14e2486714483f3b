package tls

// recent keeps what was put last or asked for last: at least half of most, and
// at most all of it, in two generations. When the young one is full, the old
// one goes. It is for one goroutine at a time.
type recent[K comparable, V any] struct {
	most       int
	young, old map[K]V
}

func (r *recent[K, V]) get(key K) (V, bool) {
	value, ok := r.young[key]
	if !ok {
		if value, ok = r.old[key]; ok {
			r.put(key, value)
		}
	}
	return value, ok
}

func (r *recent[K, V]) put(key K, value V) {
	if _, known := r.young[key]; !known && len(r.young) >= r.most/2 || r.young == nil {
		r.old, r.young = r.young, map[K]V{}
	}
	r.young[key] = value
}
