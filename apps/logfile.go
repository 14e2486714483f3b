package apps

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gopkg.in/natefinch/lumberjack.v2"
)

// rotatedTime is the time in the name of a rotated file: lumberjack's form, in UTC.
const rotatedTime = "2006-01-02T15-04-05.000"

// checkEvery is how often the file is looked for at its path, so that one that
// was removed, moved or emptied by others is noticed.
const checkEvery = time.Second

// logFile is a file of lines that rotates. lumberjack rotates it, compresses
// and removes old ones; writing, and when to rotate, is done here, because
// lumberjack counts in megabytes, cuts lines apart, and starts a goroutine that
// never ends for a file that is only written to. It keeps that one for a file
// that has rotated, so there is one Logger a file, for good.
type logFile struct {
	path    string
	file    *os.File // open for appending; nil when it is not
	as      os.FileInfo
	size    int64
	torn    bool // it ends within a line of ours
	checked time.Time

	lumber  *lumberjack.Logger
	rotated time.Time
}

// write appends lines, to a new file where one would make the file larger than
// maxSize. keep is how many old files stay. It returns how much is written.
func (f *logFile) write(p []byte, maxSize int64, keep int) (done int, err error) {
	if err := f.prepare(); err != nil {
		return 0, err
	}
	for done < len(p) {
		rest := p[done:]
		n := len(rest)
		if f.torn {
			n = bytes.IndexByte(rest, '\n') + 1 // first the rest of the line
		} else if room := maxSize - f.size; int64(n) > room {
			n = bytes.LastIndexByte(rest[:max(room, 0)], '\n') + 1
			if n == 0 && f.size > 0 {
				if err := f.rotate(keep); err != nil {
					return done, err
				}
				continue
			}
		}
		if n == 0 { // one line is larger than a file may be, or it is the last without an end
			n = cmp.Or(bytes.IndexByte(rest, '\n')+1, len(rest))
		}
		n, err := f.file.Write(rest[:n])
		done += n
		f.size += int64(n)
		if n > 0 {
			f.torn = p[done-1] != '\n'
		}
		if err != nil {
			f.close() // the path may lead to another file next time
			return done, err
		}
	}
	return done, nil
}

// prepare opens the file when it is not open, or no more at its path.
func (f *logFile) prepare() error {
	if now := time.Now(); f.file == nil || now.Sub(f.checked) > checkEvery {
		f.checked = now
		info, err := os.Stat(f.path)
		if f.file == nil || err != nil || !os.SameFile(info, f.as) || info.Size() < f.size {
			f.close()
			return f.open()
		}
	}
	return nil
}

// open opens the file, which it creates if need be, and notes how it stands.
func (f *logFile) open() error {
	if err := os.MkdirAll(filepath.Dir(f.path), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(f.path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return err
	}
	f.torn = f.torn && os.SameFile(info, f.as) && info.Size() == f.size
	f.file, f.as, f.size = file, info, info.Size()
	if f.torn || f.size == 0 {
		return nil
	}
	// An earlier program may have been killed within a line: end it.
	last := make([]byte, 1)
	if _, err := file.ReadAt(last, f.size-1); err == nil && last[0] != '\n' {
		n, err := file.Write([]byte{'\n'})
		f.size += int64(n)
		if err != nil {
			f.close()
			return err
		}
	}
	return nil
}

// rotate moves the file aside and begins a new one.
func (f *logFile) rotate(keep int) error {
	if f.lumber == nil || f.lumber.MaxBackups != keep {
		f.lumber = &lumberjack.Logger{Filename: f.path, MaxBackups: keep, Compress: true}
	}
	// Names have milliseconds: two rotations within one would make one file.
	time.Sleep(time.Until(f.rotated.Add(2 * time.Millisecond)))
	f.close()
	if err := errors.Join(f.lumber.Rotate(), f.lumber.Close()); err != nil {
		return err
	}
	f.rotated = time.Now()
	return f.open()
}

// truncate empties the file and removes its rotated ones.
func (f *logFile) truncate() error {
	f.close()
	f.torn = false
	if err := os.Truncate(f.path, 0); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// A file that is being compressed may turn into another meanwhile; once its
	// source is removed, lumberjack removes what it makes of it.
	for range 5 {
		old, err := rotatedFiles(f.path)
		if err != nil || len(old) == 0 {
			return err
		}
		for _, r := range old {
			if err := os.Remove(r.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// reopen opens the file at its path again if it was open.
func (f *logFile) reopen() error {
	if f.file == nil {
		return nil
	}
	f.close()
	return f.open()
}

func (f *logFile) close() error {
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}

// rotatedFile is a file that was moved aside.
type rotatedFile struct {
	path string
	at   time.Time
}

// rotatedFiles returns what path was rotated to, the newest first. A file that
// is being compressed comes twice, the compressed form second.
func rotatedFiles(path string) ([]rotatedFile, error) {
	dir, ext := filepath.Dir(path), filepath.Ext(path)
	prefix := strings.TrimSuffix(filepath.Base(path), ext) + "-"
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var found []rotatedFile
	for _, e := range entries { // sorted by name
		stamp, ok := strings.CutPrefix(e.Name(), prefix)
		if !ok || e.IsDir() {
			continue
		}
		stamp, _ = strings.CutSuffix(stamp, ".gz")
		stamp, ok = strings.CutSuffix(stamp, ext)
		at, err := time.Parse(rotatedTime, stamp)
		if !ok || err != nil {
			continue
		}
		found = append(found, rotatedFile{filepath.Join(dir, e.Name()), at})
	}
	slices.SortStableFunc(found, func(a, b rotatedFile) int { return b.at.Compare(a.at) })
	return found, nil
}
