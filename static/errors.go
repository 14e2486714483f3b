package static

import (
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"sync"
)

// Header values that answers share. They are never written to.
var (
	allow          = []string{"GET, HEAD, OPTIONS"}
	nosniff        = []string{"nosniff"}
	noStore        = []string{"no-store"}
	noCache        = []string{"no-cache"}
	aYear          = []string{"public, max-age=31536000, immutable"}
	bytesUnit      = []string{"bytes"}
	noLength       = []string{"0"}
	varyNavigation = []string{"Accept, Sec-Fetch-Mode"}
)

// plainError writes an error page of one line.
func plainError(w http.ResponseWriter, r *http.Request, status int) {
	text := strconv.Itoa(status) + " " + http.StatusText(status) + "\n"
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	h["X-Content-Type-Options"] = nosniff
	h["Cache-Control"] = noStore
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write([]byte(text))
	}
}

// fail answers with the folder's own <status>.html, at its top, else as Options.Error does.
func (f *Folder) fail(w http.ResponseWriter, r *http.Request, t *table, status int) {
	if a := t.asset("/" + strconv.Itoa(status) + ".html"); a == nil || !f.errorPage(w, r, t, a, status) {
		f.options.Error(w, r, status)
	}
}

// notFound answers with the nearest 404.html at or above path, else with the general page.
func (f *Folder) notFound(w http.ResponseWriter, r *http.Request, t *table, path string) {
	if a := t.nearest404(path); a == nil || !f.errorPage(w, r, t, a, http.StatusNotFound) {
		f.options.Error(w, r, http.StatusNotFound)
	}
}

// errorPage answers with a file of the folder, for those who do not prefer
// JSON. The answer has no validators: what is not there cannot be asked for
// again "if modified".
func (f *Folder) errorPage(w http.ResponseWriter, r *http.Request, t *table, a *asset, status int) bool {
	if PrefersJSON(r.Header["Accept"]) {
		return false
	}
	v := a.contents().identity.Load()
	var file *os.File
	if v == nil || v.body == nil {
		var err error
		if v, file, err = f.load(r.Context(), t, a); err != nil {
			return false
		}
		if file != nil {
			defer file.Close()
		}
	}
	h := w.Header()
	AddVary(h, "Accept")
	h["Content-Type"] = a.kind.header
	h["Content-Length"] = v.length[:]
	h["X-Content-Type-Options"] = nosniff
	h["Cache-Control"] = noStore
	f.setFields(h, r, t, status)
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		v.send(w, file, span{0, v.size})
	}
	return true
}

// notices logs each trouble with a file once, not at every request or scan.
type notices struct {
	log *slog.Logger

	mu   sync.Mutex
	said map[[2]string]bool
}

const maxNotices = 100

func (n *notices) warn(what, file string, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.said[[2]string{what, file}] || len(n.said) >= maxNotices {
		return
	}
	if n.said == nil {
		n.said = map[[2]string]bool{}
	}
	n.said[[2]string{what, file}] = true
	n.log.Warn(what, "file", file, "error", err)
}
