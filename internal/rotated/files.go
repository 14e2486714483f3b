// Package rotated knows the files that lumberjack has moved aside.
package rotated

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// stampForm is the time in the name of a rotated file: lumberjack's, in UTC.
const stampForm = "2006-01-02T15-04-05.000"

// File is one file that was moved aside.
type File struct {
	Path string
	At   time.Time // to the millisecond
}

// Files returns what path was rotated to, the newest first. A file that
// is being compressed comes twice, the compressed form second.
func Files(path string) ([]File, error) {
	dir, ext := filepath.Dir(path), filepath.Ext(path)
	prefix := strings.TrimSuffix(filepath.Base(path), ext) + "-"
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var found []File
	for _, e := range entries { // sorted by name
		stamp, ok := strings.CutPrefix(e.Name(), prefix)
		if !ok || e.IsDir() {
			continue
		}
		stamp, _ = strings.CutSuffix(stamp, ".gz")
		stamp, ok = strings.CutSuffix(stamp, ext)
		at, err := time.Parse(stampForm, stamp)
		if !ok || err != nil {
			continue
		}
		found = append(found, File{filepath.Join(dir, e.Name()), at})
	}
	slices.SortStableFunc(found, func(a, b File) int { return b.At.Compare(a.At) })
	return found, nil
}
