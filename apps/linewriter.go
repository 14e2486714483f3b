package apps

import (
	"bytes"
	"strconv"
	"sync"
	"time"
)

// lineWriter takes one stream of one instance. Write never fails and never waits for a disk.
type lineWriter struct {
	book   *logBook
	slot   int
	stream string

	mu   sync.Mutex
	part []byte
	kept []string
}

// writer makes the writer for an instance's stream, "out" or "err".
func (b *logBook) writer(slot int, stream string) *lineWriter {
	return &lineWriter{book: b, slot: slot, stream: stream}
}

func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(p)
	for {
		line, rest, found := bytes.Cut(p, []byte("\n"))
		w.part = append(w.part, line...)
		if !found {
			return n, nil
		}
		w.emit()
		p = rest
	}
}

func (w *lineWriter) emit() {
	text := bytes.TrimSuffix(w.part, []byte("\r"))
	w.book.emit(w.slot, w.stream, text)
	w.kept = append(w.kept, string(text))
	w.kept = w.kept[max(0, len(w.kept)-50):]
	w.part = w.part[:0]
}

// last returns up to n of the stream's last lines, at most 50.
func (w *lineWriter) last(n int) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.kept[max(0, len(w.kept)-n):]...)
}

// Close emits a last line that has no end.
func (w *lineWriter) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.part) > 0 {
		w.emit()
	}
	return nil
}

// appendLine appends the form that a line has in a file:
// 2026-11-23T01:48:48.123Z <slot> <text>
func appendLine(b []byte, t time.Time, slot int, text []byte) []byte {
	b = t.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(slot), 10)
	b = append(b, ' ')
	b = append(b, text...)
	return append(b, '\n')
}
