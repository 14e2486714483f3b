package static

import (
	"iter"
	"os"
	"slices"
	"strings"
	"sync/atomic"
)

// table is one state of the folder. It is never changed once a request can
// see it; a changed copy shares what stays as it was.
type table struct {
	// number tells it from all others.
	number uint64
	// root opens the files; nil when there is no folder.
	root *tree
	dirs index[*directory]
	// links counts the symbolic links that were met, followed or not.
	links int
	ways  *ways // by which they lead; nil: there are none
	// seen counts the files and directories.
	seen  int
	rules *ruleFiles // nil: there are none
}

var (
	tables      atomic.Uint64 // how many there were
	emptyTable  = &table{}    // the folder is missing
	closedTable = &table{}    // the Folder is closed
)

// directory is what lies in a directory.
type directory struct {
	path    string        // in the table, with a slash at both ends
	index   *asset        // its index.html; nil if there is none
	files   index[*asset] // by their whole path
	folders []string      // names, sorted
}

func (d *directory) key() string { return d.path }

// asset is a file as a scan saw it. A hundred thousand of them must be cheap:
// all that a first request can make is in content.
type asset struct {
	path    string     // in the table
	file    string     // where the file is in the tree: path, unless links were followed
	stamp   stamp      // what it was then
	kind    *mediaType // from its name
	content atomic.Pointer[content]
	dropped bool // no longer in the table; guarded by memory.mu
}

func (a *asset) key() string { return a.path }

// stamp tells two states of a file apart.
type stamp struct {
	size     int64  // bytes
	modified int64  // nanoseconds since 1970
	mark     uint64 // from the inode and its change time, where there are such
}

func stampOf(fi os.FileInfo) stamp {
	return stamp{fi.Size(), fi.ModTime().UnixNano(), markOf(fi)}
}

// torn tells whether s was looked at while the file was being cut: Linux sets
// the new size before the new times. was is the state before.
func (s stamp) torn(was stamp) bool {
	return s.size != was.size && s.modified == was.modified && s.mark == was.mark
}

// asset returns the file at a path, or the index.html of the directory there; nil if there is none.
func (t *table) asset(path string) *asset {
	slash := strings.LastIndexByte(path, '/') + 1
	d := t.dirs.get(path[:slash])
	if d == nil {
		return nil
	}
	if slash == len(path) {
		return d.index
	}
	return d.files.get(path)
}

// dir returns the directory at a path, which ends in a slash; nil if there is none.
func (t *table) dir(path string) *directory { return t.dirs.get(path) }

// all goes over the files, in no order.
func (t *table) all() iter.Seq[*asset] {
	return func(yield func(*asset) bool) {
		for d := range t.dirs.all() {
			for a := range d.files.all() {
				if !yield(a) {
					return
				}
			}
		}
	}
}

// list returns what lies in the directory at path, which is there, by name.
func (t *table) list(path string) (folders []string, assets []*asset) {
	d := t.dir(path)
	assets = slices.SortedFunc(d.files.all(), func(a, b *asset) int { return strings.Compare(a.path, b.path) })
	return d.folders, assets
}

// same tells whether two tables answer alike.
func (t *table) same(u *table) bool {
	if t.root != u.root || t.rules != u.rules || t.links != u.links || t.dirs.count != u.dirs.count {
		return false
	}
	for d := range t.dirs.all() {
		if u.dir(d.path) != d {
			return false
		}
	}
	return true
}

// same tells whether two directories hold the same.
func (d *directory) same(e *directory) bool {
	if d.files.count != e.files.count || !slices.Equal(d.folders, e.folders) {
		return false
	}
	for a := range d.files.all() {
		if e.files.get(a.path) != a {
			return false
		}
	}
	return true
}

// splitPath returns the directory that path lies in, and its name there; a
// slash at the end belongs to neither.
func splitPath(path string) (dir, name string) {
	path = strings.TrimSuffix(path, "/")
	slash := strings.LastIndexByte(path, '/') + 1
	return path[:slash], path[slash:]
}
