package static

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// hint sends what the Link fields of a page tell to fetch or connect to, in a
// 103 ahead of the page (RFC 8297), so that a browser begins while the page is
// read. Only browsers that navigate use it, and only over HTTP/2 and later is
// it safe: proxies and clients of HTTP/1.1 have taken it for the answer. Who
// asks with a condition or for a range has been here before, and has it all.
func (f *Folder) hint(w http.ResponseWriter, r *http.Request, t *table, path string, a *asset) {
	if r.ProtoMajor < 2 || r.Method != http.MethodGet || a.kind.header[0] != htmlType[0] ||
		f.config.EarlyHints != nil && !*f.config.EarlyHints || conditional(r.Header) || !navigation(r) {
		return
	}
	var early []string
	for _, line := range f.links(w, r, t, path) {
		early = appendEarly(early, line)
	}
	if len(early) == 0 {
		return
	}
	h := w.Header()
	final := maps.Clone(h)
	clear(h)
	h["Link"] = early
	w.WriteHeader(http.StatusEarlyHints)
	clear(h)
	maps.Copy(h, final)
}

// links are the values of Link that the answer to r will have: those of the
// folder's own rules and those of its surroundings.
func (f *Folder) links(w http.ResponseWriter, r *http.Request, t *table, path string) []string {
	all := t.linkFields(r, path)
	if f.options.Links != nil {
		all = append(slices.Clip(all), f.options.Links(w, r)...)
	}
	return all
}

// conditional tells whether a request asks for less than the whole, or for nothing if it knows it.
func conditional(h http.Header) bool {
	for _, name := range []string{"Range", "If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since"} {
		if len(h[name]) > 0 {
			return true
		}
	}
	return false
}

// appendEarly appends those links of a Link field (RFC 8288 section 3) that a
// browser follows before it has the page.
func appendEarly(all []string, line string) []string {
	for line != "" {
		var link string
		link, line = cutQuoted(line, ',')
		if link = strings.Trim(link, " \t"); strings.HasPrefix(link, "<") && early(link) {
			all = append(all, link)
		}
	}
	return all
}

// early tells whether the first rel of a link has one of the relations meant here.
func early(link string) bool {
	_, parameters := cutQuoted(link, ';')
	for parameters != "" {
		var parameter string
		parameter, parameters = cutQuoted(parameters, ';')
		name, value, _ := strings.Cut(parameter, "=")
		if !strings.EqualFold(strings.Trim(name, " \t"), "rel") {
			continue
		}
		for rel := range strings.FieldsSeq(strings.Trim(value, "\" \t")) {
			switch strings.ToLower(rel) {
			case "preload", "preconnect", "modulepreload":
				return true
			}
		}
		return false // later ones do not count (section 3.3)
	}
	return false
}

// cutQuoted cuts s at the first separator that is not within <> or a quoted string.
func cutQuoted(s string, separator byte) (before, after string) {
	var until byte // what ends the part that we are in
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case until == '"' && c == '\\':
			i++
		case until != 0:
			if c == until {
				until = 0
			}
		case c == '"':
			until = '"'
		case c == '<':
			until = '>'
		case c == separator:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}
