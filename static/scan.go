package static

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	maxSeen   = 1_000_000 // files and directories
	maxLinked = 50_000    // of them through links to directories, which can make very many of few
	maxTrail  = 8         // links to directories on the way to a file
	readBatch = 1024      // directory entries read at a time
)

// errTooMany ends a scan; what was found until then is served.
var errTooMany = errors.New("more than 1,000,000 files and folders")

// scanner reads the whole folder, or a directory of it, into a new table.
type scanner struct {
	root    *tree
	old     *table // assets that are still true are taken from here
	notices *notices
	dialect string // of the rules
	// watch, if set, is called with every directory before it is read, so that no later change is missed.
	watch func(dir string)
	// hold, if set, tells whether a file that has changed should wait until it rests.
	hold func(path string, modified time.Time) bool

	to     *edit
	ways   *ways // nil: there are no links
	seen   int   // files and directories so far, and what else lies between them
	linked int   // of them, those that links show once more
	// again: all should be read again soon, because something could not be read
	// for now (it is in the table as it was) or moved away meanwhile.
	again bool
}

// scan reads the folder. It fails when the top cannot be read; below it, what
// may not be read is left out, and said.
func (s *scanner) scan(ctx context.Context) (*table, error) {
	s.to = (&table{root: s.root}).edit()
	err := s.dir(ctx, place{path: "/", file: "."})
	if errors.Is(err, errTooMany) {
		s.notices.warn("cannot serve all of the folder", s.root.base[0], err)
		err = nil
	}
	s.to.rules = s.rules()
	if s.ways != nil {
		s.ways.part(s.to)
	}
	s.to.ways = s.ways
	return s.to.done(), err
}

// scanBelow reads the directory at path, found as is says, which no link leads to, into a table being changed.
func (s *scanner) scanBelow(ctx context.Context, to *edit, path string, is fs.FileInfo) {
	to.drop(path)
	s.to, s.seen = to, to.seen
	at := place{path: path, file: path[1 : len(path)-1], is: is}
	if err := s.dir(ctx, at); err != nil {
		s.unreadable(at, err)
	}
	to.link(path, to.dir(path) != nil)
}

// place is a directory to be read.
type place struct {
	path  string      // in the table, with a slash at its end
	file  string      // in the tree
	is    fs.FileInfo // what was found there; nil for the folder
	links *trail
	again bool // a link shows it once more
}

// dir reads a directory into the table, and those in it.
func (s *scanner) dir(ctx context.Context, at place) error {
	if s.watch != nil {
		s.watch(at.file)
	}
	if at.links != nil {
		at.again = !filepath.IsAbs(at.file) || len(s.ways.paths[at.file]) > 0
		s.ways.show(at.file, at.path)
	}
	files := index[*asset]{}.edit()
	below, err := s.read(ctx, at, files)
	if err != nil {
		return err
	}
	d := &directory{path: at.path, index: files.get(at.path + "index.html"), files: files.index}
	for _, inner := range below {
		if ctx.Err() != nil || s.seen > maxSeen {
			break
		}
		if err := s.dir(ctx, inner); err != nil && ctx.Err() == nil {
			s.unreadable(inner, err)
		}
		if s.to.dir(inner.path) != nil {
			_, name := splitPath(inner.path)
			d.folders = append(d.folders, name)
		}
	}
	slices.Sort(d.folders)
	d.folders = slices.Clip(d.folders)
	if old := s.old.dir(at.path); old != nil && old.same(d) {
		d = old
	}
	s.to.put(d)
	if s.seen > maxSeen {
		return errTooMany
	}
	return ctx.Err()
}

// read puts the files of a directory into files and returns the directories in it.
func (s *scanner) read(ctx context.Context, at place, files *indexEdit[*asset]) (below []place, err error) {
	d, is, err := opened(s.root.open(at.file))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	if at.is != nil && !os.SameFile(at.is, is) {
		return nil, fs.ErrNotExist // it was replaced, maybe by a link
	}
	for ctx.Err() == nil {
		some, err := d.ReadDir(readBatch)
		for _, e := range some {
			if !servable(e.Name(), at.path == "/") {
				continue
			}
			if !s.count(at) {
				return below, nil
			}
			a, inner, err := s.entry(at, e)
			if err != nil {
				return nil, err
			}
			if a != nil {
				files.put(a)
			} else if inner.path != "" {
				below = append(below, inner)
			}
		}
		if err == io.EOF {
			return below, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, ctx.Err()
}

// count counts one thing in the directory at, and tells whether that is still allowed.
func (s *scanner) count(at place) bool {
	s.seen++
	if at.again {
		if s.linked++; s.linked > maxLinked {
			s.notices.warn("cannot follow all links", s.root.base[0], errTooManyLinked)
			return false
		}
	}
	return s.seen <= maxSeen
}

// entry looks at what lies in the directory at: it returns a file, a directory
// to be read, or nothing. It fails when it cannot say for now.
func (s *scanner) entry(at place, e fs.DirEntry) (*asset, place, error) {
	name, links := e.Name(), at.links
	file := join(at.file, name)
	fi, err := e.Info()
	if err != nil {
		return nil, place{}, nil // gone since the directory was read
	}
	if fi.Mode()&fs.ModeSymlink != 0 {
		if s.root.links == linksNone {
			return nil, place{}, nil
		}
		s.link()
		var real string
		if real, fi, err = s.root.resolve(at.file, name, s.ways.meet); err == nil && fi.IsDir() {
			links = links.through(at.file)
			err = links.check(real, s.root.real())
		}
		if err == nil && fi.Mode().IsRegular() {
			s.ways.show(real, at.path+name)
		}
		switch {
		case err == nil:
			file = real
		case passing(err):
			return nil, place{}, err
		case errors.Is(err, fs.ErrNotExist):
			return nil, place{}, nil
		default:
			s.notices.warn("cannot follow link", file, err)
			return nil, place{}, nil
		}
	}
	switch {
	case fi.IsDir():
		return nil, place{path: at.path + name + "/", file: file, is: fi, links: links}, nil
	case fi.Mode().IsRegular():
		a, _ := s.asset(at.path+name, file, fi)
		return a, place{}, nil
	}
	return nil, place{}, nil
}

// link counts a link.
func (s *scanner) link() {
	s.to.links++
	if s.ways == nil {
		s.ways = newWays()
	}
}

// unreadable deals with a directory that could not be read: it stays in the
// table as it was when the reason will pass, and is left out otherwise.
func (s *scanner) unreadable(at place, err error) {
	s.again = s.again || passing(err) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, errTooMany)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errTooMany):
	case passing(err):
		s.notices.warn("cannot read folder for now", at.file, err)
		s.keep(at.path)
	default:
		s.notices.warn("cannot read folder", at.file, err)
	}
}

// keep puts a directory and those below it into the table as they were.
func (s *scanner) keep(path string) {
	d := s.old.dir(path)
	if d == nil {
		return
	}
	s.to.put(d)
	for _, name := range d.folders {
		s.keep(path + name + "/")
	}
}

// asset returns the file at path: the one known, or nil, while it is being
// written and held back.
func (s *scanner) asset(path, file string, fi fs.FileInfo) (a *asset, held bool) {
	now := stampOf(fi)
	old := s.old.asset(path)
	if old != nil && old.stamp == now && old.file == file {
		return old, false
	}
	modified := fi.ModTime()
	if old != nil && now.torn(old.stamp) {
		modified = time.Now()
	}
	if s.hold != nil && s.hold(path, modified) {
		return old, true
	}
	return newAsset(path, file, now), false
}

func newAsset(path, file string, at stamp) *asset {
	if file == path[1:] {
		file = path[1:] // one string instead of two
	}
	return &asset{path: path, file: file, stamp: at, kind: mediaTypeOf(path)}
}
