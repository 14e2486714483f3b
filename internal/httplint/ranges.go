package httplint

import (
	"bytes"
	"fmt"
	"mime"
	"net/http"
	"net/textproto"
	"strings"
)

// contentRange is a Content-Range (RFC 9110 section 14.4): bytes first to last of size.
type contentRange struct{ first, last, size int64 }

func parseContentRange(text string) (c contentRange, ok bool) {
	_, err := fmt.Sscanf(text, "bytes %d-%d/%d", &c.first, &c.last, &c.size)
	ok = err == nil && c.first >= 0 && c.first <= c.last && c.last < c.size && text == c.String()
	return c, ok
}

func (c contentRange) String() string { return fmt.Sprintf("bytes %d-%d/%d", c.first, c.last, c.size) }

func (c contentRange) length() int64 { return c.last - c.first + 1 }

// rangeFields checks Content-Range and Accept-Ranges (RFC 9110 section 14).
func rangeFields(a *answer) {
	if !a.ours() {
		return
	}
	text := a.value("Content-Range")
	kind, parameters, _ := mime.ParseMediaType(a.value("Content-Type"))
	if units := a.value("Accept-Ranges"); units != "" && units != "bytes" && units != "none" {
		a.say("Accept-Ranges %q", units)
	}
	switch a.status {
	case http.StatusPartialContent:
		if a.request != nil && (a.asked("Range") == "" || a.method != http.MethodGet) {
			a.say("a 206 to %s, Range %q", a.method, a.asked("Range"))
		}
		if tag := a.asked("If-Range"); strings.HasPrefix(tag, "\"") && tag != a.value("ETag") || strings.HasPrefix(tag, "W/") {
			a.say("a 206 of ETag %s, If-Range is %s", a.value("ETag"), tag)
		}
		if kind == "multipart/byteranges" {
			if text != "" {
				a.say("Content-Range beside multipart/byteranges, RFC 9110 section 15.3.7.2")
			}
			if parameters["boundary"] == "" {
				a.say("multipart/byteranges without boundary")
			}
			if asked := a.asked("Range"); a.request != nil && !strings.Contains(asked, ",") {
				a.say("multipart/byteranges for one range, RFC 9110 section 15.3.7.2")
			}
			return
		}
		c, ok := parseContentRange(text)
		switch {
		case !ok:
			a.say("a 206 with Content-Range %q", text)
		case a.length >= 0 && c.length() != a.length:
			a.say("Content-Range %q, Content-Length %d", text, a.length)
		}
	case http.StatusRequestedRangeNotSatisfiable:
		var size int64
		if _, err := fmt.Sscanf(text, "bytes */%d", &size); err != nil || text != fmt.Sprintf("bytes */%d", size) {
			a.say("a 416 with Content-Range %q, RFC 9110 section 15.5.17", text)
		}
		if a.request != nil && a.asked("Range") == "" {
			a.say("a 416 that nobody asked for")
		}
	default:
		if text != "" {
			a.say("Content-Range on a %d", a.status)
		}
		if kind == "multipart/byteranges" {
			a.say("multipart/byteranges on a %d", a.status)
		}
	}
}

// multipartBody checks the parts of multipart/byteranges (RFC 9110 section 14.6, 2046 section 5.1.1).
func multipartBody(a *answer) {
	kind, parameters, _ := mime.ParseMediaType(a.value("Content-Type"))
	if a.status != http.StatusPartialContent || kind != "multipart/byteranges" || a.body == nil || !a.ours() {
		return
	}
	boundary := []byte("--" + parameters["boundary"])
	rest, ok := bytes.CutPrefix(a.body, append(bytes.Clone(boundary), '\r', '\n'))
	var size int64 = -1
	for n := 1; ; n++ {
		if !ok {
			a.say("part %d does not begin after its boundary", n)
			return
		}
		head, body, ended := bytes.Cut(rest, []byte("\r\n\r\n"))
		fields := map[string]string{}
		for line := range strings.SplitSeq(string(head), "\r\n") {
			name, value, colon := strings.Cut(line, ":")
			if !colon || !isToken(name) || strings.ContainsAny(value, "\r\n") {
				a.say("part %d has the line %q", n, line)
			}
			fields[textproto.CanonicalMIMEHeaderKey(name)] = strings.TrimSpace(value)
		}
		c, good := parseContentRange(fields["Content-Range"])
		if !ended || !good || fields["Content-Type"] == "" {
			a.say("part %d has the head %q", n, head)
			return
		}
		if size >= 0 && c.size != size {
			a.say("parts are of %d and of %d bytes", size, c.size)
		}
		size = c.size
		if int64(len(body)) < c.length() {
			a.say("part %d has %d bytes, Content-Range %v", n, len(body), c)
			return
		}
		rest, ok = bytes.CutPrefix(body[c.length():], append([]byte("\r\n"), boundary...))
		if !ok {
			a.say("part %d does not end after %v", n, c)
			return
		}
		if string(rest) == "--\r\n" || string(rest) == "--" {
			return
		}
		rest, ok = bytes.CutPrefix(rest, []byte("\r\n"))
	}
}
