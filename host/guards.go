package host

import (
	"encoding/json"
	"net/http"

	"github.com/labstack/echo/v4"
)

// guards stand before targets, and remember clients: how often they have
// asked, whose password was right. A guard that the next Config wants too, at
// the same place and alike, goes on with what it knows.
type guards struct {
	*echoes
	limits kept[*rateLimit]
	auths  kept[*basicAuth]
}

func newGuards(e *echoes) *guards {
	g := &guards{echoes: e}
	g.next()
	return g
}

// next begins another Config.
func (g *guards) next() {
	g.limits.next()
	g.auths.next()
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

// asks is the middleware that asks who it is, none when nobody is asked. own
// is what was said at path of a site, p with what it has from the site.
func (g *guards) asks(site, path string, own, p Protection) []echo.MiddlewareFunc {
	a := p.BasicAuth
	if a == nil {
		return nil
	}
	at := whose(site, path, own.BasicAuth != nil) + said(a)
	return []echo.MiddlewareFunc{g.auths.of(at, func() *basicAuth { return newBasicAuth(*a) }).middleware()}
}

// before puts what p wants in front of a target. CORS comes first: preflights
// come without a password, and that a request was refused must be told to the
// scripts of other origins as well.
func (g *guards) before(target http.Handler, site, path string, own, p Protection) http.Handler {
	var chain []echo.MiddlewareFunc
	if c := p.CORS; c != nil {
		chain = append(chain, c.middleware())
	}
	if l := p.RateLimit; l != nil {
		at := whose(site, path, own.RateLimit != nil) + said(l)
		chain = append(chain, g.limits.of(at, func() *rateLimit { return newRateLimit(*l) }).middleware())
	}
	chain = append(chain, g.asks(site, path, own, p)...)
	if p.MaxBody != nil && *p.MaxBody > 0 {
		target = limitBody(target, int64(*p.MaxBody), g.fail)
	}
	return g.echoes.before(target, chain...)
}

// said is the same for what says the same.
func said(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic("cannot encode a protection: " + err.Error()) // plain data
	}
	return string(text)
}
