package static

import (
	"bytes"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const maxListed = 10_000 // names in one listing

// Listing is a folder's content as clients that accept application/json get it.
type Listing struct {
	Path    string   `json:"path"` // decoded, with the prefix
	Entries []Listed `json:"entries"`
	// Truncated: there are more than the 10,000 entries given.
	Truncated bool `json:"truncated,omitempty"`
}

// Listed is a file or folder in a Listing.
type Listed struct {
	Name     string     `json:"name"` // without a slash
	Type     string     `json:"type"` // "file" or "folder"
	Size     int64      `json:"size"` // bytes; 0 for folders
	Modified *time.Time `json:"modified,omitempty"`
}

var (
	htmlType = mediaTypes["html"].header
	jsonType = mediaTypes["json"].header
	// listingPolicy lets the page do nothing but show itself.
	listingPolicy = []string{"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"}
)

// list answers with what lies in a directory: HTML, or JSON for who asks.
func (f *Folder) list(w http.ResponseWriter, r *http.Request, t *table, path string) {
	l := t.listing(path)
	l.Path = strings.TrimSuffix(f.config.Prefix, "/") + path
	h := w.Header()
	var body []byte
	if PrefersJSON(r.Header["Accept"]) {
		body, _ = json.Marshal(l) // strings, numbers and times: cannot fail
		body = append(body, '\n')
		h["Content-Type"] = jsonType
	} else {
		body = l.html(path == "/")
		h["Content-Type"] = htmlType
		h["Content-Security-Policy"] = listingPolicy
	}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	h["Vary"] = varyAccept
	h["Cache-Control"] = noCache
	h["X-Content-Type-Options"] = nosniff
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

func (t *table) listing(path string) Listing {
	folders, assets := t.list(path)
	l := Listing{Truncated: len(folders)+len(assets) > maxListed}
	l.Entries = make([]Listed, 0, min(len(folders)+len(assets), maxListed))
	for _, name := range folders[:min(len(folders), maxListed)] {
		l.Entries = append(l.Entries, Listed{Name: name, Type: "folder"})
	}
	for _, a := range assets[:min(len(assets), maxListed-len(l.Entries))] {
		at := time.Unix(0, a.stamp.modified).UTC().Truncate(time.Second)
		l.Entries = append(l.Entries, Listed{Name: a.path[len(path):], Type: "file", Size: a.stamp.size, Modified: &at})
	}
	return l
}

// html writes the listing as a page. Names come from the file system: each is
// escaped, set apart from the writing direction of others (bdi), and linked
// as "./name", so that none can be a scheme.
func (l Listing) html(top bool) []byte {
	var b bytes.Buffer
	title := html.EscapeString(l.Path)
	b.WriteString("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n" +
		"<meta name=\"viewport\" content=\"width=device-width\">\n<title>" + title + "</title>\n</head>\n<body>\n<h1><bdi>" + title +
		"</bdi></h1>\n<table>\n<tr><th align=\"left\">Name</th><th align=\"right\">Size</th><th align=\"left\">Modified</th></tr>\n")
	if !top {
		b.WriteString("<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n")
	}
	for _, e := range l.Entries {
		slash, size, modified := "", "", ""
		if e.Type == "folder" {
			slash = "/"
		} else {
			size = strconv.FormatInt(e.Size, 10)
			modified = e.Modified.Format(time.RFC3339)
		}
		b.WriteString("<tr><td><a href=\"./" + html.EscapeString(url.PathEscape(e.Name)) + slash + "\"><bdi>" +
			html.EscapeString(e.Name) + slash + "</bdi></a></td><td align=\"right\">" + size + "</td><td>" + modified + "</td></tr>\n")
	}
	b.WriteString("</table>\n")
	if l.Truncated {
		b.WriteString("<p>Only the first " + strconv.Itoa(maxListed) + " names are shown.</p>\n")
	}
	b.WriteString("</body>\n</html>\n")
	return b.Bytes()
}
