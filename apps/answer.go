package apps

import (
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// headDelay is how long what has been written may wait for more before it is
// sent. It spares a packet where an answer's body follows its head closely,
// as it nearly always does.
const headDelay = 2 * time.Millisecond

// copier copies the body of an answer to the client and sees to it that the
// client gets at once what the app has sent. Copiers are reused.
type copier struct {
	mu    sync.Mutex // held over writes and flushes
	rc    *http.ResponseController
	dirty bool        // something is written, or about to be, and not flushed
	timer *time.Timer // flushes
	buf   [32 << 10]byte
}

var copiers = sync.Pool{New: func() any {
	c := &copier{}
	c.timer = time.AfterFunc(time.Hour, c.flush)
	c.timer.Stop()
	return c
}}

func (c *copier) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dirty {
		c.dirty = false
		c.rc.Flush() // an error shows at the next write
	}
}

// begin makes c ready for w, whose head is written and not sent yet.
func (c *copier) begin(w http.ResponseWriter) {
	c.mu.Lock()
	c.rc, c.dirty = http.NewResponseController(w), true
	c.mu.Unlock()
}

// end makes c ready for others. A flush that is under way is waited for; one
// that comes late finds nothing to do, or does what is about to be done anyway.
func (c *copier) end() {
	c.timer.Stop()
	c.mu.Lock()
	c.rc, c.dirty = nil, false
	c.mu.Unlock()
	copiers.Put(c)
}

// write writes p and leaves it to be flushed.
func (c *copier) write(w http.ResponseWriter, p []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := w.Write(p)
	c.dirty = err == nil
	return err
}

// copyBody copies res's body to w. read is how reading failed, nil at the end.
func copyBody(w http.ResponseWriter, res *http.Response) (read, write error) {
	if res.ContentLength == 0 || res.Request.Method == http.MethodHead {
		_, read = io.Copy(io.Discard, res.Body) // the transport wants to see the end
		return read, nil
	}
	c := copiers.Get().(*copier)
	c.begin(w)
	defer c.end()
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		c.flush()
	} else {
		c.timer.Reset(headDelay)
	}
	for left := res.ContentLength; ; {
		n, read := res.Body.Read(c.buf[:])
		if n > 0 {
			if write := c.write(w, c.buf[:n]); write != nil {
				return nil, write
			}
			left -= int64(n)
			switch {
			case read != nil, left == 0: // the end flushes
			case n == len(c.buf): // more is there already
				c.timer.Reset(headDelay)
			default:
				c.flush()
			}
		}
		if read == io.EOF {
			return nil, nil
		}
		if read != nil {
			return read, nil
		}
	}
}

// copyHeader adds to dst the fields of an answer that are the client's.
func copyHeader(dst, src http.Header) {
	drop := named(src)
	for name, values := range src {
		if hopByHop[name] || len(drop) > 0 && slices.Contains(drop, name) {
			continue
		}
		if have := dst[name]; len(have) > 0 {
			values = slices.Concat(have, values)
		}
		dst[name] = values
	}
}

// copyTrailer sends the trailer fields of res, which are known when its body
// has been read. announced were named in the head.
func copyTrailer(w http.ResponseWriter, res *http.Response, announced int) {
	if len(res.Trailer) == 0 {
		return
	}
	http.NewResponseController(w).Flush() // or net/http counts a short body and sends no trailer
	prefix := ""
	if len(res.Trailer) != announced {
		prefix = http.TrailerPrefix
	}
	for name, values := range res.Trailer {
		w.Header()[prefix+name] = values
	}
}

// announceTrailer names the trailer fields that res promises, and returns how many.
func announceTrailer(h http.Header, res *http.Response) int {
	if len(res.Trailer) > 0 {
		h.Add("Trailer", strings.Join(slices.Sorted(maps.Keys(res.Trailer)), ", "))
	}
	return len(res.Trailer)
}
