package static

import (
	"bytes"
	"cmp"
	_ "embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"roost/internal/nearest"
)

//go:embed dev.html
var devPageHTML string

var devPage = template.Must(template.New("").Funcs(template.FuncMap{
	"link": func(path string) string { return (&url.URL{Path: path}).EscapedPath() },
}).Parse(devPageHTML))

// devError is an error as who works on the folder gets it.
type devError struct {
	Status int
	Title  string
	What   string
	Near   []string // paths that may have been meant
}

// error is the Error of Options.
func (d *Dev) error(w http.ResponseWriter, r *http.Request, status int) {
	e := d.explain(r.URL.Path, status)
	if status == http.StatusNotFound && servablePath(r.URL.Path) && r.URL.Path != "/favicon.ico" && !strings.HasPrefix(r.URL.Path, "/.") { // browsers ask for these by themselves
		d.notices.warn("not found", r.URL.Path, errors.New(e.said()))
	}
	h := w.Header()
	for _, name := range []string{"Content-Encoding", "Content-Disposition", "Accept-Ranges"} {
		h.Del(name)
	}
	AddVary(h, "Accept")
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		writeWhole(w, r, status, textType, []byte(strconv.Itoa(status)+" "+e.Title+": "+e.said()+"\n"))
		return
	}
	var body bytes.Buffer
	if err := devPage.Execute(&body, e); err != nil {
		body.WriteString(template.HTMLEscapeString(err.Error()))
	}
	writeWhole(w, r, status, htmlType, body.Bytes())
}

// said is the error in one sentence.
func (e devError) said() string {
	if len(e.Near) == 0 {
		return e.What
	}
	return e.What + "; there is " + strings.Join(e.Near, ", ")
}

func (d *Dev) explain(asked string, status int) devError {
	e := devError{Status: status, Title: http.StatusText(status)}
	folder, t := filepath.Base(d.config.Root), d.table.Load()
	switch {
	case status == http.StatusForbidden:
		e.What = "this user may not read the file"
	case status == http.StatusMethodNotAllowed:
		e.What = "files are only read: GET, HEAD and OPTIONS"
	case status != http.StatusNotFound:
		e.What = "what is wrong stands where roost dev runs"
	case t.root == nil:
		e.What = "the folder " + folder + " is not there; it is served again once it is"
	case !servablePath(collapse(asked)):
		e.What = "names that begin with a dot, and those with control characters or backslashes, are not served"
	default:
		e.What = "there is no " + strings.TrimLeft(asked, "/") + " in " + folder
		e.Near = near(t, asked)
	}
	return e
}

const maxNear = 5

// near are paths of the folder that may have been meant by one that leads
// nowhere: files of that name elsewhere, then the most alike in its directory,
// or of all.
func near(t *table, asked string) []string {
	dir, name := path.Split(strings.TrimSuffix(asked, "/"))
	var all, same []string
	for a := range t.all() {
		p := a.path
		all = append(all, p)
		if base := path.Base(p); strings.EqualFold(base, name) || strings.EqualFold(strings.TrimSuffix(base, path.Ext(base)), name) {
			same = append(same, p)
		}
	}
	slices.Sort(all)
	slices.SortFunc(same, func(a, b string) int { // those of the same directory first
		if inA, inB := path.Dir(a)+"/" == dir, path.Dir(b)+"/" == dir; inA != inB {
			if inA {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	same = same[:min(len(same), maxNear)]
	if len(same) > 0 {
		return same
	}
	if t.dir(dir) != nil {
		names, files := t.list(dir)
		at := map[string]string{} // a page goes by two names
		for _, a := range files {
			base := path.Base(a.path)
			page := strings.TrimSuffix(base, ".html")
			names = append(names, base, page)
			at[base], at[page] = base, base
		}
		if like := nearest.Of(name, names); like != "" {
			return []string{dir + cmp.Or(at[like], like)}
		}
	}
	if like := nearest.Of(asked, all); like != "" {
		return []string{like}
	}
	return nil
}
