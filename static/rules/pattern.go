package rules

import (
	"net/url"
	"path"
	"slices"
	"strings"
)

// pattern is a compiled path with placeholders: segments that are matched one
// by one from the left, then at most one "*", then segments from the right.
//
//	/blog/:year/a-*.html/:part
//	 └──── head ───┘│ └─── tail: each ":" inside a segment
//	               splat
//
// Of several ways to match, the one is taken that a regular expression with
// ([^/]+) and (.*) takes: each placeholder is as long as the ones before it
// allow. It is found without going back: whatever stands behind a placeholder
// is sought from the right.
type pattern struct {
	prefix string // literal; what does not begin so cannot match
	head   []glob // whole segments
	splat  bool
	left   glob   // of the segment with "*", before it
	right  glob   // and behind it
	tail   []glob // whole segments
	loose  bool   // Netlify's: a slash at the end makes no difference
	names  []string
	text   string
}

func (p *pattern) String() string { return p.text }

// glob is a part of one segment: literals with a placeholder between each two.
type glob []string

// values are what the placeholders of a pattern stand for, in the order of its names.
type values [maxNames]string

// literal tells whether p matches the path prefix and no other.
func (p *pattern) literal() bool { return len(p.names) == 0 }

// parsePattern reads a path that begins with a slash. what is empty if it is right.
func parsePattern(text string, loose bool) (p pattern, what, hint string) {
	p.loose, p.text = loose, text
	var parts []glob // segments so far
	stars := 0
	lead := true
	for i, segment := range strings.Split(text[1:], "/") {
		if i > 0 && lead {
			p.prefix += "/"
		}
		for j, side := range strings.Split(segment, "*") {
			g, names, bad := parseGlob(side, loose)
			if bad != "" {
				return p, bad, ""
			}
			if j > 0 {
				stars++
				p.names = append(p.names, "splat")
				p.splat, lead = true, false
				p.left = parts[len(parts)-1]
				p.head, parts = parts[:len(parts)-1], nil
			}
			if lead {
				p.prefix += g[0]
				lead = len(g) == 1
			}
			for _, name := range names {
				if slices.Contains(p.names, name) {
					return p, "the placeholder :" + name + " stands in it twice", "give each a name of its own"
				}
				p.names = append(p.names, name)
			}
			parts = append(parts, g)
		}
	}
	p.prefix = "/" + p.prefix
	switch {
	case stars > 1:
		return p, "it has more than one *", "write :name for what is one segment"
	case len(p.names) > maxNames:
		return p, "it has more than 16 placeholders", "split it into several rules"
	case p.splat:
		p.right, p.tail = parts[0], parts[1:]
		if len(p.left) > 1 && p.left[len(p.left)-1] == "" || len(p.right) > 1 && p.right[0] == "" {
			return p, "a placeholder stands right beside *", "put a character between them"
		}
	default:
		p.head = parts
	}
	if loose && len(p.prefix) > 1 {
		p.prefix = strings.TrimSuffix(p.prefix, "/")
		if !p.splat && isEmpty(p.head[len(p.head)-1]) {
			p.head = p.head[:len(p.head)-1]
		}
	}
	return p, "", ""
}

func isEmpty(g glob) bool { return len(g) == 1 && g[0] == "" }

// parseGlob reads part of a segment; wholeOnly: a placeholder is all of it.
func parseGlob(text string, wholeOnly bool) (g glob, names []string, what string) {
	rest := text
	g = glob{""}
	for rest != "" {
		at := placeholder(rest)
		if wholeOnly && at > 0 {
			at = -1
		}
		if at < 0 {
			at = len(rest)
		}
		literal, err := url.PathUnescape(rest[:at])
		switch {
		case err != nil:
			literal = rest[:at]
		case strings.Contains(literal, "/"):
			return nil, nil, "it has an escaped slash, which no path of a file has"
		case strings.ContainsFunc(literal, control):
			return nil, nil, "it has a control character"
		}
		g[len(g)-1] = literal
		if rest = rest[at:]; rest == "" {
			break
		}
		if len(g) > 1 && literal == "" {
			return nil, nil, "two placeholders stand side by side"
		}
		end := nameEnd(rest)
		if wholeOnly {
			end = len(rest)
		}
		names = append(names, rest[1:end])
		g = append(g, "")
		rest = rest[end:]
	}
	return g, names, ""
}

// placeholder finds ":name" in text, -1 if there is none.
func placeholder(text string) int {
	for i := 0; i+1 < len(text); i++ {
		if text[i] == ':' && letter(text[i+1]) {
			return i
		}
	}
	return -1
}

// nameEnd is where the placeholder that text begins with ends.
func nameEnd(text string) int {
	i := 1
	for i < len(text) && (letter(text[i]) || digit(text[i]) || text[i] == '_') {
		i++
	}
	return i
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }

func control(c rune) bool { return c < ' ' || c == 0x7f }

// match tells whether s, a decoded path that begins with a slash, matches, and fills in v.
func (p *pattern) match(s string, v []string) bool {
	if !strings.HasPrefix(s, p.prefix) {
		return false
	}
	n, rest := 0, s[1:]
	if p.loose && !p.splat {
		rest = strings.TrimSuffix(rest, "/")
	}
	for i, g := range p.head {
		segment, after, more := strings.Cut(rest, "/")
		if !g.all(segment, v[n:]) {
			return false
		}
		n += len(g) - 1
		switch wanted := p.splat || i < len(p.head)-1; {
		case more == wanted:
		case wanted && p.loose && i == len(p.head)-1 && p.below():
			v[n] = "" // Netlify's "/a/*" covers "/a" as well
			return true
		default:
			return false
		}
		rest = after
	}
	return !p.splat || p.matchSplat(rest, n, v)
}

// matchSplat matches what is left of a path behind head, from the right; n
// values are known.
func (p *pattern) matchSplat(rest string, n int, v []string) bool {
	m := len(p.names)
	for _, g := range slices.Backward(p.tail) {
		slash := strings.LastIndexByte(rest, '/')
		m -= len(g) - 1
		if slash < 0 || !g.all(rest[slash+1:], v[m:]) {
			return false
		}
		rest = rest[:slash]
	}
	segment := rest[strings.LastIndexByte(rest, '/')+1:]
	m -= len(p.right) - 1
	start := p.right.end(segment, v[m:])
	if start < 0 {
		return false
	}
	rest = rest[:len(rest)-len(segment)+start]
	segment, _, _ = strings.Cut(rest, "/")
	end := p.left.begin(segment, v[n:])
	if end < 0 {
		return false
	}
	v[m-1] = rest[end:]
	return true
}

// below tells whether nothing but "/*" stands behind head.
func (p *pattern) below() bool {
	return p.splat && len(p.tail) == 0 && isEmpty(p.left) && isEmpty(p.right)
}

// all matches a whole segment.
func (g glob) all(s string, v []string) bool {
	last := g[len(g)-1]
	if len(g) == 1 {
		return s == last
	}
	return strings.HasPrefix(s, g[0]) && strings.HasSuffix(s, last) && g.back(s, len(s)-len(last), v)
}

// begin matches the beginning of a segment and returns where its match ends, as far right as can be; -1: none.
func (g glob) begin(s string, v []string) int {
	last := g[len(g)-1]
	if len(g) == 1 {
		if strings.HasPrefix(s, last) {
			return len(last)
		}
		return -1
	}
	at := strings.LastIndex(s, last)
	if at < 0 || !strings.HasPrefix(s, g[0]) || !g.back(s, at, v) {
		return -1
	}
	return at + len(last)
}

// end matches the end of a segment and returns where its match begins, as far right as can be; -1: none.
func (g glob) end(s string, v []string) int {
	last := g[len(g)-1]
	at := len(s) - len(last)
	if !strings.HasSuffix(s, last) {
		return -1
	}
	for i := len(g) - 2; i >= 0; i-- {
		if at < 1 {
			return -1
		}
		j := strings.LastIndex(s[:at-1], g[i])
		if j < 0 {
			return -1
		}
		v[i] = s[j+len(g[i]) : at]
		at = j
	}
	return at
}

// back finds the literals before the last, which begins at pos, from the
// right; g[0] begins s.
func (g glob) back(s string, pos int, v []string) bool {
	low := len(g[0])
	for i := len(g) - 2; i > 0; i-- {
		if pos-1 < low {
			return false
		}
		j := strings.LastIndex(s[low:pos-1], g[i])
		if j < 0 {
			return false
		}
		v[i] = s[low+j+len(g[i]) : pos]
		pos = low + j
	}
	if pos <= low {
		return false
	}
	v[0] = s[low:pos]
	return true
}

// cleanPath resolves "." and ".." and makes one slash of several, as browsers
// and cleaned requests have it; a slash at the end stays.
func cleanPath(p string) string {
	clean := path.Clean("/" + p)
	last := p[strings.LastIndexByte(p, '/')+1:]
	if clean != "/" && (last == "" || last == "." || last == "..") {
		clean += "/"
	}
	return clean
}
