package apps

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
)

const (
	// packLevel is how rotated files are compressed. gzip's usual level makes them
	// an eighth smaller than this one, for six times the work.
	packLevel = 3
	// packCalm is how long no file must have rotated before they are: a flood is
	// not the time for it, and removes most of them soon.
	packCalm = 5 * time.Second
)

// packing is held while a file is compressed: one at a time, whoever it belongs to.
var packing sync.Mutex

// packers are expensive to make and rarely needed.
var packers = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(nil, packLevel)
	return z
}}

// packLater has what the file was rotated to compressed in a while; f.mu is held.
func (f *logFile) packLater() {
	if f.packer == nil {
		f.packer = time.AfterFunc(f.calm, f.pack)
	} else {
		f.packer.Reset(f.calm)
	}
}

// pack compresses what the file was rotated to, the oldest first. What fails
// has another chance after the next rotation.
func (f *logFile) pack() {
	old, _ := rotatedFiles(f.path)
	for _, r := range slices.Backward(old) {
		if !strings.HasSuffix(r.path, ".gz") {
			packFile(r.path)
		}
	}
}

// packFile compresses a file to the same name with ".gz". One that is removed
// meanwhile leaves nothing.
func packFile(path string) error {
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
