package static

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

const maxWays = 50_000 // names whose changes are looked for

// errElsewhere means that more may have changed than what is at one path.
var errElsewhere = errors.New("links lead elsewhere")

// ways are how links lead to what a table has. Names are those of a tree. The
// scan makes them, and then follow alone has them.
type ways struct {
	// paths of what lies under other names than its paths say: directories, with a slash at the end, and files.
	paths map[string][]string
	real  map[string]string // their names, by those paths
	// names that links come by, and what lies there; nil for nothing.
	names  map[string]fs.FileInfo
	unseen []string // those of whose changes the system does not tell
	many   bool     // there are more names
}

func newWays() *ways {
	return &ways{paths: map[string][]string{}, real: map[string]string{}, names: map[string]fs.FileInfo{}}
}

// meet notes a name that a link comes by.
func (w *ways) meet(name string, fi fs.FileInfo) {
	if len(w.names) >= maxWays {
		w.many = true
		return
	}
	w.names[name] = fi
}

// show notes that what lies at a name is at path.
func (w *ways) show(name, path string) {
	w.paths[name] = append(w.paths[name], path)
	w.real[path] = name
}

// part finds the unseen names: those that hide, and those in directories that
// are not watched, as all are that e has.
func (w *ways) part(e *edit) {
	for name := range w.names {
		dir, base := split(name)
		watched := len(w.paths[dir]) > 0 || dir == "." || !filepath.IsAbs(name) && e.dir("/"+dir+"/") != nil
		if !watched || !servable(base, dir == ".") {
			w.unseen = append(w.unseen, name)
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

// nameOf is what a path of the table means.
func (w *ways) nameOf(path string) string {
	if w == nil {
		return path[1:]
	}
	if name, linked := w.real[path]; linked {
		return name
	}
	return w.own(path)
}

// own is the name of what is at a path, or of the link there.
func (w *ways) own(path string) string {
	dir, base := splitPath(path)
	if name, linked := w.real[dir]; linked {
		return join(name, base)
	}
	return path[1:]
}

// look looks at what a path of the table means now. It fails with errElsewhere
// where links come by, unless they lead to a file as they did.
func (w *ways) look(t *tree, path string) (name string, fi fs.FileInfo, err error) {
	name = w.nameOf(path)
	if w == nil {
		fi, err = t.lstatPlain(name)
		return name, fi, err
	}
	if link := w.own(path); link != name {
		is, err := t.lstat(link)
		switch {
		case passing(err):
			return "", nil, err
		case !unchanged(w.names[link], is):
			return "", nil, errElsewhere
		}
	}
	fi, err = t.lstatPlain(name)
	if was, met := w.names[name]; w.many || met && !passing(err) && !(isRegular(was) && isRegular(fi)) {
		return "", nil, errElsewhere
	}
	return name, fi, err
}

// changed looks at the unseen names: it returns those of files that have
// changed, and errElsewhere where anything else has.
func (w *ways) changed(t *tree) (files []string, err error) {
	if w == nil {
		return nil, nil
	}
	for _, name := range w.unseen {
		was := w.names[name]
		is, err := t.lstat(name)
		switch {
		case passing(err) || unchanged(was, is):
		case isRegular(was) && isRegular(is):
			w.names[name] = is
			files = append(files, name)
		default:
			return nil, errElsewhere
		}
	}
	return files, nil
}

func isRegular(fi fs.FileInfo) bool { return fi != nil && fi.Mode().IsRegular() }

// unchanged tells whether two looks at a name have found the same; nil is nothing.
func unchanged(was, is fs.FileInfo) bool {
	if was == nil || is == nil {
		return was == is
	}
	return os.SameFile(was, is) && (is.IsDir() || stampOf(was) == stampOf(is))
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
