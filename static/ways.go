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
	// paths of what lies under other names than its paths say: directories and files.
	paths map[string][]string
	// names that links come by, and what lies there; nil for nothing.
	names map[string]fs.FileInfo
}

func newWays() *ways {
	return &ways{map[string][]string{}, map[string]fs.FileInfo{}}
}

// meet notes a name that a link comes by.
func (w *ways) meet(name string, fi fs.FileInfo) {
	if len(w.names) < maxWays {
		w.names[name] = fi
	}
}

// unseen keeps of the names those of whose changes nobody tells: hidden ones,
// and those in directories that e, in which all are watched, does not have.
func (w *ways) unseen(e *edit) {
	for name := range w.names {
		dir, base := path.Dir(name), path.Base(name)
		if filepath.IsAbs(name) {
			dir, base = filepath.Dir(name), filepath.Base(name)
		}
		seen := len(w.paths[dir]) > 0 || dir == "." || !filepath.IsAbs(name) && e.dir("/"+dir+"/") != nil
		if seen && servable(base, dir == ".") {
			delete(w.names, name)
		}
	}
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

// pathsOf are the paths under which links show what lies at an absolute name outside the folder.
func (w *ways) pathsOf(name string) (paths []string) {
	for _, dir := range w.paths[filepath.Dir(name)] {
		paths = append(paths, dir+filepath.Base(name))
	}
	for _, path := range w.paths[name] {
		paths = append(paths, strings.TrimSuffix(path, "/"))
	}
	return paths
}
