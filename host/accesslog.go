package host

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"gopkg.in/natefinch/lumberjack.v2"

	"roost/internal/rotated"
)

// accessLog writes a line for each request, to one rotated file. Requests
// only append to a buffer, which is written as a whole a moment later; when
// the disk does not keep up or is full, lines are lost and counted, and no
// request waits.
type accessLog struct {
	log  *slog.Logger
	file io.WriteCloser
	torn bool          // the file ends within a line; the writer's
	name string        // of the file
	calm time.Duration // rotated.Calm
	wake chan struct{} // has a token when pending has begun to fill
	many chan struct{} // and one when a batch is pending
	lost atomic.Uint64 // lines
	// format is that of the lines from now on.
	format atomic.Pointer[logFormat]

	mu      sync.Mutex // held to copy a line
	pending []byte
	spare   []byte // what pending will be next
}

const (
	accessLogBuffer = 4 << 20               // bytes pending at most
	accessLogBatch  = 64 << 10              // that are written at once: what is in the processor's cache costs least
	accessLogDelay  = 50 * time.Millisecond // until they are written
	accessLogSize   = 50                    // megabytes until the file is rotated
	accessLogFiles  = 10                    // rotated files kept
)

func newAccessLog(name string, log *slog.Logger) *accessLog {
	l := &accessLog{
		log:  log,
		name: name,
		calm: rotated.Calm,
		file: &lumberjack.Logger{Filename: name, MaxSize: accessLogSize, MaxBackups: accessLogFiles},
		wake: make(chan struct{}, 1),
		many: make(chan struct{}, 1),
	}
	l.format.Store(Listen{}.logFormat())
	return l
}

// run writes until ctx ends, then what is pending, and closes the file.
func (l *accessLog) run(ctx context.Context) {
	defer l.file.Close()
	var said time.Time
	delay := time.NewTimer(time.Hour)
	defer delay.Stop()
	packer := time.AfterFunc(l.calm, l.pack) // what a run before has left
	defer packer.Stop()
	last, _ := os.Stat(l.name)
	for ended := false; !ended; {
		select {
		case <-l.wake:
			delay.Reset(accessLogDelay)
			select {
			case <-delay.C:
			case <-l.many:
			case <-ctx.Done():
			}
		case <-ctx.Done():
			ended = true
		}
		batch := l.take()
		if len(batch) == 0 {
			continue
		}
		n, err := l.write(batch)
		now, _ := os.Stat(l.name)
		if last != nil && now != nil && !os.SameFile(last, now) { // it was rotated
			packer.Reset(l.calm)
		}
		last = now
		if err != nil {
			lost := l.lost.Add(uint64(bytes.Count(batch[n:], lineEnd)))
			if time.Since(said) > time.Minute {
				said = time.Now()
				l.log.Error("cannot write the access log", "error", err, "lines_lost", lost)
			}
		}
	}
}

// pack compresses what the file was rotated to.
func (l *accessLog) pack() {
	if err := rotated.Pack(l.name); err != nil {
		l.log.Warn("cannot compress a rotated access log", "error", err, "hint", "make room; it is tried again behind the next rotation")
	}
}

var lineEnd = []byte{'\n'}

// write writes whole lines. One that a full disk has cut short is ended before
// others follow: they would be taken for its rest.
func (l *accessLog) write(batch []byte) (n int, err error) {
	if l.torn {
		if _, err := l.file.Write(lineEnd); err != nil {
			return 0, err
		}
	}
	n, err = l.file.Write(batch)
	l.torn = n > 0 && batch[n-1] != '\n'
	return n, err
}

// take returns what is pending; it is good until the next take but one.
func (l *accessLog) take() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	batch := l.pending
	l.pending, l.spare = l.spare[:0], batch
	return batch
}

var lines = sync.Pool{New: func() any { b := make([]byte, 0, 1024); return &b }}

// add notes that x has ended.
func (l *accessLog) add(x *exchange, took time.Duration) {
	scratch := lines.Get().(*[]byte)
	defer lines.Put(scratch)
	line := x.format.append((*scratch)[:0], x, took)
	*scratch = line
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.pending)+len(line) > accessLogBuffer {
		if l.lost.Add(1) == 1 {
			l.log.Warn("the access log does not keep up, lines are lost")
		}
		return
	}
	l.pending = append(l.pending, line...)
	tell(l.wake)
	if len(l.pending) >= accessLogBatch {
		tell(l.many)
	}
}

func tell(who chan struct{}) {
	select {
	case who <- struct{}{}:
	default:
	}
}
