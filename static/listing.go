package static

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const maxListed = 10_000 // names in one listing

// Listing is a folder's content as clients that prefer JSON get it.
type Listing struct {
	Path    string   `json:"path"` // decoded, with the prefix
	Entries []Listed `json:"entries"`
	// Total is the number of entries there are, Offset how many of them come before those given.
	Total  int `json:"total"`
	Offset int `json:"offset"`
	// Truncated: more entries follow those given.
	Truncated bool `json:"truncated,omitempty"`
}

// Listed is a file or folder in a Listing.
type Listed struct {
	Name     string     `json:"name"` // without a slash
	Type     string     `json:"type"` // "file" or "folder"
	Size     int64      `json:"size"` // bytes; 0 for folders
	Modified *time.Time `json:"modified,omitempty"`
}

// view is which entries are listed, and in which order. Folders come first in any.
type view struct {
	by            string // what files are sorted by: one of sortKeys
	descending    bool
	offset, limit int
}

var sortKeys = []string{"name", "size", "modified"}

// viewOf reads the query: sort, order (asc, desc), offset, and limit, up to
// 10,000. What else is there is not meant for us. It fails on other values.
func viewOf(q url.Values) (v view, ok bool) {
	v = view{by: cmp.Or(q.Get("sort"), "name"), limit: maxListed}
	ok = slices.Contains(sortKeys, v.by)
	switch q.Get("order") {
	case "", "asc":
	case "desc":
		v.descending = true
	default:
		ok = false
	}
	number := func(name string, least, most int, to *int) {
		if text := q.Get(name); text != "" {
			n, err := strconv.Atoi(text)
			ok = ok && err == nil && n >= least
			*to = min(n, most)
		}
	}
	number("limit", 1, maxListed, &v.limit)
	number("offset", 0, maxSeen, &v.offset)
	return v, ok
}

// query is that of a link to the view.
func (v view) query() string {
	q := "?sort=" + v.by + "&order=asc"
	if v.descending {
		q = "?sort=" + v.by + "&order=desc"
	}
	if v.offset > 0 {
		q += "&offset=" + strconv.Itoa(v.offset)
	}
	if v.limit != maxListed {
		q += "&limit=" + strconv.Itoa(v.limit)
	}
	return q
}

var (
	htmlType = mediaTypes["html"].header
	jsonType = mediaTypes["json"].header
)

// list answers with what lies in a directory: HTML, or JSON for who prefers it.
func (f *Folder) list(w http.ResponseWriter, r *http.Request, t *table, path string) {
	asked, ok := viewOf(r.URL.Query())
	if !ok {
		f.fail(w, r, t, http.StatusBadRequest)
		return
	}
	l := f.orders.sort(t, path, asked).listing(path, asked)
	l.Path = strings.TrimSuffix(f.config.Prefix, "/") + path
	h := w.Header()
	AddVary(h, "Accept")
	var body []byte
	inJSON := PrefersJSON(r.Header["Accept"])
	if inJSON {
		body, _ = json.Marshal(l) // strings, numbers and times: cannot fail
		body = append(body, '\n')
	} else {
		body = l.page(f.config.Prefix, asked)
	}
	var v variant
	v.etag[0] = tagOf(body)
	switch status := precondition(r.Header, &v); status {
	case http.StatusPreconditionFailed:
		f.fail(w, r, t, status)
		return
	case http.StatusNotModified:
		h["Etag"] = v.etag[:]
		h["Cache-Control"] = noCache
		f.setFields(h, r, t, status)
		w.WriteHeader(status)
		return
	}
	h["Content-Type"] = htmlType
	if inJSON {
		h["Content-Type"] = jsonType
	} else {
		h["Content-Security-Policy"] = listingPolicy
	}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	h["Etag"] = v.etag[:]
	h["Cache-Control"] = noCache
	h["X-Content-Type-Options"] = nosniff
	f.setFields(h, r, t, http.StatusOK)
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

// listing returns the entries that are in v, which s is sorted for.
func (s *sorted) listing(path string, v view) Listing {
	total := len(s.folders) + len(s.assets)
	l := Listing{Total: total, Offset: min(v.offset, total)}
	end := min(l.Offset+v.limit, total)
	l.Truncated = end < total
	l.Entries = make([]Listed, 0, end-l.Offset)
	for i := l.Offset; i < end; i++ {
		if i < len(s.folders) {
			l.Entries = append(l.Entries, Listed{Name: s.folders[i], Type: "folder"})
			continue
		}
		a := s.assets[i-len(s.folders)]
		at := time.Unix(0, a.stamp.modified).UTC().Truncate(time.Second)
		l.Entries = append(l.Entries, Listed{Name: a.path[len(path):], Type: "file", Size: a.stamp.size, Modified: &at})
	}
	return l
}
