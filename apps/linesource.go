package apps

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"roost/internal/rotated"
)

// lineSource reads a log file of an app from its last line to its first: what
// still waits for the disk, the current file and the rotated ones.
type lineSource struct {
	place  logPlace
	ids    []int           // of the app's slots
	like   Line            // what the file tells of each line
	came   int             // lines since the app is supervised
	most   int             // lines that there are to be read
	wanted int             // lines that may still be asked for
	keep   func(Line) bool // which lines count; nil: all

	line Line // the current one
	more bool // there is one

	memory [][]byte       // lines that have been read, the last last
	file   *backward      // of the file being read, if it is not compressed
	old    []rotated.File // not read yet
	opened time.Time      // when the current file was
	listed bool
	before time.Time // time of the line after this one
}

func (s *lineSource) close() {
	if s.file != nil {
		s.file.f.Close()
		s.file = nil
	}
}

// open opens the current file as it stands; that there is none is no error.
func (s *lineSource) open(f lineFile) (err error) {
	s.file, s.opened, err = f.reader()
	if errors.Is(err, fs.ErrNotExist) || err == errNoFile {
		return nil
	}
	if err == nil && s.place.format.timed() {
		s.before = s.file.modified
	}
	return err
}

// forgetFile leaves only what waits for the disk.
func (s *lineSource) forgetFile() {
	s.close()
	s.listed = true
}

// next goes to the line before.
func (s *lineSource) next() error {
	for s.more = false; s.wanted > 0 && !s.more; s.wanted-- {
		raw, err := s.raw()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		s.line = s.like
		if !s.place.format.parse(raw, &s.line) { // not of our making, such as the rest of a line that a full disk cut
			s.line.Time, s.line.Slot, s.line.ID, s.line.Text = s.before, unknown, unknown, string(raw)
		}
		if s.line.Time.IsZero() {
			s.line.Time = s.before
		}
		s.before = s.line.Time
		s.identify()
		s.more = s.keep == nil || s.keep(s.line)
	}
	return nil
}

// identify finds the id of a line whose slot is known, or the slot to the id.
func (s *lineSource) identify() {
	l := &s.line
	if l.ID == unknown && l.Slot >= 0 && l.Slot < len(s.ids) {
		l.ID = s.ids[l.Slot]
	}
	if l.Slot == unknown && l.ID != unknown {
		l.Slot = slices.Index(s.ids, l.ID)
	}
}

// raw returns the line before as it is in the file; io.EOF when there is none.
func (s *lineSource) raw() ([]byte, error) {
	for {
		if n := len(s.memory); n > 0 {
			line := s.memory[n-1]
			s.memory = s.memory[:n-1]
			return line, nil
		}
		if s.file != nil {
			if line, err := s.file.line(); err != io.EOF {
				return line, err
			}
			s.close()
		}
		if err := s.older(); err != nil {
			return nil, err
		}
	}
}

// older opens the file before the one that has been read.
func (s *lineSource) older() error {
	if !s.listed {
		s.listed = true
		old, err := rotated.Files(s.place.path)
		if err != nil {
			return err
		}
		for _, r := range old {
			if r.At.Before(s.opened) { // else it is the one that we have read
				s.old = append(s.old, r)
			}
		}
	}
	if len(s.old) == 0 {
		return io.EOF
	}
	r := s.old[0]
	s.old = s.old[1:]
	if !strings.HasSuffix(r.Path, ".gz") {
		if len(s.old) > 0 && s.old[0].At.Equal(r.At) {
			s.old = s.old[1:] // the same, being compressed
		}
		f, err := openBackward(r.Path)
		if err == nil {
			s.file = f
		} else if errors.Is(err, fs.ErrNotExist) {
			err = s.unpack(r.Path + ".gz") // it has been compressed since
		}
		return err
	}
	return s.unpack(r.Path)
}

// unpack reads a compressed file for its last lines, as many as are wanted.
// One that ends early, because compressing it was cut off, is read as far as it goes.
func (s *lineSource) unpack(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // rotated away
	}
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil
	}
	r := bufio.NewReaderSize(z, backwardLine)
	var ring [][]byte
	held := 0
	for first := 0; ; {
		line, err := r.ReadSlice('\n')
		line = bytes.TrimSuffix(line, []byte{'\n'})
		if len(line) > 0 || err == nil {
			held += len(line)
			if len(ring) < s.wanted && held <= maxTail {
				ring = append(ring, bytes.Clone(line))
			} else if len(ring) > 0 {
				held -= len(ring[first])
				ring[first] = append(ring[first][:0], line...)
				first = (first + 1) % len(ring)
			}
		}
		if err != nil && err != bufio.ErrBufferFull {
			s.memory = append(ring[first:len(ring):len(ring)], ring[:first]...)
			return nil
		}
	}
}
