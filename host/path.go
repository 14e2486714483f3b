package host

import (
	"path"
	"strings"
)

// cleanPath is the form of a decoded path that routes are compared with and
// files are looked up by: no empty, "." or ".." segments; a trailing slash
// stays. Whatever does not begin with a slash gets one.
func cleanPath(p string) string {
	if p == "" {
		return "/"
	}
	if isClean(p) {
		return p
	}
	clean := path.Clean("/" + p)
	last := p[strings.LastIndexByte(p, '/')+1:]
	if clean != "/" && (last == "" || last == "." || last == "..") {
		clean += "/"
	}
	return clean
}

// isClean is the common case, found without allocating.
func isClean(p string) bool {
	if p[0] != '/' {
		return false
	}
	for i := 0; i+1 < len(p); i++ {
		if p[i] == '/' && (p[i+1] == '/' || p[i+1] == '.') {
			return false // "/.well-known" goes the long way too
		}
	}
	return true
}

// hasDotSegments finds "." and ".." among the segments of a decoded path: what
// a well-behaved client has resolved already (RFC 3986 section 5.2.4).
func hasDotSegments(p string) bool {
	for {
		i := strings.Index(p, "/.")
		if i < 0 {
			return false
		}
		p = p[i+2:]
		if p == "" || p[0] == '/' || p == "." || strings.HasPrefix(p, "./") {
			return true
		}
	}
}
