package express

import (
	"net/http"
	"sync/atomic"
	"time"
)

// dated is a value of Date and the second that it is good for.
type dated struct {
	second int64
	text   [len(http.TimeFormat)]byte
}

var lastDate atomic.Pointer[dated]

// appendDate appends the value of Date at now (RFC 9110 section 6.6.1), which
// is made once a second.
func appendDate(b []byte, now time.Time) []byte {
	d := lastDate.Load()
	if d == nil || d.second != now.Unix() {
		d = &dated{second: now.Unix()}
		now.UTC().AppendFormat(d.text[:0], http.TimeFormat)
		lastDate.Store(d)
	}
	return append(b, d.text[:]...)
}
