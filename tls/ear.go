package tls

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"go.uber.org/zap/zapcore"
)

// ear listens to what certmagic and acmez log of one order, for they say some things there alone.
type ear struct {
	zapcore.Core // hears all that is of a level that anybody wants

	mu  sync.Mutex
	has heard
}

// heard is what an ear has heard.
type heard struct {
	after     time.Duration // until the CA wants to be asked again (RFC 8555, section 6.6)
	failed    int           // challenges, which CAs count
	unchained bool          // no chain of certificates is as preferred
}

// Enabled implements zapcore.Core: the ear hears everything.
func (*ear) Enabled(zapcore.Level) bool { return true }

// With implements zapcore.Core; what it would add is of no interest.
func (e *ear) With([]zapcore.Field) zapcore.Core { return e }

// Check implements zapcore.Core.
func (e *ear) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	return checked.AddCore(entry, e)
}

// Write implements zapcore.Core.
func (e *ear) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	switch entry.Message {
	case "http request":
		e.answered(fields)
	case "challenge failed":
		e.mu.Lock()
		e.has.failed++
		e.mu.Unlock()
	case "did not find chain matching preferences; using first":
		e.mu.Lock()
		e.has.unchained = true
		e.mu.Unlock()
	}
	if e.Core.Enabled(entry.Level) {
		return e.Core.Write(entry, fields)
	}
	return nil
}

// answered looks at an answer of the CA.
func (e *ear) answered(fields []zapcore.Field) {
	var status int64
	var header http.Header
	for _, f := range fields {
		switch f.Key {
		case "status_code":
			status = f.Integer
		case "response_headers":
			header, _ = f.Interface.(http.Header)
		}
	}
	if status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.has.after = retryAfter(header.Get("Retry-After"), time.Now())
}

func (e *ear) heard() heard {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.has
}

// retryAfter reads the field of that name (RFC 9110, section 10.2.3); 0 when it says nothing.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
