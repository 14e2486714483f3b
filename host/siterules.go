package host

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"roost/static"
	"roost/static/rules"
	"roost/tls"
)

// Redirect leads the paths of a site elsewhere, before anything else is asked.
type Redirect struct {
	// From is a path: ":name" is a segment or a part of one, "*" is anything.
	From string `toml:"from" json:"from"`
	// To is a path or a URL; ":name" and ":splat" are what they were in From. The query is kept unless To has one.
	To string `toml:"to" json:"to"`
	// Status is 301, 302, 303, 307 or 308; 302 when absent: browsers keep the others, mistakes too.
	Status int `toml:"status" json:"status,omitempty"`
}

// Rewrite answers the paths of a site with what lies at another path of it,
// which may be another route's. It is done once.
type Rewrite struct {
	// From and To are those of a Redirect; To is a path.
	From string `toml:"from" json:"from"`
	To   string `toml:"to" json:"to"`
	// Missing leaves alone what a folder can answer.
	Missing bool `toml:"missing" json:"missing,omitempty"`
}

// HeaderRule says which header fields the answers to some paths have, whatever answers.
type HeaderRule struct {
	// Path is a pattern, as From of a Redirect.
	Path string `toml:"path" json:"path"`
	// Set are fields and their values, in which placeholders may stand. The first rule for a field replaces it, further
	// ones append to it; to Vary and Link all append.
	Set map[string]string `toml:"set" json:"set,omitempty"`
	// Remove are fields to be taken out.
	Remove []string `toml:"remove" json:"remove,omitempty"`
}

// siteRules are what a site says of paths, compiled. The zero value says nothing.
type siteRules struct {
	canonical           string // the domain that the others of the site lead to; "": none does
	redirects, rewrites *rules.Redirects
	headers             *rules.Headers
}

// siteProblem is what is wrong with a rule, which stands at a path below its site.
type siteProblem struct {
	rules.Problem
	path string
}

// newSiteRules compiles the rules of a site, without those that are wrong.
func newSiteRules(s *Site) (compiled siteRules, problems []siteProblem) {
	note := func(section string, some []rules.Problem) {
		for _, p := range some {
			problems = append(problems, siteProblem{p, section + "." + strconv.Itoa(p.Line)})
		}
	}
	var all []rules.Rule
	for _, r := range s.Redirects {
		all = append(all, rules.Rule{From: r.From, To: r.To, Status: r.Status})
	}
	var some []rules.Problem
	compiled.redirects, some = rules.Compile(all)
	note("redirect", some)
	all = nil
	for _, r := range s.Rewrites {
		all = append(all, rules.Rule{From: r.From, To: r.To, Internal: true, Missing: r.Missing})
	}
	compiled.rewrites, some = rules.Compile(all)
	note("rewrite", some)
	var fields []rules.HeaderRule
	for _, r := range s.Headers {
		fields = append(fields, rules.HeaderRule(r))
	}
	compiled.headers, some = rules.CompileHeaders(fields)
	note("header", some)
	compiled.canonical, _ = canonicalDomain(s.Canonical)
	return compiled, problems
}

// siteRules looks at the rules of a site.
func (v *validator) siteRules(s *Site, at place) {
	_, problems := newSiteRules(s)
	for _, p := range problems {
		here := at
		here.path = join(at.path, p.path)
		v.report(here, p.Key, p.What, p.Hint)
	}
	folder := s.Root != ""
	for _, r := range s.Routes {
		folder = folder || r.Root != ""
	}
	for i, r := range s.Rewrites {
		if r.Missing && !folder {
			v.report(at, "rewrite."+strconv.Itoa(i)+".missing", "missing = true is for folders: what an app has is known to the app alone", "remove it")
		}
	}
	if s.Canonical == "" {
		return
	}
	name, _ := canonicalDomain(s.Canonical)
	for _, domain := range s.Domains {
		if other, _ := canonicalDomain(domain); name != "" && name[0] != '*' && name == other {
			return
		}
	}
	v.report(at, "canonical", fmt.Sprintf("canonical = %q is none of the site's domains", s.Canonical), "list it in domains, without a *")
}

// Notes are what there is to tell people of a Config, beside problems: what of
// its files, and of the folders' rules, has no effect.
func Notes(c Config) []string {
	notes := c.Lines.Notes()
	look := func(t Target, path string) {
		if t.Root == "" {
			return
		}
		for _, note := range static.Notes(t.folder(folderPrefix(path))) {
			if !slices.Contains(notes, note) {
				notes = append(notes, note)
			}
		}
	}
	for _, s := range c.Sites {
		if note := tls.NoteOwn(s.own()); note != "" {
			notes = append(notes, "site "+s.Name()+": "+note)
		}
		look(s.Target, "/")
		for _, r := range s.Routes {
			look(r.Target, r.Path)
		}
	}
	return notes
}

// way is where a request is led.
type way struct {
	site     *site        // nil: the domain is unknown
	first    *route       // of the path that was asked for; nil: none
	to       *route       // the one that answers: another after a rewrite
	path     string       // that to was chosen by
	redirect rules.Answer // of a rule; without a Location there is none
}

// lead finds the way of a request for path, clean, of the domain: by the rules
// of the site that the path is of, then by the site's routes.
func (d *domain) lead(r *http.Request, path string) way {
	w := way{path: path}
	if d == nil {
		return w
	}
	w.first = d.route(path)
	w.to, w.site = w.first, d.first()
	if w.first != nil {
		w.site = w.first.site
	}
	s := &w.site.rules
	a, ok := s.redirects.Before(r, path, "")
	if ok {
		w.redirect = a
		return w
	}
	if s.rewrites == nil {
		return w
	}
	a, missing := rules.Answer{}, false
	if a, ok = s.rewrites.Before(r, path, ""); !ok && w.first.lacks(r, path) {
		a, missing = s.rewrites.Missing(r, path, "")
	}
	if !ok && !missing {
		return w
	}
	clean := cleanPath(a.Path)
	to := d.routeOf(w.site, clean)
	if missing && to != w.first && w.first != nil && w.first.auth != nil {
		return w // who may not see the files shall not learn which there are
	}
	w.path, w.to = clean, to
	return w
}

// siteLinks are the values of Link that the rules of a request's site say.
func siteLinks(w http.ResponseWriter, _ *http.Request) []string {
	x := exchangeOf(w)
	if x == nil || x.site == nil {
		return nil
	}
	return x.site.rules.headers.Values(x.request, x.path, "Link")
}

// lacks tells whether path would be answered with 404 for want of a file.
func (to *route) lacks(r *http.Request, path string) bool {
	if to == nil || to.target == nil {
		return true
	}
	if to.folder == nil || to.slash && len(path) == len(to.prefix) {
		return false
	}
	open := to.folder.current.Load()
	return open != nil && !open.Has(to.rewrite(r, path))
}

// routeOf is route among the paths of one of the sites of the domain.
func (d *domain) routeOf(s *site, path string) *route {
	for i := range d.routes {
		if to := &d.routes[i]; to.site == s && to.covers(path) {
			return to
		}
	}
	return nil
}

// rewritten returns r as if it had asked for path.
func rewritten(r *http.Request, path string) *http.Request {
	seen := static.Rewritten(r)
	seen.URL = new(url.URL)
	*seen.URL = *r.URL
	seen.URL.Path, seen.URL.RawPath = path, ""
	return seen
}

// canonical is where a request for another domain of the site is led: the same
// scheme, port and target. It is empty where the domain is right already, or
// was not listed.
func (s *site) canonical(r *http.Request, domain string, named bool) string {
	to := s.rules.canonical
	if to == "" || to == domain || !named {
		return ""
	}
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	if _, port, err := net.SplitHostPort(r.Host); err == nil && isPort(port) {
		to = net.JoinHostPort(to, port)
	} else if ipv6(to) {
		to = "[" + to + "]"
	}
	return scheme + to + requestTarget(r)
}

// isPort refuses what would make another host of the one before it, "80@evil.example" say.
func isPort(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}

func ipv6(name string) bool { return net.ParseIP(name) != nil && net.ParseIP(name).To4() == nil }
