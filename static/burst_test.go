package static

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

// As git checkout, tar x and rm -rf do: thousands of changes at once, and what
// lies there in the end is served a second later, all of it.
func TestBurstsOfChangesEndInWhatIsThere(t *testing.T) {
	t.Parallel()
	eachMode(t, files{"index.html": "i"}, func(t *testing.T, s *site) {
		tree := func(top, content string) {
			for i := range 60 {
				dir := fmt.Sprintf("%s/%d/%d", s.path(top), i%10, i)
				check(t, os.MkdirAll(dir, 0o755))
				for j := range 30 {
					check(t, os.WriteFile(fmt.Sprintf("%s/%d.txt", dir, j), []byte(content), 0o644))
				}
			}
		}
		settled := func(what, path string, status int, body string) {
			within(t, time.Second, what, func() bool {
				a := s.get(path)
				return a.StatusCode == status && (status != 200 || a.body == body) && s.agrees()
			})
		}
		tree("a", "1")
		settled("a tree comes", "/a/9/59/29.txt", 200, "1")
		tree("a", "2")
		settled("all of it changes", "/a/9/59/29.txt", 200, "2")
		tree("b", "3")
		check(t, os.RemoveAll(s.path("a")))
		check(t, os.Rename(s.path("b"), s.path("a")))
		settled("another takes its place", "/a/9/59/29.txt", 200, "3")
		for i := range 10 { // branches are switched
			check(t, os.Rename(s.path(fmt.Sprint("a/", i)), s.path(fmt.Sprint("a/x", i))))
			check(t, os.MkdirAll(s.path(fmt.Sprint("a/", i, "/new")), 0o755))
			check(t, os.WriteFile(s.path(fmt.Sprint("a/", i, "/new/f")), []byte("4"), 0o644))
		}
		settled("folders come and go", "/a/3/new/f", 200, "4")
		tree("a/3/new", "5")
		settled("in one that is new", "/a/3/new/9/59/29.txt", 200, "5")
		check(t, os.RemoveAll(s.path("a")))
		settled("it goes", "/a/3/new/f", 404, "")
		if n := s.table.Load().seen; n != 2 {
			t.Errorf("%d files and folders are left", n)
		}
	})
}

// The kernel keeps so many events and no more, and says so (inotify(7), IN_Q_OVERFLOW).
func TestOverflowOfEventsIsMadeUpFor(t *testing.T) {
	t.Parallel()
	queue := 16384
	if limit, err := os.ReadFile("/proc/sys/fs/inotify/max_queued_events"); err == nil {
		_, err := fmt.Sscan(string(limit), &queue)
		check(t, err)
	}
	s := newSite(t, Config{}, files{"dir/f": "1", "dir/g": "1"})
	tap := newTap()
	s.watcher = tap.watcher
	s.run()
	s.shows("/dir/f", 200, "1")
	within(t, time.Second, "the folder is watched", func() bool { return tap.watched.Load() >= 2 })
	for i := range queue + 8192 { // some more than the queue, as the watcher reads ahead
		check(t, os.Chmod(s.path("dir/"+string("fg"[i%2])), 0o600+fs.FileMode(i/2%2)*0o44))
	}
	write(t, s.root, files{"dir/f": "2", "dir/new": "n", "dir2/f": "3"})
	close(tap.open)
	s.shows("/dir/f", 200, "2")
	s.shows("/dir/new", 200, "n")
	s.shows("/dir2/f", 200, "3")
	if !tap.overflowed.Load() && runtime.GOOS == "linux" {
		t.Error("nothing was lost, so this shows nothing")
	}
}

// tap is a watcher whose events do not come before it is opened.
type tap struct {
	open       chan struct{}
	watched    atomic.Int64 // folders
	overflowed atomic.Bool
}

func newTap() *tap { return &tap{open: make(chan struct{})} }

func (p *tap) watcher(root string) (*watcher, error) {
	w, err := newWatcher(root)
	if err != nil {
		return nil, err
	}
	events, errors, closed := make(chan fsnotify.Event), make(chan error), make(chan struct{})
	tapped := &watcher{events: events, errors: errors}
	tapped.add = func(dir string) error { p.watched.Add(1); return w.add(dir) }
	tapped.close = sync.OnceValue(func() error { close(closed); return w.close() })
	go func() {
		select {
		case <-p.open:
		case <-closed:
			return
		}
		for {
			select {
			case e := <-w.events:
				select {
				case events <- e:
				case <-closed:
					return
				}
			case err := <-w.errors:
				p.overflowed.Store(true)
				select {
				case errors <- err:
				case <-closed:
					return
				}
			case <-closed:
				return
			}
		}
	}()
	return tapped, nil
}

// agrees tells whether the table is what a scan of the folder finds now.
func (s *site) agrees() bool {
	t := s.table.Load()
	if t.root == nil {
		return false
	}
	now, err := s.scanner(t.root, t).scan(context.Background())
	return err == nil && now.same(t)
}
