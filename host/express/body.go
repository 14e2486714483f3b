package express

import (
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

// body is what a request brings: first what was read together with the head,
// then what comes, never a byte more. A goroutine of the handler's may still
// be at it when the handler has returned: it gets an error, and nothing of what
// comes next. So each request that brings something has its own.
type body struct {
	c *conn

	mu     sync.Mutex // held while it is read
	left   int64      // bytes that were not read
	pushed time.Time  // when the client was last given time
	err    error      // how it ended; io.EOF: it was read
	closed bool       // handlers read no more
}

// unread is how much that no handler has read is read all the same, for the
// connection to live on; net/http has the same bound.
const unread = 256 << 10 // bytes

// Read is for handlers, one at a time. Who does not say what was announced is taken for gone, as
// net/http does.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return 0, http.ErrBodyReadAfterClose
	}
	n, err := b.read(p)
	switch {
	case b.left == 0:
		b.c.watch.begin()
	case err != nil && !b.c.calledBack():
		b.err = err
		b.c.cancel()
	}
	return n, err
}

// Close ends reading for handlers; the rest is dropped with the request.
func (b *body) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return nil
}

// end is Close for those that are reading, too.
func (b *body) end() {
	if !b.mu.TryLock() {
		b.c.callBack()
		b.mu.Lock()
		b.pushed = time.Time{} // what it had is over
	}
	b.closed = true
	b.mu.Unlock()
}

// drop reads what no handler has read, and tells whether nothing more comes of
// it: that is so, too, when the client has ended within it.
func (b *body) drop() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		if b.left >= unread {
			return false
		}
		rest := copyBuffers.Get().(*[64 << 10]byte)
		defer copyBuffers.Put(rest)
		for b.err == nil {
			_, b.err = b.read(rest[:])
		}
	}
	b.closed = true
	return b.err == io.EOF || b.err == io.ErrUnexpectedEOF
}

// here says that all of it has come.
func (b *body) here() bool { return b.left <= int64(len(b.c.read)-b.c.taken) }

// read reads some of it. The caller holds mu.
func (b *body) read(p []byte) (n int, err error) {
	if b.err != nil || len(p) == 0 {
		return 0, b.err
	}
	p = p[:min(int64(len(p)), b.left)]
	if n = copy(p, b.c.read[b.c.taken:]); n > 0 {
		b.c.taken += n
	} else if err = b.push(); err == nil {
		n, err = b.c.Conn.Read(p)
	}
	switch b.left -= int64(n); {
	case b.left == 0:
		b.err, err = io.EOF, io.EOF
	case err == io.EOF:
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// push gives the client as long as the guard of the full lane does to send something.
func (b *body) push() error {
	now, until := time.Now(), time.Time{}
	if timeout := b.c.lane.o.Progress; timeout > 0 {
		if now.Sub(b.pushed) < timeout/4 {
			return nil
		}
		until = now.Add(timeout)
	} else if !b.pushed.IsZero() {
		return nil
	}
	if b.pushed = now; !b.c.lend(until) {
		return os.ErrDeadlineExceeded
	}
	return nil
}
