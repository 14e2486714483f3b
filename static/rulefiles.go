package static

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"roost/static/rules"
)

// The values of Serving.Rules.
const (
	rulesCloudflare = string(rules.Cloudflare)
	rulesNetlify    = string(rules.Netlify)
	rulesOff        = "off"
)

const (
	redirectsFile = "_redirects"
	headersFile   = "_headers"
)

// isRuleFile tells whether name, right in the folder, is that of a file with
// rules. Such files are never served, whether they are read or not and in
// whatever case they are written: some systems would find them all the same,
// and what they hold is nobody's business.
func isRuleFile(name string) bool {
	return strings.EqualFold(name, redirectsFile) || strings.EqualFold(name, headersFile)
}

// ruleFiles are the rules of a folder as its files were read once. They do not
// change; nil are the rules of a folder without such files.
type ruleFiles struct {
	redirects *rules.Redirects
	headers   *rules.Headers
	files     [2]ruleFile // _redirects, _headers
}

// ruleFile is a file as it was read.
type ruleFile struct {
	name     string
	stamp    stamp // the zero value: there is none
	problems []rules.Problem
}

// rules returns the rules of the folder: those known if their files have not
// changed, or while one of them is still being written.
func (s *scanner) rules() *ruleFiles {
	old := s.old.rules
	if s.dialect == rulesOff {
		return nil
	}
	if old == nil {
		old = &ruleFiles{files: [2]ruleFile{{name: redirectsFile}, {name: headersFile}}}
	}
	fresh := *old
	for i := range fresh.files {
		s.ruleFile(&fresh, &fresh.files[i], old.files[i])
	}
	switch {
	case fresh.files[0].stamp == stamp{} && fresh.files[1].stamp == stamp{}:
		return nil
	case fresh.files[0].stamp == old.files[0].stamp && fresh.files[1].stamp == old.files[1].stamp:
		return old
	}
	return &fresh
}

// ruleFile reads one of the files into r unless it is as it was.
func (s *scanner) ruleFile(r *ruleFiles, f *ruleFile, old ruleFile) {
	by := func(name string, fi fs.FileInfo) {
		if fi != nil && fi.Mode()&fs.ModeSymlink != 0 {
			s.link()
		}
		if s.ways != nil {
			s.ways.meet(name, fi)
			if isRegular(fi) && name != f.name {
				s.ways.show(name, "/"+f.name)
			}
		}
	}
	text, at, err := readRules(s.root, f.name, by, func(fi fs.FileInfo) bool {
		return stampOf(fi) == old.stamp || s.hold != nil && s.hold("/"+f.name, fi.ModTime())
	})
	switch {
	case errors.Is(err, errAsItWas):
		return
	case passing(err):
		s.notices.warn("cannot read rules for now", f.name, err)
		s.again = true
		return
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		s.notices.warn("cannot read rules", f.name, err)
	}
	f.stamp = at
	if f.name == redirectsFile {
		r.redirects, f.problems = rules.ParseRedirects(text, rules.Dialect(s.dialect))
	} else {
		r.headers, f.problems = rules.ParseHeaders(text, rules.Dialect(s.dialect))
	}
	f.tell(s.notices.log, s.root.base[0], old.problems)
}

var (
	errAsItWas  = errors.New("as it was")
	errTooLarge = fmt.Errorf("larger than %d KiB", rules.MaxSize>>10)
)

// readRules reads a file with rules, wherever links by the way lead by the rule
// of the tree, since it is not served, unless skip says that there is no need.
func readRules(root *tree, name string, by func(string, fs.FileInfo), skip func(fs.FileInfo) bool) ([]byte, stamp, error) {
	real, fi, err := root.find(".", name, by)
	if err != nil {
		return nil, stamp{}, err
	}
	if !isRegular(fi) { // a device or a pipe would feel that it is opened
		return nil, stampOf(fi), errNotRegular
	}
	file, fi, err := opened(root.openPlain(real))
	if err != nil {
		return nil, stamp{}, err
	}
	defer file.Close()
	switch {
	case skip(fi):
		return nil, stamp{}, errAsItWas
	case !fi.Mode().IsRegular():
		return nil, stampOf(fi), errNotRegular
	case fi.Size() > rules.MaxSize:
		return nil, stampOf(fi), errTooLarge
	}
	text, err := io.ReadAll(io.LimitReader(file, rules.MaxSize))
	return text, stampOf(fi), err
}

const maxTold = 20 // lines of a file whose problems are logged

// tell logs what is wrong with the lines of a file and was not before.
func (f *ruleFile) tell(log *slog.Logger, folder string, old []rules.Problem) {
	told := 0
	for _, p := range f.problems {
		if slices.Contains(old, p) {
			continue
		}
		if told++; told > maxTold {
			log.Warn("more lines with rules are wrong", "file", filepath.Join(folder, f.name), "lines", len(f.problems))
			return
		}
		log.Warn("a line with rules is wrong: "+p.What, "at", filepath.Join(folder, f.name)+":"+strconv.Itoa(p.Line), "hint", p.Hint)
	}
}

// ruleNotes are what is wrong with the files _redirects and _headers of a
// folder, as "file:line: what: hint". The folder is served all the same.
func ruleNotes(root *tree, c Config) []string {
	if c.Rules == rulesOff {
		return nil
	}
	var notes []string
	for _, name := range []string{redirectsFile, headersFile} {
		text, _, err := readRules(root, name, nil, func(fs.FileInfo) bool { return false })
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				notes = append(notes, filepath.Join(c.Root, name)+": cannot be read: "+err.Error())
			}
			continue
		}
		var problems []rules.Problem
		if name == redirectsFile {
			_, problems = rules.ParseRedirects(text, rules.Dialect(c.Rules))
		} else {
			_, problems = rules.ParseHeaders(text, rules.Dialect(c.Rules))
		}
		for _, p := range problems {
			note := fmt.Sprintf("%s:%d: %s", filepath.Join(c.Root, name), p.Line, p.What)
			if p.Hint != "" {
				note += ": " + p.Hint
			}
			notes = append(notes, note)
		}
	}
	return notes
}

// Has tells whether a GET of r would be answered with something that is there:
// a file, a listing or a redirect, and not with 404.
func (f *Folder) Has(r *http.Request) bool {
	t := f.table.Load()
	path, ok := f.path(r)
	if !ok || t == closedTable || encodedSlash(r.URL.RawPath) {
		return false
	}
	if _, ruled := t.before(r, path, ""); ruled || path == "" {
		return true
	}
	if to := t.lookup(f.config.HTMLHandling, f.config.Browse, path); to != (found{}) {
		return true
	}
	if _, ruled := t.missing(r, path, ""); ruled {
		return true
	}
	return f.config.SPA && t.asset(indexFile) != nil && route(path) && navigation(r)
}

type rewrittenKey struct{}

// Rewritten returns r marked as one whose path is not the one that the client
// asked for: a page is then shown at any of its paths, since nobody sees which.
func Rewritten(r *http.Request) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), rewrittenKey{}, true))
}

func rewritten(r *http.Request) bool { return r.Context().Value(rewrittenKey{}) != nil }

// before finds the rule that comes before any file.
func (t *table) before(r *http.Request, path, prefix string) (rules.Answer, bool) {
	if t.rules == nil || path == "" || encodedSlash(r.URL.RawPath) {
		return rules.Answer{}, false
	}
	return t.rules.redirects.Before(r, path, prefix)
}

// missing finds the rule of a path that leads to no file.
func (t *table) missing(r *http.Request, path, prefix string) (rules.Answer, bool) {
	if t.rules == nil || path == "" || encodedSlash(r.URL.RawPath) {
		return rules.Answer{}, false
	}
	return t.rules.redirects.Missing(r, path, prefix)
}

// setFields makes the header fields of an answer with status what _headers says for the path that was asked for.
func (f *Folder) setFields(h http.Header, r *http.Request, t *table, status int) {
	if t.rules == nil {
		return
	}
	if path, ok := f.path(r); ok {
		t.rules.headers.Apply(h, r, path, status)
	}
}

// linkFields are the values of Link that _headers says for a path.
func (t *table) linkFields(r *http.Request, path string) []string {
	if t.rules == nil {
		return nil
	}
	return t.rules.headers.Values(r, path, "Link")
}

// forced answers as the rule says that comes before any file.
func (f *Folder) forced(w http.ResponseWriter, r *http.Request, t *table, path string) bool {
	a, ok := t.before(r, path, f.config.Prefix[:len(f.config.Prefix)-1])
	return ok && f.obey(w, r, t, path, a)
}

// fallback answers as the rule says for what leads to no file.
func (f *Folder) fallback(w http.ResponseWriter, r *http.Request, t *table, path string) bool {
	a, ok := t.missing(r, path, f.config.Prefix[:len(f.config.Prefix)-1])
	return ok && f.obey(w, r, t, path, a)
}

// obey answers as a rule says: with a redirect, or once and for all with the
// file of another path, which no other rule is asked about.
func (f *Folder) obey(w http.ResponseWriter, r *http.Request, t *table, path string, a rules.Answer) bool {
	if a.Vary != "" {
		AddVary(w.Header(), a.Vary)
	}
	if a.Location != "" {
		f.sendRedirect(w, r, t, a.Status, a.Location)
		return true
	}
	to := t.lookup(f.config.HTMLHandling, false, a.Path)
	if to.redirect != "" { // the page is called otherwise, which nobody needs to know
		to = t.lookup(f.config.HTMLHandling, false, to.redirect)
	}
	switch {
	case f.options.Open != nil && !f.options.Open(w, f.config.Prefix[:len(f.config.Prefix)-1]+a.Path):
		f.notFound(w, r, t, path)
	case to.asset == nil:
		f.notFound(w, r, t, a.Path)
	case a.Status == http.StatusNotFound:
		if !f.errorPage(w, r, t, to.asset, a.Status) {
			f.options.Error(w, r, a.Status)
		}
	default:
		f.serve(w, r, t, path, to.asset)
	}
	return true
}
