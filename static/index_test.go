package static

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// An index must do what a map does, and an edit must leave what it was made from alone.
func TestIndexFindsWhatAMapFinds(t *testing.T) {
	t.Parallel()
	check := func(what string, x index[*asset], want map[string]*asset) {
		t.Helper()
		if x.count != len(want) {
			t.Fatalf("%s: %d entries, want %d", what, x.count, len(want))
		}
		for path, a := range want {
			if x.get(path) != a {
				t.Fatalf("%s: %s is not found", what, path)
			}
		}
		n := 0
		for a := range x.all() {
			if n++; want[a.path] != a {
				t.Fatalf("%s: has %s", what, a.path)
			}
		}
		if n != len(want) || x.get("/none") != nil {
			t.Fatalf("%s: goes over %d entries of %d", what, n, len(want))
		}
		for _, p := range x.pages {
			if len(p.slots) > 0 && 4*p.used > 3*len(p.slots) {
				t.Fatalf("%s: a page of %d slots has %d entries", what, len(p.slots), p.used)
			}
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	var x index[*asset]
	known := map[string]*asset{}
	for round := range 60 {
		old, oldKnown := x, map[string]*asset{}
		for path, a := range known {
			oldKnown[path] = a
		}
		e := x.edit()
		for range random.IntN(400) {
			path := fmt.Sprint("/", random.IntN(3000))
			if round > 40 || random.IntN(3) == 0 {
				e.remove(path)
				delete(known, path)
			} else {
				known[path] = &asset{path: path}
				e.put(known[path])
			}
		}
		x = e.index
		check("changed", x, known)
		check("copied from", old, oldKnown)
	}
	e := x.edit()
	for path := range known {
		e.remove(path)
	}
	check("emptied", e.index, nil)
}
