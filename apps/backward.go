package apps

import (
	"bytes"
	"errors"
	"io"
	"os"
	"time"
)

const (
	// backwardBlock is how much is read at a time from the end of a file, in bytes.
	backwardBlock = 64 << 10
	// backwardLine is where a line without an end is cut, in bytes: no line of ours is as long.
	backwardLine = 4 * maxLine
)

// backward reads the lines of a file from the last to the first, in blocks.
type backward struct {
	f        *os.File
	off      int64  // everything from here on has been read
	buf      []byte // what is left of it
	modified time.Time
}

// errNoFile is what there is to read of pipes and devices.
var errNoFile = errors.New("not a regular file")

func openBackward(path string) (*backward, error) {
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, errNoFile
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	b := &backward{f: f, off: info.Size(), modified: info.ModTime()}
	if err := b.fill(); err != nil && err != io.EOF {
		f.Close()
		return nil, err
	}
	b.buf = bytes.TrimSuffix(b.buf, []byte{'\n'}) // or the last line would be an empty one
	return b, nil
}

// fill reads the block before what is in buf; io.EOF when there is none.
func (b *backward) fill() error {
	n := min(b.off, backwardBlock)
	if n == 0 {
		return io.EOF
	}
	block := make([]byte, n, int(n)+len(b.buf))
	if _, err := b.f.ReadAt(block, b.off-n); err != nil && err != io.EOF {
		return err
	}
	b.off -= n
	b.buf = append(block, b.buf...)
	return nil
}

// line returns the line before, valid until the next call; io.EOF at the
// file's start.
func (b *backward) line() ([]byte, error) {
	if b.buf == nil {
		return nil, io.EOF
	}
	for {
		if i := bytes.LastIndexByte(b.buf, '\n'); i >= 0 {
			line := b.buf[i+1:]
			b.buf = b.buf[:i]
			return line, nil
		}
		if len(b.buf) > backwardLine {
			line := b.buf
			b.buf = []byte{}
			return line, nil
		}
		switch err := b.fill(); err {
		case nil:
		case io.EOF:
			line := b.buf
			b.buf = nil
			return line, nil
		default:
			return nil, err
		}
	}
}
