package static

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

const maxLinks = 16 // in one path; os.Root itself follows fewer, but is given paths without links

var (
	errLink         = errors.New("it is a symbolic link")
	errOutside      = errors.New(`it leads out of the folder, which only symlinks = "follow" allows`)
	errHidden       = errors.New("it leads to a name that is not served")
	errLoop         = errors.New("it leads back to a folder that it lies in")
	errTooManyLinks = errors.New("too many links on the way")

	errTooManyLinked = errors.New("more than 50,000 files and folders lie below links")
)

// resolve is find for what is to be served: not what hides in the folder.
// Outside, the names on the way are those that whoever made the link has
// chosen, and none is refused; what lies below them goes by the usual rule.
func (t *tree) resolve(dir, name string, by func(string, fs.FileInfo)) (string, fs.FileInfo, error) {
	real, fi, err := t.find(dir, name, by)
	if err == nil && real != "." && !filepath.IsAbs(real) && !servablePath("/"+real) {
		return "", nil, errHidden
	}
	return real, fi, err
}

// find follows all links in name, a path below dir, which no link leads to,
// and returns a name without any and what lies there. by, if set, is told of each
// name on the way and what lies there; nil if nothing does.
//
// Of absolute links linksInside follows those that lead below the folder as it
// is written in the config, or as it really is; os.Root would refuse them all.
// What find returns is still opened through os.Root.
func (t *tree) find(dir, name string, by func(string, fs.FileInfo)) (string, fs.FileInfo, error) {
	done, rest := dir, strings.Split(name, "/")
	var last fs.FileInfo
	for links := 0; len(rest) > 0; {
		head := rest[0]
		rest = rest[1:]
		if last != nil && !last.IsDir() {
			return "", nil, fs.ErrNotExist // "file/" and "file/.." lead nowhere
		}
		switch head {
		case "", ".":
			continue
		case "..":
			var ok bool
			if done, ok = t.above(done); !ok {
				return "", nil, errOutside
			}
			last = nil
			continue
		}
		next := join(done, head)
		fi, err := t.lstat(next)
		if by != nil {
			by(next, fi)
		}
		if err != nil {
			return "", nil, err
		}
		if fi.Mode()&fs.ModeSymlink == 0 {
			done, last = next, fi
			if filepath.IsAbs(next) && os.SameFile(fi, t.self) {
				done = "."
			}
			continue
		}
		if t.links == linksNone {
			return "", nil, errLink
		}
		if links++; links > maxLinks {
			return "", nil, errTooManyLinks
		}
		to, err := t.readlink(next)
		if err != nil {
			return "", nil, err
		}
		if filepath.IsAbs(to) {
			var ok bool
			if done, to, ok = t.absolute(to); !ok {
				return "", nil, errOutside
			}
			last = nil
		}
		rest = append(strings.Split(filepath.ToSlash(to), "/"), rest...)
	}
	if last == nil {
		var err error
		if last, err = t.lstat(done); err != nil {
			return "", nil, err
		}
	}
	return done, last, nil
}

// above is the directory that dir lies in; false if that is too far.
func (t *tree) above(dir string) (string, bool) {
	switch {
	case filepath.IsAbs(dir):
		return filepath.Dir(dir), true
	case dir != ".":
		return path.Dir(dir), true
	case t.links != linksFollow:
		return "", false
	}
	up := filepath.Dir(t.real())
	if up == t.real() { // the folder is "/", which lies in itself
		up = "."
	}
	return up, true
}

// absolute tells where to begin with an absolute name, and what remains of it; false if that is not allowed.
func (t *tree) absolute(name string) (dir, rest string, ok bool) {
	if t.links == linksFollow {
		dir = filepath.VolumeName(name) + string(filepath.Separator)
		rest = strings.TrimLeft(name[len(dir)-1:], string(filepath.Separator))
		if dir == t.real() {
			dir = "."
		}
		return dir, rest, true
	}
	for _, base := range t.base {
		if name == base {
			return ".", ".", true
		}
		if rest, ok := strings.CutPrefix(name, under(base)); ok {
			return ".", rest, true
		}
	}
	return "", "", false
}

// under is what names of what lies in the directory dir begin with.
func under(dir string) string {
	separator := "/"
	if filepath.IsAbs(dir) {
		separator = string(filepath.Separator)
	}
	return strings.TrimSuffix(dir, separator) + separator
}

// holds tells whether dir is what name is, or holds it.
func holds(dir, name string) bool { return name == dir || strings.HasPrefix(name, under(dir)) }

// join joins a name of a tree with one of what lies in that directory.
func join(dir, name string) string {
	switch {
	case dir == ".":
		return name
	case filepath.IsAbs(dir):
		return filepath.Join(dir, name)
	}
	return dir + "/" + name
}

// trail is how a scan came into a directory through links, innermost first.
type trail struct {
	at    string // the directory that holds the link
	up    *trail
	depth int
}

// through returns the trail through a link that lies in the directory at.
func (t *trail) through(at string) *trail {
	depth := 1
	if t != nil {
		depth = t.depth + 1
	}
	return &trail{at: at, up: t, depth: depth}
}

// check tells what is wrong with going on to dir: it may hold a directory that
// the trail has come through, or folder, so that a scan of it would meet the
// same links again, for ever.
func (t *trail) check(dir, folder string) error {
	if t.depth > maxTrail {
		return errTooManyLinks
	}
	if filepath.IsAbs(dir) && holds(dir, folder) {
		return errLoop
	}
	for ; t != nil; t = t.up {
		if dir == "." || holds(dir, t.at) {
			return errLoop
		}
	}
	return nil
}
