package static

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/singleflight"
)

const defaultMemory = 64 << 20 // bytes

// Options is what a Folder needs of its surroundings. The zero value works.
type Options struct {
	// Log hears of changes and troubles; nil discards.
	Log *slog.Logger
	// Error writes any error page but a 404 page found in the folder itself;
	// headers set before (Allow, Content-Range) belong to the answer and stay.
	// Nil writes one line of plain text.
	Error func(w http.ResponseWriter, r *http.Request, status int)
	// Links returns the values of Link that are added to the answer to r later on, for early
	// hints; nil if there are none.
	Links func(w http.ResponseWriter, r *http.Request) []string
	// Open says whether the file at a path, with Config.Prefix, may be the answer to a request for another path, as a
	// rule of the folder wants: what others have put before that path, a password say, is not asked here. Nil: all are.
	Open func(w http.ResponseWriter, path string) bool
}

// Folder answers requests with the files of one folder.
type Folder struct {
	config  Config
	options Options
	log     *slog.Logger
	notices notices
	memory  memory
	orders  orders // of listings
	encoder encoder
	loads   singleflight.Group // of small files
	// compresses: contents are compressed here.
	compresses bool

	// table is read by requests; written by Open, then by Run, last by Close.
	table atomic.Pointer[table]
	// stale takes paths that a request found changed; Run reads it.
	stale chan string
	// watcher is a seam: what asks the system for change events.
	watcher func(root string) (*watcher, error)
}

// Open reads the folder of c. It fails when the folder is missing or cannot
// be read. The Folder answers at once; Run keeps it up to date.
func Open(c Config, o Options) (*Folder, error) {
	c.Prefix = cmp.Or(c.Prefix, "/")
	c.HTMLHandling = cmp.Or(c.HTMLHandling, autoTrailingSlash)
	c.Symlinks = cmp.Or(c.Symlinks, linksInside)
	if !validPrefix(c.Prefix) {
		return nil, fmt.Errorf("cannot serve folder %s: the path %q needs a slash at both ends, and single ones between", c.Root, c.Prefix)
	}
	f := &Folder{
		config:  c,
		options: o,
		log:     o.Log,
		stale:   make(chan string, 16),
		watcher: newWatcher,
		encoder: encoder{wake: make(chan struct{}, 1)},

		compresses: c.Compress == nil || *c.Compress,
	}
	if f.log == nil {
		f.log = slog.New(slog.DiscardHandler)
	}
	if f.options.Error == nil {
		f.options.Error = plainError
	}
	f.notices.log = f.log
	f.memory.limit = int64(c.Memory)
	if f.memory.limit == 0 {
		f.memory.limit = defaultMemory
	}
	root, err := openTree(c.Root, c.Symlinks)
	if err != nil {
		return nil, err
	}
	t, err := f.scanner(root, nil).scan(context.Background())
	if err != nil {
		root.Close()
		return nil, fmt.Errorf("cannot read folder %s: %w", c.Root, err)
	}
	f.table.Store(t)
	if what, hint := noIndex(root, f.config); what != "" {
		f.log.Warn(what, "hint", hint)
	}
	return f, nil
}

// scanner returns what reads the folder anew, using again what of old is still true.
func (f *Folder) scanner(root *tree, old *table) *scanner {
	if old == nil {
		old = emptyTable
	}
	return &scanner{root: root, old: old, notices: &f.notices, dialect: f.config.Rules}
}

// Close gives up the folder and its memory; requests are answered with 503
// from then on. Run must have returned.
func (f *Folder) Close() error {
	old := f.table.Swap(closedTable)
	f.memory.forgetAll()
	if old == nil || old.root == nil {
		return nil
	}
	return old.root.Close()
}

// ServeHTTP answers GET, HEAD and OPTIONS; r.URL.Path begins with Config.Prefix.
func (f *Folder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.respond(w, r, f.table.Load())
}

// respond answers with what the folder is by one table, whatever it becomes meanwhile.
// Each step answers and says so, or leaves the request to the next.
func (f *Folder) respond(w http.ResponseWriter, r *http.Request, t *table) {
	if f.method(w, r, t) {
		return
	}
	path, ok := f.path(r)
	switch {
	case t == closedTable:
		f.fail(w, r, t, http.StatusServiceUnavailable)
	case !ok:
		f.fail(w, r, t, http.StatusNotFound)
	case f.forced(w, r, t, path), f.found(w, r, t, path):
	default:
		f.missing(w, r, t, path)
	}
}

// method answers what does not ask for a file.
func (f *Folder) method(w http.ResponseWriter, r *http.Request, t *table) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return false
	case http.MethodOptions:
		w.Header()["Allow"] = allow
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header()["Allow"] = allow
		f.fail(w, r, t, http.StatusMethodNotAllowed)
	}
	return true
}

// path returns the path below the folder that r asks for; "" is the folder's
// own path without its slash.
func (f *Folder) path(r *http.Request) (string, bool) {
	if r.URL.Path == "" {
		return "/", f.config.Prefix == "/" // "GET http://example.com", RFC 9110 section 4.2.3
	}
	path, ok := strings.CutPrefix(r.URL.Path, f.config.Prefix[:len(f.config.Prefix)-1])
	return path, ok && (path == "" || path[0] == '/')
}

// found answers with what lies at path: a file, a listing, or a redirect there.
func (f *Folder) found(w http.ResponseWriter, r *http.Request, t *table, path string) bool {
	if encodedSlash(r.URL.RawPath) {
		return false
	}
	to := found{redirect: "/"}
	if path != "" {
		to = t.lookup(f.config.HTMLHandling, f.config.Browse, path)
	}
	if to.redirect != "" && rewritten(r) {
		to = t.lookup(f.config.HTMLHandling, f.config.Browse, to.redirect)
	}
	switch {
	case to.asset != nil:
		f.serve(w, r, t, path, to.asset)
	case to.redirect != "":
		f.redirect(w, r, t, to.redirect)
	case to.list:
		f.list(w, r, t, path)
	default:
		return false
	}
	return true
}

// missing answers where nothing lies at path.
func (f *Folder) missing(w http.ResponseWriter, r *http.Request, t *table, path string) {
	if f.fallback(w, r, t, path) || f.app(w, r, t, path) {
		return
	}
	f.notFound(w, r, t, path)
}

// app answers navigations with the page of a single-page app. Whether it does
// is up to the fields that Vary names, also where the answer is no.
func (f *Folder) app(w http.ResponseWriter, r *http.Request, t *table, path string) bool {
	a := t.asset(indexFile)
	if !f.config.SPA || a == nil || !route(path) {
		return false
	}
	if h := w.Header(); len(h["Vary"]) == 0 {
		h["Vary"] = varyNavigation
	} else {
		AddVary(h, "Accept")
		AddVary(h, "Sec-Fetch-Mode")
	}
	if !navigation(r) {
		return false
	}
	f.serve(w, r, t, path, a)
	return true
}

// serve answers a request for path with the file a.
func (f *Folder) serve(w http.ResponseWriter, r *http.Request, t *table, path string, a *asset) {
	f.hint(w, r, t, path, a)
	f.encoder.busy()
	from, v, as := f.choose(r, t, a)
	var file *os.File
	if !sendable(r, v) && from != a {
		if v, file = f.loadSidecar(r.Context(), t, from, as); v == nil {
			from, v, as = a, a.contents().identity.Load(), identity
		}
	}
	switch {
	case file != nil:
		defer file.Close()
	case sendable(r, v):
		f.memory.touch(v)
	default:
		var err error
		if v, file, err = f.load(r.Context(), t, a); err != nil {
			f.unreadable(w, r, t, a, err)
			return
		}
		if file != nil {
			defer file.Close()
		}
	}
	f.answer(w, r, t, path, a, v, as, file)
}

// choose returns the representation of a that r prefers of those that are
// there: the file that has it, its coding, and what is known of it, nil if nothing is.
func (f *Folder) choose(r *http.Request, t *table, a *asset) (from *asset, v *variant, as coding) {
	beside := f.sidecars(t, a)
	if accept := r.Header["Accept-Encoding"]; len(accept) > 0 && (a.kind.compress || beside.any) && !transformless(r.Header) {
		p := preferred(accept)
		for _, as := range p.codings[:p.n] {
			if as == identity {
				break
			}
			if s := beside.assets[as]; s != nil {
				switch c := s.contents(); {
				case !c.judged.Load(): // though it may be known as the file that it is
					return s, nil, as
				case !c.foreign.Load():
					return s, c.identity.Load(), as
				}
			}
			if v := f.coded(r.Context(), t, a, as); v != nil {
				return a, v, as
			}
		}
	}
	return a, a.contents().identity.Load(), identity
}

// sendable tells whether v can answer r without its file: with content in
// memory, or because the validators that the table has are all it needs.
func sendable(r *http.Request, v *variant) bool {
	return v != nil && (v.body != nil || r.Method == http.MethodHead || precondition(r.Header, v) != http.StatusOK)
}

// unreadable answers a request for a file that could not be read.
func (f *Folder) unreadable(w http.ResponseWriter, r *http.Request, t *table, a *asset, err error) {
	switch {
	case r.Context().Err() != nil:
		// The client has gone: there is nobody to answer.
	case gone(err):
		f.changed(a.path)
		f.notFound(w, r, t, a.path)
	case errors.Is(err, fs.ErrPermission):
		f.notices.warn("cannot read file", a.file, err)
		f.fail(w, r, t, http.StatusForbidden)
	case exhausted(err):
		f.notices.warn("cannot read file for now", a.file, err)
		w.Header().Set("Retry-After", strconv.Itoa(2+rand.IntN(4))) // not all at once
		f.fail(w, r, t, http.StatusServiceUnavailable)
	default:
		f.notices.warn("cannot read file", a.file, err)
		f.fail(w, r, t, http.StatusInternalServerError)
	}
}

// changed tells Run that what lies at path is not what the table says.
func (f *Folder) changed(path string) {
	select {
	case f.stale <- path:
	default: // Run has enough to do, and will see the change by itself
	}
}
