package apps

import "sync"

// usage is what an instance's whole process tree used at the last Measure.
type usage struct {
	cpu    float64 // per cent of one core since the Measure before
	memory uint64  // bytes resident
}

// usageTable holds the usage of an app's instances by the pid at the root of
// each tree. App owns one, in its field usage; the zero value works.
type usageTable struct {
	mu  sync.Mutex
	pid map[int]usage
}

// of returns the usage of the tree under pid; zero when not measured yet.
func (t *usageTable) of(pid int) usage {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.pid[pid]
}
