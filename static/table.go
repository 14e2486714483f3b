package static

import (
	"iter"
	"maps"
	"os"
	"slices"
	"strings"
	"sync/atomic"
)

// table is one state of the folder. It is never changed once a request can see it.
type table struct {
	// root opens the files; nil when there is no folder.
	root *os.Root
	// assets maps a path of the folder ("/css/a.css") to its file, and the
	// path of a directory ("/docs/") to its index.html.
	assets map[string]*asset
	// dirs maps the path of every directory to its names.
	dirs map[string]*directory
	// links counts the symbolic links that were met, followed or not.
	links int
}

var (
	emptyTable  = &table{} // the folder is missing
	closedTable = &table{} // the Folder is closed
)

// asset returns the file at a path, or the index.html of the directory there; nil if there is none.
func (t *table) asset(path string) *asset { return t.assets[path] }

// dir returns the directory at a path, which ends in a slash; nil if there is none.
func (t *table) dir(path string) *directory { return t.dirs[path] }

// all goes over the files, in no order.
func (t *table) all() iter.Seq[*asset] {
	return func(yield func(*asset) bool) {
		for path, a := range t.assets {
			if path == a.path && !yield(a) {
				return
			}
		}
	}
}

// count returns how many files there are.
func (t *table) count() int { return len(t.assets) }

// list returns what lies in the directory at path, which is there, by name; folders without a slash.
func (t *table) list(path string) (folders []string, assets []*asset) {
	for _, name := range t.dirs[path].names {
		if folder, ok := strings.CutSuffix(name, "/"); ok {
			folders = append(folders, folder)
		} else if a := t.assets[path+name]; a != nil {
			assets = append(assets, a)
		}
	}
	return folders, assets
}

// asset is a file as a scan saw it. A hundred thousand of them must be cheap:
// all that a first request can make is in variant.
type asset struct {
	path    string     // key in table.assets
	file    string     // where the file is, below the root: path, unless links were followed
	stamp   stamp      // what it was then
	kind    *mediaType // from its name
	variant atomic.Pointer[variant]
	dropped bool // no longer in the table; guarded by memory.mu
}

// stamp tells two states of a file apart.
type stamp struct {
	size     int64  // bytes
	modified int64  // nanoseconds since 1970
	mark     uint64 // from the inode and its change time, where there are such
}

func stampOf(fi os.FileInfo) stamp {
	return stamp{fi.Size(), fi.ModTime().UnixNano(), markOf(fi)}
}

// directory is what lies in a directory, sorted; names of directories end in a slash.
type directory struct{ names []string }

// edit is a copy of a table being changed.
type edit struct {
	*table
	added   map[string][]string        // directory → names to add
	removed map[string]map[string]bool // directory → names to remove
	dropped []*asset                   // no longer in the table
}

func (t *table) edit() *edit {
	return &edit{
		table:   &table{root: t.root, assets: maps.Clone(t.assets), dirs: maps.Clone(t.dirs), links: t.links},
		added:   map[string][]string{},
		removed: map[string]map[string]bool{},
	}
}

// set puts a file into its directory, which is there; a is nil when the file is gone.
func (e *edit) set(path string, a *asset) {
	old := e.assets[path]
	if old == nil && a == nil {
		return
	}
	slash := strings.LastIndexByte(path, '/')
	dir, name := path[:slash+1], path[slash+1:]
	if old != nil {
		e.dropped = append(e.dropped, old)
	}
	e.put(path, a)
	if name == "index.html" {
		e.put(dir, a)
	}
	switch {
	case old == nil:
		e.added[dir] = append(e.added[dir], name)
	case a == nil:
		if e.removed[dir] == nil {
			e.removed[dir] = map[string]bool{}
		}
		e.removed[dir][name] = true
	}
}

func (e *edit) put(path string, a *asset) {
	if a == nil {
		delete(e.assets, path)
	} else {
		e.assets[path] = a
	}
}

// done returns the changed table.
func (e *edit) done() *table {
	for dir := range e.removed {
		e.rename(dir)
	}
	for dir := range e.added {
		if e.removed[dir] == nil {
			e.rename(dir)
		}
	}
	return e.table
}

func (e *edit) rename(dir string) {
	names := slices.Clone(e.dirs[dir].names)
	names = slices.DeleteFunc(names, func(name string) bool { return e.removed[dir][name] })
	names = append(names, e.added[dir]...)
	slices.Sort(names)
	e.dirs[dir] = &directory{names: names}
}

// same tells whether two tables answer alike.
func (t *table) same(u *table) bool {
	if t.root != u.root || t.links != u.links || len(t.assets) != len(u.assets) || len(t.dirs) != len(u.dirs) {
		return false
	}
	for path, a := range t.assets {
		if u.assets[path] != a {
			return false
		}
	}
	for path := range t.dirs {
		if u.dirs[path] == nil {
			return false
		}
	}
	return true
}
