package static

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"roost/internal/unit"
)

// TestAFileIsReadOnceForAllWhoAskAtOnce has a file that is still to rest, so
// that all of them wait; what they hold is one content.
func TestAFileIsReadOnceForAllWhoAskAtOnce(t *testing.T) {
	for _, test := range []struct {
		name   string
		memory unit.Size
		reads  int
	}{{"kept", 0, 1}, {"not kept, for want of room", 1, 10}} { // who comes late, on a busy machine, finds nothing kept
		s := newSite(t, Config{Serving: Serving{Memory: test.memory}}, files{"file": strings.Repeat("x", 200<<10)})
		var wait, asking sync.WaitGroup
		bodies := make([]*byte, 50)
		wait.Add(len(bodies))
		table := s.table.Load()
		for i := range bodies {
			asking.Go(func() {
				wait.Done()
				wait.Wait()
				v, file, err := s.load(t.Context(), table, table.asset("/file"))
				if err != nil || file != nil || len(v.body) != 200<<10 {
					t.Errorf("%v", err)
					return
				}
				bodies[i] = &v.body[0]
			})
		}
		asking.Wait()
		different := map[*byte]bool{}
		for _, body := range bodies {
			different[body] = true
		}
		if len(different) > test.reads {
			t.Errorf("%s: %d asked, it was read %d times", test.name, len(bodies), len(different))
		}
	}
}

// TestWhoGoesWhileAFileIsReadSpoilsItForNobody has the first of two go.
func TestWhoGoesWhileAFileIsReadSpoilsItForNobody(t *testing.T) {
	s := newSite(t, Config{}, files{"file": "content"})
	table := s.table.Load()
	soon := time.Now()
	os.Chtimes(filepath.Join(s.root, "file"), soon, soon) // it is to rest first
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error)
	go func() {
		_, _, err := s.load(ctx, table, table.asset("/file"))
		first <- err
	}()
	cancel()
	if v, _, err := s.load(t.Context(), table, table.asset("/file")); err != nil || string(v.body) != "content" {
		t.Errorf("%v", err)
	}
	if err := <-first; err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("who went: %v", err)
	}
}

// TestAFileThatHasGrownIsSentFromDiskToEach finds it larger than the table says.
func TestAFileThatHasGrownIsSentFromDiskToEach(t *testing.T) {
	s := newSite(t, Config{}, files{"file": "small"})
	table := s.table.Load()
	write(t, s.root, files{"file": strings.Repeat("x", maxInMemory+1)})
	var asking sync.WaitGroup
	for range 10 {
		asking.Go(func() {
			v, file, err := s.load(t.Context(), table, table.asset("/file"))
			if err != nil || file == nil || v.body != nil || v.size != maxInMemory+1 {
				t.Errorf("%+v, %v, %v", v, file, err)
				return
			}
			file.Close()
		})
	}
	asking.Wait()
}

// TestAnEmptyFileOfOldIsLookedAtTwice: while it cuts a file, Linux shows it empty with the time it had.
func TestAnEmptyFileOfOldIsLookedAtTwice(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "file")
	old := time.Now().Add(-time.Hour)
	if err := errors.Join(os.WriteFile(name, nil, 0o644), os.Chtimes(name, old, old)); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	gone, cancel := context.WithCancel(t.Context())
	cancel() // who would have to wait goes
	fi, err := file.Stat()
	check(t, err)
	known, err := rested(t.Context(), file, fi, stamp{size: 5})
	if err != nil || known.size != 0 {
		t.Fatalf("%v, %v", known, err)
	}
	if _, err := rested(gone, file, fi, known); err != nil {
		t.Errorf("one that is known to be empty: %v", err)
	}
	if _, err := rested(gone, file, fi, stamp{size: 5}); !errors.Is(err, context.Canceled) {
		t.Errorf("one that is not: %v", err)
	}
}
