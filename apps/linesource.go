package apps

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"
)

// lineSource reads one stream of one app from its last line to its first,
// through the current file and the rotated ones.
type lineSource struct {
	app, stream, path string
	wanted            int // lines that may still be asked for

	line Line // the current one
	more bool // there is one

	file   *backward     // of the file being read, if it is not compressed
	memory [][]byte      // of the file being read, if it is: its last lines
	old    []rotatedFile // not read yet
	begun  bool
	opened time.Time // when the current file was; zero when there is none
	listed bool
	before time.Time // time of the line after this one
}

func (s *lineSource) close() {
	if s.file != nil {
		s.file.f.Close()
		s.file = nil
	}
}

// next goes to the line before.
func (s *lineSource) next() error {
	s.more = false
	if s.wanted == 0 {
		return nil
	}
	raw, err := s.raw()
	if err == io.EOF {
		return nil
	}
	if err != nil {
		return err
	}
	s.wanted--
	s.more = true
	s.line = Line{App: s.app, Stream: s.stream}
	if t, slot, text, ok := parseLine(raw); ok {
		s.line.Time, s.line.Slot, s.line.Text = t, slot, string(text)
		s.before = t
	} else {
		s.line.Time, s.line.Slot, s.line.Text = s.before, ourSlot, string(raw)
	}
	return nil
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
	if !s.begun {
		s.begun = true
		now := time.Now()
		f, err := openBackward(s.path)
		if err == nil {
			s.file, s.opened, s.before = f, now, f.modified
		}
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if !s.listed {
		s.listed = true
		old, err := rotatedFiles(s.path)
		if err != nil {
			return err
		}
		for _, r := range old {
			if s.opened.IsZero() || r.at.Before(s.opened) { // else it is the one that we have read
				s.old = append(s.old, r)
			}
		}
	}
	if len(s.old) == 0 {
		return io.EOF
	}
	r := s.old[0]
	s.old = s.old[1:]
	if !strings.HasSuffix(r.path, ".gz") {
		f, err := openBackward(r.path)
		if err == nil {
			s.file = f
			if len(s.old) > 0 && s.old[0].at.Equal(r.at) {
				s.old = s.old[1:] // the same, being compressed
			}
		} else if errors.Is(err, fs.ErrNotExist) {
			err = s.unpack(r.path + ".gz") // it has been compressed since
		}
		return err
	}
	return s.unpack(r.path)
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
	for first := 0; ; {
		line, err := r.ReadSlice('\n')
		line = bytes.TrimSuffix(line, []byte{'\n'})
		if len(line) > 0 || err == nil {
			if len(ring) < s.wanted {
				ring = append(ring, bytes.Clone(line))
			} else {
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
