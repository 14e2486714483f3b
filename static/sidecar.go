package static

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"
)

// sidecarSlack is how much older than its file a sidecar may be: tools write
// both in any order, and some copy times in whole seconds.
const sidecarSlack = 2 * time.Second

var (
	errOlder   = errors.New("it is older than the file it stands for")
	errForeign = errors.New("its content is not what its name says")
	magic      = [codings]string{zstd: "\x28\xb5\x2f\xfd", gzip: "\x1f\x8b"} // what a content begins with
)

// sidecars are the files beside an asset that hold its content compressed
// ("a.css.br" beside "a.css"), as one table had them; nil where there is none.
type sidecars struct {
	table  uint64 // its number
	assets [codings]*asset
	any    bool
}

// sidecars returns those of a. They are looked up when a is asked for the
// first time since the table has changed: in the table, never on the disk.
func (f *Folder) sidecars(t *table, a *asset) *sidecars {
	c := a.contents()
	if s := c.sidecars.Load(); s != nil && s.table == t.number {
		return s
	}
	s := &sidecars{table: t.number}
	for as, extension := range extensionOf {
		beside := t.asset(a.path + extension)
		switch {
		case beside == nil:
		case beside.stamp.modified+int64(sidecarSlack) < a.stamp.modified:
			f.notices.warn("cannot use compressed file", beside.file, errOlder)
		default:
			s.assets[as], s.any = beside, true
		}
	}
	c.sidecars.Store(s)
	return s
}

// loadSidecar is load for a file that stands for another in the coding as. It
// returns nil if it cannot: the other is there to be sent as it is.
func (f *Folder) loadSidecar(ctx context.Context, t *table, s *asset, as coding) (*variant, *os.File) {
	v, file, err := f.load(ctx, t, s)
	switch {
	case err != nil && gone(err):
		f.changed(s.path)
		return nil, nil
	case err != nil:
		if ctx.Err() == nil {
			f.notices.warn("cannot read file", s.file, err)
		}
		return nil, nil
	case !s.contents().knows(v): // half-written, it may be
	case !s.contents().judge(begins(v, file, magic[as])):
		f.notices.warn("cannot use compressed file", s.file, errForeign)
	default:
		return v, file
	}
	if file != nil {
		file.Close()
	}
	return nil, nil
}

// begins tells whether a content begins with some bytes.
func begins(v *variant, file *os.File, with string) bool {
	start := v.body
	if v.body == nil {
		start = make([]byte, len(with))
		if _, err := file.ReadAt(start, 0); err != nil {
			return false
		}
	}
	return strings.HasPrefix(string(start[:min(len(start), len(with))]), with)
}
