package host

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
)

// behind is a running box whose one site is h behind a chain of middleware.
func behind(t *testing.T, h http.Handler, chain ...echo.MiddlewareFunc) *box {
	b := newBox(t)
	b.settled(Config{Sites: []Site{{Domains: []string{"localhost"}, RedirectHTTPS: no(), Target: Target{Root: b.folder(nil)}}}})
	h = b.front.middleware.before(h, chain...)
	b.front.router.Store(newRouter(Config{Sites: []Site{{RedirectHTTPS: no(), Target: Target{App: "x"}}}}, handlerTargets{handler: h}))
	return b
}

// passing is a middleware that leaves its name in the answer.
func passing(name string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			c.Response().Header().Add("X-Passed", name)
			return next(c)
		}
	}
}

func TestMiddlewareRefusesWithOurErrorPages(t *testing.T) {
	refusing := func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			switch c.Request().URL.Path {
			case "/auth":
				c.Response().Header().Set("WWW-Authenticate", `basic realm="x"`)
				return echo.NewHTTPError(401, "the reason is nobody's business")
			case "/told": // as RateLimiter does it
				c.Response().Header().Set("Retry-After", "7")
				c.Error(echo.NewHTTPError(429, "the reason is nobody's business"))
				return nil
			case "/broken":
				return errors.New("the reason is nobody's business")
			}
			return next(c)
		}
	}
	b := behind(t, asApp(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "content") }), passing("outer"), refusing, passing("inner"))
	for _, http2 := range []bool{false, true} {
		c := b.client(http2)
		for path, want := range map[string]struct {
			status      int
			field, text string
		}{
			"/auth": {401, "WWW-Authenticate", `basic realm="x"`}, "/told": {429, "Retry-After", "7"},
			"/broken": {500, "X-Passed", "outer"}, "/": {200, "X-Passed", "outer, inner"},
		} {
			res, body := b.get(c, "https://localhost"+path)
			if res.StatusCode != want.status || strings.Join(res.Header.Values(want.field), ", ") != want.text {
				t.Errorf("%s: %d, %s %q", path, res.StatusCode, want.field, res.Header.Values(want.field))
			}
			page := strings.Contains(body, "<!doctype html>") && res.Header.Get("Cache-Control") == "no-store"
			if page != (want.status != 200) || strings.Contains(body, "nobody's business") {
				t.Errorf("%s: %q", path, body)
			}
		}
	}
}

func TestWithoutMiddlewareEchoIsNotTouched(t *testing.T) {
	next := &http.ServeMux{}
	if got := newEchoes(nil).before(next); got != next {
		t.Errorf("%T instead of the handler itself", got)
	}
}
