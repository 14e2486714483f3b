package control

import (
	"context"
	"net/http"
	"time"

	"roost/tls"
)

// Certificate is one that is served, or wanted and not to be had yet.
type Certificate struct {
	Name     string    `json:"name"`
	OnDemand bool      `json:"on_demand,omitempty"` // nobody lists the name: a client came for it
	State    string    `json:"state"`               // "valid", "waiting", "failing": package tls has the words
	Issuer   string    `json:"issuer,omitempty"`
	KeyType  string    `json:"key_type,omitempty"`
	Issued   time.Time `json:"issued,omitzero"`
	Expires  time.Time `json:"expires,omitzero"`
	Renews   time.Time `json:"renews,omitzero"`
	Error    string    `json:"error,omitempty"` // why the last attempt failed
	Hint     string    `json:"hint,omitempty"`  // what to do about it
	Tried    time.Time `json:"tried,omitzero"`  // when that was
	Retry    time.Time `json:"retry,omitzero"`  // when the next attempt is, where that is known
}

// RenewRequest names the certificate to renew.
type RenewRequest struct {
	// Name is the DNS name or address that it is for, such as "*.example.com".
	Name string `json:"name"`
}

// Certificates asks how the certificate of each wanted name stands, in the order of the names.
func (c *Client) Certificates(ctx context.Context) ([]Certificate, error) {
	var all []Certificate
	err := c.get(ctx, "/v1/certificates", &all)
	return all, err
}

// CA tells of the internal CA, which is made when there is none yet.
func (c *Client) CA(ctx context.Context) (tls.CA, error) {
	var ca tls.CA
	err := c.get(ctx, "/v1/ca", &ca)
	return ca, err
}

// Renew gets a new certificate for a name now and waits until it is served. On
// failure, with what the CA says, the one that is there is served on.
func (c *Client) Renew(ctx context.Context, r RenewRequest, progress func(string)) (Certificate, error) {
	var renewed Certificate
	err := c.change(ctx, http.MethodPost, "/v1/certificates/renew", r, progress, &renewed)
	return renewed, err
}
