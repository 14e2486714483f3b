package rules

import (
	"fmt"
	"strings"
)

// ParseRedirects reads a file _redirects. A line that is wrong is left out and
// told; the others hold.
func ParseRedirects(text []byte, d Dialect) (*Redirects, []Problem) {
	r := newReader(text)
	s := &Redirects{loose: d == Netlify}
	p := parser{reader: r, set: s, seen: map[string]bool{}}
	for {
		line, more := r.next()
		if !more {
			break
		}
		if d == Netlify {
			p.netlify(words(line))
		} else {
			p.cloudflare(words(line))
		}
	}
	if s.count == 0 {
		s = nil
	}
	return s, r.problems
}

// cloudflare reads "from to [status]".
func (p *parser) cloudflare(words []string) {
	if len(words) < 2 || len(words) > 3 {
		p.problem(fmt.Sprintf("a rule has two or three words, not %d", len(words)), "write: /from /to 302")
		return
	}
	from := words[0]
	if schemeOf(from) != "" {
		p.problem("a rule begins with a path, not a URL: "+from, "write the path alone; a domain of its own is a [[site]] of its own")
		return
	}
	from = "/" + strings.TrimPrefix(from, "/")
	if i := strings.IndexAny(from, "?#"); i >= 0 {
		p.problem("the query or fragment in "+from+" is not looked at", "leave it out; rules go by the path")
		from = from[:i]
	}
	status := 302
	if len(words) == 3 {
		status = statusOf(words[2], 200, 301, 302, 303, 307, 308)
	}
	if status == 0 {
		p.problem("the status is "+words[2], "want 200, 301, 302, 303, 307 or 308")
		return
	}
	if bare := strings.TrimSuffix(from, "*"); strings.HasSuffix(bare, "/") && schemeOf(words[1]) == "" && isIndex(words[1]) {
		p.problem("the rule leads to an index page from all that lies beside it, which would lead there again and again", `for a single-page app set spa = true, or use rules = "netlify", where files come before rules`)
		return
	}
	p.rule(&rule{status: status, force: true}, from, words[1], secure)
}

// isIndex tells whether a target is a folder's page.
func isIndex(to string) bool {
	return strings.HasSuffix(to, "/index") || strings.HasSuffix(to, "/index.html")
}
