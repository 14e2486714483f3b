package static

import (
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/goleak"

	"roost/internal/httplint"
)

// modes are the ways to learn of changes.
var modes = map[string]func(root string) (*watcher, error){
	"watching":       newWatcher,
	"polling":        func(string) (*watcher, error) { return nil, errors.New("no more watchers") },
	"out of watches": newFullWatcher,
}

// newFullWatcher has room for one folder only.
func newFullWatcher(root string) (*watcher, error) {
	w, err := newWatcher(root)
	if err != nil {
		return nil, err
	}
	room, add := 1, w.add
	w.add = func(dir string) error {
		if room--; room < 0 {
			return errors.New("no space left on device")
		}
		return add(dir)
	}
	return w, nil
}

func eachMode(t *testing.T, all files, test func(t *testing.T, s *site)) {
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, Config{Serving: Serving{Browse: true}}, all)
			s.watcher = mode
			s.run()
			test(t, s)
		})
	}
}

func (s *site) path(name string) string { return filepath.Join(s.root, name) }

func TestChangesShowWithinASecond(t *testing.T) {
	t.Parallel()
	big := func(c string) string { return strings.Repeat(c, maxInMemory+5) }
	eachMode(t, files{"index.html": "1", "a.css": "a1", "big": big("1"), "dir/x": "x1", "gone": "g", "dir2/old": "o"}, func(t *testing.T, s *site) {
		for path, body := range map[string]string{"/": "1", "/a.css": "a1", "/big": big("1"), "/dir/x": "x1", "/gone": "g"} {
			s.shows(path, 200, body)
		}
		before := s.get("/a.css").Header.Get("Etag")

		write(t, s.root, files{"index.html": "2", "a.css": "a2", "dir/x": "x2", "big": big("2")}) // in place, same size
		s.shows("/", 200, "2")
		s.shows("/a.css", 200, "a2")
		s.shows("/dir/x", 200, "x2")
		s.shows("/big", 200, big("2"))
		if s.get("/a.css").Header.Get("Etag") == before {
			t.Error("the tag stays")
		}

		write(t, s.root, files{"new.txt": "n", "dir/new.txt": "dn", "fresh/deep/er/f": "f", "fresh/index.html": "fi"})
		s.shows("/new.txt", 200, "n")
		s.shows("/dir/new.txt", 200, "dn")
		s.shows("/fresh/deep/er/f", 200, "f")
		s.shows("/fresh/", 200, "fi")
		write(t, s.root, files{"fresh/deep/er/g": "g"}) // a folder that came later is followed too
		s.shows("/fresh/deep/er/g", 200, "g")

		check(t, os.Rename(s.path("new.txt"), s.path("a.css"))) // over another
		s.shows("/a.css", 200, "n")
		s.shows("/new.txt", 404, "")
		check(t, os.Remove(s.path("gone")))
		s.shows("/gone", 404, "")

		check(t, os.Rename(s.path("fresh"), s.path("moved")))
		s.shows("/moved/deep/er/g", 200, "g")
		s.shows("/fresh/deep/er/g", 404, "")
		write(t, s.root, files{"moved/deep/er/g": "G"})
		s.shows("/moved/deep/er/g", 200, "G")
		check(t, os.Rename(s.path("dir"), s.path("dir3")))
		check(t, os.Rename(s.path("dir2"), s.path("dir"))) // another folder under a known name
		s.shows("/dir/old", 200, "o")
		s.shows("/dir/x", 404, "")
		write(t, s.root, files{"dir/old": "O"})
		s.shows("/dir/old", 200, "O")
		check(t, os.RemoveAll(s.path("moved")))
		s.shows("/moved/", 404, "")
		check(t, os.Remove(s.path("index.html")))
		within(t, time.Second, "a listing instead of an index", func() bool {
			a := s.get("/")
			return a.StatusCode == 200 && strings.Contains(a.body, "a.css") && !strings.Contains(a.body, "moved")
		})
	})
}

func TestLinksAreFollowedAsTheyChange(t *testing.T) {
	t.Parallel()
	eachMode(t, files{"releases/1/f": "one", "releases/2/f": "two", "current": "->releases/1", "one": "->releases/1/f"}, func(t *testing.T, s *site) {
		s.shows("/current/f", 200, "one")
		s.shows("/one", 200, "one")
		check(t, os.Symlink("releases/2", s.path("next")))
		check(t, os.Rename(s.path("next"), s.path("current")))
		s.shows("/current/f", 200, "two")
		write(t, s.root, files{"releases/1/f": "ONE"})
		s.shows("/one", 200, "ONE") // the file behind the link
		check(t, os.RemoveAll(s.path("releases/1")))
		s.shows("/one", 404, "")
		write(t, s.root, files{"releases/1/f": "again"})
		s.shows("/one", 200, "again")
	})
}

func TestFolderMayBeReplaced(t *testing.T) {
	t.Parallel()
	eachMode(t, files{"f": "old", "sub/g": "old"}, func(t *testing.T, s *site) {
		s.shows("/f", 200, "old")
		check(t, os.RemoveAll(s.root))
		s.shows("/f", 404, "")
		s.shows("/sub/g", 404, "")
		write(t, s.root, files{"f": "new", "sub/g": "new"})
		s.shows("/f", 200, "new")
		s.shows("/sub/g", 200, "new")
		write(t, s.root, files{"sub/g": "newer"}) // and the new one is followed
		s.shows("/sub/g", 200, "newer")

		check(t, os.Rename(s.root, s.root+".away"))
		s.shows("/f", 404, "")
		write(t, filepath.Dir(s.root), files{filepath.Base(s.root): "a file"})
		s.shows("/f", 404, "")
		check(t, os.Remove(s.root))
		check(t, os.Rename(s.root+".away", s.root))
		s.shows("/f", 200, "new")
		if log := s.logs.String(); !strings.Contains(log, "the folder is gone") {
			t.Errorf("not said: %s", log)
		}
	})
}

// A deployment that swaps a link is the one way to change a whole site at once:
// every answer must be of the old or of the new, and none may be an error.
func TestSwappedRootLinkLosesNoRequest(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	big := func(c string) string { return strings.Repeat(c, maxInMemory+5) }
	write(t, top, files{
		"1/f": "1", "2/f": "2", "3/f": "3", "1/big": big("1"), "2/big": big("2"), "3/big": big("3"), "current": "->1",
	})
	s := newSite(t, Config{Root: filepath.Join(top, "current")}, nil).run()
	s.shows("/f", 200, "1")
	for _, next := range []string{"2", "3", "1"} {
		check(t, os.Symlink(next, filepath.Join(top, "next")))
		check(t, os.Rename(filepath.Join(top, "next"), filepath.Join(top, "current")))
		within(t, time.Second, "release "+next, func() bool {
			f, b := s.get("/f"), s.get("/big")
			if f.StatusCode != 200 || b.StatusCode != 200 || len(f.body) != 1 || b.body != big(b.body[:1]) {
				t.Fatalf("while %s comes: %.20s, %.20s", next, brief(f), brief(b))
			}
			return f.body == next && b.body == big(next)
		})
	}
}

func TestFileBeingWrittenIsHeldBack(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{}, files{"old": "whole"}).run()
	s.shows("/old", 200, "whole")
	for _, name := range []string{"old", "new", "dir/new"} { // the last in a folder that is new itself
		// On a busy box the writer itself may come to a rest that counts; then once more.
		for tries := 1; !s.writeSlowly(name); tries++ {
			if tries == 20 {
				t.Fatal("the box is too busy to write a file without a pause")
			}
			want, err := os.ReadFile(s.path(name))
			check(t, err)
			s.shows("/"+name, 200, string(want))
			check(t, os.RemoveAll(s.path(strings.Split(name, "/")[0])))
			s.shows("/"+name, 404, "")
			if name == "old" {
				write(t, s.root, files{"old": "whole"})
				s.shows("/old", 200, "whole")
			}
		}
		want, err := os.ReadFile(s.path(name))
		check(t, err)
		s.shows("/"+name, 200, string(want))
	}
}

// writeSlowly writes a file in 0.25 s and checks that it does not show
// meanwhile. It returns false if it was held up itself.
func (s *site) writeSlowly(name string) bool {
	write(s.t, s.root, files{filepath.Dir(name) + "/": ""})
	f, err := os.Create(s.path(name))
	check(s.t, err)
	defer f.Close()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	begun := time.Now()
	last := begun
	for i := range 12 {
		_, err := f.WriteString("part" + strconv.Itoa(i) + ";")
		check(s.t, err)
		<-tick.C
		a := s.get("/" + name)
		if time.Since(last) > quiet*2/3 {
			return false
		}
		last = time.Now()
		if name == "old" && a.body != "whole" || name != "old" && a.StatusCode != 404 {
			s.t.Fatalf("%s after %d parts: %s", name, i, brief(a))
		}
	}
	return true
}

func TestFileWrittenAllTheTimeStaysAsItWasUntilItRests(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{}, files{"status.json": "0"}).run()
	s.shows("/status.json", 200, "0")
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	last := time.Now()
	for i := range 100 {
		write(t, s.root, files{"status.json": strings.Repeat("x", i+1)})
		<-tick.C
		a := s.get("/status.json")
		if time.Since(last) > quiet*2/3 {
			break // the box is busy: that was a rest
		}
		last = time.Now()
		if brief(a) != "200 0" {
			t.Fatal(brief(a))
		}
	}
	want, err := os.ReadFile(s.path("status.json"))
	check(t, err)
	s.shows("/status.json", 200, string(want))
}

// A request that reads a changed file from disk tells of it. Were each such
// word a change of its own, a file that is asked for all the time would never
// come to rest, and be read for each request.
func TestChangedFileThatIsAskedForAllTheTimeIsKnown(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{}, files{"a.txt": "old"}).run()
	write(t, s.root, files{"a.txt": "newer"}) // not asked for before: it is not in memory
	within(t, time.Second, "the table knows the change", func() bool {
		s.get("/a.txt")
		return s.table.Load().asset("/a.txt").stamp.size == int64(len("newer"))
	})
	if a := s.get("/a.txt"); a.body != "newer" {
		t.Error(brief(a))
	}
}

func TestLostEventsAreMadeUpFor(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{}, files{"dir/x": "1"})
	lost := make(chan error)
	s.watcher = func(string) (*watcher, error) { // hears of nothing but that it has not heard
		return &watcher{add: silent.add, close: silent.close, events: make(chan fsnotify.Event), errors: lost}, nil
	}
	s.run()
	s.shows("/dir/x", 200, "1")
	write(t, s.root, files{"dir/y": "2"})
	lost <- fsnotify.ErrEventOverflow
	s.shows("/dir/y", 200, "2")
}

func TestRunEndsAndLeavesNothingOpen(t *testing.T) {
	root := t.TempDir()
	write(t, root, files{"a/b/c": "c"})
	descriptors := func() int {
		all, _ := os.ReadDir("/proc/self/fd") // none where there is no such folder
		return len(all)
	}
	before, goroutines := descriptors(), goleak.IgnoreCurrent()
	for range 5 {
		f, err := Open(Config{Root: root}, Options{})
		check(t, err)
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- f.Run(ctx) }()
		write(t, root, files{"a/b/c": "changed"})
		within(t, time.Second, "the change", func() bool {
			w := httplint.Record(t, f, httptest.NewRequest("GET", "/a/b/c", nil))
			return w.Body.String() == "changed"
		})
		cancel()
		check(t, <-done)
		check(t, f.Close())
	}
	goleak.VerifyNone(t, goroutines)
	if after := descriptors(); after > before+1 { // the test's own poller may have come
		t.Errorf("%d descriptors open, %d before", after, before)
	}
}
