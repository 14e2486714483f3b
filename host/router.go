package host

import (
	"net/http"
	"sort"
	"strings"

	"roost/tls"
)

// router is the sites as requests look them up. It never changes; a new Config
// publishes another.
type router struct {
	exact    map[string]*domain // by canonical name
	wildcard map[string]*domain // "*.example.com" by ".example.com"
	// fallback answers all other names; nil when no site does.
	fallback *domain
	// strict: some site asks clients for a certificate, so none may be reached under another's name.
	strict bool
}

// domain is what one name leads to. Several sites may share it, each with
// paths of its own.
type domain struct {
	routes []route // longest prefix first
}

// route is where the paths that begin with prefix lead.
type route struct {
	prefix string // without a trailing slash: "" covers all
	slash  bool   // the prefix itself is redirected to prefix + "/"
	strip  bool
	site   *site
	target http.Handler
	folder *folder  // nil: an app
	app    *figures // nil: a folder
	name   string   // of the app
	protection
	lock
	lookalikes []lookalike
}

// site is what a running site needs besides its targets.
type site struct {
	name       string
	redirect   bool // plain HTTP goes to HTTPS
	accessLog  bool
	errorPages string
	figures    *figures
	rules      siteRules
	onDemand   bool   // public names that nobody lists may have a certificate
	clients    string // the ID of its ClientAuth; empty: no client is asked for a certificate
	protection        // of paths that lead nowhere
	// maintenance is the Retry-After of a site that answers nothing else; nil: it is open.
	maintenance []string
}

// targets turns the parts of a Config into what answers requests.
type targets interface {
	// folder answers the paths that begin with prefix, which ends in a slash.
	folder(t Target, prefix string) http.Handler
	// app is nil when there is none of that name.
	app(name string) (http.Handler, *figures)
	// site is the figures of a site.
	site(name string) *figures
	locks() *locks
}

func newRouter(c Config, t targets) *router {
	r := &router{exact: map[string]*domain{}, wildcard: map[string]*domain{}}
	byDefault := false
	for i := range c.Sites {
		s := &c.Sites[i]
		routes := newRoutes(c, s, t)
		r.strict = r.strict || s.ClientAuth != nil
		add := func(d *domain) *domain {
			if d == nil {
				d = &domain{}
			}
			d.routes = append(d.routes, routes...)
			return d
		}
		for _, name := range s.Domains {
			name, _ = canonicalDomain(name)
			if rest, ok := strings.CutPrefix(name, "*"); ok {
				r.wildcard[rest] = add(r.wildcard[rest])
			} else if name != "" {
				r.exact[name] = add(r.exact[name])
			}
		}
		switch {
		case s.Default: // before sites without domains
			byDefault, r.fallback = true, add(nil)
		case len(s.Domains) == 0 && !byDefault:
			r.fallback = add(r.fallback)
		}
	}
	for _, all := range []map[string]*domain{r.exact, r.wildcard, {"": r.fallback}} {
		for _, d := range all {
			if d != nil {
				sort.SliceStable(d.routes, func(i, j int) bool { return len(d.routes[i].prefix) > len(d.routes[j].prefix) })
				d.addLookalikes(t.locks())
			}
		}
	}
	return r
}

func newRoutes(c Config, s *Site, t targets) []route {
	running := &site{
		name:        s.Name(),
		redirect:    s.RedirectHTTPS == nil || *s.RedirectHTTPS,
		accessLog:   c.logsAccess(s),
		errorPages:  s.ErrorPages,
		figures:     t.site(s.Name()),
		maintenance: s.maintenance(),
		onDemand:    s.OnDemand != nil,
		clients:     s.ClientAuth.ID(),
		protection:  newProtection(s.Protection.over(s.Protection), s.App == ""),
	}
	running.rules, _ = newSiteRules(s)
	var routes []route
	ls := t.locks()
	add := func(path string, to Target, strip bool) {
		r := route{prefix: strings.TrimSuffix(path, "/"), strip: strip, site: running}
		p := to.Protection.over(s.Protection)
		switch {
		case to.Root != "":
			r.target = t.folder(to, r.prefix+"/")
			r.folder, _ = r.target.(*folder)
		case to.App != "":
			r.target, r.app = t.app(to.App)
			r.name = to.App
		}
		r.slash = r.prefix != "" && (to.Root != "" || strings.HasSuffix(path, "/"))
		if r.target != nil {
			r.protection = newProtection(p, to.App == "")
			r.lock = ls.lock(s.key(), path, to.Protection, p)
			r.target = ls.before(r.target, p.CORS, r.lock)
			routes = append(routes, r)
		}
	}
	add("/", s.Target, false)
	for _, r := range s.Routes {
		add(r.Path, r.Target, r.StripPrefix)
	}
	if len(routes) == 0 { // an app that is gone, say: the domain is still known
		routes = append(routes, route{site: running, protection: running.protection})
	}
	return routes
}

// logsAccess resolves the two switches of the access log.
func (c Config) logsAccess(s *Site) bool {
	switch {
	case s.AccessLog != nil:
		return *s.AccessLog
	case c.Host.AccessLog != nil:
		return *c.Host.AccessLog
	}
	return true
}

// find looks a requested domain up: the exact name, then the longest wildcard,
// then the site for all other names. Named says that a site asked for it by
// name. The result is nil for an unknown domain.
func (r *router) find(name string) (d *domain, named bool) {
	if d = r.exact[name]; d != nil {
		return d, true
	}
	if len(r.wildcard) > 0 {
		for rest := name; ; {
			dot := strings.IndexByte(rest, '.')
			if dot < 0 {
				break
			}
			if d = r.wildcard[rest[dot:]]; d != nil && dot > 0 {
				return d, true
			}
			rest = rest[dot+1:]
		}
	}
	return r.fallback, false
}

// route looks a cleaned path up: the longest prefix that ends at a slash of it
// or is all of it. It is nil when the site says nothing about the path.
func (d *domain) route(path string) *route {
	for i := range d.routes {
		if d.routes[i].covers(path) {
			return &d.routes[i]
		}
	}
	return nil
}

func (to *route) covers(path string) bool { return covers(to.prefix, path) }

// covers says whether path is prefix, which has no slash at its end, or below it.
func covers(prefix, path string) bool {
	return strings.HasPrefix(path, prefix) && (len(path) == len(prefix) || path[len(prefix)] == '/')
}

// first is the site to blame for an unknown path of the domain.
func (d *domain) first() *site { return d.routes[len(d.routes)-1].site }

// names are what certificates are wanted for, and whether one for any other
// private name is.
func (c Config) names() (names []string, any bool) {
	seen := map[string]bool{}
	for i := range c.Sites {
		if d, ok := c.Sites[i].demand(); ok {
			for _, name := range d.Names {
				seen[name] = true // those below it have one each
			}
		}
	}
	for _, s := range c.Sites {
		any = any || s.Default || len(s.Domains) == 0
		for _, d := range s.Domains {
			if name, _ := canonicalDomain(d); name != "" && !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	return names, any
}

// certificates is what package tls is told of a Config: nothing is wanted
// where HTTPS is off.
func (c Config) certificates() tls.Want {
	if c.Host.HTTPS == "off" {
		return tls.Want{Config: c.TLS}
	}
	names, any := c.names()
	w := tls.Want{Config: c.TLS, Names: names, Issuers: map[string]string{}, AnyName: any}
	for i := range c.Sites {
		s := &c.Sites[i]
		if s.Cert != "" {
			w.Own = append(w.Own, s.own())
		}
		if s.Issuer != "" {
			for _, name := range s.own().Names {
				w.Issuers[name] = s.Issuer
			}
		}
		if d, ok := s.demand(); ok {
			w.OnDemand = append(w.OnDemand, d)
		}
		if a := c.Sites[i].ClientAuth; a != nil {
			w.Clients = append(w.Clients, tls.Clients{ClientAuth: *a, Names: c.Sites[i].own().Names})
		}
	}
	return w
}
