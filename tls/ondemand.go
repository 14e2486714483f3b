package tls

import (
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/certmagic"
	"golang.org/x/net/idna"
)

// OnDemand is the table on_demand of a site: names that it answers and nobody
// lists get a certificate when a client first comes for them, if they may have
// one. What is in the storage is served without asking.
type OnDemand struct {
	// Allow are names that may; "*.example.com" is all below example.com.
	Allow []string `toml:"allow" json:"allow,omitempty"`
	// Ask is asked about every other name, by GET with ?domain=NAME: a URL, or a path of the site that leads to an app. 200
	// is yes; 3xx, 408, 429, 5xx and silence for 10 s are no answer; all else is no.
	Ask string `toml:"ask" json:"ask,omitempty"`
	// PerHour is how many certificates are ordered at most, as many at once after a pause; 60 when absent. Renewals do not count.
	PerHour int `toml:"per_hour" json:"per_hour,omitempty"`
	// PerHourPerClient is the same for what one address (of IPv6, one /64) comes for; 10 when absent.
	PerHourPerClient int `toml:"per_hour_per_client" json:"per_hour_per_client,omitempty"`
}

// Demand is one OnDemand and the names that it is for.
type Demand struct {
	OnDemand
	// Names are wildcards, each for all below it at any depth, and "*" for every name that nothing else is wanted for.
	Names []string
	// Issuer is where they come from, if not from where Config says.
	Issuer string
	// App is the app whose path Ask is; empty: Ask is a URL.
	App string
}

// Public reports whether name is one that certificates can be got for on
// demand: the name of a host in the public DNS, in canonical form. So are not
// addresses, names of one label, and what Internal reports.
func Public(name string) bool {
	if !hostname(name) || Internal(name) || strings.Contains(name, "_") || !certmagic.SubjectQualifiesForPublicCert(name) {
		return false
	}
	if last := name[strings.LastIndexByte(name, '.')+1:]; last[0] >= '0' && last[0] <= '9' {
		return false // an address that was miswritten (RFC 1123, section 2.1)
	}
	if strings.Contains(name, "xn--") {
		_, err := idna.Lookup.ToUnicode(name)
		return err == nil
	}
	return true
}

// ValidateOnDemand returns what is wrong with o as far as it says itself; nothing when it is nil.
func ValidateOnDemand(o *OnDemand) (all []Complaint) {
	if o == nil {
		return nil
	}
	complain := func(key, hint, format string, args ...any) {
		all = append(all, Complaint{key, fmt.Sprintf(format, args...), hint})
	}
	if len(o.Allow) == 0 && o.Ask == "" {
		complain("", "list them in allow, or set ask to a URL or to a path of the app that knows", "nothing says which names may have a certificate")
	}
	for i, name := range o.Allow {
		key := fmt.Sprintf("allow.%d", i)
		short, err := canonical(name)
		base, wild := strings.CutPrefix(short, "*.")
		switch {
		case name == "*":
			complain(key, "set ask to what knows the names: else whoever points a name at this box would have a certificate ordered", "%q allows every name", name)
		case err != nil || strings.Contains(base, "*"):
			complain(key, `write names such as "shop.example.com", and "*.example.com" for all below`, "%q is not a domain", name)
		case !Public(base) && (!wild || !Public("www."+base)):
			complain(key, "list names of the public DNS; private ones are served without it", "%s is not a public name", name)
		}
	}
	if o.Ask != "" && !strings.HasPrefix(o.Ask, "/") {
		const hint = `use the URL of a service such as "https://example.com/allowed", or a path of the site's app such as "/allowed"`
		u, err := url.Parse(o.Ask)
		switch {
		case err != nil || u.Scheme != "http" && u.Scheme != "https":
			complain("ask", hint, "%q is neither a URL nor a path", o.Ask)
		case u.Host == "":
			complain("ask", hint, "the URL %q names no host", o.Ask)
		case u.Scheme == "http" && !Internal(u.Hostname()):
			complain("ask", "use https; http is good enough only for private addresses", "what %s answers cannot be trusted over http", u.Host)
		}
	}
	for _, n := range []struct {
		key   string
		value int
	}{{"per_hour", o.PerHour}, {"per_hour_per_client", o.PerHourPerClient}} {
		if n.value < 0 {
			complain(n.key, "want at least 1, or leave it out", "%s = %d: not a number of certificates", n.key, n.value)
		}
	}
	return all
}

// demands are the Demands at work, as handshakes look them up: the longest
// wildcard, as requests are led to sites, or else that of all names. They never
// change.
type demands struct {
	all   []*demand
	below map[string]*demand
	any   *demand
}

func (d *demands) of(name string) *demand {
	if d == nil {
		return nil
	}
	for rest := name; ; {
		_, after, ok := strings.Cut(rest, ".")
		if !ok {
			return d.any
		}
		if one := d.below[after]; one != nil {
			return one
		}
		rest = after
	}
}

// newDemands puts all to work. What was wanted before in the same words goes
// on, with its memory; where the limits are the same, they go on counting.
func (c *Certs) newDemands(all []Demand, before *demands) *demands {
	if len(all) == 0 {
		return nil
	}
	next := &demands{below: map[string]*demand{}}
	for _, want := range all {
		want.Names, want.Allow = slices.Clone(want.Names), slices.Clone(want.Allow)
		one := c.newDemand(want)
		if before != nil {
			for _, was := range before.all {
				switch {
				case reflect.DeepEqual(was.Demand, want):
					one = was
				case slices.Equal(was.Names, want.Names) && was.PerHour == want.PerHour && was.PerHourPerClient == want.PerHourPerClient:
					one.quota = was.quota
				}
			}
		}
		next.all = append(next.all, one)
		for _, name := range want.Names {
			if name == "*" {
				next.any = one
			} else if name, err := canonical(name); err == nil {
				next.below[strings.TrimPrefix(name, "*.")] = one
			}
		}
	}
	return next
}

// bounds are what clients can make of the box by coming for names; tests set others.
type bounds struct {
	most      int           // names that are kept in memory; the least recently used go first
	waiting   int           // handshakes that wait for a certificate at a time,
	perClient int           // of one client
	patience  time.Duration // of each of them; less than a Listener's for a handshake

	loads, asks, orders int           // at a time
	ordering            int           // orders that are made or wait for that
	askTime             time.Duration // for an answer
	yes, no, undecided  time.Duration // how long an answer holds, and the lack of one
}

var usual = bounds{
	most: 10_000, waiting: 256, perClient: 64, patience: 8 * time.Second,
	loads: 8, asks: 32, orders: 8, ordering: 64, askTime: 10 * time.Second,
	yes: 10 * time.Minute, no: time.Minute, undecided: 5 * time.Second,
}
