package host

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"roost/static"
)

// sites looks at each site by itself and at what no two may share: a path of
// a domain, and the answer to unknown domains.
func (v *validator) sites() {
	places := v.sitePlaces()
	answered := map[[2]string]place{} // domain and path; the domain is empty for any name
	certified := map[string]int{}     // domain -> the first site that brings a certificate for it
	demanded := map[string]int{}      // the site that says on_demand for a wildcard
	issued := map[string]int{}        // the site that names the issuer of a domain
	asked := map[string]string{}      // domain -> the ID of its ClientAuth
	var fallback, nameless *place
	for i := range v.config.Sites {
		s, at := &v.config.Sites[i], places[i]
		switch {
		case s.Default && fallback != nil:
			v.report(at, "default", fmt.Sprintf("the default site is already that of %s", *fallback), "only one site may be default")
		case s.Default:
			fallback = &at
		case len(s.Domains) == 0 && nameless == nil:
			nameless = &at
		}
		v.domains(s, at, answered)
		v.ownCertificate(s, at, certified)
		v.issuer(s, at, issued)
		v.onDemand(s, at, demanded)
		v.clientAuth(s, at, asked)
		v.targets(s, at)
	}
	if fallback != nil && nameless != nil {
		v.report(*nameless, "domains", fmt.Sprintf("unknown domains are already answered by the default site of %s", *fallback), "give this site its domains, or remove default there")
	}
}

func (v *validator) domains(s *Site, at place, answered map[[2]string]place) {
	names := map[string]string{} // canonical name -> key it is written at
	if len(s.Domains) == 0 {
		names[""] = "domains"
	}
	for i, domain := range s.Domains {
		key := join("domains", strconv.Itoa(i))
		name, hint := canonicalDomain(domain)
		if name == "" {
			v.report(at, key, fmt.Sprintf("%q is not a domain", domain), hint)
			continue
		}
		if _, twice := names[name]; twice {
			v.report(at, key, fmt.Sprintf("domain %s is listed twice", name), "remove one of them")
			continue
		}
		names[name] = key
	}
	for name, key := range names {
		var other place
		path, clash := "", false
		for _, p := range sitePaths(s) {
			if first, taken := answered[[2]string{name, p}]; taken && !clash {
				other, path, clash = first, p, true
			} else if !taken {
				answered[[2]string{name, p}] = at
			}
		}
		if clash && other.n == at.n {
			continue // the site's own routes: targets says so
		}
		if clash && name == "" {
			v.report(at, key, fmt.Sprintf("unknown domains are already answered by the site of %s", other), "give this site its domains")
		} else if clash {
			v.report(at, key, fmt.Sprintf("domain %s is already answered at %s by the site of %s", name, orSlash(path), other), "remove it from one of them")
		}
	}
}

// sitePaths are the prefixes that a site answers, without a trailing slash.
func sitePaths(s *Site) []string {
	var paths []string
	if s.Root != "" || s.App != "" || len(s.Routes) == 0 {
		paths = append(paths, "")
	}
	for _, r := range s.Routes {
		paths = append(paths, strings.TrimSuffix(r.Path, "/"))
	}
	return paths
}

func orSlash(path string) string {
	if path == "" {
		return "/"
	}
	return path
}

func (v *validator) targets(s *Site, at place) {
	v.siteRules(s, at)
	if s.Root == "" && s.App == "" && len(s.Routes) == 0 && len(s.Redirects) == 0 {
		v.report(at, "root", "leads nowhere", "set root to a folder or app to the name of an app")
	}
	v.target(s.Target, at, "")
	v.protection(s.Protection, at, "")
	if s.RetryAfter != 0 && time.Duration(s.RetryAfter) < time.Second {
		v.report(at, "retry_after", fmt.Sprintf("retry_after = %v is less than a second", s.RetryAfter), `write "10m" or the like; a plain number is milliseconds`)
	}
	if s.ErrorPages != "" {
		if what, hint := isFolder(s.ErrorPages); what != "" {
			v.report(at, "error_pages", what, hint)
		}
	}
	paths := map[string]bool{}
	if s.Root != "" || s.App != "" {
		paths[""] = true
	}
	for i, r := range s.Routes {
		here := join("route", strconv.Itoa(i))
		if what, hint := checkPath(r.Path); what != "" {
			v.report(at, here+".path", fmt.Sprintf("route path %q %s", r.Path, what), hint)
		} else if key := strings.TrimSuffix(r.Path, "/"); paths[key] {
			v.report(at, here+".path", fmt.Sprintf("path %s is given twice", r.Path), "remove one of them")
		} else {
			paths[key] = true
		}
		if r.Root == "" && r.App == "" {
			v.report(at, here+".root", fmt.Sprintf("route %s leads nowhere", r.Path), "set root to a folder or app to the name of an app")
		}
		v.target(r.Target, at, here)
		v.protection(r.Protection, at, here)
	}
}

// target looks at where a site or one of its routes leads.
func (v *validator) target(t Target, at place, here string) {
	switch {
	case t.Root != "" && t.App != "":
		v.report(at, join(here, "app"), "root and app are both set", "keep one; a route can lead a path to the other")
		return
	case t.Root != "":
		for _, c := range static.Validate(t.folder("/")) {
			v.report(at, join(here, c.Key), c.What, c.Hint)
		}
	case t.App != "":
		if v.config.App(t.App) == nil {
			var names []string
			for _, a := range v.config.Apps {
				names = append(names, a.Name)
			}
			hint := didYouMean(t.App, names)
			if hint == "" {
				hint = "declare it as [[app]], or correct the name"
			}
			v.report(at, join(here, "app"), fmt.Sprintf("there is no app %q", t.App), hint)
		}
		for _, set := range changedKeys(reflect.ValueOf(t.Serving), reflect.ValueOf(static.Serving{})) {
			key, _, _ := strings.Cut(set, ":")
			key, _, _ = strings.Cut(key, " ")
			v.report(at, join(here, key), key+" is for folders, not for apps", "remove it")
		}
	}
}

// folder is what package static is told of a target.
func (t Target) folder(prefix string) static.Config {
	return static.Config{Root: t.Root, Prefix: prefix, Serving: t.Serving}
}

// checkPath looks at the path of a route: absolute, literal, in the form that
// requests are brought into before they are compared.
func checkPath(path string) (what, hint string) {
	switch {
	case path == "":
		return "is missing", `set path to the beginning of the paths it covers, such as "/docs/"`
	case !strings.HasPrefix(path, "/"):
		return "does not begin with a slash", fmt.Sprintf("write %q", "/"+path)
	case strings.Contains(path, "*"):
		return "has a *", "a path covers all that lies below it; leave the * out"
	case strings.ContainsAny(path, "?#"):
		return "has more than a path", "leave out what follows ? or #"
	case strings.Contains(path, "%"):
		return "is escaped", "write the characters themselves"
	case strings.Contains(path, `\`) || strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "has characters that no path has", "remove them"
	case cleanPath(path) != path:
		return "is not in its shortest form", fmt.Sprintf("write %q", cleanPath(path))
	}
	return "", ""
}
