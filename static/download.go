package static

import (
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// downloads are the patterns of Serving.Download.
type downloads []string

// match tells whether the file at path is one to be saved. A pattern without a
// slash is one of names, in whatever folder; any other is one of whole paths.
func (d downloads) match(path string) bool {
	name := path[strings.LastIndexByte(path, '/')+1:]
	for _, pattern := range d {
		what := name
		if strings.Contains(pattern, "/") {
			what, pattern = path[1:], strings.TrimPrefix(pattern, "/")
		}
		if doublestar.MatchUnvalidated(pattern, what) {
			return true
		}
	}
	return false
}

// attachment is the Content-Disposition that has a client save what it gets as
// name (RFC 6266): plainly where a name is plain; otherwise in the form for
// any (RFC 8187), after a likeness for those that do not read it.
func attachment(name string) string {
	var like, exact strings.Builder
	plain := true
	for _, r := range name {
		switch {
		case r < ' ' || r >= 0x7f || strings.ContainsRune(`"\/%`, r):
			plain = false
			like.WriteByte('_')
		default:
			like.WriteRune(r)
		}
	}
	value := `attachment; filename="` + like.String() + `"`
	if plain {
		return value
	}
	const hex = "0123456789ABCDEF"
	for i := range len(name) {
		if c := name[i]; attrChar(c) {
			exact.WriteByte(c)
		} else {
			exact.WriteByte('%')
			exact.WriteByte(hex[c>>4])
			exact.WriteByte(hex[c&15])
		}
	}
	return value + "; filename*=UTF-8''" + exact.String()
}

// attrChar is RFC 8187's attr-char: what is not escaped.
func attrChar(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || strings.IndexByte("!#$&+-.^_`|~", c) >= 0
}
