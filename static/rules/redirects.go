package rules

import (
	"net/http"
	"net/url"
	"strings"
)

// Redirects are rules that lead requests elsewhere, compiled. They never
// change; a nil pointer has no rules.
type Redirects struct {
	exact   map[string][]*rule // by path, in order; Netlify's without the slash at the end
	dynamic []*rule            // in order
	count   int
	loose   bool
	forced  bool // some rule comes before files
	shadow  bool // some rule comes behind them
}

// rule is one of Redirects.
type rule struct {
	order   int
	pattern pattern
	target  target
	status  int
	force   bool // comes before files
	host    string
	scheme  string
	query   []parameter
	wants   []condition
}

// parameter is one that the query of a request must have: with that value, or
// any, which is then that of a name.
type parameter struct {
	key, value string
	name       int // -1: none
}

// condition is what a header field of a request must have.
type condition struct {
	field string // "Cookie" or "Accept-Language"
	any   []string
}

// Answer is what a rule says of a request.
type Answer struct {
	// Status is that of a redirect (301, 302, 303, 307, 308); or 200 or 404, with which a file of the site answers.
	Status int
	// Location is the value of that field for a redirect.
	Location string
	// Path is the decoded path of the file.
	Path string
	// Vary are the header fields that the rule looked at, comma-separated.
	Vary string
}

// Before looks for the rule of a request that comes before any file: path is
// decoded and clean. Locations of the same site begin with prefix, which has
// no slash at its end.
func (s *Redirects) Before(r *http.Request, path, prefix string) (Answer, bool) {
	if s == nil || !s.forced {
		return Answer{}, false
	}
	return s.match(r, path, prefix, true)
}

// Missing looks for the rule of a request whose path leads to no file.
func (s *Redirects) Missing(r *http.Request, path, prefix string) (Answer, bool) {
	if s == nil || !s.shadow {
		return Answer{}, false
	}
	return s.match(r, path, prefix, false)
}

// match finds the first rule that matches; force: only if it comes before files.
func (s *Redirects) match(r *http.Request, path, prefix string, force bool) (Answer, bool) {
	var v values
	found := s.find(r, path, &v)
	if found == nil || force && !found.force {
		return Answer{}, false
	}
	return found.answer(r, &v, prefix)
}

func (s *Redirects) find(r *http.Request, path string, v *values) *rule {
	key := path
	if s.loose && len(key) > 1 {
		key = strings.TrimSuffix(key, "/")
	}
	var first *rule
	for _, c := range s.exact[key] {
		if c.applies(r, v) {
			first = c
			break
		}
	}
	for _, c := range s.dynamic {
		if first != nil && first.order < c.order {
			break
		}
		if c.pattern.match(path, v[:]) && c.applies(r, v) {
			return c
		}
	}
	return first
}

// applies looks at all but the path of a request, and fills in what the query has.
func (c *rule) applies(r *http.Request, v *values) bool {
	if c.host != "" && !strings.EqualFold(hostname(r.Host), c.host) ||
		c.scheme != "" && (c.scheme == "https") != (r.TLS != nil) {
		return false
	}
	for _, p := range c.query {
		value, ok := queryValue(r.URL.RawQuery, p.key)
		if !ok || p.name < 0 && value != p.value {
			return false
		}
		if p.name >= 0 {
			v[p.name] = value
		}
	}
	for _, w := range c.wants {
		if !w.met(r) {
			return false
		}
	}
	return true
}

func (c *rule) answer(r *http.Request, v *values, prefix string) (a Answer, ok bool) {
	a.Status = c.status
	for _, w := range c.wants {
		if a.Vary != "" {
			a.Vary += ", "
		}
		a.Vary += w.field
	}
	if a.Status < 300 || a.Status >= 400 {
		a.Path = c.target.file(v)
		return a, a.Path != ""
	}
	query := r.URL.RawQuery
	if len(c.query) > 0 {
		query = c.rest(query)
	}
	a.Location = c.target.location(v, prefix, query)
	return a, a.Location != ""
}

// rest is a query without the parameters that c has used.
func (c *rule) rest(query string) string {
	var kept []string
	for part := range strings.SplitSeq(query, "&") {
		key, _, _ := strings.Cut(part, "=")
		key, _ = url.QueryUnescape(key)
		used := false
		for _, p := range c.query {
			used = used || p.key == key
		}
		if !used {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "&")
}

// queryValue is the first value of a key.
func queryValue(query, key string) (string, bool) {
	for query != "" {
		var part string
		part, query, _ = strings.Cut(query, "&")
		k, v, _ := strings.Cut(part, "=")
		if k, err := url.QueryUnescape(k); err != nil || k != key {
			continue
		}
		if v, err := url.QueryUnescape(v); err == nil {
			return v, true
		}
	}
	return "", false
}

// met tells whether r has one of the cookies or prefers one of the languages.
func (w condition) met(r *http.Request) bool {
	for _, want := range w.any {
		if w.field == "Cookie" {
			if _, err := r.Cookie(want); err == nil {
				return true
			}
		} else if speaks(r.Header["Accept-Language"], want) {
			return true
		}
	}
	return false
}

// speaks tells whether Accept-Language has a language (RFC 4647 section 3.3.1).
func speaks(lines []string, want string) bool {
	for _, line := range lines {
		for part := range strings.SplitSeq(line, ",") {
			tag, weight, _ := strings.Cut(part, ";")
			tag = strings.TrimSpace(tag)
			weight = strings.ReplaceAll(weight, " ", "")
			if zero := strings.TrimRight(strings.TrimPrefix(weight, "q="), "0."); zero == "" && weight != "" {
				continue
			}
			if len(tag) >= len(want) && strings.EqualFold(tag[:len(want)], want) && (len(tag) == len(want) || tag[len(want)] == '-') {
				return true
			}
		}
	}
	return false
}

// hostname is the name in a Host field, without the port.
func hostname(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && strings.IndexByte(host[i:], ']') < 0 {
		host = host[:i]
	}
	return strings.TrimSuffix(host, ".")
}

// add takes a rule in, as the last.
func (s *Redirects) add(c *rule) {
	c.order = s.count
	s.count++
	if c.force {
		s.forced = true
	} else {
		s.shadow = true
	}
	if !c.pattern.literal() {
		s.dynamic = append(s.dynamic, c)
		return
	}
	if s.exact == nil {
		s.exact = map[string][]*rule{}
	}
	s.exact[c.pattern.prefix] = append(s.exact[c.pattern.prefix], c)
}

// loops tells whether c, the last rule, closes a ring: of redirects that lead
// from one to the next, or of a path whose answer is found by c again. Of
// rules with placeholders that is asked with "x" for each.
func (s *Redirects) loops(c *rule) bool {
	v := values{}
	for i := range v {
		v[i] = "x"
	}
	for at, n := c, 0; n < 32; n++ {
		if !at.force || at.target.origin != nil || len(at.query)+len(at.wants) > 0 {
			return false
		}
		to := &url.URL{Path: at.target.file(&v)}
		if at.status >= 300 && at.status < 400 {
			var err error
			if to, err = url.Parse(at.target.location(&v, "", "")); err != nil {
				return false
			}
		}
		var w values
		at = s.find(&http.Request{URL: to}, to.Path, &w)
		if at == nil || at == c {
			return at == c
		}
		if at.status == 200 {
			return false // answers
		}
	}
	return false
}

// drop takes the last rule out again.
func (s *Redirects) drop(c *rule) {
	if same := s.exact[c.pattern.prefix]; c.pattern.literal() {
		s.exact[c.pattern.prefix] = same[:len(same)-1]
	} else {
		s.dynamic = s.dynamic[:len(s.dynamic)-1]
	}
	s.count--
}
