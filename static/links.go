package static

import (
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
)

const maxLinks = 16 // in one path; os.Root itself follows fewer, but is given paths without links

var (
	errOutside      = errors.New("it leads out of the folder")
	errHidden       = errors.New("it leads to a name that is not served")
	errLoop         = errors.New("it leads back to a folder that it lies in")
	errTooManyLinks = errors.New("too many links on the way")

	errTooManyLinked = errors.New("more than 50,000 files and folders lie below links")
)

// resolve follows all links in name, a path below the root, and returns a path
// without any and what lies there. Absolute links are followed when they lead
// below the root as the root is written in the config, or as it really is;
// os.Root would refuse them all. What it returns is still opened through
// os.Root: a link put there later leads nowhere outside.
func (s *scanner) resolve(name string) (string, fs.FileInfo, error) {
	done, rest := ".", strings.Split(name, "/")
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
			if done == "." {
				return "", nil, errOutside
			}
			done, last = path.Dir(done), nil
			continue
		}
		next := join(done, head)
		fi, err := s.root.Lstat(next)
		if err != nil {
			return "", nil, err
		}
		if fi.Mode()&fs.ModeSymlink == 0 {
			done, last = next, fi
			continue
		}
		if links++; links > maxLinks {
			return "", nil, errTooManyLinks
		}
		to, err := s.root.Readlink(next)
		if err != nil {
			return "", nil, err
		}
		if filepath.IsAbs(to) {
			var ok bool
			if to, ok = s.below(to); !ok {
				return "", nil, errOutside
			}
			done = "."
		}
		rest = append(strings.Split(filepath.ToSlash(to), "/"), rest...)
	}
	if done != "." && !servablePath("/"+done) {
		return "", nil, errHidden
	}
	if last == nil {
		var err error
		if last, err = s.root.Lstat(done); err != nil {
			return "", nil, err
		}
	}
	return done, last, nil
}

// below turns an absolute path into one below the root.
func (s *scanner) below(name string) (string, bool) {
	for _, base := range s.base {
		if name == base {
			return ".", true
		}
		if rest, ok := strings.CutPrefix(name, strings.TrimSuffix(base, string(filepath.Separator))+string(filepath.Separator)); ok {
			return rest, true
		}
	}
	return "", false
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
// the trail has come through, so that a scan of it would meet the same links
// again, for ever.
func (t *trail) check(dir string) error {
	if t.depth > maxTrail {
		return errTooManyLinks
	}
	for ; t != nil; t = t.up {
		if dir == "." || t.at == dir || strings.HasPrefix(t.at, dir+"/") {
			return errLoop
		}
	}
	return nil
}
