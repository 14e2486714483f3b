package apps

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"syscall"
	"unicode/utf8"
)

const (
	// keptLines is how many of a stream's last lines are kept for Failure.Output.
	keptLines = 50
	// keptLength is how much of each of them is kept, in bytes.
	keptLength = 2 << 10
	// ellipsis ends a line that goes on in the next one.
	ellipsis = "…"
)

// lineWriter takes one stream of one instance and makes lines of it: parts of
// a line are joined, one that is longer than maxLine is split. Write never fails;
// it waits while the disk has too much to do. One goroutine writes, any may ask
// for last.
type lineWriter struct {
	book   *logBook
	slot   int
	stream stream
	limit  int // maxLine

	part  []byte   // of a line whose end has not come, at most limit
	batch [][]byte // lines of a Write

	mu   sync.Mutex // of the fields below
	kept [keptLines][]byte
	n    int // lines so far; kept[n%keptLines] is the oldest
}

// writer makes the writer for an instance's stream, "out" or "err".
func (b *logBook) writer(slot int, name string) *lineWriter {
	w := &lineWriter{book: b, slot: slot, limit: maxLine}
	if name == streamNames[streamErr] {
		w.stream = streamErr
	}
	return w
}

func (w *lineWriter) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		line, after, ended := bytes.Cut(rest, []byte{'\n'})
		rest = after
		if len(w.part) == 0 && ended && len(line) <= w.limit {
			w.batch = append(w.batch, bytes.TrimSuffix(line, []byte{'\r'}))
			continue
		}
		w.emit(w.batch...)
		w.batch = w.batch[:0]
		w.join(line)
		if ended {
			w.emit(bytes.TrimSuffix(w.part, []byte{'\r'}))
			w.part = w.part[:0]
		}
	}
	w.emit(w.batch...)
	clear(w.batch)
	w.batch = w.batch[:0]
	return len(p), nil
}

// ReadFrom takes in what comes from r until its end. io.Copy uses it.
func (w *lineWriter) ReadFrom(r io.Reader) (total int64, err error) {
	if pipe, ok := r.(syscall.Conn); ok {
		if total, err = readPipe(pipe, w); err != errReadPlainly {
			return total, err
		}
	}
	buf := make([]byte, readSize)
	for {
		n, err := r.Read(buf)
		w.Write(buf[:n])
		total += int64(n)
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

// readSize is how much output is read at a time: what a pipe holds (pipe(7)).
const readSize = 64 << 10

var errReadPlainly = errors.New("cannot wait for a pipe")

// join appends to the unfinished line and emits what is too long of it.
func (w *lineWriter) join(more []byte) {
	for len(w.part)+len(more) > w.limit {
		n := w.limit - len(w.part)
		w.part = append(w.part, more[:n]...)
		more = more[n:]
		cut := w.limit - len(ellipsis)
		for back := 1; back < utf8.UTFMax && !utf8.RuneStart(w.part[cut]); back++ {
			cut--
		}
		rest := string(w.part[cut:])
		w.emit(append(w.part[:cut], ellipsis...))
		w.part = append(w.part[:0], rest...)
	}
	w.part = append(w.part, more...)
}

func (w *lineWriter) emit(lines ...[]byte) {
	if len(lines) == 0 {
		return
	}
	w.mu.Lock()
	last := lines[max(0, len(lines)-keptLines):]
	w.n += len(lines) - len(last)
	for _, text := range last {
		k := &w.kept[w.n%keptLines]
		*k = append((*k)[:0], text[:min(len(text), keptLength)]...)
		w.n++
	}
	w.mu.Unlock()
	w.book.emit(w.slot, w.stream, lines)
}

// last returns up to n of the stream's last lines, at most 50, oldest first.
func (w *lineWriter) last(n int) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	n = max(0, min(n, w.n, keptLines))
	lines := make([]string, 0, n)
	for i := w.n - n; i < w.n; i++ {
		lines = append(lines, string(w.kept[i%keptLines]))
	}
	return lines
}

// Close emits a last line that has no end. A later Write begins a new line.
func (w *lineWriter) Close() error {
	if len(w.part) > 0 {
		w.emit(bytes.TrimSuffix(w.part, []byte{'\r'}))
		w.part = nil
	}
	return nil
}
