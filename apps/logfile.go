package apps

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"gopkg.in/natefinch/lumberjack.v2"

	"roost/internal/rotated"
)

// checkEvery is how often the file is looked for at its path, so that one that
// was removed, moved or emptied by others is noticed.
const checkEvery = time.Second

// logFile is a file of lines that rotates. lumberjack moves it aside and removes
// old ones; writing, and when to rotate, is done here, because lumberjack counts
// in megabytes, cuts lines apart, and starts a goroutine that never ends for a
// file that is only written to. It keeps that one for a file that has rotated,
// so there is one Logger a file, for good. It would compress, too, but slowly.
//
// Several may write to one file: there is one logFile for each path, and each
// write is whole lines. A pipe or a device is written to, and nothing else.
type logFile struct {
	path  string
	users int // guarded by logFiles

	mu      sync.Mutex // guards what follows
	mode    os.FileMode
	file    *os.File // open for appending; nil when it is not
	as      os.FileInfo
	regular bool
	size    int64
	checked time.Time

	lumber  *lumberjack.Logger
	rotated time.Time
	packer  *time.Timer
	calm    time.Duration // rotated.Calm
	stuck   time.Time     // when it could not be rotated; zero: it could
	why     error
}

// logFiles are those that are in use, by path.
var logFiles = struct {
	sync.Mutex
	open map[string]*logFile
}{open: map[string]*logFile{}}

// rotateAgain is how long after a rotation that failed the next is tried.
const rotateAgain = time.Minute

// openLogFile returns the file at path, which is created with mode when the
// first line comes. close gives it back.
func openLogFile(path string, mode os.FileMode) *logFile {
	logFiles.Lock()
	defer logFiles.Unlock()
	f := logFiles.open[path]
	if f == nil {
		f = &logFile{path: path, mode: mode, calm: rotated.Calm}
		logFiles.open[path] = f
	}
	f.users++
	return f
}

// close gives the file back.
func (f *logFile) close() error {
	logFiles.Lock()
	defer logFiles.Unlock()
	if f.users--; f.users > 0 {
		return nil
	}
	delete(logFiles.open, f.path)
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.shut()
}

// write appends lines, to a new file where one would make the file larger than
// maxSize. keep is how many old files stay. It returns how much is written.
func (f *logFile) write(p []byte, maxSize int64, keep int) (done int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.prepare(); err != nil {
		return 0, err
	}
	for done < len(p) {
		rest := p[done:]
		n := len(rest)
		if room := maxSize - f.size; f.regular && int64(n) > room && time.Since(f.stuck) > rotateAgain {
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
		n, err := f.append(rest[:n])
		done += n
		if err != nil {
			if f.regular || !errors.Is(err, os.ErrDeadlineExceeded) {
				f.shut() // the path may lead to another file next time
			}
			return done, err
		}
	}
	return done, f.why
}

// append writes p, which is whole lines. What a full disk has taken of the last
// line is taken back; it will be written again as a whole.
func (f *logFile) append(p []byte) (int, error) {
	if !f.regular {
		f.file.SetWriteDeadline(time.Now().Add(diskPause)) // where there is one: nobody may be reading
	}
	n, err := f.file.Write(p)
	if err == nil || !f.regular {
		f.size += int64(n)
		return n, err
	}
	whole := bytes.LastIndexByte(p[:n], '\n') + 1
	if info, e := f.file.Stat(); e == nil && info.Size() == f.size+int64(n) && whole < n {
		f.file.Truncate(f.size + int64(whole)) // where that fails, open ends the line
	}
	f.size += int64(whole)
	return whole, err
}

// prepare opens the file when it is not open, or no more at its path.
func (f *logFile) prepare() error {
	if now := time.Now(); f.file == nil || now.Sub(f.checked) > checkEvery {
		f.checked = now
		info, err := os.Stat(f.path)
		if f.file == nil || err != nil || !os.SameFile(info, f.as) || info.Size() < f.size && f.regular {
			f.shut()
			return f.open()
		}
		f.size = info.Size() // others may write to it, too
	}
	return nil
}

// open opens the file, which it creates if need be, and notes how it stands.
func (f *logFile) open() error {
	if err := os.MkdirAll(filepath.Dir(f.path), 0o755); err != nil {
		return err
	}
	how := os.O_CREATE | os.O_RDWR
	if info, err := os.Stat(f.path); err == nil && !info.Mode().IsRegular() {
		how = os.O_WRONLY | openQuickly
	}
	file, err := os.OpenFile(f.path, how|os.O_APPEND, f.mode)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return err
	}
	f.file, f.as, f.size, f.regular = file, info, info.Size(), info.Mode().IsRegular()
	if f.size == 0 || !f.regular {
		return nil
	}
	// A program may have been killed, or a disk have been full, within a line: end it.
	last := make([]byte, 1)
	if _, err := file.ReadAt(last, f.size-1); err == nil && last[0] != '\n' {
		n, err := file.Write([]byte{'\n'})
		f.size += int64(n)
		if err != nil {
			f.shut()
			return err
		}
	}
	return nil
}

// rotate moves the file aside and begins a new one. Where it may not be moved,
// it grows, and why says so.
func (f *logFile) rotate(keep int) error {
	if f.lumber == nil || f.lumber.MaxBackups != keep {
		f.lumber = &lumberjack.Logger{Filename: f.path, MaxBackups: keep}
	}
	// Names have milliseconds: two rotations within one would make one file.
	time.Sleep(time.Until(f.rotated.Add(2 * time.Millisecond)))
	f.shut()
	f.why, f.stuck = nil, time.Time{}
	err := f.lumber.Rotate()
	if err = errors.Join(err, f.lumber.Close()); err != nil {
		f.why, f.stuck = fmt.Errorf("cannot rotate it, so it grows: %w", err), time.Now()
	}
	f.rotated = time.Now()
	f.packLater()
	return f.open()
}

// truncate empties the file and removes its rotated ones.
func (f *logFile) truncate() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.shut()
	if info, err := os.Stat(f.path); err == nil && !info.Mode().IsRegular() {
		return nil // a pipe or a device has nothing to empty
	}
	if err := os.Truncate(f.path, 0); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// A file that is being compressed may turn into another meanwhile; once its
	// source is removed, rotated.Pack removes what it makes of it.
	for range 5 {
		old, err := rotated.Files(f.path)
		if err != nil || len(old) == 0 {
			return err
		}
		for _, r := range old {
			if err := os.Remove(r.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// reopen opens the file at its path again if it was open.
func (f *logFile) reopen() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return nil
	}
	f.shut()
	return f.open()
}

// reader opens the file to be read as it stands, and says when that was, in the
// precision of the names of rotated files: all that are older have an earlier time.
func (f *logFile) reader() (*backward, time.Time, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	time.Sleep(time.Until(f.rotated.Add(2 * time.Millisecond)))
	now := time.Now().Truncate(time.Millisecond)
	b, err := openBackward(f.path)
	return b, now, err
}

func (f *logFile) shut() error {
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}
