package static

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html"
	"net/url"
	"strconv"
	"strings"
	"time"

	"roost/internal/unit"
)

//go:embed listing.css
var listingStyle string

// listingPolicy lets the page do nothing but show itself, in our style.
var listingPolicy = func() []string {
	sum := sha256.Sum256([]byte(listingStyle))
	return []string{"default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"}
}()

// page writes the listing as a page. Names come from the file system: each is
// escaped, set apart from the writing direction of others (bdi), and linked
// as "./name", so that none can be a scheme.
func (l Listing) page(prefix string, v view) []byte {
	var b bytes.Buffer
	b.WriteString("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n" +
		"<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>" + html.EscapeString(l.Path) + "</title>\n<style>" + listingStyle + "</style>\n</head>\n<body>\n")
	below := l.Path[len(prefix):]
	l.heading(&b, prefix, below)
	b.WriteString("<table>\n<thead><tr>")
	for _, column := range [][2]string{{"name", "Name"}, {"size", "Size"}, {"modified", "Modified"}} {
		v.columnHead(&b, column[0], column[1])
	}
	b.WriteString("</tr></thead>\n<tbody>\n")
	if below != "" {
		b.WriteString("<tr><td><a href=\"../\">../</a></td><td class=\"n\"></td><td class=\"n\"></td></tr>\n")
	}
	for _, e := range l.Entries {
		slash, size, modified := "", "", ""
		if e.Type == "folder" {
			slash = "/"
		} else {
			size = `<data value="` + strconv.FormatInt(e.Size, 10) + `">` + unit.Bytes(uint64(e.Size)) + `</data>`
			modified = `<time datetime="` + e.Modified.Format(time.RFC3339) + `">` + e.Modified.Format("2006-01-02 15:04") + `</time>`
		}
		b.WriteString("<tr><td><a href=\"./" + html.EscapeString(url.PathEscape(e.Name)) + slash + "\"><bdi>" + html.EscapeString(e.Name) + slash +
			"</bdi></a></td><td class=\"n\">" + size + "</td><td class=\"n\">" + modified + "</td></tr>\n")
	}
	b.WriteString("</tbody>\n</table>\n")
	l.foot(&b, v)
	b.WriteString("</body>\n</html>\n")
	return b.Bytes()
}

// heading writes the path, of which each folder is a link.
func (l Listing) heading(b *bytes.Buffer, prefix, below string) {
	parts := append([]string{prefix}, strings.SplitAfter(below, "/")...)
	parts = parts[:len(parts)-1] // what comes after the last slash
	b.WriteString("<h1>")
	for i, part := range parts {
		part = "<bdi>" + html.EscapeString(part) + "</bdi>"
		if up := len(parts) - 1 - i; up > 0 {
			part = `<a href="` + strings.Repeat("../", up) + `">` + part + "</a>"
		}
		b.WriteString(part)
	}
	b.WriteString("</h1>\n")
}

// columnHead writes the head of a column, a link that sorts by it, or the other way.
func (v view) columnHead(b *bytes.Buffer, by, title string) {
	to := view{by: by, limit: v.limit, descending: v.by == by && !v.descending}
	class, sorted, arrow := "", "", ""
	if by != "name" {
		class = ` class="n"`
	}
	if v.by == by {
		sorted, arrow = ` aria-sort="ascending"`, " ↑"
		if v.descending {
			sorted, arrow = ` aria-sort="descending"`, " ↓"
		}
	}
	fmt.Fprintf(b, `<th scope="col"%s%s><a href="%s">%s%s</a></th>`, class, sorted, html.EscapeString(to.query()), title, arrow)
}

// foot says what is not shown, and leads there.
func (l Listing) foot(b *bytes.Buffer, v view) {
	if len(l.Entries) == l.Total {
		return
	}
	fmt.Fprintf(b, "<p>%d of %d names are shown", len(l.Entries), l.Total)
	if len(l.Entries) > 0 {
		fmt.Fprintf(b, ": %d to %d", l.Offset+1, l.Offset+len(l.Entries))
	}
	b.WriteString(".</p>\n<nav>")
	link := func(offset int, text string) {
		to := v
		to.offset = offset
		b.WriteString(`<a href="` + html.EscapeString(to.query()) + `">` + text + "</a>")
	}
	if l.Offset > 0 {
		link(max(0, l.Offset-v.limit), "← before")
	}
	if l.Truncated {
		link(l.Offset+len(l.Entries), "after →")
	}
	b.WriteString("</nav>\n")
}
