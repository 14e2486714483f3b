package service

import (
	"maps"
	"slices"
	"sync"
)

// The causes of trouble.
const (
	troubleState = "state" // what was wrong with the state file at start; stays until the next
	troubleSave  = "save"  // what is wanted is not on disk
	troubleFile  = "file " // and its name: a config file that was to be applied by itself could not be
)

// troubles are what a person must look at, by cause; the status tells them
// until they are over.
type troubles struct {
	mu sync.Mutex
	by map[string][]string
}

// set replaces the troubles of a cause; none ends them.
func (t *troubles) set(cause string, what ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.by == nil {
		t.by = map[string][]string{}
	}
	t.by[cause] = slices.Clone(what)
}

func (t *troubles) all() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := []string{}
	for _, cause := range slices.Sorted(maps.Keys(t.by)) {
		out = append(out, t.by[cause]...)
	}
	return out
}
