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
	from, to := "/"+strings.TrimPrefix(words[0], "/"), words[1]
	if schemeOf(words[0]) != "" {
		p.problem("a rule begins with a path, not a URL: "+words[0], "write the path alone; a domain of its own is a [[site]] of its own")
		from = ""
	} else if i := strings.IndexAny(from, "?#"); i >= 0 {
		p.problem("the query or fragment in "+from+" is not looked at", "leave it out; rules go by the path")
		from = from[:i]
	}
	status := 302
	if len(words) == 3 {
		status = statusOf(words[2], 200, 301, 302, 303, 307, 308)
	}
	if status == 0 {
		p.problem("the status is "+words[2], "want 200, 301, 302, 303, 307 or 308")
	}
	if bare := strings.TrimSuffix(from, "*"); strings.HasSuffix(bare, "/") && schemeOf(to) == "" && isIndex(to) {
		p.problem("the rule leads to an index page from all that lies beside it, which would lead there again and again", `for a single-page app set spa = true, or use rules = "netlify", where files come before rules`)
		to = ""
	}
	p.rule(&rule{status: status, force: true}, from, to, secure, status != 0)
}

// isIndex tells whether a target is a folder's page.
func isIndex(to string) bool {
	return strings.HasSuffix(to, "/index") || strings.HasSuffix(to, "/index.html")
}
