package rules

import (
	"fmt"
	"strings"
)

// ParseHeaders reads a file _headers: lines with a path, each followed by lines
// "Name: value" or "! Name". A line that is wrong is left out and told; the
// others hold.
func ParseHeaders(text []byte, d Dialect) (*Headers, []Problem) {
	r := newReader(text)
	s := &Headers{}
	most := maxHeaders
	if d == Netlify {
		most = maxHeadersNet
	}
	var rule *headerRule // being read; nil: its path is wrong
	begun, at := false, 0
	end := func() {
		switch {
		case rule == nil:
		case len(rule.set)+len(rule.remove) == 0:
			r.problems = append(r.problems, Problem{Line: at, What: "the path " + rule.path.text + " has no header fields", Hint: "write them below it: Name: value"})
		default:
			s.rules = append(s.rules, *rule)
		}
		rule = nil
	}
	for {
		line, more := r.next()
		if !more {
			break
		}
		if line[0] == '/' || schemeOf(line) != "" {
			end()
			if begun, at = true, r.line; len(s.rules) >= most {
				r.skip(fmt.Sprintf("there are more than %d paths; the rest of the file is left out", most), "put paths together with * or :name")
				break
			}
			rule = r.headerPath(words(line)[0], d)
			continue
		}
		switch {
		case rule != nil:
			r.headerField(rule, line, d)
		case !begun:
			r.problem("no path stands before "+line, "begin with a path such as /*")
			begun = true
		}
	}
	end()
	if len(s.rules) == 0 {
		s = nil
	}
	return s, r.problems
}

// headerPath begins a rule; nil if its path is wrong.
func (r *reader) headerPath(text string, d Dialect) *headerRule {
	rule, what, hint := newHeaderRule(text, d)
	if what != "" {
		r.problem("in "+text+": "+what, hint)
		return nil
	}
	return rule
}

// newHeaderRule compiles a path, or a URL whose host must be that of the request.
func newHeaderRule(text string, d Dialect) (rule *headerRule, what, hint string) {
	rule = &headerRule{}
	path := text
	var names []string
	if scheme := schemeOf(text); scheme != "" {
		host, rest, _ := strings.Cut(text[len(scheme):], "/")
		switch {
		case d == Netlify:
			return nil, "it is a URL, not a path", "leave out what stands before the path"
		case scheme == "http://":
			return nil, "it does not begin with a slash or https://", "write https://; it holds for plain requests as well"
		case host == "" || strings.ContainsAny(host, "*@[]/%"):
			return nil, "it has no host that can be compared", "write :name for a label of the host"
		case strings.Contains(host, ":") && placeholder(host[strings.LastIndexByte(host, ':'):]) != 0:
			return nil, "it has a port", "leave it out; any port matches"
		}
		p, what, hint := parsePattern(hostPath(host), false)
		if what != "" {
			return nil, what, hint
		}
		rule.host, names, path = &p, p.names, "/"+rest
	}
	if i := strings.IndexAny(path, "?#"); i >= 0 {
		path = path[:i]
	}
	if rule.path, what, hint = parsePattern(cleanPath(path), d == Netlify); what != "" {
		return nil, what, hint
	}
	for _, name := range rule.path.names {
		for _, other := range names {
			if name == other {
				return nil, "the placeholder :" + name + " stands in it twice", "give each a name of its own"
			}
		}
	}
	if len(names)+len(rule.path.names) > maxNames {
		return nil, "it has more than 16 placeholders", "split it into several rules"
	}
	return rule, "", ""
}

// names are the placeholders of host and path.
func (c *headerRule) names() []string {
	if c.host == nil {
		return c.path.names
	}
	return append(c.host.names[:len(c.host.names):len(c.host.names)], c.path.names...)
}

// headerField reads "Name: value" or "! Name" into a rule.
func (r *reader) headerField(rule *headerRule, line string, d Dialect) {
	var what, hint string
	name, value, pair := strings.Cut(line, ":")
	gone, removes := strings.CutPrefix(line, "! ")
	switch {
	case pair:
		what, hint = rule.add(strings.TrimSpace(name), strings.TrimFunc(value, blank))
	case removes && d != Netlify:
		what, hint = rule.drop(strings.TrimSpace(gone))
	default:
		what, hint = "the line is neither a path nor a header field: "+line, "write it as Name: value"
	}
	if what != "" {
		r.problem(what, hint)
	}
}

// add takes in a field; one that is there already gets another value.
func (c *headerRule) add(name, value string) (what, hint string) {
	f, what, hint := newField(name, value, c.names())
	if what != "" {
		return what, hint
	}
	for i, g := range c.set {
		if g.name == f.name && g.shared != nil && f.shared != nil && f.name != "Set-Cookie" {
			c.set[i].shared = []string{g.shared[0] + ", " + value}
			return "", ""
		}
	}
	c.set = append(c.set, f)
	return "", ""
}

// drop has a field removed.
func (c *headerRule) drop(name string) (what, hint string) {
	canonical, what, hint := fieldName(name)
	if what == "" && (canonical == "Vary" || canonical == "Content-Type") { // without it browsers guess
		what, hint = "the field "+canonical+" cannot be removed", ownHint
	}
	if what == "" {
		c.remove = append(c.remove, canonical)
	}
	return what, hint
}
