package control

import (
	"context"
	"net/http"

	"roost/host"
)

// SiteRequest adds a site, or names one to remove.
type SiteRequest struct {
	// Site is the site to add, paths absolute. To remove one, its Domains or its
	// Root are enough; a site that a config file declared is not removed so.
	Site host.Site `json:"site"`
}

// AddSite adds a site beside those that are there.
func (c *Client) AddSite(ctx context.Context, r SiteRequest, progress func(string)) (Plan, error) {
	var p Plan
	err := c.change(ctx, http.MethodPost, "/v1/sites", r, progress, &p)
	return p, err
}

// RemoveSite removes the site that has the request's domains, or its folder.
func (c *Client) RemoveSite(ctx context.Context, r SiteRequest, progress func(string)) (Plan, error) {
	var p Plan
	err := c.change(ctx, http.MethodDelete, "/v1/sites", r, progress, &p)
	return p, err
}
