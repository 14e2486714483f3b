package host

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"
)

// echoes runs Echo's middleware before handlers of ours. Echo decides; it
// carries nothing:
//
//	before.ServeHTTP(x, r) ─ middleware ─ … ─ next.ServeHTTP(x, r)
//	                           └ *echo.HTTPError ─ fail(x, r, status)
//
// The handler answers on the ResponseWriter that came in, not on Echo's
// Response, which has no ReadFrom (sendfile would be lost) and panics where
// there is nothing to flush.
type echoes struct {
	echo *echo.Echo
	// fail writes the error page of a status. The fields that a middleware has
	// set in the answer (WWW-Authenticate, Retry-After) are in its head.
	fail func(w http.ResponseWriter, r *http.Request, status int)
}

func newEchoes(fail func(http.ResponseWriter, *http.Request, int)) *echoes {
	e := &echoes{echo: echo.New(), fail: fail}
	e.echo.HTTPErrorHandler = e.failed
	// Whoever asks Echo for the address gets that of the connection, which
	// clientaddress.go has made the client's: by default it believes anyone's
	// X-Forwarded-For. The scheme likewise.
	e.echo.IPExtractor = echo.ExtractIPDirect()
	e.echo.SchemeExtractor = func(r *http.Request) string {
		if r.TLS != nil {
			return "https"
		}
		return "http"
	}
	return e
}

// before puts a chain of middleware in front of next, the first outermost. Without
// any it is next itself. A middleware must not wrap the writer and must not
// keep the context.
func (e *echoes) before(next http.Handler, chain ...echo.MiddlewareFunc) http.Handler {
	if len(chain) == 0 {
		return next
	}
	do := echo.HandlerFunc(func(c echo.Context) error {
		next.ServeHTTP(c.Response().Writer, c.Request())
		return nil
	})
	for i := len(chain) - 1; i >= 0; i-- {
		do = chain[i](do)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := e.echo.AcquireContext()
		defer func() {
			c.Reset(nil, nil)
			e.echo.ReleaseContext(c)
		}()
		c.Reset(r, w)
		if err := do(c); err != nil {
			e.failed(err, c)
		}
	})
}

// failed answers with the page of an error, if nothing was answered yet: that
// of its status, 500 for any that has none. What it says stays here, visitors
// are told no reasons.
func (e *echoes) failed(err error, c echo.Context) {
	w := c.Response().Writer
	if x := exchangeOf(w); x != nil && x.status != 0 {
		return
	}
	status := http.StatusInternalServerError
	var known *echo.HTTPError
	if errors.As(err, &known) {
		status = known.Code
	}
	e.fail(w, c.Request(), status)
}
