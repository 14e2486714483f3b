package host

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/net/http/httpguts"
)

// protection looks at what stands before the target of a site, or of the
// route at here.
func (v *validator) protection(p Protection, at place, here string) {
	v.networks(at, join(here, "allow"), p.Allow)
	v.networks(at, join(here, "deny"), p.Deny)
	if a := p.BasicAuth; a != nil && !a.Off {
		v.basicAuth(*a, at, join(here, "basic_auth"))
	}
	if l := p.RateLimit; l != nil && !l.Off {
		v.rateLimit(*l, at, join(here, "rate_limit"))
	}
	if b := p.Bandwidth; b != nil && !b.Off {
		v.bandwidth(*b, at, join(here, "bandwidth"))
	}
	if c := p.CORS; c != nil && !c.Off {
		v.cors(*c, at, join(here, "cors"))
	}
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

// basicAuth never repeats a hash: what stands in its place may be a password.
func (v *validator) basicAuth(a BasicAuth, at place, key string) {
	if strings.ContainsFunc(a.Realm, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
		v.report(at, join(key, "realm"), fmt.Sprintf("basic_auth: realm %q has characters that not all browsers show", a.Realm), "write it in ASCII, without quotes and backslashes")
	}
	if len(a.Users) == 0 {
		v.report(at, key, "basic_auth has no users", `write users = { name = "hash" } with what roost hash-password prints, or basic_auth = false`)
	}
	for _, name := range slices.Sorted(maps.Keys(a.Users)) {
		here, hash := join(key, "users."+name), []byte(a.Users[name])
		cost, err := bcrypt.Cost(hash)
		switch {
		case name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`:"\`, r) }):
			v.report(at, here, fmt.Sprintf("basic_auth: %q is no user name", name), "write one word, without colons, quotes and backslashes")
		case err != nil || len(hash) != 60 || !strings.HasPrefix(a.Users[name], "$2") || strings.Trim(a.Users[name][7:], bcryptDigits) != "":
			v.report(at, here, fmt.Sprintf("basic_auth: what user %s has is not the bcrypt hash of a password", name), "make one with: roost hash-password")
		case cost < MinPasswordCost || cost > MaxPasswordCost:
			v.report(at, here, fmt.Sprintf("basic_auth: the hash of user %s has cost %d", name, cost), fmt.Sprintf("want %d to %d, of which each takes twice as long as the one before; 10 is usual: roost hash-password --cost 10", MinPasswordCost, MaxPasswordCost))
		}
	}
}

const bcryptDigits = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

func (v *validator) rateLimit(l RateLimit, at place, key string) {
	per := l.Per.Or(time.Second)
	switch {
	case l.Requests == 0:
		v.report(at, key, "rate_limit has no requests", `write { requests = 100, per = "10s" } or the like, or rate_limit = false`)
	case l.Requests < 0 || l.Requests > 1e6:
		v.report(at, join(key, "requests"), fmt.Sprintf("rate_limit: requests = %d", l.Requests), "want 1 to 1000000, or rate_limit = false")
	case per < time.Millisecond || per > 24*time.Hour:
		v.report(at, join(key, "per"), fmt.Sprintf("rate_limit: per = %v", per), `want a length of time up to a day, such as "10s"; a plain number is milliseconds`)
	case l.Burst < 0 || l.Burst > 1e6:
		v.report(at, join(key, "burst"), fmt.Sprintf("rate_limit: burst = %d", l.Burst), "want how many requests may come at once, or leave it out")
	case float64(l.Burst)*per.Hours()/float64(l.Requests) > 365*24:
		v.report(at, join(key, "burst"), fmt.Sprintf("rate_limit: a burst of %d takes more than a year to come back", l.Burst), "lower it, or allow more requests")
	}
}

func (v *validator) bandwidth(b Bandwidth, at place, key string) {
	switch {
	case b.Rate == 0:
		v.report(at, key, "bandwidth has no rate", `write { rate = "1M" }, bytes a second, or bandwidth = false`)
	case b.Rate < 1<<10 || b.Rate > 1<<30:
		v.report(at, join(key, "rate"), fmt.Sprintf("bandwidth: rate = %d bytes a second", b.Rate), `want "1K" to "1G", or bandwidth = false`)
	}
}

func (v *validator) cors(c CORS, at place, key string) {
	if len(c.Origins) == 0 {
		v.report(at, key, "cors has no origins", `write origins = ["https://example.com"], or cors = false`)
	}
	for i, origin := range c.Origins {
		here := join(key, "origins."+strconv.Itoa(i))
		if what, hint := parseOrigin(origin); what != "" {
			v.report(at, here, fmt.Sprintf("cors: origin %q %s", origin, what), hint)
		} else if origin == "*" && len(c.Origins) > 1 {
			v.report(at, here, `cors: "*" is beside other origins`, `it means all of them: leave the others out, or "*"`)
		} else if origin == "*" && c.Credentials {
			v.report(at, here, `cors: "*" with credentials would let every page act as its visitor`, "list the origins that may, or leave credentials out")
		}
	}
	for _, list := range []struct {
		key   string
		names []string
	}{{"methods", c.Methods}, {"headers", c.Headers}, {"expose", c.Expose}} {
		for i, name := range list.names {
			here := join(key, list.key+"."+strconv.Itoa(i))
			switch {
			case !httpguts.ValidHeaderFieldName(name): // a token, as methods are
				v.report(at, here, fmt.Sprintf("cors: %q in %s is no name", name, list.key), "write one name for each, in quotes, with commas between")
			case list.key == "methods" && strings.ToUpper(name) != name:
				v.report(at, here, fmt.Sprintf("cors: method %q", name), fmt.Sprintf("methods are compared with case: write %q", strings.ToUpper(name)))
			case name == "*" && c.Credentials:
				v.report(at, here, fmt.Sprintf(`cors: "*" in %s means nothing with credentials`, list.key), "list the names")
			}
		}
	}
	if c.MaxAge != 0 && time.Duration(c.MaxAge) < time.Second {
		v.report(at, join(key, "max_age"), fmt.Sprintf("cors: max_age = %v", c.MaxAge), `write "10m" or the like; a plain number is milliseconds`)
	}
}
