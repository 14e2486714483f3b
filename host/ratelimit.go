package host

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"roost/internal/unit"
)

// RateLimit bounds how often a client may ask: an address, of IPv6 a network
// of 64 bits. Who asks more gets 429 with Retry-After.
type RateLimit struct {
	// Requests in each Per; at least 1.
	Requests int `toml:"requests" json:"requests,omitempty"`
	// Per is one second when absent.
	Per unit.Duration `toml:"per" json:"per,omitzero"`
	// Burst is how many may come at once after a pause; Requests when absent.
	Burst int `toml:"burst" json:"burst,omitempty"`
	Switch
}

// rateLimit is Echo's store of a limit: its own memory of clients is not bounded.
type rateLimit struct {
	buckets *tokenBuckets
	policy  []string
}

func newRateLimit(c RateLimit) *rateLimit {
	per := c.Per.Or(time.Second)
	size := c.Burst
	if size == 0 {
		size = c.Requests
	}
	return &rateLimit{
		buckets: newTokenBuckets(size, per/time.Duration(c.Requests)),
		policy:  []string{fmt.Sprintf(`"client";q=%d;w=%d`, c.Requests, seconds(per))},
	}
}

// Allow is for Echo.
func (l *rateLimit) Allow(client string) (bool, error) {
	if wait := l.buckets.take(client); wait > 0 {
		return false, tooSoon(wait)
	}
	return true, nil
}

// tooSoon is how long a client has to wait.
type tooSoon time.Duration

func (t tooSoon) Error() string {
	return fmt.Sprintf("too many requests, %v to wait", time.Duration(t))
}

func (l *rateLimit) middleware() echo.MiddlewareFunc {
	return middleware.RateLimiterWithConfig(middleware.RateLimiterConfig{
		Store:               l,
		IdentifierExtractor: func(c echo.Context) (string, error) { return clientKey(c.Request()), nil },
		DenyHandler: func(c echo.Context, _ string, err error) error {
			h := c.Response().Header()
			h["Ratelimit-Policy"] = l.policy // draft-ietf-httpapi-ratelimit-headers
			if wait, ok := err.(tooSoon); ok {
				retryAfter(h, time.Duration(wait))
			}
			return echo.ErrTooManyRequests
		},
	})
}

// retryAfter sets Retry-After, in whole seconds.
func retryAfter(h http.Header, wait time.Duration) {
	h.Set("Retry-After", strconv.Itoa(seconds(wait)))
}

// seconds rounds up, and is at least one.
func seconds(d time.Duration) int { return int(max(1, (d+time.Second-1)/time.Second)) }
