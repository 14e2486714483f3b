package host

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"roost/host/express"
	"roost/internal/socket"
)

// progress is a TCP connection whose writes may last as long as the client
// takes something and fail once it has taken nothing for the timeout. A write
// deadline for the whole response, net/http's only means, would cut off long
// downloads and slow lines.
//
// A write that waits for room says nothing about that: the kernel's buffer may
// hold megabytes, and wakes the writer only when a good part of it is free. So
// a write is interrupted four times in the timeout and tried again, for which
// any room is enough.
type progress struct {
	*net.TCPConn
	timeout time.Duration
	member  *member       // of the connections' list
	closed  func()        // tells that list
	once    sync.Once     // guards closed
	written atomic.Uint64 // bytes

	mu    sync.Mutex
	limit time.Time // write deadline that was asked for; zero: none
	until time.Time // write deadline that is set

	// Owned by the writer. There is one at a time: net/http's connection, or crypto/tls under its lock.
	pushed time.Time // when until was last moved on
	stuck  time.Time // since when the client is known to take nothing
	direct *socket.Writer

	reading sync.Mutex     // guards what follows
	source  *socket.Reader // nil: nothing was read here
}

func newProgress(c *net.TCPConn, timeout time.Duration) *progress {
	return &progress{TCPConn: c, timeout: timeout, direct: socket.NewWriter(c)}
}

// Read reads at once where there is something, without the scheduler being told.
func (p *progress) Read(b []byte) (int, error) {
	if !p.reading.TryLock() {
		return p.TCPConn.Read(b) // who reads already is waited for there
	}
	defer p.reading.Unlock()
	if p.source == nil {
		p.source = socket.NewReader(p.TCPConn)
	}
	return p.source.Read(b)
}

// Write writes b, which most often takes no waiting, and then no clock and no deadline.
func (p *progress) Write(b []byte) (n int, err error) {
	if len(b) <= directSize {
		n = p.direct.Write(b, nil)
		p.written.Add(uint64(n))
		if n == len(b) {
			return n, nil
		}
	}
	for {
		p.push()
		m, err := p.TCPConn.Write(b[n:])
		n += m
		p.written.Add(uint64(m))
		if !p.alive(m, err) {
			return n, err
		}
	}
}

// WriteBoth writes a head and then a body, which lies elsewhere, as if they were one.
func (p *progress) WriteBoth(head, body []byte) error {
	n := p.direct.Write(head, body[:min(len(body), directSize)])
	p.written.Add(uint64(n))
	for _, part := range [][]byte{head, body} {
		done := min(n, len(part))
		n -= done
		if part = part[done:]; len(part) > 0 {
			if _, err := p.Write(part); err != nil {
				return err
			}
		}
	}
	return nil
}

// directSize is how many bytes are written without the scheduler being told:
// more keep the kernel for long.
const directSize = 64 << 10

// ReadFrom sends a file, or the part of one that an io.LimitedReader leaves,
// by sendfile(2), and anything else through a buffer.
func (p *progress) ReadFrom(r io.Reader) (n int64, err error) {
	limited, _ := r.(*io.LimitedReader)
	inner := r
	if limited != nil {
		inner = limited.R
	}
	file, ok := inner.(file)
	if !ok {
		return express.Copy(p, r)
	}
	start, err := file.Seek(0, io.SeekCurrent)
	if err != nil {
		return express.Copy(p, r) // a pipe, say
	}
	for {
		p.push()
		m, err := p.TCPConn.ReadFrom(r)
		n += m
		p.written.Add(uint64(m))
		if !p.alive(int(m), err) {
			return n, err
		}
		// Where the system has no sendfile for this file, bytes that were
		// read and not written are lost to us: go back for them.
		at, err := file.Seek(0, io.SeekCurrent)
		if err == nil && at != start+n {
			if limited != nil {
				limited.N += at - start - n
			}
			_, err = file.Seek(start+n, io.SeekStart)
		}
		if err != nil {
			return n, err
		}
	}
}

// file is an *os.File, or the form of it that io.Copy hands on.
type file interface {
	io.ReadSeeker
	syscall.Conn
}

// push moves the deadline on, unless that was done a moment ago.
func (p *progress) push() {
	if p.timeout <= 0 {
		return
	}
	step := p.timeout / 4
	now := time.Now()
	if now.Sub(p.pushed) < step/4 {
		return
	}
	p.pushed = now
	p.mu.Lock()
	defer p.mu.Unlock()
	until := now.Add(step)
	if !p.limit.IsZero() && p.limit.Before(until) {
		until = p.limit
	}
	p.until = until
	p.TCPConn.SetWriteDeadline(until)
}

// alive says whether to go on after a write that ended with err and had
// written n bytes.
func (p *progress) alive(n int, err error) bool {
	if p.timeout <= 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		p.stuck = time.Time{} // the next write begins to count anew
		return false
	}
	now := time.Now()
	p.mu.Lock()
	expired := !p.limit.IsZero() && !now.Before(p.limit)
	p.mu.Unlock()
	if expired {
		return false // the deadline that was asked for, not ours
	}
	p.pushed = time.Time{}
	if n > 0 {
		p.stuck = time.Time{}
		return true
	}
	if p.stuck.IsZero() {
		p.stuck = now
	}
	return now.Sub(p.stuck) < p.timeout*3/4 // the step that has just passed is the first quarter
}

// SetWriteDeadline bounds writes besides the connection's own deadline.
func (p *progress) SetWriteDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.limit = t
	if p.timeout <= 0 {
		return p.TCPConn.SetWriteDeadline(t)
	}
	if !t.IsZero() && (p.until.IsZero() || t.Before(p.until)) {
		p.until = t
		return p.TCPConn.SetWriteDeadline(t)
	}
	return nil
}

// SetDeadline bounds reads and writes.
func (p *progress) SetDeadline(t time.Time) error {
	if err := p.TCPConn.SetReadDeadline(t); err != nil {
		return err
	}
	return p.SetWriteDeadline(t)
}

// Close closes the connection and takes it off the list.
func (p *progress) Close() error {
	p.once.Do(p.closed)
	return p.TCPConn.Close()
}
