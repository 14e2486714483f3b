package static

import (
	"net/http"
	"strings"
	"sync/atomic"
)

var varyEncoding = []string{"Accept-Encoding"}

// head sets the fields that a 200, 206 or 304 of a file has for what the file
// is and where it lies: the only place that does, so that whatever else a
// path is given comes after. path is the one that was asked for, below the
// prefix; it is not a's own where a folder or a single-page app leads to a.
// v is a's content in the coding as, t the table that the request began with.
// Fields that frame the content (Content-Length, Content-Range) follow later.
func (f *Folder) head(w http.ResponseWriter, r *http.Request, t *table, path string, a *asset, v *variant, as coding, status int) {
	h := w.Header()
	if v.etag[0] != "" {
		h["Etag"] = v.etag[:]
	}
	if v.lastModified[0] != "" {
		h["Last-Modified"] = v.lastModified[:]
	}
	h["Cache-Control"] = noCache
	defer f.setFields(h, r, t, status)
	if forever(r, path, a) {
		h["Cache-Control"] = aYear
	}
	if a.varies() {
		if h["Vary"] == nil {
			h["Vary"] = varyEncoding
		} else {
			AddVary(h, varyEncoding[0])
		}
	}
	if status == http.StatusNotModified {
		return // RFC 9110 section 15.4.5: what a cache needs to update what it has
	}
	if len(f.config.Download) > 0 && downloads(f.config.Download).match(a.path) {
		h["Content-Disposition"] = []string{attachment(a.path[strings.LastIndexByte(a.path, '/')+1:])}
	}
	if as != identity {
		h["Content-Encoding"] = contentEncoding[as]
	} else {
		// It need not be said (RFC 9110 section 14.3), and not many divide what is
		// compressed; nginx and Caddy do not say it of what they compress either. A
		// ninth field makes net/http's two maps of them grow, which costs more than
		// all that is done here.
		h["Accept-Ranges"] = bytesUnit
	}
	h["Content-Type"] = a.kind.header
	h["X-Content-Type-Options"] = nosniff
}

// forever tells whether what the path of r leads to, a, never changes. Where path is not a's own
// it has no hash in it, and may lead elsewhere tomorrow.
func forever(r *http.Request, path string, a *asset) bool {
	return a.contents().immutable && path == a.path && !rewritten(r)
}

// varies tells whether a has more than one coding.
func (a *asset) varies() bool {
	beside := a.contents().sidecars.Load()
	return a.kind.compress || beside != nil && beside.any
}

// keeper is a writer that can keep the heads of a content where that is, for a
// status each of every kind; all else that head writes is the same for a
// content. WriteKept tells whether it has written one. If it has not, it is told the head next.
type keeper interface {
	WriteKept(at *atomic.Value, status, kind int) bool
}

// kept has a head written that was kept, if there can be one.
func (f *Folder) kept(w http.ResponseWriter, r *http.Request, t *table, path string, a *asset, v *variant, as coding, status int) bool {
	k, ok := w.(keeper)
	if !ok || t.rules != nil && t.rules.headers != nil || v.body == nil || status == http.StatusNotModified && v.former[0] != "" {
		return false
	}
	kind := int(as) << 2 // a compressed file has another head when it is asked for by its own name
	if forever(r, path, a) {
		kind |= 1
	}
	if a.varies() {
		kind |= 2
	}
	return k.WriteKept(&v.heads, status, kind)
}
