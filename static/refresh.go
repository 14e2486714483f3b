package static

import (
	"io/fs"
	"strings"
	"time"
)

// apply brings single files up to date. It returns false when that is not
// enough: a directory or a link has come, gone or changed.
func (f *follower) apply(t *table, due map[string]*change, now time.Time) bool {
	if t.links > 0 {
		return false // a file may be known under more names than its own
	}
	e := t.edit()
	enough := true
	for path, c := range due {
		dir := path[:strings.LastIndexByte(path, '/')+1]
		if t.dir(dir) == nil || t.dir(path+"/") != nil {
			enough = false
			continue
		}
		fi, err := t.root.Lstat(path[1:])
		switch {
		case err != nil:
			e.set(path, nil)
		case fi.Mode().IsRegular():
			f.pending[path] = c // where hold looks for the first event
			if !f.pending.hold(path, t.asset(path) != nil, fi.ModTime(), now) {
				delete(f.pending, path)
				e.set(path, newAsset(path, path[1:], stampOf(fi)))
			}
		case fi.IsDir(), fi.Mode()&fs.ModeSymlink != 0:
			enough = false
		default:
			e.set(path, nil)
		}
	}
	if len(e.dropped) > 0 || len(e.added) > 0 {
		f.table.Store(e.done())
		for _, a := range e.dropped {
			f.memory.forget(a)
		}
	}
	return enough
}

// publish replaces the table by one that a scan has made.
func (f *follower) publish(t *table) {
	old := f.table.Load()
	if old.same(t) {
		return
	}
	f.table.Store(t)
	for a := range old.all() {
		if t.asset(a.path) != a {
			f.memory.forget(a)
		}
	}
	if old.root != nil && old.root != t.root {
		old.root.Close() // requests that hold the old table ask the new one
	}
}
