package rotated

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
)

// Calm is how long no file must have rotated before they are compressed: a
// flood is not the time for it, and removes most of them soon.
const Calm = 5 * time.Second

// level is how hard is compressed. gzip's usual level makes files an eighth
// smaller than this one, for six times the work.
const level = 3

// packing is held while a file is compressed: one at a time, whoever it belongs to.
var packing sync.Mutex

// packers are expensive to make and rarely needed.
var packers = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(nil, level)
	return z
}}

// Pack compresses what the file at path was rotated to, the oldest first.
func Pack(path string) error {
	old, failed := Files(path)
	for _, f := range slices.Backward(old) {
		if strings.HasSuffix(f.Path, ".gz") {
			continue
		}
		if err := pack(f.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// pack compresses a file to the same name with ".gz", and removes it. One that
// is removed meanwhile leaves nothing.
func pack(path string) error {
	packing.Lock()
	defer packing.Unlock()
	from, err := os.Open(path)
	if err != nil {
		return err
	}
	defer from.Close()
	info, err := from.Stat()
	if err != nil {
		return err
	}
	to, err := os.OpenFile(path+".gz", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, info.Mode().Perm())
	if err != nil {
		return err
	}
	z := packers.Get().(*gzip.Writer)
	defer packers.Put(z)
	z.Reset(to)
	_, err = io.Copy(z, from)
	from.Close() // or Windows does not remove it
	if err = errors.Join(err, z.Close(), to.Close()); err == nil {
		err = os.Remove(path)
	}
	if err != nil { // a full disk, or the file is gone
		os.Remove(path + ".gz")
	}
	return err
}
