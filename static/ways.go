package static

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

const maxWays = 50_000 // names whose changes are looked for

// ways are how links lead to what a table has. Names are those of a tree.
type ways struct {
	// paths of what lies under other names than its paths say: directories, with a slash at the end, and files.
	paths map[string][]string
	dirs  map[string]string // names of those directories, by their paths
	// names that links come by, and what lies there; nil for nothing.
	names map[string]fs.FileInfo
	told  map[string]bool // such names too: of their changes the system tells
	many  bool            // some names are in neither
}

func newWays() *ways {
	return &ways{map[string][]string{}, map[string]string{}, map[string]fs.FileInfo{}, map[string]bool{}, false}
}

// meet notes a name that a link comes by.
func (w *ways) meet(name string, fi fs.FileInfo) {
	if len(w.names) >= maxWays {
		w.many = true
		return
	}
	w.names[name] = fi
}

// show notes that the directory of that name is at path.
func (w *ways) show(name, path string) {
	w.paths[name] = append(w.paths[name], path)
	w.dirs[path] = name
}

// part parts the names: told of are those that do not hide in directories that
// are watched, as all are that e has.
func (w *ways) part(e *edit) {
	for name := range w.names {
		dir, base := split(name)
		watched := len(w.paths[dir]) > 0 || dir == "." || !filepath.IsAbs(name) && e.dir("/"+dir+"/") != nil
		if watched && servable(base, dir == ".") {
			w.told[name] = true
			delete(w.names, name)
		}
	}
}

// split returns the directory that a name lies in, and its last part.
func split(name string) (dir, base string) {
	if filepath.IsAbs(name) {
		return filepath.Dir(name), filepath.Base(name)
	}
	return path.Dir(name), path.Base(name)
}

// nameOf is what a path of the table means. It is false if a link comes by
// there: then more changes than what lies at the path.
func (w *ways) nameOf(path string) (name string, alone bool) {
	if w == nil {
		return path[1:], true
	}
	dir, base := splitPath(path)
	name = path[1:]
	if real, linked := w.dirs[dir]; linked {
		name = join(real, base)
	}
	_, met := w.names[name]
	return name, !met && !w.told[name] && !w.many
}

// hold tells whether at all names lies what lay there.
func (w *ways) hold(t *tree) bool {
	for name, was := range w.names {
		is, err := t.lstat(name)
		if passing(err) {
			continue
		}
		if was == nil || is == nil {
			if was != is {
				return false
			}
			continue
		}
		if !os.SameFile(was, is) || !is.IsDir() && stampOf(was) != stampOf(is) {
			return false
		}
	}
	return true
}

// pathsOf are the paths of what lies at a name: its own, if it has one, and those under which links show it.
func (w *ways) pathsOf(name string) (paths []string) {
	if !filepath.IsAbs(name) {
		paths = []string{"/" + name}
	}
	if w == nil {
		return paths
	}
	dir, base := split(name)
	for _, path := range w.paths[dir] {
		paths = append(paths, path+base)
	}
	for _, path := range w.paths[name] {
		paths = append(paths, strings.TrimSuffix(path, "/"))
	}
	return paths
}
