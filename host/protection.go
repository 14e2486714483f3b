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
	// SecurityHeaders sets X-Content-Type-Options, and of pages Referrer-Policy and a Content-Security-Policy of
	// frame-ancestors, where the answer does not have them; when absent on folders only.
	SecurityHeaders *bool `toml:"security_headers" json:"security_headers,omitempty"`
	// HSTS tells browsers to come by HTTPS for so long: Strict-Transport-Security, over HTTPS only, without
	// subdomains. 0 has them forget it.
	HSTS *unit.Duration `toml:"hsts" json:"hsts,omitempty"`
}

// over is p with what it does not say taken from site.
func (p Protection) over(site Protection) Protection {
	mine, theirs := reflect.ValueOf(&p).Elem(), reflect.ValueOf(site)
	for i := range mine.NumField() {
		if mine.Field(i).IsZero() { // nil: an empty list is said
			mine.Field(i).Set(theirs.Field(i))
		}
	}
	return p
}

// protection is what stands before the target of a route, as requests need it.
type protection struct {
	addresses *addressRules // nil: all
	head      *answerHead   // nil: nothing is added
}

// newProtection compiles what holds for a target, which is a folder unless it
// is an app.
func newProtection(p Protection, folder bool) protection {
	return protection{addresses: newAddressRules(p), head: newAnswerHead(p, folder)}
}
