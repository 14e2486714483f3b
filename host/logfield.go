package host

import (
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"roost/tls"
)

// logField appends what a field of the access log is for an exchange; nothing
// where there is nothing to say.
type logField struct {
	append func(b []byte, f *logFormat, it *logItem, x *exchange, took time.Duration) []byte
	number bool // always
}

// logFields are called as in nginx's log_format where nginx has them.
var logFields = map[string]*logField{
	"remote_addr":     {append: appendClient},
	"remote_user":     logText(func(x *exchange) string { return x.user }),
	"request_method":  logText(func(x *exchange) string { return x.request.Method }),
	"server_protocol": logText(func(x *exchange) string { return x.request.Proto }),
	"host":            logText(func(x *exchange) string { return x.domain }),
	"scheme":          logText(func(x *exchange) string { return scheme(x.request) }),
	"site":            logText((*exchange).siteName),
	"app":             logText(func(x *exchange) string { return x.app }),
	"lane":            logText(func(x *exchange) string { return x.link.lane() }),
	"tls":             logText(func(x *exchange) string { return tlsVersion(x.request) }),
	"ssl_protocol": {append: func(b []byte, _ *logFormat, _ *logItem, x *exchange, _ time.Duration) []byte {
		if v := tlsVersion(x.request); v != "" && v != "proxy" {
			b = append(append(b, "TLSv"...), v...)
		}
		return b
	}},
	"ssl_cipher": logText(func(x *exchange) string { return tls.CipherOf(x.request.TLS) }),
	"ssl_server_name": logText(func(x *exchange) string {
		if x.request.TLS == nil {
			return ""
		}
		return x.request.TLS.ServerName
	}),

	"request_uri": {append: func(b []byte, f *logFormat, it *logItem, x *exchange, _ time.Duration) []byte {
		return f.appendText(b, x.request.RequestURI, it.stops, false)
	}},
	"uri": {append: func(b []byte, f *logFormat, it *logItem, x *exchange, _ time.Duration) []byte {
		return f.appendText(b, x.path, it.stops, false)
	}},
	"args": {append: func(b []byte, f *logFormat, it *logItem, x *exchange, _ time.Duration) []byte {
		_, query, _ := strings.Cut(x.request.RequestURI, "?")
		return f.appendText(b, query, it.stops, true)
	}},
	"upstream_addr": {append: func(b []byte, f *logFormat, it *logItem, x *exchange, _ time.Duration) []byte {
		if x.instance.network == "unix" {
			b = append(b, "unix:"...)
		}
		return it.stops.escape(b, x.instance.address, f.json)
	}},
	"upstream_header_time": {append: func(b []byte, _ *logFormat, _ *logItem, x *exchange, _ time.Duration) []byte {
		if x.instance.at.IsZero() {
			return b
		}
		return appendSeconds(b, x.instance.at.Sub(x.start))
	}},
	"instance": {append: func(b []byte, _ *logFormat, _ *logItem, x *exchange, _ time.Duration) []byte {
		if x.instance.at.IsZero() {
			return b
		}
		return strconv.AppendInt(b, int64(x.instance.slot), 10)
	}},

	"status": logNumber(func(b []byte, x *exchange, _ time.Duration) []byte { return strconv.AppendInt(b, int64(x.status), 10) }),
	"body_bytes_sent": logNumber(func(b []byte, x *exchange, _ time.Duration) []byte {
		return strconv.AppendInt(b, x.sent(), 10)
	}),
	"request_time": logNumber(func(b []byte, _ *exchange, took time.Duration) []byte { return appendSeconds(b, took) }),
	"duration_ms": logNumber(func(b []byte, _ *exchange, took time.Duration) []byte {
		return appendThousandths(b, took.Microseconds())
	}),
	"msec": logNumber(func(b []byte, x *exchange, _ time.Duration) []byte {
		return appendThousandths(b, x.start.UnixMilli())
	}),
	"time":         logTime("2006-01-02T15:04:05.000Z", time.Time.UTC),
	"time_iso8601": logTime("2006-01-02T15:04:05-07:00", time.Time.Local),
	"time_local":   logTime("02/Jan/2006:15:04:05 -0700", time.Time.Local),
}

// logFieldsOfNginx are fields that formats brought from there may have, by what
// comes nearest here.
var logFieldsOfNginx = map[string]string{
	"request_id": "http_x_request_id", "bytes_sent": "body_bytes_sent", "server_name": "site", "document_uri": "uri", "query_string": "args",
	"upstream_status": "status", "upstream_response_time": "upstream_header_time", "proxy_protocol_addr": "remote_addr", "realip_remote_addr": "remote_addr",
}

// requestField and answerField are header fields, of the request and of the
// answer as the target has left it.
var (
	requestField = &logField{append: func(b []byte, f *logFormat, it *logItem, x *exchange, _ time.Duration) []byte {
		if it.name == "Host" { // which net/http keeps elsewhere
			return it.stops.escape(b, x.request.Host, f.json)
		}
		return f.appendValues(b, x.request.Header, it)
	}}
	answerField = &logField{append: func(b []byte, f *logFormat, it *logItem, x *exchange, _ time.Duration) []byte {
		return f.appendValues(b, x.Header(), it)
	}}
)

// logText is a field of which nothing is redacted.
func logText(of func(*exchange) string) *logField {
	return &logField{append: func(b []byte, f *logFormat, it *logItem, x *exchange, _ time.Duration) []byte {
		return it.stops.escape(b, of(x), f.json)
	}}
}

func logNumber(write func([]byte, *exchange, time.Duration) []byte) *logField {
	return &logField{number: true, append: func(b []byte, _ *logFormat, _ *logItem, x *exchange, took time.Duration) []byte {
		return write(b, x, took)
	}}
}

// logTime is a time whose seconds are written once for all requests of one. Of
// what is shorter there may be ".000" in the layout.
func logTime(layout string, where func(time.Time) time.Time) *logField {
	type second struct {
		unix int64
		text string
	}
	var last atomic.Pointer[second]
	whole, zone, exact := strings.Cut(layout, ".000")
	return &logField{append: func(b []byte, _ *logFormat, _ *logItem, x *exchange, _ time.Duration) []byte {
		now := last.Load()
		if now == nil || now.unix != x.start.Unix() {
			now = &second{x.start.Unix(), where(x.start).Format(whole)}
			last.Store(now)
		}
		b = append(b, now.text...)
		if exact {
			b = append(appendThree(append(b, '.'), int64(x.start.Nanosecond()/int(time.Millisecond))), zone...)
		}
		return b
	}}
}

func appendSeconds(b []byte, d time.Duration) []byte {
	return appendThousandths(b, d.Milliseconds())
}

// appendThousandths writes n thousandths with a point.
func appendThousandths(b []byte, n int64) []byte {
	n = max(n, 0)
	return appendThree(append(strconv.AppendInt(b, n/1000, 10), '.'), n%1000)
}

func appendThree(b []byte, n int64) []byte {
	return append(b, byte('0'+n/100), byte('0'+n/10%10), byte('0'+n%10))
}

// appendValues writes all values of a header field.
func (f *logFormat) appendValues(b []byte, h http.Header, it *logItem) []byte {
	for i, value := range h[it.name] {
		if i > 0 {
			b = append(b, ',')
		}
		b = f.appendText(b, value, it.stops, false)
	}
	return b
}

func (x *exchange) siteName() string {
	if x.site == nil {
		return ""
	}
	return x.site.name
}

func scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// tlsVersion is "1.3", "1.2", "proxy" where a trusted one has spoken TLS with
// the client, or empty for plain HTTP.
func tlsVersion(r *http.Request) string {
	switch {
	case r.TLS == nil:
		return ""
	case r.TLS == tls.Elsewhere:
		return "proxy"
	case r.TLS.Version == 0x0304: // RFC 8446 section 4.2.1
		return "1.3"
	case r.TLS.Version == 0x0303:
		return "1.2"
	}
	return "?"
}
