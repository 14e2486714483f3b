package service

import (
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
	}, r)
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
	}, r)
}

func (a *api) editSites(ctx context.Context, what string, do func(*host.Config) error, r asked[control.SiteRequest]) (control.Plan, error) {
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
		gone: r.gone,
	}, r.progress)
	if err != nil {
		return control.Plan{}, err
	}
	return p, nil
}

// findSite finds the one site that answers all the domains of like and, where
// it has one, serves its folder. Without domains and folder it means the site
// that answers every name.
func findSite(c host.Config, like host.Site) (int, error) {
	var found []int
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
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
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
		return 0, e
	}
	return 0, &control.Error{Code: control.CodeConflict, Message: fmt.Sprintf("%d sites fit %s", len(found), describeSite(like)), Hint: "name the domains of the one you mean"}
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
