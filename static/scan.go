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
	err := s.dir(ctx, "/", ".", nil)
	if errors.Is(err, errTooMany) {
		s.notices.warn("cannot serve all of the folder", s.base[0], err)
		err = nil
	}
	return s.to, err
}

// dir reads the directory file into the table at path.
func (s *scanner) dir(ctx context.Context, path, file string, links *trail) error {
	if s.watch != nil {
		s.watch(file)
	}
	entries, err := s.read(ctx, file)
	if err != nil {
		return err
	}
	d := &directory{names: make([]string, 0, len(entries))}
	s.to.dirs[path] = d
	type below struct {
		path, file string
		links      *trail
	}
	var dirs []below
	for _, e := range entries {
		if s.seen++; s.seen > maxSeen {
			break
		}
		if links != nil {
			if s.linked++; s.linked > maxLinked {
				s.notices.warn("cannot follow all links", s.base[0], errTooManyLinked)
				break
			}
		}
		name, trail := e.Name(), links
		inner := join(file, name)
		fi, err := e.Info()
		if err != nil {
			continue // gone since the directory was read
		}
		if fi.Mode()&fs.ModeSymlink != 0 {
			s.to.links++
			if inner, fi, err = s.resolve(inner); err != nil {
				if !errors.Is(err, fs.ErrNotExist) {
					s.notices.warn("cannot follow link", join(file, name), err)
				}
				continue
			}
			if fi.IsDir() {
				trail = links.through(file)
				if err := trail.check(inner); err != nil {
					s.notices.warn("cannot follow link", join(file, name), err)
					continue
				}
			}
		}
		switch {
		case fi.IsDir():
			d.names = append(d.names, name+"/")
			dirs = append(dirs, below{path + name + "/", inner, trail})
		case fi.Mode().IsRegular():
			if a := s.asset(path+name, inner, fi); a != nil {
				d.names = append(d.names, name)
				s.to.assets[a.path] = a
			}
		}
	}
	slices.Sort(d.names)
	if a := s.to.assets[path+"index.html"]; a != nil {
		s.to.assets[path] = a
	}
	for _, b := range dirs {
		err := s.dir(ctx, b.path, b.file, b.links)
		switch {
		case err == nil:
		case errors.Is(err, errTooMany), ctx.Err() != nil:
			return err
		case !errors.Is(err, fs.ErrNotExist):
			s.notices.warn("cannot read folder", b.file, err)
		}
	}
	if s.seen > maxSeen {
		return errTooMany
	}
	return nil
}

// read returns the servable entries of a directory.
func (s *scanner) read(ctx context.Context, dir string) ([]fs.DirEntry, error) {
	d, err := s.root.OpenFile(dir, readOnly, 0)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	var all []fs.DirEntry
	for ctx.Err() == nil {
		some, err := d.ReadDir(readBatch)
		for _, e := range some {
			if servable(e.Name(), dir == ".") {
				all = append(all, e)
			}
		}
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, ctx.Err()
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
