package host

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"gopkg.in/natefinch/lumberjack.v2"

	"roost/tls"
)

// accessLog writes a line for each request, to one rotated file. Requests
// only append to a buffer, which is written as a whole a moment later; when
// the disk does not keep up or is full, lines are lost and counted, and no
// request waits.
type accessLog struct {
	log  *slog.Logger
	file io.WriteCloser
	wake chan struct{} // has a token when pending has begun to fill
	lost atomic.Uint64 // lines

	mu      sync.Mutex // held to copy a line
	pending []byte
	spare   []byte // what pending will be next
}

const (
	accessLogBuffer = 4 << 20               // bytes pending at most
	accessLogDelay  = 50 * time.Millisecond // until they are written
	accessLogSize   = 50                    // megabytes until the file is rotated
	accessLogFiles  = 10                    // rotated files kept
)

func newAccessLog(name string, log *slog.Logger) *accessLog {
	return &accessLog{
		log:  log,
		file: &lumberjack.Logger{Filename: name, MaxSize: accessLogSize, MaxBackups: accessLogFiles, Compress: true},
		wake: make(chan struct{}, 1),
	}
}

// run writes until ctx ends, then what is pending, and closes the file.
func (l *accessLog) run(ctx context.Context) {
	defer l.file.Close()
	var said time.Time
	delay := time.NewTimer(time.Hour)
	defer delay.Stop()
	for ended := false; !ended; {
		select {
		case <-l.wake:
			delay.Reset(accessLogDelay)
			select {
			case <-delay.C:
			case <-ctx.Done():
			}
		case <-ctx.Done():
			ended = true
		}
		batch := l.take()
		if len(batch) == 0 {
			continue
		}
		if _, err := l.file.Write(batch); err != nil {
			lost := l.lost.Add(uint64(bytes.Count(batch, []byte{'\n'})))
			if time.Since(said) > time.Minute {
				said = time.Now()
				l.log.Error("cannot write the access log", "error", err, "lines_lost", lost)
			}
		}
	}
}

// take returns what is pending; it is good until the next take but one.
func (l *accessLog) take() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	batch := l.pending
	l.pending, l.spare = l.spare[:0], batch
	return batch
}

var lines = sync.Pool{New: func() any { b := make([]byte, 0, 1024); return &b }}

// add notes that x has ended.
func (l *accessLog) add(x *exchange, took time.Duration, combined bool) {
	scratch := lines.Get().(*[]byte)
	defer lines.Put(scratch)
	var line []byte
	if combined {
		line = appendCombined((*scratch)[:0], x)
	} else {
		line = appendJSON((*scratch)[:0], x, took)
	}
	*scratch = line
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.pending)+len(line) > accessLogBuffer {
		if l.lost.Add(1) == 1 {
			l.log.Warn("the access log does not keep up, lines are lost")
		}
		return
	}
	l.pending = append(l.pending, line...)
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// appendJSON writes an object with always the same keys in the same order.
// Authorization and cookies are never written.
func appendJSON(b []byte, x *exchange, took time.Duration) []byte {
	r := x.request
	b = append(b, `{"time":"`...)
	b = x.start.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
	b = append(b, `","site":`...)
	b = appendQuoted(b, x.siteName())
	b = append(b, `,"client":`...)
	b = appendQuoted(b, clientAddress(r))
	b = append(b, `,"user":`...)
	b = appendQuoted(b, x.user)
	b = append(b, `,"method":`...)
	b = appendQuoted(b, r.Method)
	b = append(b, `,"host":`...)
	b = appendQuoted(b, r.Host)
	b = append(b, `,"path":`...)
	b = appendQuoted(b, r.RequestURI)
	b = append(b, `,"proto":`...)
	b = appendQuoted(b, r.Proto)
	b = append(b, `,"status":`...)
	b = strconv.AppendInt(b, int64(x.status), 10)
	b = append(b, `,"bytes":`...)
	b = strconv.AppendInt(b, x.sent(), 10)
	b = append(b, `,"duration_ms":`...)
	b = strconv.AppendFloat(b, float64(took.Microseconds())/1000, 'f', 3, 64)
	b = append(b, `,"referer":`...)
	b = appendQuoted(b, r.Header.Get("Referer"))
	b = append(b, `,"user_agent":`...)
	b = appendQuoted(b, r.Header.Get("User-Agent"))
	b = append(b, `,"lane":"full","app":`...)
	b = appendQuoted(b, x.app)
	b = append(b, `,"tls":`...)
	b = appendQuoted(b, tlsVersion(r))
	return append(b, "}\n"...)
}

// appendCombined writes Apache's combined format, which many tools read and
// which does not tell the sites apart.
func appendCombined(b []byte, x *exchange) []byte {
	r := x.request
	b = append(b, clientAddress(r)...)
	b = append(b, " - "...)
	b = append(b, cmp.Or(x.user, "-")...)
	b = append(b, " ["...)
	b = x.start.AppendFormat(b, "02/Jan/2006:15:04:05 -0700")
	b = append(b, `] `...)
	b = appendEscaped(b, r.Method+" "+r.RequestURI+" "+r.Proto, `\x`)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(x.status), 10)
	b = append(b, ' ')
	if n := x.sent(); n > 0 {
		b = strconv.AppendInt(b, n, 10)
	} else {
		b = append(b, '-')
	}
	for _, name := range []string{"Referer", "User-Agent"} {
		b = append(b, ' ')
		if v := r.Header.Get(name); v != "" {
			b = appendEscaped(b, v, `\x`)
		} else {
			b = append(b, `"-"`...)
		}
	}
	return append(b, '\n')
}

func (x *exchange) siteName() string {
	if x.site == nil {
		return ""
	}
	return x.site.name
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

const hex = "0123456789abcdef"

// appendQuoted writes s as a JSON string (RFC 8259 section 7).
func appendQuoted(b []byte, s string) []byte { return appendEscaped(b, s, `\u00`) }

// appendEscaped writes s in quotes, control characters as control and two
// hexadecimal digits. What is not UTF-8 becomes U+FFFD.
func appendEscaped(b []byte, s, control string) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ' || c == 0x7f:
			b = append(b, control...)
			b = append(b, hex[c>>4], hex[c&15])
		case c < utf8.RuneSelf:
			b = append(b, c)
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			b = utf8.AppendRune(b, r)
			i += size
			continue
		}
		i++
	}
	return append(b, '"')
}
