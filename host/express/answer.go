package express

import (
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Answer is the http.ResponseWriter of the lane. What it makes of what a
// handler says is what net/http makes of it, but for the order of fields. The
// head and as much of the body as there is room for are written at once.
type Answer struct {
	to      io.Writer // the connection
	conn    *conn
	request *http.Request
	body    *body // of the request; nil: none
	header  http.Header
	handed  bool
	duplex  bool // the body is read as long as the handler likes

	status   int   // 0: not said
	length   int64 // of the body; -1: not said
	written  int64 // bytes of body that the handler has
	begun    bool  // the head is whole
	typed    bool  // the body has a type, or needs none
	dated    bool
	chunked  bool
	close    bool           // the connection ends with the answer
	trailers []string       // that are announced
	pending  []byte         // of the body, while its length is not known
	out      []byte         // to be sent
	held     *[outSize]byte // where out is; nil while there is nothing to be sent
	err      error          // of the connection
}

const (
	outSize     = 16 << 10 // bytes; TLS has records of so many
	pendingSize = 2 << 10  // what net/http waits for before it sends chunks

	worthSending = 4 << 10 // what costs more to copy than to send beside something else
)

var outs = sync.Pool{New: func() any { return new([outSize]byte) }}

// begin makes a the answer to r.
func (a *Answer) begin(to io.Writer, r *http.Request) {
	clear(a.header)
	*a = Answer{to: to, request: r, header: a.header, pending: a.pending[:0], length: -1, close: r.Close}
	if a.header == nil {
		a.header = http.Header{}
	}
}

// hold gives out a buffer, if it has none. While an answer is waited for, or
// more of it, there is none.
func (a *Answer) hold() {
	if a.held == nil {
		a.held = outs.Get().(*[outSize]byte)
		a.out = append(a.held[:0], a.out...)
	}
}

// release takes the buffer away.
func (a *Answer) release() {
	if a.held != nil {
		outs.Put(a.held)
	}
	a.held, a.out = nil, nil
}

// HandOn says that the request is to be answered in the full lane. Nothing else
// may have been called.
func (a *Answer) HandOn() { a.handed = true }

// Watch has the context of the request end when the client goes, some time
// after it has; without it, that is known when something is written. It tells
// whether there is a way to know.
func (a *Answer) Watch() bool {
	if a.conn.watch == nil {
		a.conn.watch = newWatch(a.conn)
	}
	if a.body == nil || a.body.here() {
		a.conn.watch.begin()
	}
	return a.conn.watch != nil
}

// EnableFullDuplex lets the handler read the request's body when its answer
// has begun. Otherwise what was not read by then is dropped, as net/http does.
func (a *Answer) EnableFullDuplex() error {
	a.duplex = true
	return nil
}

// Header is that of the answer, until WriteHeader.
func (a *Answer) Header() http.Header { return a.header }

// What is said in an own way when the head is complete, and what an answer without content does not have.
var (
	interim   = map[string]bool{"Content-Length": true, "Transfer-Encoding": true}
	framed    = map[string]bool{"Content-Length": true, "Transfer-Encoding": true, "Connection": true}
	unchanged = map[string]bool{"Content-Length": true, "Transfer-Encoding": true, "Connection": true, "Content-Type": true}
)

// WriteHeader begins the answer; of 1xx it sends one that others follow.
func (a *Answer) WriteHeader(status int) {
	switch {
	case a.status != 0:
		return
	case status < 200:
		a.start(status, interim)
		a.out = append(a.out, "\r\n"...)
		a.flush()
		return
	}
	a.status = status
	if said := a.header["Content-Length"]; len(said) > 0 {
		if n, err := strconv.ParseInt(said[0], 10, 64); err == nil && n >= 0 {
			a.length = n
		}
	}
	if c := a.header["Connection"]; len(c) > 0 && c[0] == "close" { // nothing else is of use here
		a.close = true
	}
	a.trailers = a.header["Trailer"]
	_, typed := a.header["Content-Type"]
	a.typed = typed || a.header.Get("Content-Encoding") != ""
	_, a.dated = a.header["Date"]
	without := framed
	if status == http.StatusNotModified {
		without = unchanged
	}
	a.start(status, without)
}

// start appends the status line and the fields.
func (a *Answer) start(status int, without map[string]bool) {
	a.hold()
	a.out = append(a.out, "HTTP/1.1 "...)
	a.out = strconv.AppendInt(a.out, int64(status), 10)
	a.out = append(a.out, ' ')
	if text := http.StatusText(status); text != "" {
		a.out = append(a.out, text...)
	} else {
		a.out = strconv.AppendInt(append(a.out, "status code "...), int64(status), 10)
	}
	a.out = append(a.out, "\r\n"...)
	_ = a.header.WriteSubset((*appender)(&a.out), without)
}

// appender is a buffer as http.Header wants it.
type appender []byte

func (b *appender) Write(p []byte) (int, error) {
	*b = append(*b, p...)
	return len(p), nil
}

func (b *appender) WriteString(s string) (int, error) {
	*b = append(*b, s...)
	return len(s), nil
}

// content tells whether the answer may have one (RFC 9110 section 6.4.1).
func (a *Answer) content() bool {
	return a.status != http.StatusNoContent && a.status != http.StatusNotModified
}

func (a *Answer) toHead() bool { return a.request.Method == http.MethodHead }

// complete ends the head. first is what the body begins with; all of it if whole.
func (a *Answer) complete(first []byte, whole bool) {
	a.begun = true
	a.close = a.close || a.conn.lane.ended.Load()
	if a.body != nil && !a.close && !a.duplex {
		a.close = !a.body.drop() // many a client says all before it listens
	}
	if a.content() {
		if a.length < 0 && whole && !a.trailing() && (!a.toHead() || len(first) > 0) {
			a.length = int64(len(first))
		}
		if !a.typed && len(first) > 0 {
			a.out = append(a.out, "Content-Type: "...)
			a.out = append(append(a.out, http.DetectContentType(first)...), "\r\n"...)
		}
		switch {
		case a.length >= 0:
			a.out = append(a.out, "Content-Length: "...)
			a.out = append(strconv.AppendInt(a.out, a.length, 10), "\r\n"...)
		case !a.toHead():
			a.chunked = true
			a.out = append(a.out, "Transfer-Encoding: chunked\r\n"...)
		}
	}
	if !a.dated {
		a.out = append(a.out, "Date: "...)
		a.out = append(appendDate(a.out, time.Now()), "\r\n"...)
	}
	if a.close {
		a.out = append(a.out, "Connection: close\r\n"...)
	}
	a.out = append(a.out, "\r\n"...)
}

// Write writes part of the body.
func (a *Answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	switch {
	case len(p) == 0:
		return 0, nil
	case !a.content():
		return 0, http.ErrBodyNotAllowed
	}
	a.written += int64(len(p))
	if a.length >= 0 && a.written > a.length {
		return 0, http.ErrContentLength
	}
	rest := p
	if !a.begun {
		if a.length < 0 || !a.typed { // what the body begins with says more
			n := min(pendingSize-len(a.pending), len(p))
			if a.pending = append(a.pending, p[:n]...); n == len(p) {
				return n, nil
			}
			rest = p[n:]
		}
		a.complete(a.pending, false)
		a.put(a.pending)
	}
	a.put(rest)
	return len(p), a.err
}

// put puts part of the body behind what is to be sent.
func (a *Answer) put(p []byte) {
	switch {
	case len(p) == 0 || a.toHead():
	case a.chunked:
		a.hold()
		a.out = strconv.AppendInt(a.out, int64(len(p)), 16)
		a.out = append(a.out, "\r\n"...)
		a.bytes(p)
		a.hold()
		a.out = append(a.out, "\r\n"...)
	default:
		a.bytes(p)
	}
}

// bytes fills the buffer, and sends it when it is full; what is larger, or is
// the rest and not small, is sent from where it is.
func (a *Answer) bytes(p []byte) {
	if len(p) >= outSize || len(p) >= worthSending && a.written == a.length {
		to, ok := a.to.(interface {
			WriteBoth(head, body []byte) error
		})
		switch {
		case ok:
			if a.err == nil {
				a.err = to.WriteBoth(a.out, p)
			}
			a.release()
			return
		case len(a.out) == 0 && len(p) >= outSize:
			a.send(p)
			return
		}
	}
	a.hold()
	if room := max(0, outSize-len(a.out)); len(p) > room {
		a.out = append(a.out, p[:room]...)
		p = p[room:]
		a.flush()
		a.bytes(p)
		return
	}
	a.out = append(a.out, p...)
}

func (a *Answer) flush() {
	a.send(a.out)
	a.release()
}

func (a *Answer) send(p []byte) {
	if a.err == nil && len(p) > 0 {
		_, a.err = a.to.Write(p)
	}
}

// ReadFrom writes part of the body; a file goes to the connection as it is, for sendfile(2).
func (a *Answer) ReadFrom(r io.Reader) (n int64, err error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	direct, ok := a.to.(io.ReaderFrom)
	if !ok || a.length < 0 || !a.begun && !a.typed || a.toHead() || !a.content() {
		return Copy(a, r)
	}
	if !a.begun {
		a.complete(nil, false)
	}
	a.flush()
	if a.err != nil {
		return 0, a.err
	}
	n, err = direct.ReadFrom(r)
	a.written += n
	return n, err
}

// FlushError sends what there is.
func (a *Answer) FlushError() error {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	if !a.begun {
		a.complete(a.pending, false)
		a.put(a.pending)
	}
	a.flush()
	return a.err
}

// Flush sends what there is.
func (a *Answer) Flush() { _ = a.FlushError() }

// end sends what is left, and tells whether another answer may follow.
func (a *Answer) end() (more bool) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	if !a.begun {
		a.complete(a.pending, true)
		a.put(a.pending)
	}
	if a.chunked {
		a.hold()
		a.out = append(a.out, "0\r\n"...)
		a.trail()
		a.out = append(a.out, "\r\n"...)
	}
	a.flush()
	short := !a.toHead() && a.content() && a.length >= 0 && a.written != a.length
	return !a.close && !short && a.err == nil
}
