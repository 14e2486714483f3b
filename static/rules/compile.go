package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Rule is a redirect or a rewrite as a config declares it, in Cloudflare's
// words: ":name" is a segment or part of one, "*" anything, ":splat" in To.
type Rule struct {
	From, To string
	// Status is that of a redirect; 302 if it is 0.
	Status int
	// Internal answers with what lies at To, a path, instead of redirecting there.
	Internal bool
	// Missing leaves what leads to a file to that.
	Missing bool
}

// HeaderRule is what a config declares about the header fields of paths.
type HeaderRule struct {
	Path   string
	Set    map[string]string
	Remove []string
}

// Compile compiles rules, nil if there are none. Its problems have the number
// of the rule as their Line, and a Key.
func Compile(all []Rule) (*Redirects, []Problem) {
	p := parser{reader: &reader{}, set: &Redirects{}, seen: map[string]bool{}, strict: true}
	for i, c := range all {
		p.line = i
		switch {
		case c.From == "":
			p.wrong("from", "from is missing", `set it to a path such as "/old" or "/blog/*"`)
		case c.From[0] != '/':
			p.wrong("from", fmt.Sprintf("from = %q does not begin with a slash", c.From), fmt.Sprintf("write %q", "/"+c.From))
			c.From = ""
		case strings.ContainsAny(c.From, "?#"):
			p.wrong("from", fmt.Sprintf("from = %q has more than a path", c.From), "leave out what follows ? or #")
			c.From = ""
		}
		if c.To == "" {
			p.wrong("to", "to is missing", `set it to a path such as "/new"`)
		}
		right := true
		switch {
		case c.Internal:
			c.Status = 200
		case c.Status == 0:
			c.Status = 302
		case statusOf(fmt.Sprint(c.Status), 301, 302, 303, 307, 308) == 0:
			p.wrong("status", fmt.Sprintf("status = %d does not redirect", c.Status), "want 301, 302, 303, 307 or 308; another page is shown by [[site.rewrite]]")
			c.Status, right = 0, false
		}
		p.rule(&rule{status: c.Status, force: !c.Missing}, c.From, c.To, external, right)
	}
	if p.set.count == 0 {
		p.set = nil
	}
	return p.set, p.problems
}

// CompileHeaders compiles rules about header fields, nil if there are none. Its
// problems have the number of the rule as their Line, and a Key.
func CompileHeaders(all []HeaderRule) (*Headers, []Problem) {
	r := &reader{}
	s := &Headers{}
	for i, c := range all {
		r.line = i
		before := len(r.problems)
		rule, what, hint := newHeaderRule(c.Path, Cloudflare)
		switch {
		case c.Path == "":
			r.wrong("path", "path is missing", `set it to a path such as "/*" or "/assets/*"`)
		case c.Path[0] != '/':
			r.wrong("path", fmt.Sprintf("path = %q does not begin with a slash", c.Path), fmt.Sprintf("write %q", "/"+c.Path))
		case what != "":
			r.wrong("path", fmt.Sprintf("path = %q: %s", c.Path, what), hint)
		}
		if len(r.problems) > before {
			rule = &headerRule{} // not kept; what else is wrong is told as well
		}
		if len(c.Set)+len(c.Remove) == 0 {
			r.wrong("path", fmt.Sprintf("nothing is said about the header fields of %s", c.Path), `write set = { Name = "value" } or remove = ["Name"]`)
		}
		for _, name := range slices.Sorted(maps.Keys(c.Set)) {
			if c.Set[name] == "" {
				r.wrong("set", name+" has no value", fmt.Sprintf("take a field away with remove = [%q]", name))
			} else if what, hint := rule.add(name, c.Set[name]); what != "" {
				r.wrong("set", what, hint)
			}
		}
		for _, name := range c.Remove {
			if what, hint := rule.drop(name); what != "" {
				r.wrong("remove", what, hint)
			}
		}
		if len(r.problems) == before {
			s.rules = append(s.rules, *rule)
		}
	}
	if len(s.rules) == 0 {
		s = nil
	}
	return s, r.problems
}
