package static

import (
	"net/http"
	"strings"
)

var varyEncoding = []string{"Accept-Encoding"}

// head sets the fields that a 200, 206 or 304 of a file has for what the file
// is and where it lies: the only place that does, so that whatever else a
// path is given comes after. path is the one that was asked for, below the
// prefix; it is not a's own where a folder or a single-page app leads to a.
// v is a's content in the coding as, t the table that the request began with.
// Fields that frame the content (Content-Length, Content-Range) follow later.
func (f *Folder) head(w http.ResponseWriter, r *http.Request, t *table, path string, a *asset, v *variant, as coding, status int) {
	h, c := w.Header(), a.contents()
	if v.etag[0] != "" {
		h["Etag"] = v.etag[:]
	}
	if v.lastModified[0] != "" {
		h["Last-Modified"] = v.lastModified[:]
	}
	h["Cache-Control"] = noCache
	defer f.setFields(h, r, t, status)
	if c.immutable && path == a.path && !rewritten(r) { // else the path has no hash in it, and may lead elsewhere tomorrow
		h["Cache-Control"] = aYear
	}
	if beside := c.sidecars.Load(); a.kind.compress || beside != nil && beside.any {
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
