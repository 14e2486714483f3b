package static

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// growTree puts n empty files into folders of 1000 under root, and returns the
// bytes of their names as the table has them.
func growTree(t testing.TB, root string, n int) (names int) {
	t.Helper()
	for i := range n {
		dir := fmt.Sprintf("part-%02d/section-%03d", i/10_000, i/1000)
		if i%1000 == 0 {
			if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		name := fmt.Sprintf("%s/page-%06d.html", dir, i)
		f, err := os.Create(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		names += len(name) + 1
	}
	return names
}

func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what the first has finalized
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// Not parallel: it measures the heap that all tests share.
func TestHundredThousandFilesTakeLittleMemory(t *testing.T) {
	const n = 100_000
	root := t.TempDir()
	names := growTree(t, root, n)
	before := heap()
	f, err := Open(Config{Root: root}, Options{})
	check(t, err)
	defer f.Close()
	each := float64(heap()-before-names) / n
	t.Logf("%.1f bytes of heap a file beyond its name", each)
	if each > 150 || each < 0 {
		t.Errorf("%.1f bytes of heap a file beyond its name, want at most 150", each)
	}
	if seen := f.table.Load().seen; seen != n+110 {
		t.Errorf("%d files and folders", seen)
	}
}
