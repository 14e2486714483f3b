package static

import (
	"bytes"
	_ "embed"
	"fmt"
	"hash/fnv"
	"log/slog"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// Dev serves a folder to who works on it. It answers as a Folder does, but
// nothing is cached or compressed, folders without index.html are listed,
// errors say what was looked for, and every page carries a script that brings
// it up to date when a file has changed:
//
//	table ──> state ──> events (SSE) ──> dev.js in the page: reload, or swap its style sheets
//
// A Folder knows nothing of it: all is done on the way in and on the way out.
type Dev struct {
	*Folder

	mu    sync.Mutex
	seen  *table // state is its
	state state
}

// OpenDev opens a folder as Open does; its Run and Close are the Folder's.
func OpenDev(c Config, log *slog.Logger) (*Dev, error) {
	c.Prefix, c.Browse = "", true
	d := &Dev{}
	f, err := Open(c, Options{Log: log, Error: d.error})
	d.Folder = f
	return d, err
}

// devPath is where the script and its events are: below a name that no folder serves.
const devPath = "/.roost/"

//go:embed dev.js
var devScript []byte

var (
	scriptType = mediaTypes["js"].header
	textType   = mediaTypes["txt"].header
)

func (d *Dev) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		switch r.URL.Path {
		case devPath + "dev.js":
			writeWhole(w, r, http.StatusOK, scriptType, devScript)
			return
		case devPath + "events":
			d.events(w, r)
			return
		}
	}
	asked := *r
	asked.Header = r.Header.Clone()
	if r.Header.Get("If-Range") != "" {
		asked.Header.Del("Range")
	}
	for _, name := range []string{"If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since", "If-Range", "Accept-Encoding"} {
		asked.Header.Del(name)
	}
	p := &devAnswer{ResponseWriter: w, request: r, dev: d}
	d.Folder.ServeHTTP(p, &asked)
	p.end()
}

// writeWhole writes an answer that is not to be kept.
func writeWhole(w http.ResponseWriter, r *http.Request, status int, kind []string, body []byte) {
	h := w.Header()
	h["Content-Type"] = kind
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	h["Cache-Control"] = noStore
	h["X-Content-Type-Options"] = nosniff
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

// devAnswer makes an answer of the Folder one of Dev: not to be kept, and with the
// script when it is a page.
type devAnswer struct {
	http.ResponseWriter // no io.ReaderFrom, so that pages come through Write
	request             *http.Request
	dev                 *Dev

	begun bool
	tag   string // of the script; empty when the answer is no page
	body  []byte // of a page, kept until its end
}

func (p *devAnswer) WriteHeader(status int) {
	if p.begun || status < http.StatusOK {
		p.ResponseWriter.WriteHeader(status)
		return
	}
	p.begun = true
	h := p.Header()
	for _, name := range []string{"Etag", "Last-Modified", "Expires"} {
		h.Del(name)
	}
	h["Cache-Control"] = noStore
	if p.takesScript(status) {
		p.tag = fmt.Sprintf("<script src=\"%sdev.js?%s\" async></script>\n", devPath, p.dev.now())
		h.Del("Accept-Ranges")
		if n, err := strconv.Atoi(h.Get("Content-Length")); err == nil {
			h.Set("Content-Length", strconv.Itoa(n+len(p.tag)))
		}
		if policy := h["Content-Security-Policy"]; len(policy) == 1 && policy[0] == listingPolicy[0] { // ours, which allows nothing
			h["Content-Security-Policy"] = []string{policy[0] + "; script-src 'self'; connect-src 'self'"}
		}
	}
	p.ResponseWriter.WriteHeader(status)
}

// takesScript tells whether the answer is a whole page that somebody looks at:
// not a part of a page that a script has asked for, a frame in a page, or a download.
func (p *devAnswer) takesScript(status int) bool {
	h := p.Header()
	if status == http.StatusPartialContent || h.Get("Content-Encoding") != "" || h.Get("Content-Disposition") != "" {
		return false
	}
	kind, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	use := p.request.Header.Get("Sec-Fetch-Dest")
	return kind == "text/html" && (use == "" || use == "document")
}

func (p *devAnswer) Write(b []byte) (int, error) {
	if !p.begun {
		p.WriteHeader(http.StatusOK)
	}
	if p.tag == "" {
		return p.ResponseWriter.Write(b)
	}
	p.body = append(p.body, b...)
	return len(b), nil
}

// end writes the page, with the script at the end of its body.
func (p *devAnswer) end() {
	if p.tag == "" || p.request.Method == http.MethodHead {
		return
	}
	at := endOfBody(p.body)
	for _, part := range [][]byte{p.body[:at], []byte(p.tag), p.body[at:]} {
		if _, err := p.ResponseWriter.Write(part); err != nil {
			return
		}
	}
}

// endOfBody is where the last </body> of a page begins, else where the page ends.
func endOfBody(page []byte) int {
	const tag = "</body"
	for i := len(page); ; {
		if i = bytes.LastIndex(page[:i], []byte(tag[:2])); i < 0 {
			return len(page)
		}
		if len(page)-i >= len(tag) && bytes.EqualFold(page[i:i+len(tag)], []byte(tag)) {
			return i
		}
	}
}

// state tells two states of the folder apart, those of another process too:
// hashes over its style sheets, which a page can swap, and over all the rest.
type state struct{ pages, styles uint64 }

func (s state) String() string { return fmt.Sprintf("%016x-%016x", s.pages, s.styles) }

// parseState reads a state as its String writes it.
func parseState(text string) (s state, ok bool) {
	pages, styles, _ := strings.Cut(text, "-")
	var wrong [2]error
	s.pages, wrong[0] = strconv.ParseUint(pages, 16, 64)
	s.styles, wrong[1] = strconv.ParseUint(styles, 16, 64)
	return s, wrong == [2]error{}
}

func stateOf(t *table) (s state) {
	sum := func(of ...any) uint64 {
		h := fnv.New64a()
		fmt.Fprint(h, of...)
		return h.Sum64()
	}
	for a := range t.all() {
		switch path.Ext(a.path) {
		case ".css":
			s.styles += sum(a.path, a.stamp)
		case ".map": // nothing that is shown depends on it
		default:
			s.pages += sum(a.path, a.stamp)
		}
	}
	if t.rules != nil {
		for _, f := range t.rules.files {
			s.pages += sum(f.name, f.stamp)
		}
	}
	return s
}

// now is the state that pages get from now on.
func (d *Dev) now() state {
	t := d.table.Load()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.seen != t {
		d.seen, d.state = t, stateOf(t)
	}
	return d.state
}
