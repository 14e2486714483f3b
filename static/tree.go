package static

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The values of Serving.Symlinks.
const (
	linksInside = "inside"
	linksNone   = "none"
	linksFollow = "follow"
)

var linkModes = []string{linksInside, linksNone, linksFollow}

// tree is a folder as it was opened, and what links may lead to from there.
// What is called by a relative name lies below the folder, which is "."; by an
// absolute one, outside, where only linksFollow leads.
//
// Below, an open os.Root is asked, so no link leads out of the folder whatever
// becomes of it. Outside there is nothing to hold on to: a name is asked as it
// is, and a link that is put there later is followed, as the user wants.
type tree struct {
	*os.Root
	links string
	base  []string    // absolute spellings of the folder, the real one last
	self  fs.FileInfo // the folder
}

// openTree opens the folder that name leads to now.
func openTree(name, links string) (*tree, error) {
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, fmt.Errorf("cannot open folder: %w", err)
	}
	self, err := root.Stat(".")
	if err != nil {
		root.Close()
		return nil, fmt.Errorf("cannot open folder: %w", err)
	}
	t := &tree{root, links, []string{filepath.Clean(name)}, self}
	if real := realName(name); real != t.base[0] {
		t.base = append(t.base, real)
	}
	return t, nil
}

// realName is the absolute name that no link is part of.
func realName(name string) string {
	whole, err := filepath.Abs(name)
	if err != nil {
		return filepath.Clean(name)
	}
	real, err := filepath.EvalSymlinks(whole)
	if err != nil {
		return whole
	}
	return real
}

// is tells whether name still leads to the folder. An open directory keeps
// its inode, so a new one in its place cannot look the same.
func (t *tree) is(name string) bool {
	fi, err := os.Stat(name)
	return err == nil && os.SameFile(fi, t.self)
}

// real is the name of the folder that no link is part of.
func (t *tree) real() string { return t.base[len(t.base)-1] }

// path is an absolute name of what is called name.
func (t *tree) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(t.base[0], name)
}

func (t *tree) open(name string) (*os.File, error) {
	if filepath.IsAbs(name) {
		return os.OpenFile(name, readOnly, 0)
	}
	return t.OpenFile(name, readOnly, 0)
}

func (t *tree) lstat(name string) (fs.FileInfo, error) {
	if filepath.IsAbs(name) {
		return os.Lstat(name)
	}
	return t.Lstat(name)
}

func (t *tree) readlink(name string) (string, error) {
	if filepath.IsAbs(name) {
		return os.Readlink(name)
	}
	return t.Readlink(name)
}

// openAsset opens the file of a: the one that the scan has met, or what lies at
// its name by now, if that is still by way of no link, else what the path leads
// to now, by the same rules.
func (t *tree) openAsset(a *asset) (*os.File, fs.FileInfo, error) {
	if t.links != linksNone && a.file == a.path[1:] && a.stamp.mark != 0 {
		file, fi, err := opened(t.open(a.file))
		switch {
		case err == nil && markOf(fi) == a.stamp.mark:
			return file, fi, nil
		case err == nil:
			file.Close()
		}
	}
	name := a.file
	for tries := 3; ; tries-- {
		file, fi, err := opened(t.openPlain(name))
		if err == nil || !gone(err) || t.links == linksNone || tries == 0 {
			return file, fi, err
		}
		if name, _, err = t.resolve(".", a.path[1:], nil); err != nil {
			return nil, nil, err
		}
	}
}

// opened adds what is known of an open file.
func opened(file *os.File, err error) (*os.File, fs.FileInfo, error) {
	if err != nil {
		return nil, nil, err
	}
	fi, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	return file, fi, nil
}

// openPlain opens what lies at name by way of no link, but for names outside.
func (t *tree) openPlain(name string) (*os.File, error) {
	if filepath.IsAbs(name) {
		return t.open(name)
	}
	dir, name, err := t.walk(name)
	if err != nil {
		return nil, err
	}
	defer t.leave(dir)
	return plain(dir, name, func() (*os.File, error) { return dir.OpenFile(name, readOnly, 0) }, (*os.File).Stat)
}

// lstatPlain is lstat by way of no link.
func (t *tree) lstatPlain(name string) (fs.FileInfo, error) {
	if filepath.IsAbs(name) {
		return os.Lstat(name)
	}
	dir, name, err := t.walk(name)
	if err != nil {
		return nil, err
	}
	defer t.leave(dir)
	return dir.Lstat(name)
}

// walk goes to the directory that name, which is below the folder, lies in:
// each on the way is what lies in the one before it by its name, and no link.
// It returns that directory, to be left, and what remains of name.
func (t *tree) walk(name string) (*os.Root, string, error) {
	dir := t.Root
	for {
		head, rest, more := strings.Cut(name, "/")
		if !more {
			return dir, name, nil
		}
		next, err := plain(dir, head, func() (*os.Root, error) { return dir.OpenRoot(head) }, func(r *os.Root) (fs.FileInfo, error) { return r.Stat(".") })
		t.leave(dir)
		if err != nil {
			return nil, "", err
		}
		dir, name = next, rest
	}
}

func (t *tree) leave(dir *os.Root) {
	if dir != t.Root {
		dir.Close()
	}
}

// plain returns what lies in dir by a name, opened, and errLink where that is a link.
func plain[T interface{ Close() error }](dir *os.Root, name string, open func() (T, error), stat func(T) (fs.FileInfo, error)) (opened T, err error) {
	var none T
	for range 10 { // it may be replaced in between
		var there, is fs.FileInfo
		if opened, err = open(); err != nil {
			break
		}
		if is, err = stat(opened); err == nil {
			there, err = dir.Lstat(name)
		}
		switch {
		case err != nil:
		case os.SameFile(is, there):
			return opened, nil
		case there.Mode()&fs.ModeSymlink != 0:
			err = errLink
		default:
			err = fs.ErrNotExist
		}
		opened.Close()
		if err != fs.ErrNotExist {
			break
		}
	}
	return none, err
}
