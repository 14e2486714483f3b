package static

import (
	"context"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// apply brings files and directories up to date. It returns false when that is
// not enough and the whole is to be read again.
func (f *follower) apply(ctx context.Context, t *table, due map[string]*change) bool {
	e := t.edit()
	s := f.reader(t.root, t)
	s.to = e
	enough := true
	read := "\n" // the directory read last; no path begins so
	for _, path := range slices.Sorted(maps.Keys(due)) {
		if strings.HasPrefix(path, read) {
			continue
		}
		dir, _ := splitPath(path)
		if e.dir(dir) == nil {
			enough = enough && t.dir(dir) != nil // else it was dropped just now
			continue
		}
		if isRuleFile(path[1:]) {
			c := due[path]
			last := c.last
			f.pending[path] = c // where hold looks for the first event
			e.rules = s.rules()
			if e.links != t.links {
				return false
			}
			if c.last.Equal(last) {
				delete(f.pending, path)
			}
			enough = enough && !s.again
			continue
		}
		file, fi, err := t.ways.look(t.root, path)
		if err == errElsewhere || t.ways != nil && (e.dir(path+"/") != nil || err == nil && fi.IsDir() && file != path[1:]) {
			return false // what lies below may be known by other paths as well
		}
		switch {
		case passing(err):
			enough = false
			continue
		case err == nil && fi.Mode()&fs.ModeSymlink != 0 && t.root.links != linksNone:
			enough = false
			continue
		case err == nil && fi.IsDir():
			read = path + "/"
			e.set(path, nil)
			s.scanBelow(ctx, e, read, fi)
			if ctx.Err() != nil || s.again || e.links != t.links {
				return false
			}
			continue
		}
		if e.dir(path+"/") != nil {
			e.drop(path + "/")
			e.link(path, false)
		}
		if err != nil || !fi.Mode().IsRegular() {
			e.set(path, nil)
			continue
		}
		f.pending[path] = due[path] // where hold looks for the first event
		a, held := s.asset(path, file, fi)
		if !held {
			delete(f.pending, path)
		}
		e.set(path, a)
	}
	if e.changed() || e.rules != t.rules {
		u := e.done()
		f.table.Store(u)
		for _, a := range e.files {
			f.memory.forget(a)
		}
		f.forget(e.whole, u)
	}
	return enough
}

// publish replaces the table by one that a scan has made, and tells whether that changes anything.
func (f *follower) publish(t *table) bool {
	old := f.table.Load()
	if old.same(t) {
		if t.ways != nil {
			f.table.Store(t) // they may be other ways to the same
		}
		return false
	}
	f.table.Store(t)
	f.forget(slices.Collect(old.dirs.all()), t)
	if old.root != nil && old.root != t.root {
		old.root.Close() // requests that hold the old table ask the new one
	}
	return true
}

// forget frees what was kept of files in some directories that are not in t.
func (f *follower) forget(dirs []*directory, t *table) {
	for _, d := range dirs {
		if t.dir(d.path) == d {
			continue
		}
		for a := range d.files.all() {
			if t.asset(a.path) != a {
				f.memory.forget(a)
			}
		}
	}
}
