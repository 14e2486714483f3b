package static

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
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
		name := fmt.Sprintf("%s/page-%06d.txt", dir, i)
		f, err := os.Create(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		names += len(name) + 1
	}
	return names
}

// memoryDir returns an empty folder that is not on a disk where the system has such.
func memoryDir(t testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "roost-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what the first has finalized
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// Not parallel: it measures the heap that all tests share.
func TestHundredThousandFiles(t *testing.T) {
	const n = 100_000
	root := memoryDir(t)
	names := growTree(t, root, n)
	before := heap()
	s := newSite(t, Config{Root: root}, nil)
	each := float64(heap()-before-names) / n
	t.Logf("%.1f bytes of heap a file beyond its name", each)
	if each > 150 || each < 50 {
		t.Errorf("%.1f bytes of heap a file beyond its name, want at most 150", each)
	}
	if seen := s.table.Load().seen; seen != n+111 {
		t.Errorf("%d files and folders", seen)
	}

	// A change must cost what it changes, not what there is.
	flat := make([]string, n)
	for i := range flat {
		flat[i] = fmt.Sprintf("/page-%06d.txt", i)
	}
	for what, c := range map[string]struct {
		table *table
		path  string
	}{
		"in a folder of 1000 files":    {s.table.Load(), "/part-03/section-033/page-033333.txt"},
		"in a folder of 100,000 files": {tableOf(flat...), "/page-033333.txt"},
	} {
		if cost := editCost(t, c.table, c.path); cost > 32<<10 {
			t.Errorf("a change %s allocates %d bytes", what, cost)
		}
	}

	// A hundred files a second change, and folders come, and each is served within a second.
	s.run()
	stop, done := make(chan struct{}), make(chan error, 1)
	go func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			file := fmt.Sprintf("part-%02d/section-%03d/page-%06d.txt", i%10, i%10*10, i%10*10_000)
			select {
			case <-stop:
				done <- nil
				return
			case <-tick.C:
				if err := os.WriteFile(s.path(file), []byte(fmt.Sprint(i)), 0o644); err != nil {
					done <- err
					return
				}
			}
		}
	}()
	for i := range 4 {
		want := strings.Repeat("x", i+1)
		write(t, root, files{"part-05/section-055/page-055555.txt": want, fmt.Sprint("part-00/new", i, "/f"): want})
		s.shows("/part-05/section-055/page-055555.txt", 200, want)
		s.shows(fmt.Sprint("/part-00/new", i, "/f"), 200, want)
	}
	close(stop)
	check(t, <-done)
}

// editCost returns the bytes that a change of one file allocates.
func editCost(t *testing.T, tab *table, path string) uint64 {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const times = 100
	for range times {
		e := tab.edit()
		e.set(path, newAsset(path, path[1:], stamp{size: 7}))
		if u := e.done(); u.asset(path).stamp.size != 7 || tab.asset(path).stamp.size == 7 {
			t.Fatal("the edit shows at the wrong place")
		}
	}
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / times
}
