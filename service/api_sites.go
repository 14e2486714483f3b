package service

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"roost/host"
	"roost/internal/nearest"
	"roost/service/control"
)

// addSite adds a site beside those that are there.
func (a *api) addSite(ctx context.Context, r asked[control.SiteRequest]) (control.Plan, error) {
	site := r.Request.Site
	site.Source = ""
	p, err := a.editSites(ctx, "serve "+describeSite(site), func(c *host.Config) error {
		c.Sites = append(c.Sites, site)
		return nil
	}, r.gone, r.progress)
	if err == nil {
		p.Notes = host.Notes(host.Config{Sites: []host.Site{site}})
	}
	return p, err
}

// removeSite removes the one site that has the request's domains or folder.
func (a *api) removeSite(ctx context.Context, r asked[control.SiteRequest]) (control.Plan, error) {
	return a.editSites(ctx, "remove site "+describeSite(r.Request.Site), func(c *host.Config) error {
		i, err := findSite(*c, r.Request.Site)
		if err != nil {
			return err
		}
		if s := c.Sites[i]; s.Source != "" {
			return &control.Error{
				Code: control.CodeConflict, Message: fmt.Sprintf("the site %s is declared in %s", describeSite(s), s.Source),
				Hint: "take it out of that file, then: roost apply " + s.Source,
			}
		}
		c.Sites = slices.Delete(c.Sites, i, i+1)
		return nil
	}, r.gone, r.progress)
}

// maintain closes the sites that answer the request's domain, or opens them again.
func (a *api) maintain(ctx context.Context, r asked[control.MaintenanceRequest]) (control.Plan, error) {
	name, what := r.Request.Site, map[bool]string{true: "close", false: "open"}[r.Request.On]
	return a.editSites(ctx, what+" site "+name, func(c *host.Config) error {
		like := host.Site{Domains: []string{name}}
		if name == "*" {
			like.Domains = nil
		}
		found, err := findSites(*c, like)
		for _, i := range found {
			s := &c.Sites[i]
			if s.Maintenance && !r.Request.On {
				return &control.Error{
					Code: control.CodeConflict, Message: fmt.Sprintf("the site %s has maintenance = true", describeSite(*s)),
					Hint: "take it out of " + cmp.Or(s.Source, "its declaration") + ", then apply that",
				}
			}
			s.Closed = r.Request.On
		}
		return err
	}, r.gone, r.progress)
}

func (a *api) editSites(ctx context.Context, what string, do func(*host.Config) error, gone <-chan struct{}, progress func(string)) (control.Plan, error) {
	var p control.Plan
	err := a.editor.Edit(ctx, change{
		what: what,
		do: func(c *host.Config) error {
			before := c.Clone()
			if err := do(c); err != nil {
				return err
			}
			p = plan(before, *c)
			p.Notes = nil // about apps
			return nil
		},
		gone: gone,
	}, progress)
	if err != nil {
		return control.Plan{}, err
	}
	return p, nil
}

// findSite finds the one site that findSites does.
func findSite(c host.Config, like host.Site) (int, error) {
	found, err := findSites(c, like)
	switch {
	case err != nil:
		return 0, err
	case len(found) > 1:
		return 0, &control.Error{Code: control.CodeConflict, Message: fmt.Sprintf("%d sites fit %s", len(found), describeSite(like)), Hint: "name the domains of the one you mean"}
	}
	return found[0], nil
}

// findSites finds the sites that answer all the domains of like and, where it
// has one, serve its folder; at least one. Without domains and folder it means
// the site that answers every name.
func findSites(c host.Config, like host.Site) (found []int, err error) {
	for i, s := range c.Sites {
		matches := like.Root == "" || like.Root == s.Root
		for _, d := range like.Domains {
			matches = matches && slices.ContainsFunc(s.Domains, func(have string) bool { return strings.EqualFold(have, d) })
		}
		if len(like.Domains) == 0 && like.Root == "" {
			matches = len(s.Domains) == 0
		}
		if matches {
			found = append(found, i)
		}
	}
	if len(found) > 0 {
		return found, nil
	}
	e := &control.Error{Code: control.CodeNotFound, Message: "no site " + describeSite(like), Hint: "see what there is with: roost status"}
	var names []string
	for _, s := range c.Sites {
		names = append(names, s.Domains...)
	}
	if len(like.Domains) > 0 {
		if near := nearest.Of(like.Domains[0], names); near != "" {
			e.Hint = fmt.Sprintf("did you mean %s?", near)
		}
	}
	return nil, e
}

// describeSite names a site to people.
func describeSite(s host.Site) string {
	switch {
	case len(s.Domains) > 0:
		return strings.Join(s.Domains, " ")
	case s.Root != "":
		return s.Root
	}
	return "for every name"
}
