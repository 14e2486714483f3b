package apps

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/fsnotify/fsnotify"
)

// lookout sees files change: the system tells of folders, each by itself;
// where it will not tell of so many, poll looks at the files again and again.
type lookout struct {
	watching
	changed func(file string) // called once the files are still
	problem func(text string) // what cannot be watched; empty: nothing

	ended   func() bool // nobody wants to know any more
	system  *fsnotify.Watcher
	add     func(folder string) error // to what the system tells of; tests put their own here
	folders map[string]bool           // that it tells of
	roots   []*lookRoot
	missing string // a path that is not there
	denied  string // a folder that cannot be read
	told    string // the last problem

	noted []noted   // what has changed and is not told yet, the first of it
	until time.Time // it is told then at the latest
	still *time.Timer
}

// noted is a file that has changed.
type noted struct {
	file string
	made bool // by what has changed: if it is gone again, nothing has
}

// mostNoted bounds what is remembered of changes that come together.
const mostNoted = 100

// lookRoot is one of the paths that are watched.
type lookRoot struct {
	path    string // as wanted, without its pattern
	pattern string // of the files that count; empty: all
	real    string // where it is, without symbolic links; empty: nowhere now
	file    bool   // it is a file
}

// lookPause is how often is looked for a path that is not there, and for
// another place behind a symbolic link.
const lookPause = time.Second

// errMany means that the system does not tell of so many folders.
var errMany = errors.New("the system lets no more folders be watched")

func newLookout(w watching) *lookout {
	l := &lookout{watching: w, folders: map[string]bool{}, still: time.NewTimer(time.Hour), ended: func() bool { return false }}
	l.still.Stop()
	for _, p := range w.paths {
		r := &lookRoot{path: p}
		if strings.ContainsAny(p, "*?[{") {
			base, pattern := doublestar.SplitPattern(filepath.ToSlash(p))
			r.path, r.pattern = filepath.FromSlash(base), pattern
		}
		l.roots = append(l.roots, r)
	}
	return l
}

// run looks until ctx ends.
func (l *lookout) run(ctx context.Context) {
	defer l.still.Stop()
	l.ended = func() bool { return ctx.Err() != nil }
	if err := l.listen(ctx); err != nil && !l.ended() {
		l.poll(ctx, err)
	}
}

// listen has the system tell. It returns an error when that does not work.
func (l *lookout) listen(ctx context.Context) error {
	var err error
	if l.system, err = fsnotify.NewWatcher(); errors.Is(err, syscall.EMFILE) {
		return fmt.Errorf("%w: raise fs.inotify.max_user_instances (sysctl)", errMany)
	} else if err != nil {
		return err
	}
	defer l.system.Close()
	if l.add == nil {
		l.add = l.system.Add
	}
	if err := l.find(false); err != nil {
		return err
	}
	again := time.NewTimer(lookPause)
	defer again.Stop()
	for looking := true; ; {
		switch settled := l.settled(); {
		case settled:
			again.Stop()
			looking = false
		case !looking:
			again.Reset(lookPause)
			looking = true
		}
		l.complainOf()
		select {
		case <-ctx.Done():
			return nil
		case e := <-l.system.Events:
			err = l.take(e)
		case lost := <-l.system.Errors:
			if errors.Is(lost, fsnotify.ErrEventOverflow) {
				err = l.rescan()
			}
		case <-again.C:
			err = l.find(true)
			looking = false
		case <-l.still.C:
			l.tell()
		}
		if err != nil {
			return err
		}
	}
}

// settled reports whether there is nothing to look for by ourselves.
func (l *lookout) settled() bool {
	return !slices.ContainsFunc(l.roots, func(r *lookRoot) bool { return r.real != r.path })
}

// take takes in what the system tells.
func (l *lookout) take(e fsnotify.Event) error {
	name := e.Name
	if e.Op == fsnotify.Chmod && !justWritten(name) { // touch sets the times alone
		return nil
	}
	if e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename) {
		l.forget(name)
	}
	for _, r := range l.roots {
		as, inside := r.declared(name)
		if !inside || l.skips(r, as, name) {
			continue
		}
		if e.Has(fsnotify.Create) && isRealFolder(name) {
			files, err := l.tree(r, name)
			if err != nil {
				return err
			}
			if files > 0 {
				l.note(as, false)
			}
			continue
		}
		if r.counts(name) {
			l.note(as, e.Has(fsnotify.Create))
		}
	}
	return nil
}

// rescan looks at all folders again: some that are new may have been missed.
func (l *lookout) rescan() error {
	l.note(l.cwd, false)
	for _, r := range l.roots {
		if r.real != "" && !r.file {
			if _, err := l.tree(r, r.real); err != nil {
				return err
			}
		}
	}
	return nil
}

// forget has the system not tell any more of a folder that is gone, and of
// those that were in it; a path that led there is looked for.
func (l *lookout) forget(gone string) {
	if !l.folders[gone] {
		return
	}
	for folder := range l.folders {
		if isBelow(folder, gone) {
			delete(l.folders, folder)
			l.system.Remove(folder) // fails where the system has done so
		}
	}
	for _, r := range l.roots {
		if r.real != "" && isBelow(r.real, gone) {
			r.real = ""
			l.note(r.path, false)
		}
	}
}

// note takes in that a file has changed.
func (l *lookout) note(file string, made bool) {
	now := time.Now()
	if len(l.noted) == 0 {
		l.until = now.Add(mostDelays * l.delay)
	}
	known := slices.ContainsFunc(l.noted, func(n noted) bool { return n.file == file })
	if !known && len(l.noted) < mostNoted {
		l.noted = append(l.noted, noted{file, made})
	}
	l.still.Reset(max(0, min(l.delay, l.until.Sub(now))))
}

// tell tells the first file that has changed and is there. Those that editors
// make for a moment do not count.
func (l *lookout) tell() {
	told := ""
	for _, n := range l.noted {
		if _, err := os.Lstat(n.file); err == nil {
			told = n.file
			break
		}
		if told == "" && !n.made {
			told = n.file
		}
	}
	l.noted = nil
	if told != "" {
		l.changed(l.shown(told))
	}
}

// complainOf tells which paths cannot be watched.
func (l *lookout) complainOf() {
	switch {
	case l.missing != "":
		l.complain(l.shown(l.missing) + " does not exist; it is watched once it does")
	case l.denied != "":
		l.complain(l.shown(l.denied) + " cannot be watched, permission denied: let it be read, or put it into ignore_watch")
	default:
		l.complain("")
	}
}

// complain tells what cannot be watched, once.
func (l *lookout) complain(text string) {
	if text != l.told {
		l.told = text
		l.problem(text)
	}
}

// skips reports whether a file, declared as one name and in truth another, does not count.
func (l *lookout) skips(r *lookRoot, as, name string) bool {
	return l.isOwn(as) || l.isOwn(name) || l.isOurs(r.path, as) || l.isOurs(r.real, name) || l.ignores(r.path, as)
}

// declared is a file's name as the configuration has it.
func (r *lookRoot) declared(name string) (as string, inside bool) {
	if r.real == "" || !isBelow(name, r.real) {
		return "", false
	}
	return filepath.Join(r.path, strings.TrimPrefix(name, r.real)), true
}

// counts reports whether a file below the root is one of those that are wanted.
func (r *lookRoot) counts(name string) bool {
	if r.pattern == "" {
		return true
	}
	rel, err := filepath.Rel(r.real, name)
	return err == nil && matches(r.pattern, filepath.ToSlash(rel))
}
