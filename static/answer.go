package static

import (
	"crypto/rand"
	"errors"
	"hash/maphash"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strconv"
	"sync"
)

// answer writes v, the content of a in the coding as, in full, in part, or what its
// preconditions ask for. path is the one that was asked for; file is the
// content unless that is in memory or not going to be needed.
func (f *Folder) answer(w http.ResponseWriter, r *http.Request, t *table, path string, a *asset, v *variant, as coding, file *os.File) {
	switch precondition(r.Header, v) {
	case http.StatusPreconditionFailed:
		f.fail(w, r, t, http.StatusPreconditionFailed)
		return
	case http.StatusNotModified:
		if f.kept(w, r, t, path, a, v, as, http.StatusNotModified) {
			return
		}
		f.head(w, r, t, path, a, v, as, http.StatusNotModified)
		if lines := r.Header["If-None-Match"]; v.former[0] != "" && len(lines) > 0 && !matches(lines, v.etag[0], false) {
			w.Header()["Etag"] = v.former[:] // the one that the client has
		}
		w.WriteHeader(http.StatusNotModified)
		return
	}
	var parts []span
	if lines := r.Header["Range"]; len(lines) > 0 && r.Method == http.MethodGet && rangeWanted(r.Header, v, as) {
		var err error
		if parts, err = parseRange(lines, v.size); err != nil {
			w.Header()["Content-Range"] = []string{"bytes */" + v.length[0]}
			f.fail(w, r, t, http.StatusRequestedRangeNotSatisfiable)
			return
		}
	}
	if len(parts) == 0 {
		if !f.kept(w, r, t, path, a, v, as, http.StatusOK) {
			f.head(w, r, t, path, a, v, as, http.StatusOK)
			w.Header()["Content-Length"] = v.length[:]
			w.WriteHeader(http.StatusOK)
		}
		if r.Method != http.MethodHead {
			v.send(w, file, span{0, v.size})
		}
		return
	}
	f.head(w, r, t, path, a, v, as, http.StatusPartialContent)
	if len(parts) > 1 {
		v.sendParts(w, file, parts)
		return
	}
	h := w.Header()
	h["Content-Range"] = []string{parts[0].contentRange(v.size)}
	h["Content-Length"] = []string{strconv.FormatInt(parts[0].length, 10)}
	w.WriteHeader(http.StatusPartialContent)
	v.send(w, file, parts[0])
}

// sendParts writes several ranges as multipart/byteranges (RFC 9110 section 14.6).
func (v *variant) sendParts(w http.ResponseWriter, file *os.File, parts []span) {
	h := w.Header()
	boundary := rand.Text()
	heads := make([]string, len(parts))
	end := "\r\n--" + boundary + "--\r\n"
	length := int64(len(end))
	for i, part := range parts {
		if i > 0 {
			heads[i] = "\r\n"
		}
		heads[i] += "--" + boundary + "\r\nContent-Type: " + h.Get("Content-Type") +
			"\r\nContent-Range: " + part.contentRange(v.size) + "\r\n\r\n"
		length += int64(len(heads[i])) + part.length
	}
	h["Content-Type"] = []string{"multipart/byteranges; boundary=" + boundary}
	h["Content-Length"] = []string{strconv.FormatInt(length, 10)}
	w.WriteHeader(http.StatusPartialContent)
	for i, part := range parts {
		if _, err := io.WriteString(w, heads[i]); err != nil {
			return
		}
		v.send(w, file, part)
	}
	_, _ = io.WriteString(w, end)
}

// sendFile writes part of a file, which was v when it was opened. The writer is offered the file itself, so
// that net/http can have the kernel copy it (sendfile(2)); one that cannot
// take it, as with HTTP/2, gets buffers large enough to fill its frames.
//
// The end (withheld) follows only if the file has not been written to meanwhile.
// Else, and when the file is cut short, the connection is broken off: it must not look
// as if all of one state had been sent.
func sendFile(w http.ResponseWriter, file *os.File, v *variant, part span) {
	if part.length == 0 {
		return
	}
	_, err := file.Seek(part.start, io.SeekStart)
	end := min(part.length, withheld)
	src := &io.LimitedReader{R: file, N: part.length - end}
	if err == nil && src.N > 0 {
		if to, ok := w.(io.ReaderFrom); ok {
			_, err = to.ReadFrom(src)
		} else {
			buffer := buffers.Get().(*[]byte)
			_, err = io.CopyBuffer(w, src, *buffer)
			buffers.Put(buffer)
		}
	}
	var reading *fs.PathError
	if err != nil && !errors.As(err, &reading) {
		return // the client has gone
	}
	if err == nil && src.N == 0 {
		last := tails.Get().(*[withheld]byte)
		defer tails.Put(last)
		if _, err = file.ReadAt(last[:end], part.end()-end); err == nil && !v.overwritten(file) {
			_, _ = w.Write(last[:end])
			return
		}
	}
	panic(http.ErrAbortHandler)
}

// withheld is how many bytes at the end of a file are sent last, by themselves.
// A single one would do, but makes a megabyte cost the kernel three times as much.
const withheld = 16 << 10

// overwritten tells whether a file has been written to since it was v, other than at its end, as logs are.
// The inode's change time says less: it changes also when the file gets another name or none.
func (v *variant) overwritten(file *os.File) bool {
	now, err := file.Stat()
	if err != nil || now.ModTime().UnixNano() == v.written {
		return err != nil
	}
	if now.Size() <= v.size {
		return true
	}
	return v.ends == 0 || endsOf(file, v.size) != v.ends
}

// endsOf is a hash of the first and the last bytes of what is size bytes long: whoever adds to it leaves
// them alone, and whoever writes it anew is not likely to. It is 0 when they cannot be read.
func endsOf(file *os.File, size int64) uint64 {
	var ends [2][1 << 10]byte
	for i, at := range []int64{0, max(0, size-int64(len(ends[1])))} {
		if _, err := file.ReadAt(ends[i][:min(size, int64(len(ends[i])))], at); err != nil {
			return 0
		}
	}
	return maphash.Comparable(seed, ends)
}

var (
	buffers = sync.Pool{New: func() any { b := make([]byte, 64<<10); return &b }}
	tails   = sync.Pool{New: func() any { return new([withheld]byte) }}
)
