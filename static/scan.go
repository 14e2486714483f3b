package static

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
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

// scanner reads the whole folder into a new table.
type scanner struct {
	root    *os.Root
	base    []string // absolute spellings of the root's path
	old     *table   // assets that are still true are taken from here
	notices *notices
	// watch, if set, is called with every directory (a path below the root)
	// before it is read, so that no later change is missed.
	watch func(dir string)
	// hold, if set, tells whether a file that has changed should wait until it rests.
	hold func(path string, known bool, modified time.Time) bool

	to     *table
	seen   int // files and directories so far
	linked int // of them, those below links
}

// trail is how a scan came into a directory through links, innermost first.
type trail struct {
	at    string // the directory that holds the link, below the root
	up    *trail
	depth int
}

// scan reads the folder. It fails when the top cannot be read; below it, what
// cannot be read is left out, and said.
func (s *scanner) scan(ctx context.Context) (*table, error) {
	s.to = &table{
		root:   s.root,
		assets: make(map[string]*asset, len(s.old.assets)),
		dirs:   make(map[string]*directory, len(s.old.dirs)),
	}
	err := s.dir(ctx, place{path: "/", file: "."})
	if errors.Is(err, errTooMany) {
		s.notices.warn("cannot serve all of the folder", s.base[0], err)
		err = nil
	}
	return s.to, err
}

// place is a directory to be read.
type place struct {
	path  string // in the table, with a slash at its end
	file  string // below the root
	links *trail
}

// dir reads a directory into the table, and then those in it.
func (s *scanner) dir(ctx context.Context, at place) error {
	if s.watch != nil {
		s.watch(at.file)
	}
	d := &directory{}
	var below []place
	err := s.read(ctx, at.file, func(e fs.DirEntry) bool {
		if s.seen++; s.seen > maxSeen {
			return false
		}
		if at.links != nil {
			if s.linked++; s.linked > maxLinked {
				s.notices.warn("cannot follow all links", s.base[0], errTooManyLinked)
				return false
			}
		}
		if inner, ok := s.entry(d, at, e); ok {
			below = append(below, inner)
		}
		return true
	})
	if err != nil {
		return err
	}
	s.to.dirs[at.path] = d
	if a := s.to.assets[at.path+"index.html"]; a != nil {
		s.to.assets[at.path] = a
	}
	for _, inner := range below {
		if ctx.Err() != nil || s.seen > maxSeen {
			break
		}
		if err := s.dir(ctx, inner); err == nil || errors.Is(err, errTooMany) {
			d.names = append(d.names, inner.path[len(at.path):])
		} else if !errors.Is(err, fs.ErrNotExist) && ctx.Err() == nil {
			s.notices.warn("cannot read folder", inner.file, err)
		}
	}
	slices.Sort(d.names)
	d.names = slices.Clip(d.names)
	if s.seen > maxSeen {
		return errTooMany
	}
	return ctx.Err()
}

// entry puts a file of the directory at into the table; a directory is returned.
func (s *scanner) entry(d *directory, at place, e fs.DirEntry) (place, bool) {
	name, links := e.Name(), at.links
	file := join(at.file, name)
	fi, err := e.Info()
	if err != nil {
		return place{}, false // gone since the directory was read
	}
	if fi.Mode()&fs.ModeSymlink != 0 {
		s.to.links++
		var real string
		if real, fi, err = s.resolve(file); err == nil && fi.IsDir() {
			links = links.through(at.file)
			err = links.check(real)
		}
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				s.notices.warn("cannot follow link", file, err)
			}
			return place{}, false
		}
		file = real
	}
	switch {
	case fi.IsDir():
		return place{at.path + name + "/", file, links}, true
	case fi.Mode().IsRegular():
		if a := s.asset(at.path+name, file, fi); a != nil {
			d.names = append(d.names, a.path[len(at.path):])
			s.to.assets[a.path] = a
		}
	}
	return place{}, false
}

// read calls each with the servable entries of a directory until it says no more.
func (s *scanner) read(ctx context.Context, dir string, each func(fs.DirEntry) bool) error {
	d, err := s.root.OpenFile(dir, readOnly, 0)
	if err != nil {
		return err
	}
	defer d.Close()
	for ctx.Err() == nil {
		some, err := d.ReadDir(readBatch)
		for _, e := range some {
			if servable(e.Name(), dir == ".") && !each(e) {
				return nil
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// asset returns the file at path: the one known if it has not changed, nil if
// it is new and still being written.
func (s *scanner) asset(path, file string, fi fs.FileInfo) *asset {
	now := stampOf(fi)
	old := s.old.assets[path]
	if old != nil && old.stamp == now && old.file == file {
		return old
	}
	if s.hold != nil && s.hold(path, old != nil, fi.ModTime()) {
		return old
	}
	return newAsset(path, file, now)
}

func newAsset(path, file string, at stamp) *asset {
	if file == path[1:] {
		file = path[1:] // one string instead of two
	}
	return &asset{path: path, file: file, stamp: at, kind: mediaTypeOf(path)}
}

// join joins a path below the root, "." being the root, with a name.
func join(dir, name string) string {
	if dir == "." {
		return name
	}
	return dir + "/" + name
}
