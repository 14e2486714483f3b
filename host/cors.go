package host

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"roost/internal/unit"
)

// CORS says which other sites' scripts may read the answers (the Fetch
// standard). What an app says about it itself is left out.
type CORS struct {
	// Origins are "https://example.com", "https://*.example.com" (not example.com itself), or "*" alone for all.
	Origins []string `toml:"origins" json:"origins,omitempty"`
	// Methods are those allowed; GET, HEAD, PUT, PATCH, POST and DELETE when absent.
	Methods []string `toml:"methods" json:"methods,omitempty"`
	// Headers are the fields that requests may have; when absent any.
	Headers []string `toml:"headers" json:"headers,omitempty"`
	// Expose are the fields of answers that scripts may read, beside the usual.
	Expose []string `toml:"expose" json:"expose,omitempty"`
	// Credentials allows cookies and logins; not with "*".
	Credentials bool `toml:"credentials" json:"credentials,omitempty"`
	// MaxAge is how long browsers remember the answer to a preflight; when absent their own choice, 5 s mostly.
	MaxAge unit.Duration `toml:"max_age" json:"max_age,omitzero"`
	Switch
}

// middleware is Echo's, and behind it what keeps its decision for the moment
// that the head is written: folders and apps set fields of their own.
func (c CORS) middleware() echo.MiddlewareFunc {
	config := middleware.CORSConfig{
		AllowMethods: c.Methods, AllowHeaders: c.Headers, ExposeHeaders: c.Expose,
		AllowCredentials: c.Credentials, MaxAge: int(time.Duration(c.MaxAge) / time.Second),
	}
	if slices.Equal(c.Origins, []string{"*"}) {
		config.AllowOrigins = c.Origins
	} else { // Echo's own patterns match more than one would think: "*" also what has slashes and colons in it
		config.AllowOriginFunc = func(origin string) (bool, error) { return c.allows(origin), nil }
	}
	asking := middleware.CORSWithConfig(config)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		keep := func(c echo.Context) error {
			h := c.Response().Header()
			if x := exchangeOf(c.Response().Writer); x != nil {
				x.cors = crossOrigin(h)
				h["Vary"] = slices.DeleteFunc(h["Vary"], func(name string) bool { return name == "Origin" }) // restore says so once
			}
			return next(c)
		}
		ask := asking(keep)
		return func(c echo.Context) error {
			r := c.Request()
			if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") != "" {
				return ask(c)
			}
			// OPTIONS that is no preflight is for the app; Echo answers it
			// itself. Under another name it is like any other request.
			other := *r
			other.Method = http.MethodGet
			c.SetRequest(&other)
			return asking(func(c echo.Context) error {
				c.SetRequest(r)
				return keep(c)
			})(c)
		}
	}
}

// allows says whether an origin is one of the list.
func (c CORS) allows(origin string) bool {
	for _, allowed := range c.Origins {
		before, after, wild := strings.Cut(allowed, "*")
		switch {
		case !wild && strings.EqualFold(origin, allowed):
			return true
		case wild && len(origin) > len(before)+len(after) && strings.EqualFold(origin[:len(before)], before) && strings.EqualFold(origin[len(origin)-len(after):], after):
			if label := origin[len(before) : len(origin)-len(after)]; !strings.ContainsFunc(label, notInName) {
				return true
			}
		}
	}
	return false
}

// notInName finds what no DNS name has.
func notInName(r rune) bool {
	return !(r == '.' || r == '-' || r == '_' || '0' <= r && r <= '9' || 'a' <= r|0x20 && r|0x20 <= 'z')
}

// parseOrigin says what is wrong with an origin of the list.
func parseOrigin(text string) (what, hint string) {
	const form = `write "https://example.com", "https://*.example.com", or "*" alone`
	if text == "*" {
		return "", ""
	}
	u, err := url.Parse(strings.Replace(text, "://*.", "://any.", 1))
	switch {
	case text == "null":
		return "is what any page can be made to send", "leave it out"
	case err != nil || u.Scheme == "" || u.Host == "" || strings.Contains(u.Host, "*"):
		return "is not an origin", form
	case u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || strings.ContainsAny(text, "?#"):
		return "has more than an origin", "leave out what follows the domain and its port"
	case u.Scheme == "http" && u.Port() == "80" || u.Scheme == "https" && u.Port() == "443":
		return "has the port that goes without saying", "browsers leave it out: leave out :" + u.Port()
	}
	return "", ""
}

const accessControl = "Access-Control-"

// crossOrigin takes the fields about other origins out of a head, to be put
// there again; none is not nil.
func crossOrigin(h http.Header) http.Header {
	kept := http.Header{}
	for name, values := range h {
		if strings.HasPrefix(name, accessControl) {
			kept[name] = values
			delete(h, name)
		}
	}
	return kept
}

// restore puts what the site says about other origins in place of what the app
// has said, and tells caches that it depends on who asks.
func restore(h, kept http.Header) {
	crossOrigin(h)
	for name, values := range kept {
		h[name] = values
	}
	for _, line := range h["Vary"] {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.TrimSpace(name); strings.EqualFold(name, "Origin") || name == "*" {
				return
			}
		}
	}
	h["Vary"] = append(slices.Clone(h["Vary"]), "Origin")
}
