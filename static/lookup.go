package static

import (
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"unicode/utf8"
)

const maxSegment = 255 // bytes; NAME_MAX of the usual file systems

// servablePath tells whether path, which begins with a slash, is made of
// servable names; a slash may end it. It excludes "." and ".." segments,
// which clients remove before they send (RFC 3986 section 5.2.4).
func servablePath(path string) bool {
	if path == "" || path[0] != '/' {
		return false
	}
	rest := path[1:]
	for top := true; rest != ""; top = false {
		name, after, _ := strings.Cut(rest, "/")
		if !servable(name, top) {
			return false
		}
		rest = after
	}
	return true
}

// servable tells whether a file of that name may be served; top: right in the folder.
func servable(name string, top bool) bool {
	if name == "" || len(name) > maxSegment || !utf8.ValidString(name) {
		return false
	}
	if name[0] == '.' && !(top && name == ".well-known") || top && name[0] == '_' && isRuleFile(name) {
		return false
	}
	for i := range len(name) {
		if c := name[i]; c < ' ' || c == 0x7f || c == '\\' || c == '/' {
			return false
		}
	}
	return runtime.GOOS != "windows" || windowsName(name)
}

// encodedSlash tells whether a path as sent has a slash in disguise, which
// no name can contain, so that the decoded path means something else.
func encodedSlash(raw string) bool {
	for i := strings.IndexByte(raw, '%'); i >= 0 && i+2 < len(raw); i++ {
		if raw[i] == '%' && raw[i+1] == '2' && raw[i+2]|0x20 == 'f' {
			return true
		}
	}
	return false
}

// route tells whether path may be one of a single-page app's own. A last
// segment with an extension is a missing file; hidden names and what lies
// below /.well-known are asked for by programs (the rule of npm's sirv).
func route(path string) bool {
	return servablePath(path) && path != "/.well-known" && !strings.HasPrefix(path, "/.well-known/") &&
		!strings.Contains(path[strings.LastIndexByte(path, '/')+1:], ".")
}

// navigation tells whether r wants a page rather than a part of one. Browsers
// say so (Fetch Metadata); those that do not, and other clients, name HTML.
func navigation(r *http.Request) bool {
	if mode := r.Header["Sec-Fetch-Mode"]; len(mode) > 0 {
		return mode[0] == "navigate"
	}
	return namesHTML(r.Header["Accept"])
}

// nearest404 returns the 404.html nearest to path, which need not exist: that of the
// deepest folder on its way, or of one above.
func (t *table) nearest404(path string) *asset {
	best := t.asset("/404.html")
	for i := 1; i < len(path); {
		n := strings.IndexByte(path[i:], '/')
		if n < 0 {
			break
		}
		i += n + 1
		if t.dir(path[:i]) == nil {
			break
		}
		if a := t.asset(path[:i] + "404.html"); a != nil {
			best = a
		}
	}
	return best
}

// redirect answers with 308 to a path of the folder, keeping the query. The
// path is "/", or made of names in the table: it begins with one slash and has
// neither backslash nor control character, so it cannot name another host.
func (f *Folder) redirect(w http.ResponseWriter, r *http.Request, t *table, path string) {
	to := url.URL{
		Path:       f.config.Prefix[:len(f.config.Prefix)-1] + path,
		RawQuery:   Query(r.URL.RawQuery),
		ForceQuery: r.URL.ForceQuery,
	}
	f.sendRedirect(w, r, t, http.StatusPermanentRedirect, to.String())
}

// sendRedirect leads to a location.
func (f *Folder) sendRedirect(w http.ResponseWriter, r *http.Request, t *table, status int, location string) {
	h := w.Header()
	h["Location"] = []string{location}
	h["Content-Length"] = noLength
	h["Cache-Control"] = noCache
	h["X-Content-Type-Options"] = nosniff
	f.setFields(h, r, t, status)
	w.WriteHeader(status)
}
