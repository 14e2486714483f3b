package rules

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// target is where a rule leads: a URL with values in it, or a path of the same
// site whose file is the answer.
type target struct {
	origin   []piece // "https://example.com"; nil: the same site
	path     []piece
	query    []piece
	fragment []piece
	asks     bool // has a query of its own
}

// piece is text, ready to be sent, or else a value.
type piece struct {
	text  string
	value int // which of the pattern's names, if text is empty
}

// targetKind says what a target may be.
type targetKind int

const (
	internal targetKind = iota // a path of the site
	secure                     // or a URL with https
	external                   // or one with http
)

// parseTarget reads a target. unknown are the placeholders that the pattern does not
// have, which stay as they are written.
func parseTarget(text string, names []string, kind targetKind) (t target, unknown []string, what, hint string) {
	note := func(name string) {
		if !slices.Contains(unknown, name) {
			unknown = append(unknown, name)
		}
	}
	rest, fragment, _ := strings.Cut(text, "#")
	rest, query, asks := strings.Cut(rest, "?")
	if i := strings.IndexFunc(text, control); i >= 0 {
		return t, nil, "the target has a control character", "remove it"
	}
	if scheme := schemeOf(rest); scheme != "" {
		switch {
		case kind == internal:
			return t, nil, "only a path of this site can be answered, not a URL", "requests are not passed on to other sites; redirect with status 302 instead"
		case scheme == "http://" && kind == secure:
			return t, nil, "the target does not begin with a slash or https://", "write https://"
		}
		authority, path, _ := strings.Cut(rest[len(scheme):], "/")
		if what, hint = checkAuthority(authority, names); what != "" {
			return t, nil, what, hint
		}
		t.origin = append([]piece{{text: scheme}}, pieces(authority, names, note)...)
		rest = "/" + path
	}
	if !strings.HasPrefix(rest, "/") {
		return t, nil, "the target does not begin with a slash or https://", ""
	}
	rest = cleanPath(rest)
	if kind == internal {
		t.path = pieces(rest, names, note)
		for i, p := range t.path {
			if plain, err := url.PathUnescape(p.text); err == nil {
				t.path[i].text = plain
			}
			if strings.ContainsFunc(t.path[i].text, control) {
				return t, nil, "the target has a control character", "remove it"
			}
		}
		return t, unknown, "", ""
	}
	t.path = pieces(string(appendWritten(nil, rest)), names, note)
	t.query = pieces(string(appendWritten(nil, query)), names, note)
	t.fragment = pieces(string(appendWritten(nil, fragment)), names, note)
	t.asks = asks && query != ""
	return t, unknown, "", ""
}

func schemeOf(text string) string {
	for _, scheme := range []string{"https://", "http://"} {
		if strings.HasPrefix(text, scheme) {
			return scheme
		}
	}
	return ""
}

// checkAuthority refuses a host that a request could choose, and what is no host.
func checkAuthority(authority string, names []string) (what, hint string) {
	literal, tail, chosen := "", "", false // tail: what stands behind the last value
	for _, p := range pieces(authority, names, func(string) {}) {
		tail = p.text
		switch {
		case p.text != "":
			literal += p.text
		case names[p.value] == "splat":
			return "the host of the target has a *", "write the host's name"
		default:
			literal += "x"
			chosen = true
		}
	}
	if chosen && (!strings.HasPrefix(tail, ".") || strings.Count(tail, ".") < 2) {
		return "a request could choose the host of the target", "let the host end in a domain, as in https://:name.example.com"
	}
	u, err := url.Parse("https://" + literal + "/")
	switch {
	case err == nil && strings.HasPrefix(literal, "["):
		_, err = netip.ParseAddr(u.Hostname())
	case err == nil && u.Hostname() != "":
		for part := range strings.SplitSeq(strings.TrimSuffix(u.Hostname(), "."), ".") {
			if !label(part) {
				return "the target has no valid host", "write international names in punycode"
			}
		}
	}
	if err != nil || u.User != nil || u.Hostname() == "" || u.Host != literal {
		return "the target has no valid host", "write it as https://example.com/path"
	}
	return "", ""
}

// placeholders are those in text, without their colons.
func placeholders(text string) []string {
	var names []string
	pieces(text, nil, func(name string) { names = append(names, name[1:]) })
	return names
}

// pieces takes text apart at the placeholders that are among names; others
// are told to unknown and stay.
func pieces(text string, names []string, unknown func(string)) []piece {
	var all []piece
	add := func(literal string) {
		switch last := len(all) - 1; {
		case literal == "":
		case last >= 0 && all[last].text != "":
			all[last].text += literal
		default:
			all = append(all, piece{text: literal})
		}
	}
	for text != "" {
		at := placeholder(text)
		if at < 0 {
			break
		}
		add(text[:at])
		text = text[at:]
		end := nameEnd(text)
		if i := slices.Index(names, text[1:end]); i >= 0 {
			all = append(all, piece{value: i})
		} else {
			unknown(text[:end])
			add(text[:end])
		}
		text = text[end:]
	}
	add(text)
	return all
}

// location writes the target as the value of Location: below prefix if it is of
// the same site, with the query of the request unless it has its own. It is
// empty where a value does not fit.
func (t *target) location(v *values, prefix, query string) string {
	b := make([]byte, 0, 128)
	for _, p := range t.origin {
		switch {
		case p.text != "":
			b = append(b, p.text...)
		case !label(v[p.value]):
			return ""
		default:
			b = append(b, v[p.value]...)
		}
	}
	if t.origin == nil {
		b = append(b, prefix...)
	}
	start := len(b)
	b = appendPieces(b, t.path, v, inPath)
	if dotSegments(b[start:]) {
		return ""
	}
	if t.origin == nil { // two slashes would begin the name of a host
		b = append(b[:start], collapse(b[start:])...)
	}
	switch {
	case t.asks:
		b = appendPieces(append(b, '?'), t.query, v, inQuery)
	case query != "":
		b = appendWritten(append(b, '?'), query)
	}
	if t.fragment != nil {
		b = appendPieces(append(b, '#'), t.fragment, v, inPath)
	}
	return string(b)
}

// file is the target as a decoded path of the same site; empty where a value does not fit.
func (t *target) file(v *values) string {
	var b []byte
	for _, p := range t.path {
		if p.text != "" {
			b = append(b, p.text...)
		} else {
			b = append(b, v[p.value]...)
		}
	}
	if dotSegments(b) {
		return ""
	}
	return string(collapse(b))
}

func appendPieces(b []byte, all []piece, v *values, keep string) []byte {
	for _, p := range all {
		if p.text != "" {
			b = append(b, p.text...)
		} else {
			b = appendEscaped(b, v[p.value], keep)
		}
	}
	return b
}

// collapse makes one slash of several, in place.
func collapse(b []byte) []byte {
	to := b[:0]
	for i, c := range b {
		if c != '/' || i == 0 || to[len(to)-1] != '/' {
			to = append(to, c)
		}
	}
	return to
}

// dotSegments finds "." and "..", which values can make of what was none.
func dotSegments(path []byte) bool {
	for segment := range strings.SplitSeq(string(path), "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}
