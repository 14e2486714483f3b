package host

import (
	"fmt"
	"strconv"
	"time"
)

// protection looks at what stands before the target of a site, or of the
// route at here.
func (v *validator) protection(p Protection, at place, here string) {
	v.networks(at, join(here, "allow"), p.Allow)
	v.networks(at, join(here, "deny"), p.Deny)
	if p.HSTS != nil && *p.HSTS != 0 && time.Duration(*p.HSTS) < time.Second {
		v.report(at, join(here, "hsts"), fmt.Sprintf("hsts = %v is less than a second", *p.HSTS), `write "1y" or "7d"; a plain number is milliseconds`)
	}
}

// networks looks at a list of addresses and networks.
func (v *validator) networks(at place, key string, texts []string) {
	for i, text := range texts {
		if _, what, hint := parseNetwork(text); what != "" {
			v.report(at, join(key, strconv.Itoa(i)), fmt.Sprintf("%s: %q %s", keyOf(key), text, what), hint)
		}
	}
}
