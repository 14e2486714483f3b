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

// MaintenanceRequest closes the sites that answer a domain, or opens them again.
type MaintenanceRequest struct {
	// Site is one of its domains; "*" is the site that answers every name.
	Site string `json:"site"`
	On   bool   `json:"on"`
}

// Maintain closes a site, which then answers 503 to everything, or opens it again.
func (c *Client) Maintain(ctx context.Context, r MaintenanceRequest, progress func(string)) (Plan, error) {
	var p Plan
	err := c.change(ctx, http.MethodPost, "/v1/maintenance", r, progress, &p)
	return p, err
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
