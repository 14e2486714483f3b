package host

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTheGroupWithTheLeastMemoryLeftCounts(t *testing.T) {
	root := t.TempDir()
	group := func(name, bound, used, stat string) {
		t.Helper()
		dir := filepath.Join(root, name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for file, text := range map[string]string{"memory.max": bound, "memory.current": used, "memory.stat": stat} {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	group("box/roost/main", "max\n", "100\n", "")
	check := func(own string, left, of uint64) {
		t.Helper()
		if l, o := groupMemoryIn(root, own); l != left || o != of {
			t.Errorf("%s: %d of %d left, want %d of %d", own, l, o, left, of)
		}
	}
	check("/box/roost/main", 0, 0)
	check("/", 0, 0)
	check("/../gone", 0, 0)
	group("box", "1000\n", "900\n", "anon 1\ninactive_file 200\nactive_file 50\nfile 900\n")
	check("/box/roost/main", 350, 1000)
	group("box/roost", "500\n", "400\n", "anon 1\n")
	check("/box/roost/main", 100, 500)
	check("/box", 350, 1000)
	group("box/roost", "500\n", "600\n", "")
	check("/box/roost/main", 0, 500)
	group("box/roost", "?", "600\n", "")
	check("/box/roost/main", 350, 1000)
}
