package httplint

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) { os.Exit(Run(m)) }

// raw makes an answer of lines, with a Date unless there is one. What follows
// an empty line is the body.
func raw(lines ...string) string {
	head, body := lines, ""
	if i := slices.Index(lines, ""); i >= 0 {
		head, body = lines[:i], strings.Join(lines[i+1:], "\r\n")
	}
	text := head[0] + "\r\n"
	if !strings.Contains(strings.Join(head, "\n"), "Date:") && !strings.HasPrefix(head[0], "HTTP/1.1 1") {
		text += "Date: " + time.Now().UTC().Format(http.TimeFormat) + "\r\n"
	}
	for _, line := range head[1:] {
		text += strings.ReplaceAll(line, "NOW", time.Now().UTC().Format(http.TimeFormat)) + "\r\n"
	}
	return text + "\r\n" + body
}

const (
	get  = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"
	head = "HEAD / HTTP/1.1\r\nHost: a.test\r\n\r\n"
)

func asking(fields ...string) string {
	return "GET /x HTTP/1.1\r\nHost: a.test\r\n" + strings.Join(fields, "\r\n") + "\r\n\r\n"
}

var (
	ok      = []string{"HTTP/1.1 200 OK", "Content-Type: text/plain; charset=utf-8", "X-Content-Type-Options: nosniff"}
	failed  = []string{"HTTP/1.1 404 Not Found", "Content-Length: 0", "Cache-Control: no-store"}
	nothing = []string{"HTTP/1.1 200 OK", "Content-Length: 0"}
	part    = []string{"HTTP/1.1 206 Partial Content", "Content-Type: text/plain; charset=utf-8", "X-Content-Type-Options: nosniff", "Accept-Ranges: bytes", "Etag: \"a\""}
	parts   = []string{"HTTP/1.1 206 Partial Content", "Content-Type: multipart/byteranges; boundary=B", "X-Content-Type-Options: nosniff"}
)

func with(start []string, more ...string) string {
	return raw(append(slices.Clone(start), more...)...)
}

func zip(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, text)
	w.Close()
	return b.String()
}

func TestAGoodAnswerIsNotComplainedOf(t *testing.T) {
	packed := zip("hello")
	twoParts := "--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/9\r\n\r\nab\r\n--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 4-6/9\r\n\r\nefg\r\n--B--\r\n"
	for name, test := range map[string]struct{ request, answer string }{
		"by length":         {get, with(ok, "Content-Length: 5", "", "hello")},
		"by chunks":         {get, with(ok, "Transfer-Encoding: chunked", "", "5", "hello", "0", "", "")},
		"with a trailer":    {get, with(ok, "Transfer-Encoding: chunked", "Trailer: X", "", "5", "hello", "0", "X: 1", "", "")},
		"until the end":     {"GET / HTTP/1.0\r\n\r\n", with(ok, "Connection: close", "", "hello")},
		"two":               {get + head, with(ok, "Content-Length: 1", "", "a") + with(ok, "Content-Length: 1", "Connection: close")},
		"after an interim":  {get, raw("HTTP/1.1 103 Early Hints", "Link: </a.css>; rel=preload") + with(nothing)},
		"no content":        {get, raw("HTTP/1.1 204 No Content")},
		"another protocol":  {get, raw("HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: websocket", "") + "anything"},
		"not modified":      {asking(`If-None-Match: "b", W/"a"`), raw("HTTP/1.1 304 Not Modified", `ETag: "a"`)},
		"a part":            {asking("Range: bytes=0-1"), with(part, "Content-Range: bytes 0-1/9", "Content-Length: 2", "", "ab")},
		"parts":             {asking("Range: bytes=0-1,4-6"), with(parts, fmt.Sprint("Content-Length: ", len(twoParts)), "", twoParts)},
		"no such part":      {asking("Range: bytes=9-"), raw("HTTP/1.1 416 Range Not Satisfiable", "Content-Range: bytes */9", "Content-Length: 0", "Cache-Control: no-store")},
		"gzip":              {asking("Accept-Encoding: br;q=0, gzip"), with(ok, "Content-Encoding: gzip", "Vary: Accept-Encoding", fmt.Sprint("Content-Length: ", len(packed)), "", packed)},
		"a redirect":        {get, raw("HTTP/1.1 308 Permanent Redirect", "Location: /a/?x=1", "Content-Length: 0")},
		"a far redirect":    {get, raw("HTTP/1.1 308 Permanent Redirect", "Location: https://a.test:8443//x", "Content-Length: 0")},
		"not allowed":       {get, raw("HTTP/1.1 405 Method Not Allowed", "Allow: HEAD, POST", "Content-Length: 0", "Cache-Control: no-store")},
		"a challenge":       {get, raw("HTTP/1.1 401 Unauthorized", `WWW-Authenticate: Basic realm="a \"b", charset="UTF-8"`, "Content-Length: 0", "Cache-Control: no-store")},
		"later":             {get, raw("HTTP/1.1 503 Service Unavailable", "Retry-After: 120", "Content-Length: 0", "Cache-Control: no-store")},
		"later, at a date":  {get, raw("HTTP/1.1 503 Service Unavailable", "Retry-After: NOW", "Content-Length: 0", "Cache-Control: no-store")},
		"cached for a year": {get, with(nothing, "Cache-Control: public, max-age=31536000, immutable", "Expires: NOW")},
		"another origin":    {get, with(nothing, "Access-Control-Allow-Origin: https://b.test", "Access-Control-Allow-Credentials: true", "Vary: Origin")},
		"other services":    {get, with(nothing, `Alt-Svc: h3=":443"; ma=86400`)},
		"an app's":          {get, with(nothing, FromApp+": yes", "Server: x", "X-Empty:", "Cache-Control: no-cache, immutable", `Etag: bad`, "Vary: a, A", "Accept-Ranges: lines")},
	} {
		if _, found := Answers([]byte(test.request), []byte(test.answer)); len(found) > 0 {
			t.Errorf("%s: %q\n%s", name, found, test.answer)
		}
	}
}

func TestABrokenAnswerIsFound(t *testing.T) {
	partOf := func(text string) string { return with(parts, fmt.Sprint("Content-Length: ", len(text)), "", text) }
	two := asking("Range: bytes=0-1,4-6")
	if_ := func(field string) string { return asking(field, "Range: bytes=0-1") }
	partial := with(part, "Content-Range: bytes 0-1/9", "Content-Length: 2", "", "ab")
	for _, test := range []struct{ want, request, answer string }{
		// The bytes themselves.
		{"the status line is", get, "HTTP/2 200 OK\r\n\r\n"},
		{"the status line is", get, raw("HTTP/1.1 200")},
		{"the status line is", get, raw("HTTP/1.1 0200 OK")},
		{"the status line is", get, raw("HTTP/1.1 200 O\x01K")},
		{"a bare LF after", get, "HTTP/1.1 200 OK\nContent-Length: 0\n\n"},
		{"a header line is", get, with(nothing, " folded")},
		{"a header line is", get, with(nothing, "X : y")},
		{"a header line is", get, with(nothing, "X: a\rb")},
		{"a header line is", get, with(nothing, "no colon")},
		{"unexpected EOF", get, strings.TrimSuffix(with(nothing), "\r\n")},
		{"nothing says where the body", get, with(ok, "", "hello")},
		{"unexpected EOF", get, with(ok, "Content-Length: 6", "", "hello")},
		{"answer 2", get, with(ok, "Content-Length: 4", "", "hello")},
		{"bytes after the last answer", get, with(nothing, "Connection: close", "", "hello")},
		{"answer 2", head, with(ok, "Content-Length: 5", "", "hello")},
		{"a chunk's size is", get, with(ok, "Transfer-Encoding: chunked", "", "0x5", "hello", "0", "", "")},
		{"a chunk's size is", get, with(ok, "Transfer-Encoding: chunked", "", "+5", "hello", "0", "", "")},
		{"a chunk ends with", get, with(ok, "Transfer-Encoding: chunked", "", "4", "hello", "0", "", "")},
		{"unexpected EOF", get, with(ok, "Transfer-Encoding: chunked", "", "5", "hello", "")},
		{"a trailer line is", get, with(ok, "Transfer-Encoding: chunked", "", "0", "X y", "", "")},

		// Framing.
		{"Content-Length is there 2 times", get, with(nothing, "Content-Length: 0")},
		{"is not a plain number", get, with(ok, "Content-Length: 05", "", "hello")},
		{"Content-Length on a 204", get, raw("HTTP/1.1 204 No Content", "Content-Length: 0")},
		{"Content-Length on a 103", get, raw("HTTP/1.1 103 Early Hints", "Content-Length: 0") + with(nothing)},
		{"Content-Length beside Transfer-Encoding", get, with(ok, "Content-Length: 5", "Transfer-Encoding: chunked", "", "0", "", "")},
		{"a 205 with a length", get, raw("HTTP/1.1 205 Reset Content", "Content-Length: 1", "", "x")},
		{"a 205 has a body", get, raw("HTTP/1.1 205 Reset Content", "Transfer-Encoding: chunked", "", "1", "x", "0", "", "")},
		{"Transfer-Encoding to a client of HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", with(ok, "Transfer-Encoding: chunked", "", "0", "", "")},
		{"Transfer-Encoding on a 204", get, raw("HTTP/1.1 204 No Content", "Transfer-Encoding: chunked")},
		{"which nobody asked for", get, with(ok, "Transfer-Encoding: gzip, chunked", "", "0", "", "")},
		{"does not belong in an answer", get, with(nothing, "Keep-Alive: timeout=5")},
		{"Upgrade on a 200", get, with(nothing, "Upgrade: h2c")},
		{"Connection: upgrade on a 200", get, with(nothing, "Connection: upgrade")},
		{"Connection: keep-alive over HTTP/1.1", get, with(nothing, "Connection: keep-alive")},
		{"Connection names X-A", get, with(nothing, "Connection: X-A")},

		// Fields.
		{"no Date", get, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
		{"Date is there 2 times", get, with(nothing, "Date: NOW", "Date: NOW")},
		{"is not as RFC 9110 section 5.6.7", get, with(nothing, "Date: Sunday, 06-Nov-94 08:49:37 GMT")},
		{"is not now", get, with(nothing, "Date: Sun, 06 Nov 1994 08:49:37 GMT")},
		{"is there 2 times", get, with(nothing, `Etag: "a"`, `Etag: "a"`)},
		{"X is empty", get, with(nothing, "X:")},
		{"is not ASCII", get, with(nothing, "X: caf\xc3\xa9")},
		{"Server:", get, with(nothing, "Server: roost")},
		{"without X-Content-Type-Options", get, with(nothing, "Content-Type: image/png")},
		{"an error without Cache-Control: no-store", get, raw("HTTP/1.1 404 Not Found", "Content-Length: 0")},

		// Validators.
		{"ETag", get, with(nothing, "Etag: a")},
		{"ETag", get, with(nothing, `Etag: "a b"`)},
		{"a 404 with an ETag", get, with(failed, `Etag: "a"`)},
		{"Last-Modified", get, with(nothing, "Last-Modified: yesterday")},
		{"is still to come", get, with(nothing, "Last-Modified: Fri, 01 Jan 2100 00:00:00 GMT")},
		{"a 404 with Last-Modified", get, with(failed, "Last-Modified: NOW")},
		{"a 304 to POST", "POST / HTTP/1.1\r\nHost: a\r\nIf-None-Match: *\r\n\r\n", raw("HTTP/1.1 304 Not Modified", `Etag: "a"`)},
		{"a 304 that nobody asked for", get, raw("HTTP/1.1 304 Not Modified", `Etag: "a"`)},
		{"a 304 without ETag", asking("If-None-Match: *"), raw("HTTP/1.1 304 Not Modified")},
		{"a 304 with Content-Type", asking("If-None-Match: *"), raw("HTTP/1.1 304 Not Modified", `Etag: "a"`, "Content-Type: text/css; charset=utf-8")},
		{"a 304 of ETag", asking(`If-None-Match: "b"`), raw("HTTP/1.1 304 Not Modified", `Etag: "a"`)},
		{"although If-None-Match has", asking(`If-None-Match: W/"a", "b"`), with(nothing, `Etag: "a"`)},
		{"although If-Match does not", asking(`If-Match: W/"a", "b"`), with(nothing, `Etag: "a"`)},

		// Representations.
		{"Vary names accept twice", get, with(nothing, "Vary: Accept, Origin", "Vary: accept")},
		{"Vary has * and more", get, with(nothing, "Vary: *, Accept")},
		{"Vary has \"a b\"", get, with(nothing, "Vary: a b")},
		{"without Vary: Accept-Encoding", asking("Accept-Encoding: gzip"), with(nothing, "Content-Encoding: gzip")},
		{"without Vary: Accept", asking("Accept: application/json"), with(nothing, "Content-Type: application/json", "X-Content-Type-Options: nosniff")},
		{"without Vary: Origin", get, with(nothing, "Access-Control-Allow-Origin: https://b.test")},
		{"Content-Type", get, with(nothing, "Content-Type: text", "X-Content-Type-Options: nosniff")},
		{"without charset=utf-8", get, with(nothing, "Content-Type: text/html", "X-Content-Type-Options: nosniff")},
		{"bytes without Content-Type", get, raw("HTTP/1.1 200 OK", "Content-Length: 5", "", "hello")},
		{"Content-Encoding \"identity\"", get, with(nothing, "Content-Encoding: identity", "Vary: Accept-Encoding")},
		{"a 403 with Content-Encoding", asking("Accept-Encoding: gzip"), raw("HTTP/1.1 403 Forbidden", "Content-Length: 0", "Cache-Control: no-store", "Content-Encoding: gzip", "Vary: Accept-Encoding")},
		{"Accept-Encoding is", asking("Accept-Encoding: gzip, br;q=0, *"), with(nothing, "Content-Encoding: br", "Vary: Accept-Encoding")},
		{"Accept-Encoding is", get, with(nothing, "Content-Encoding: gzip", "Vary: Accept-Encoding")},
		{"the body is not gzip", asking("Accept-Encoding: gzip"), with(ok, "Content-Encoding: gzip", "Vary: Accept-Encoding", "Content-Length: 5", "", "hello")},
		{"the body is not br", asking("Accept-Encoding: br"), with(ok, "Content-Encoding: br", "Vary: Accept-Encoding", "Content-Length: 5", "", "hello")},
		{"the body is not zstd", asking("Accept-Encoding: zstd"), with(ok, "Content-Encoding: zstd", "Vary: Accept-Encoding", "Content-Length: 5", "", "hello")},
		{"application/json that is none", get, raw("HTTP/1.1 404 Not Found", "Content-Type: application/json", "X-Content-Type-Options: nosniff", "Cache-Control: no-store", "Content-Length: 1", "", "{")},

		// Caches.
		{"Expires", get, with(nothing, "Expires: 0")},
		{"which nobody knows", get, with(nothing, "Cache-Control: nocache")},
		{"which wants a number", get, with(nothing, "Cache-Control: max-age")},
		{"which wants a number", get, with(nothing, "Cache-Control: max-age=-1")},
		{"which takes nothing", get, with(nothing, "Cache-Control: immutable=1")},
		{"no-cache twice", get, with(nothing, "Cache-Control: no-cache, no-cache")},
		{"public and private", get, with(nothing, "Cache-Control: public, private")},
		{"no-store and max-age", get, with(nothing, "Cache-Control: no-store, max-age=1")},
		{"no-cache and immutable", get, with(nothing, "Cache-Control: no-cache, max-age=1, immutable")},
		{"immutable, which holds", get, with(nothing, "Cache-Control: immutable")},

		// Statuses.
		{"a 301 without Location", get, raw("HTTP/1.1 301 Moved Permanently", "Content-Length: 0")},
		{"a 200 with Location", get, with(nothing, "Location: /")},
		{"Location \"http://a b\"", get, raw("HTTP/1.1 301 Moved Permanently", "Content-Length: 0", "Location: http://a b")},
		{"has what no URI has", get, raw("HTTP/1.1 301 Moved Permanently", "Content-Length: 0", "Location: /\\evil.test")},
		{"leads to another host", get, raw("HTTP/1.1 301 Moved Permanently", "Content-Length: 0", "Location: //evil.test/")},
		{"read as another host", get, raw("HTTP/1.1 301 Moved Permanently", "Content-Length: 0", "Location: /%5cevil.test/")},
		{"takes the path for", get, raw("HTTP/1.1 301 Moved Permanently", "Content-Length: 0", "Location: x/")},
		{"Location \"javascript:", get, raw("HTTP/1.1 301 Moved Permanently", "Content-Length: 0", "Location: javascript:1")},
		{"is what was asked for", get, raw("HTTP/1.1 308 Permanent Redirect", "Content-Length: 0", "Location: /")},
		{"a 405 without Allow", get, raw("HTTP/1.1 405 Method Not Allowed", "Content-Length: 0", "Cache-Control: no-store")},
		{"a 405 to GET, which Allow has", get, raw("HTTP/1.1 405 Method Not Allowed", "Content-Length: 0", "Cache-Control: no-store", "Allow: GET")},
		{"Allow has \"get\"", get, with(nothing, "Allow: get")},
		{"Allow has get twice", get, with(nothing, "Allow: GET, GET")},
		{"neither seconds nor a date", get, raw("HTTP/1.1 503 Service Unavailable", "Content-Length: 0", "Cache-Control: no-store", "Retry-After: 5s")},
		{"Retry-After on a 200", get, with(nothing, "Retry-After: 5")},
		{"a 401 without WWW-Authenticate", get, raw("HTTP/1.1 401 Unauthorized", "Content-Length: 0", "Cache-Control: no-store")},
		{"WWW-Authenticate \"B/c\"", get, with(nothing, "WWW-Authenticate: B/c")},
		{"RFC 7617", get, with(nothing, "WWW-Authenticate: Basic realm=a")},
		{"RFC 7617", get, with(nothing, "WWW-Authenticate: Basic realm=\"a\\")},
		{"Access-Control-Allow-Credentials", get, with(nothing, "Access-Control-Allow-Origin: *", "Access-Control-Allow-Credentials: true")},
		{"Access-Control-Allow-Origin", get, with(nothing, "Access-Control-Allow-Origin: https://a.test/", "Vary: Origin")},
		{"Access-Control-Max-Age", get, with(nothing, "Access-Control-Max-Age: 1h")},
		{"Link \"/a.css\"", get, with(nothing, "Link: /a.css")},
		{"Alt-Svc", get, with(nothing, "Alt-Svc: h3=443")},
		{"Strict-Transport-Security", get, with(nothing, "Strict-Transport-Security: 5")},

		// Ranges.
		{"Accept-Ranges", get, with(nothing, "Accept-Ranges: lines")},
		{"a 206 to GET", get, partial},
		{"If-Range is", if_(`If-Range: "b"`), partial},
		{"If-Range is", if_(`If-Range: W/"a"`), partial},
		{"a 206 with Content-Range", if_("X: y"), with(part, "Content-Range: bytes 0-9/9", "Content-Length: 2", "", "ab")},
		{"a 206 with Content-Range", if_("X: y"), with(part, "Content-Length: 2", "", "ab")},
		{"Content-Length: 3", if_("X: y"), strings.Replace(partial, "0-1/9", "0-2/9", 1)},
		{"a 416 with Content-Range", if_("X: y"), raw("HTTP/1.1 416 Range Not Satisfiable", "Content-Length: 0", "Cache-Control: no-store")},
		{"a 416 that nobody asked for", get, raw("HTTP/1.1 416 Range Not Satisfiable", "Content-Length: 0", "Cache-Control: no-store", "Content-Range: bytes */9")},
		{"Content-Range on a 200", get, with(nothing, "Content-Range: bytes 0-0/1")},
		{"multipart/byteranges on a 200", get, with(nothing, parts[1:]...)},
		{"beside multipart/byteranges", two, with(parts, "Content-Range: bytes 0-0/1", "Content-Length: 0")},
		{"without boundary", two, raw("HTTP/1.1 206 Partial Content", "Content-Type: multipart/byteranges", "X-Content-Type-Options: nosniff", "Content-Length: 0")},
		{"for one range", if_("X: y"), with(parts, "Content-Length: 0")},
		{"part 1 does not begin", two, partOf("--C\r\n")},
		{"part 1 has the line", two, partOf("--B\r\nX y\r\n\r\n")},
		{"part 1 has the head", two, partOf("--B\r\nContent-Range: bytes 0-1/9\r\n\r\nab\r\n--B--\r\n")},
		{"part 1 has 1 bytes", two, partOf("--B\r\nContent-Type: text/css\r\nContent-Range: bytes 0-1/9\r\n\r\na")},
		{"part 1 does not end", two, partOf("--B\r\nContent-Type: text/css\r\nContent-Range: bytes 0-1/9\r\n\r\nabc\r\n--B--\r\n")},
		{"parts are of 9 and of 8 bytes", two, partOf("--B\r\nContent-Type: text/css\r\nContent-Range: bytes 0-1/9\r\n\r\nab\r\n--B\r\nContent-Type: text/css\r\nContent-Range: bytes 4-4/8\r\n\r\ne\r\n--B--\r\n")},
		{"part 2 does not begin", two, partOf("--B\r\nContent-Type: text/css\r\nContent-Range: bytes 0-1/9\r\n\r\nab\r\n--B")},

		// An app's answer is framed by the program.
		{"Content-Type is there 2 times", get, with(nothing, FromApp+": 1", "Content-Type: a/b", "Content-Type: a/c")},
		{"does not belong in an answer", get, with(nothing, FromApp+": 1", "Keep-Alive: timeout=5")},
	} {
		want := strings.ReplaceAll(test.want, "Content-Length: 3", "Content-Length 2") // Content-Range says 3
		_, found := Answers([]byte(test.request), []byte(test.answer))
		if !slices.ContainsFunc(found, func(f string) bool { return strings.Contains(f, want) }) {
			t.Errorf("no %q in %q of\n%s", want, found, test.answer)
		}
	}
}

// response is one that no connection carried.
func response(major, status int, body string, fields ...string) *http.Response {
	res := &http.Response{ProtoMajor: major, StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
	for _, f := range append(fields, "Date: "+time.Now().UTC().Format(http.TimeFormat)) {
		name, value, _ := strings.Cut(f, ": ")
		res.Header.Add(name, value)
	}
	return res
}

func TestCheckKnowsHTTP2AndReadsTheBody(t *testing.T) {
	req := httptest.NewRequest("GET", "/", nil)
	for _, test := range []struct {
		want string
		res  *http.Response
	}{
		{"", response(2, 200, "hello", "Content-Length: 5", "Content-Type: text/plain; charset=utf-8", "X-Content-Type-Options: nosniff")},
		{"Connection over HTTP/2", response(2, 200, "", "Connection: close")},
		{"Upgrade over HTTP/3", response(3, 426, "", "Upgrade: h2c", "Cache-Control: no-store")},
		{"5 bytes of body, Content-Length 6", response(2, 200, "hello", "Content-Length: 6")},
		{"5 bytes of body on a 204", response(2, 204, "hello")},
		{"a control character", response(2, 200, "", "X: a\x01")},
		{"white space around it", response(2, 200, "", "X: a ")},
		{"field name", response(2, 200, "", "X Y: a")},
		{"over plain HTTP", response(1, 200, "", "Strict-Transport-Security: max-age=1")},
	} {
		if test.want == "over plain HTTP" {
			req = httptest.NewRequest("GET", "http://a.test/", nil)
		}
		found := Check(test.res, req)
		if !strings.Contains(strings.Join(found, "\n"), test.want) || test.want == "" && len(found) > 0 {
			t.Errorf("no %q in %q", test.want, found)
		}
	}
	res := response(2, 200, "hello")
	Check(res, req)
	if text, err := io.ReadAll(res.Body); string(text) != "hello" || err != nil {
		t.Errorf("the body is %q, %v after Check", text, err)
	}
	res = response(2, 200, "")
	res.Body = io.NopCloser(failing{io.ErrUnexpectedEOF})
	if found := strings.Join(Check(res, req), " "); !strings.Contains(found, "cannot be read to its end") {
		t.Errorf("a body that fails: %s", found)
	}
	res = response(2, 200, "")
	res.TransferEncoding = []string{"chunked"}
	if found := strings.Join(Check(res, req), " "); !strings.Contains(found, "Transfer-Encoding over HTTP/2") {
		t.Errorf("chunks over HTTP/2: %s", found)
	}
}

// listener is a test that hears what was found instead of failing.
type listener struct {
	testing.TB
	heard []string
}

func (l *listener) Helper()                  {}
func (l *listener) Context() context.Context { return context.Background() }
func (l *listener) Error(values ...any)      { l.heard = append(l.heard, fmt.Sprint(values...)) }
func (l *listener) Errorf(f string, values ...any) {
	l.heard = append(l.heard, fmt.Sprintf(f, values...))
}

func (l *listener) expect(t *testing.T, want string) {
	t.Helper()
	if all := strings.Join(l.heard, "\n"); want == "" && all != "" || !strings.Contains(all, want) {
		t.Errorf("heard %q, not %q", all, want)
	}
	l.heard = nil
}

func TestATransportRemembersWhatWasSaidOfARepresentation(t *testing.T) {
	serve := func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Etag", `"a"`)
		h.Set("Content-Type", "text/plain; charset=utf-8")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Vary", "Accept-Encoding")
		h.Set("Cache-Control", "no-cache")
		h.Set("Content-Length", "5")
		switch r.Header.Get("X-Lie") {
		case "length":
			h.Set("Content-Length", "6")
		case "coding":
			h.Set("Content-Encoding", "zstd")
		case "cache":
			h.Del("Cache-Control")
		case "no length":
			h.Del("Content-Length")
		}
		switch {
		case r.Header.Get("If-None-Match") != "":
			h.Del("Content-Type")
			h.Del("Content-Length")
			w.WriteHeader(304)
		case r.Header.Get("Range") != "":
			h.Set("Content-Length", "1")
			h.Set("Content-Range", "bytes 0-0/"+map[bool]string{true: "6", false: "5"}[r.Header.Get("X-Lie") == "length"])
			w.WriteHeader(206)
			io.WriteString(w, "h")
		case r.Method == "GET":
			io.WriteString(w, "hello")
		case r.Header.Get("X-Lie") == "no length":
			w.WriteHeader(200)
			http.NewResponseController(w).Flush()
		}
	}
	s := httptest.NewServer(http.HandlerFunc(serve))
	t.Cleanup(s.Close)
	for _, test := range []struct{ method, fields, want string }{
		{"HEAD", "", ""},
		{"HEAD", "X-Lie: length", "before there were 5"},
		{"HEAD", "X-Lie: cache", "HEAD has no Cache-Control"},
		{"HEAD", "X-Lie: no length", "HEAD has no Content-Length"},
		{"HEAD", "X-Lie: coding\nAccept-Encoding: zstd", "have the same ETag"},
		{"GET", "If-None-Match: \"a\"", ""},
		{"GET", "If-None-Match: \"a\"\nX-Lie: cache", "no Cache-Control on a 304"},
		{"GET", "Range: bytes=0-0", ""},
		{"GET", "Range: bytes=0-0\nX-Lie: length", "before there were 5"},
	} {
		l := &listener{TB: t}
		c := Client(t, s)
		c.Transport.(*Transport).T = l
		ask := func(method, fields string) {
			r, _ := http.NewRequest(method, s.URL+"/x", nil)
			for f := range strings.SplitSeq(fields, "\n") {
				if name, value, ok := strings.Cut(f, ": "); ok {
					r.Header.Set(name, value)
				}
			}
			res, err := c.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(io.Discard, res.Body)
			res.Body.Close()
		}
		ask("GET", "")
		l.expect(t, "")
		ask(test.method, test.fields)
		l.expect(t, test.want)
	}
}

func TestTheBodyOfATransportIsChecked(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Content-Type"] = nil
		io.WriteString(w, "hello")
	}))
	t.Cleanup(s.Close)
	l := &listener{TB: t}
	c := &http.Client{Transport: &Transport{T: l}}
	res, err := c.Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	l.expect(t, "")
	if text, _ := io.ReadAll(res.Body); string(text) != "hello" {
		t.Errorf("the body is %q", text)
	}
	l.expect(t, "5 bytes without Content-Type")
	res.Body.Close()
	c.Transport.(*Transport).Apps = true
	if res, err = c.Get(s.URL); err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, res.Body)
	res.Body.Close()
	l.expect(t, "")
	c.CloseIdleConnections()
}

func TestWhatNoTestHearsOfFailsTheRun(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Server", "x") }))
	t.Cleanup(s.Close)
	if res, err := http.Get(s.URL); err != nil { // through http.DefaultTransport
		t.Fatal(err)
	} else {
		res.Body.Close()
	}
	collected.Lock()
	defer collected.Unlock()
	if len(collected.texts) != 1 || !strings.Contains(collected.texts[0], "Server:") || !strings.Contains(collected.texts[0], "httplint_test.go") {
		t.Errorf("collected: %q", collected.texts)
	}
	collected.texts = nil
}

func TestOptionsHoldForAllAnswers(t *testing.T) {
	refusal := "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request"
	for option, answer := range map[Option]string{Unguarded: refusal, Apps: with(nothing, "Server: x")} {
		if _, found := Answers([]byte(get), []byte(answer)); len(found) == 0 {
			t.Errorf("not complained of: %s", answer)
		}
		option.on.Store(true)
		if _, found := Answers([]byte(get), []byte(answer)); len(found) > 0 {
			t.Errorf("%s: %q", answer, found)
		}
		option.on.Store(false)
	}
}

func TestAHandlerIsCheckedWithoutAConnection(t *testing.T) {
	l := &listener{TB: t}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", 404) })
	w := Record(l, h, httptest.NewRequest("GET", "/", nil))
	l.expect(t, "an error without Cache-Control: no-store")
	if w.Code != 404 || w.Body.String() != "no\n" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	Record(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) }), httptest.NewRequest("GET", "/", nil))
	l.expect(t, "")
}

func TestReadPassesInterimAnswersOver(t *testing.T) {
	l := &listener{TB: t}
	text := raw("HTTP/1.1 103 Early Hints", "Link: bad") + with(ok, "Content-Length: 5", "", "hello") + "HTTP/1.1 200 OK\n"
	r := bufio.NewReader(strings.NewReader(text))
	res, err := Read(l, r, nil)
	if err != nil {
		t.Fatal(err)
	}
	l.expect(t, "Link \"bad\"")
	if body, err := io.ReadAll(res.Body); string(body) != "hello" || err != nil || res.StatusCode != 200 {
		t.Errorf("%d %q %v", res.StatusCode, body, err)
	}
	if _, err := Read(l, r, nil); err == nil {
		t.Error("a malformed answer is read")
	}
	l.expect(t, "malformed")
	if _, err := Read(l, r, nil); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
	l.expect(t, "")
	if all := Raw(l, []byte(get), []byte(with(nothing))); len(all) != 1 || all[0].StatusCode != 200 {
		t.Errorf("%v", all)
	}
	Raw(l, []byte(get), []byte(with(nothing, "X:")))
	l.expect(t, "X is empty")
}
