package static

import (
	"net/http"
	"strings"
)

// precondition evaluates the conditional fields of a GET or HEAD request in
// the order of RFC 9110 section 13.2.2 and returns 200, 304 or 412.
func precondition(h http.Header, v *variant) int {
	if lines := h["If-Match"]; len(lines) > 0 {
		if !matches(lines, v.etag[0], true) {
			return http.StatusPreconditionFailed
		}
	} else if since, ok := date(h["If-Unmodified-Since"]); ok && v.modified != 0 && v.modified > since {
		return http.StatusPreconditionFailed
	}
	if lines := h["If-None-Match"]; len(lines) > 0 {
		if matches(lines, v.etag[0], false) || v.former[0] != "" && matches(lines, v.former[0], false) {
			return http.StatusNotModified
		}
	} else if since, ok := date(h["If-Modified-Since"]); ok && v.modified != 0 && v.modified <= since {
		return http.StatusNotModified
	}
	return http.StatusOK
}

// rangeWanted evaluates If-Range (RFC 9110 section 13.1.5): an entity tag must
// match strongly, a date exactly. All codings of a content have one date, and
// so has what is compressed better later: of these it is no strong validator.
func rangeWanted(h http.Header, v *variant, as coding) bool {
	lines := h["If-Range"]
	if len(lines) == 0 {
		return true
	}
	if len(lines) > 1 {
		return false
	}
	value := strings.Trim(lines[0], " \t")
	if value == "" {
		return false
	}
	if value[0] == '"' || strings.HasPrefix(value, "W/") {
		return value == v.etag[0]
	}
	at, ok := date(lines)
	return ok && as == identity && v.modified != 0 && at == v.modified
}

// matches tells whether a list of entity tags, or "*", has tag (RFC 9110
// section 8.8.3.2). Ours is always strong; "" is that of a representation
// without one. What follows a malformed tag is not looked at.
func matches(lines []string, tag string, strong bool) bool {
	for _, rest := range lines {
		if strings.Trim(rest, " \t") == "*" {
			return true
		}
		for {
			rest = strings.TrimLeft(rest, " \t,")
			weak := strings.HasPrefix(rest, "W/")
			if weak {
				rest = rest[2:]
			}
			n := tagLength(rest)
			if n == 0 {
				break
			}
			if rest[:n] == tag && !(strong && weak) {
				return true
			}
			rest = strings.TrimLeft(rest[n:], " \t")
			if rest == "" || rest[0] != ',' {
				break
			}
		}
	}
	return false
}

// tagLength returns the length of the opaque-tag that s begins with, 0 for none.
func tagLength(s string) int {
	if s == "" || s[0] != '"' {
		return 0
	}
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return i + 1
		case c < '!' || c == 0x7f:
			return 0
		}
	}
	return 0
}

// date reads an HTTP date, seconds since 1970. A field given twice, or with
// something else, counts as absent.
func date(lines []string) (int64, bool) {
	if len(lines) != 1 {
		return 0, false
	}
	t, err := http.ParseTime(strings.Trim(lines[0], " \t"))
	if err != nil {
		return 0, false
	}
	return t.Unix(), true
}
