package static

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	rootEvery  = 300 * time.Millisecond // whether the folder is still the same one
	lookEvery  = 25 * time.Millisecond  // which pending changes have come to rest
	pollEvery  = 500 * time.Millisecond // reading all, where nothing tells of changes
	checkEvery = 60 * time.Second       // reading all, in case an event was lost
	maxCatchUp = 400 * time.Millisecond // between two readings of all that events ask for
	retryWatch = 5 * time.Minute        // after which watching is tried again where it failed,
	retrySoon  = 10 * time.Second       // or for want of open files
)

// follower is what Run keeps between sessions. One goroutine has it.
type follower struct {
	*Folder
	pending pending
	watch   *watcher  // of this session
	polls   time.Time // do not try to watch before
}

// Run keeps the table true to the folder, and compresses what has been asked
// for, until ctx ends, and returns nil then.
func (f *Folder) Run(ctx context.Context) error {
	var compressing sync.WaitGroup
	compressing.Go(func() { f.work(ctx) })
	defer compressing.Wait()
	run := follower{Folder: f, pending: pending{}}
	for ctx.Err() == nil {
		run.session(ctx)
	}
	return nil
}

// session reads the whole folder and then follows its changes until the next
// reading is due: because the folder itself was replaced, a directory was
// moved, a link came or went, events were lost, or nothing tells of changes. One
// way to begin keeps watches and table in step without ever repairing either:
// the watch of a directory that was moved would go on under its old name.
func (f *follower) session(ctx context.Context) {
	root := f.reopen(ctx)
	if root == nil {
		return
	}
	begun := time.Now()
	old := f.table.Load()
	if old.root != root {
		old = emptyTable // inodes of another folder prove nothing
	}
	f.watch = f.listen()
	defer func() { f.watch.close() }()
	s := f.reader(root, old)
	t, err := s.scan(ctx)
	if ctx.Err() != nil || passing(err) {
		if old.root != root {
			root.Close()
		}
		if err != nil && ctx.Err() == nil {
			f.notices.warn("cannot read folder for now", f.config.Root, err)
			pause(ctx, pollEvery)
		}
		return
	}
	if err != nil {
		f.notices.warn("cannot read folder", f.config.Root, err)
		s.again = true
		t = &table{root: root}
	}
	changed := f.publish(t)
	cost := time.Since(begun)
	again := begun.Add(max(checkEvery, 500*cost))
	switch {
	case f.watch.events != nil && !s.again:
	case changed:
		again = begun.Add(max(pollEvery, 2*cost))
	default:
		again = begun.Add(max(pollEvery, 10*cost))
	}
	f.follow(ctx, again, begun.Add(min(3*cost, maxCatchUp)))
}

// reader returns what reads anew, and has what it reads watched.
func (f *follower) reader(root *tree, old *table) *scanner {
	s := f.scanner(root, old)
	s.hold = func(path string, modified time.Time) bool {
		return f.pending.hold(path, modified, time.Now())
	}
	s.watch = func(dir string) {
		err := errRemote
		if !filepath.IsAbs(dir) || !remote(dir) { // of the folder newWatcher has asked
			err = f.watch.add(root.path(dir))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			f.watch.close()
			f.watch = f.unwatched(err)
			s.again = true
		}
	}
	return s
}

// follow applies changes as they come until the whole is to be read again: at
// again, or when they ask for it, but not before soonest.
func (f *follower) follow(ctx context.Context, again, soonest time.Time) {
	now := time.Now()
	root, look := now.Add(rootEvery), now
	timer := time.NewTimer(0)
	defer timer.Stop()
	for again.After(now) {
		wake := earlier(root, again)
		if len(f.pending) > 0 {
			wake = earlier(wake, look)
		}
		timer.Reset(time.Until(wake))
		select {
		case <-ctx.Done():
			return
		case e, ok := <-f.watch.events:
			if !ok {
				return
			}
			t := f.table.Load()
			for _, path := range f.pathsOf(e.Name, t) {
				if e.Has(fsnotify.Rename) && t.dir(path+"/") != nil {
					again = earlier(again, soonest)
				}
				f.pending.add(path, time.Now())
			}
		case <-f.watch.errors: // too many events at once: some are lost
			again = earlier(again, soonest)
		case path := <-f.stale: // from a request; further ones are no further changes
			t := f.table.Load()
			for _, path := range t.ways.pathsOf(t.ways.nameOf(path)) {
				if f.pending[path] == nil {
					f.pending.add(path, time.Now())
				}
			}
		case <-timer.C:
		}
		now = time.Now()
		t := f.table.Load()
		if !root.After(now) {
			if !t.root.is(f.config.Root) {
				return
			}
			if f.watch.events != nil && !f.look(t) {
				again = earlier(again, soonest)
			}
			root = now.Add(max(rootEvery, 20*time.Since(now)))
		}
		if !look.After(now) {
			if due := f.pending.due(now); due != nil && !f.apply(ctx, t, due) {
				again = earlier(again, soonest)
			}
			// A large table takes a while to copy; do not do only that.
			look = time.Now().Add(max(lookEvery, 4*time.Since(now)))
		}
	}
}

// look notes changes of which the system does not tell; false if all is to be read again for them.
func (f *follower) look(t *table) bool {
	files, err := t.ways.changed(t.root)
	for _, name := range files {
		for _, path := range f.pathsOf(name, t) {
			f.pending.add(path, time.Now())
		}
	}
	return err == nil
}

// listen returns what tells of changes; it tells of none where that fails.
func (f *follower) listen() *watcher {
	if time.Now().Before(f.polls) {
		return silent
	}
	w, err := f.watcher(f.config.Root)
	if err != nil {
		return f.unwatched(err)
	}
	return w
}

func (f *follower) unwatched(err error) *watcher {
	f.notices.warn("cannot watch the folder, so it is read again and again", f.config.Root, err)
	f.polls = time.Now().Add(retryWatch)
	if exhausted(err) {
		f.polls = time.Now().Add(retrySoon)
	}
	return silent
}

// pathsOf returns the paths of what an event is about, of those that are served.
func (f *follower) pathsOf(event string, t *table) []string {
	if below, ok := strings.CutPrefix(event, under(filepath.Clean(f.config.Root))); ok {
		event = filepath.ToSlash(below)
	}
	return slices.DeleteFunc(t.ways.pathsOf(event), func(path string) bool { return !servablePath(path) && !isRuleFile(path[1:]) })
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
