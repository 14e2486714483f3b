package host

import (
	"reflect"

	"roost/internal/unit"
)

// Protection is what stands before a folder or an app. A route has what its
// site says for each key that it does not give itself.
type Protection struct {
	// Allow are the only addresses and networks ("10.0.0.0/8") that are answered; an empty list is all of them.
	// Others get 403.
	Allow []string `toml:"allow" json:"allow,omitzero"`
	// Deny are addresses and networks that get 403, whatever Allow says.
	Deny []string `toml:"deny" json:"deny,omitzero"`
	// BasicAuth asks for a name and a password; false does not.
	BasicAuth *BasicAuth `toml:"basic_auth" json:"basic_auth,omitempty"`
	// RateLimit bounds how often a client may ask; false does not. The site's counts for all its routes together.
	RateLimit *RateLimit `toml:"rate_limit" json:"rate_limit,omitempty"`
	// Bandwidth bounds how fast an answer is sent; false does not. Upgraded connections and event streams are left alone.
	Bandwidth *Bandwidth `toml:"bandwidth" json:"bandwidth,omitempty"`
	// CORS says which other sites' scripts may read the answers; false says nothing, as when absent.
	CORS *CORS `toml:"cors" json:"cors,omitempty"`
	// MaxBody bounds the body of a request, with 413; 0 does not.
	MaxBody *unit.Size `toml:"max_body" json:"max_body,omitempty"`
	// SecurityHeaders sets X-Content-Type-Options, and of pages Referrer-Policy and a Content-Security-Policy of
	// frame-ancestors, where the answer does not have them; when absent on folders only.
	SecurityHeaders *bool `toml:"security_headers" json:"security_headers,omitempty"`
	// HSTS tells browsers to come by HTTPS for so long: Strict-Transport-Security, over HTTPS only, without
	// subdomains. 0 has them forget it.
	HSTS *unit.Duration `toml:"hsts" json:"hsts,omitempty"`
}

// Switch is for keys that can be switched off by false, where a site has them
// and a route shall not.
type Switch struct {
	Off bool `toml:"-" json:"off,omitempty"`
}

func (s *Switch) switchOff() { s.Off = true }

// over is p with what it does not say taken from site, and without what is
// switched off.
func (p Protection) over(site Protection) Protection {
	mine, theirs := reflect.ValueOf(&p).Elem(), reflect.ValueOf(site)
	for i := range mine.NumField() {
		if mine.Field(i).IsZero() { // nil: an empty list is said
			mine.Field(i).Set(theirs.Field(i))
		}
	}
	if p.BasicAuth != nil && p.BasicAuth.Off {
		p.BasicAuth = nil
	}
	if p.RateLimit != nil && p.RateLimit.Off {
		p.RateLimit = nil
	}
	if p.Bandwidth != nil && p.Bandwidth.Off {
		p.Bandwidth = nil
	}
	if p.CORS != nil && p.CORS.Off {
		p.CORS = nil
	}
	return p
}

// protection is what stands before the target of a route, as requests need it.
type protection struct {
	addresses *addressRules // nil: all
	head      *answerHead   // nil: nothing is added
	bandwidth *Bandwidth    // nil: as much as there is
}

// newProtection compiles what holds for a target, which is a folder unless it
// is an app.
func newProtection(p Protection, folder bool) protection {
	return protection{addresses: newAddressRules(p), head: newAnswerHead(p, folder), bandwidth: p.Bandwidth}
}
