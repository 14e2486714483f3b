package host

import (
	"net/http"
	"strconv"
	"time"
)

// retryLater is when visitors of a closed site are asked to come again.
const retryLater = 5 * time.Minute

// maintenance is the Retry-After of a site that is closed, nil while it is open.
func (s Site) maintenance() []string {
	if !s.Maintenance && !s.Closed {
		return nil
	}
	return []string{strconv.Itoa(seconds(s.RetryAfter.Or(retryLater)))}
}

// closed answers that the site is being worked on.
func (f *front) closed(x *exchange, r *http.Request) {
	x.Header()["Retry-After"] = x.site.maintenance
	f.Error(x, r, http.StatusServiceUnavailable)
}
