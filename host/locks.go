package host

import (
	"encoding/json"
	"net/http"

	"github.com/labstack/echo/v4"
)

// locks stand before targets, and remember clients: how often they have
// asked, whose password was right. A lock that the next Config wants too, at
// the same place and alike, goes on with what it knows.
type locks struct {
	*echoes
	limits kept[*rateLimit]
	auths  kept[*basicAuth]
}

func newLocks(e *echoes) *locks {
	ls := &locks{echoes: e}
	ls.next()
	return ls
}

// next begins another Config.
func (ls *locks) next() {
	ls.limits.next()
	ls.auths.next()
}

// kept are things by what they were made for.
type kept[T any] struct{ before, now map[string]T } // the last Config and this one

func (k *kept[T]) next() { k.before, k.now = k.now, map[string]T{} }

func (k *kept[T]) of(what string, make func() T) T {
	if made, ok := k.now[what]; ok {
		return made
	}
	made, ok := k.before[what]
	if !ok {
		made = make()
	}
	k.now[what] = made
	return made
}

// whose is where a key of a route was said: there, or for all of its site.
func whose(site, path string, mine bool) string {
	if !mine {
		path = "/"
	}
	return site + " " + path
}

// lock is what lets a request through to a target, or does not.
type lock struct {
	limit *rateLimit // nil: none
	auth  *basicAuth // nil: nobody is asked
	body  int64      // bytes at most; 0: any
}

// lock makes the one of a route. own is what was said at path of a site, p with
// what it has from the site.
func (ls *locks) lock(site, path string, own, p Protection) (l lock) {
	if c := p.RateLimit; c != nil {
		at := whose(site, path, own.RateLimit != nil) + said(c)
		l.limit = ls.limits.of(at, func() *rateLimit { return newRateLimit(*c) })
	}
	if c := p.BasicAuth; c != nil {
		at := whose(site, path, own.BasicAuth != nil) + said(c)
		l.auth = ls.auths.of(at, func() *basicAuth { return newBasicAuth(*c) })
	}
	if p.MaxBody != nil {
		l.body = int64(*p.MaxBody)
	}
	return l
}

// but is what l does and other does not.
func (l lock) but(other lock) lock {
	if l.limit == other.limit {
		l.limit = nil
	}
	if l.auth == other.auth {
		l.auth = nil
	}
	if other.body > 0 && l.body >= other.body {
		l.body = 0
	}
	return l
}

// before puts cors, which may be nil, and a lock in front of a target. CORS
// comes first: preflights come without a password, and that a request was
// refused must be told to the scripts of other origins as well.
func (ls *locks) before(target http.Handler, cors *CORS, l lock) http.Handler {
	var chain []echo.MiddlewareFunc
	if cors != nil {
		chain = append(chain, cors.middleware())
	}
	if l.limit != nil {
		chain = append(chain, l.limit.middleware())
	}
	if l.auth != nil {
		chain = append(chain, l.auth.middleware())
	}
	if l.body > 0 {
		target = limitBody(target, l.body, ls.fail)
	}
	return ls.echoes.before(target, chain...)
}

// said is the same for what says the same.
func said(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic("cannot encode a protection: " + err.Error()) // plain data
	}
	return string(text)
}
