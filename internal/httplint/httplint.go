// Package httplint checks HTTP answers in tests: whatever a test asks for, the
// answer must be one that RFC 9110 (semantics), 9111 (caching), 9112 (HTTP/1.1)
// and 9113 (HTTP/2) allow, and that the program's own promises hold for.
//
// There are four ways under a test, and one list of checks behind them:
//
//	Transport   under an http.Client
//	Run         under http.DefaultTransport, in TestMain
//	Read, Raw   for bytes of a connection, read more strictly than net/http does
//	Record      for a handler without a connection
//
// Answers that an app made are the app's: only what the program answers for is
// checked in them, which is framing, fields of one connection, and Date.
package httplint

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// FromApp is a field by which an app of a test says that it made the answer.
const FromApp = "X-From-App"

// answer is a response as the checks see it. Those of the head run before the
// body is read.
type answer struct {
	method  string        // of the request; GET when it is not known
	request *http.Request // nil when it is not known

	major, minor int
	status       int
	header       http.Header
	coding       []string // values of Transfer-Encoding
	length       int64    // Content-Length; -1: none
	now          time.Time
	fromApp      bool
	unpacked     bool // net/http took a gzip coding off, and Content-Length with it
	bare         bool // made by a handler: net/http would still add Date

	size int64  // bytes of body
	body []byte // all of it, where a check of the body is due and it is not too long

	found []string
}

func (a *answer) say(format string, values ...any) {
	a.found = append(a.found, fmt.Sprintf(format, values...))
}

// ours tells whether the program made the answer, not an app.
func (a *answer) ours() bool { return !a.fromApp }

// value is the first value of a field, "" for none.
func (a *answer) value(name string) string { return a.header.Get(name) }

// list is the elements of a field that is a comma-separated list.
func (a *answer) list(name string) []string { return elements(a.header.Values(name)) }

func elements(lines []string) (all []string) {
	for _, line := range lines {
		for e := range strings.SplitSeq(line, ",") {
			if e = strings.Trim(e, " \t"); e != "" {
				all = append(all, e)
			}
		}
	}
	return all
}

func (a *answer) asked(name string) string {
	if a.request == nil {
		return ""
	}
	return a.request.Header.Get(name)
}

// hasBody tells whether the answer may carry one (RFC 9112 section 6.3).
func (a *answer) hasBody() bool {
	return a.method != http.MethodHead && a.status >= 200 && a.status != http.StatusNoContent && a.status != http.StatusNotModified
}

func newAnswer(res *http.Response, req *http.Request) *answer {
	a := &answer{
		method: http.MethodGet, request: req,
		major: res.ProtoMajor, minor: res.ProtoMinor, status: res.StatusCode,
		header: res.Header, coding: res.TransferEncoding, length: -1, now: time.Now(),
		unpacked: res.Uncompressed,
	}
	if req != nil && req.Method != "" {
		a.method = req.Method
	}
	a.fromApp = Apps.on.Load() || a.header.Get(FromApp) != ""
	return a
}

// headChecks look at the head, bodyChecks at what came after it.
var (
	headChecks = []func(*answer){
		lengthField, codingField, connectionFields,
		dateField, fieldSyntax, singletons,
		entityTag, lastModified, notModified,
		vary, contentType, contentEncoding,
		cacheControl, ownPromises,
		location, allow, retryAfter, challenge, accessControl, linksAndServices,
		rangeFields,
	}
	bodyChecks = []func(*answer){bodyLength, typedBody, codedBody, multipartBody}
)

func (a *answer) checkHead() {
	if Unguarded.on.Load() && a.status >= 400 && len(a.header) == 2 && a.value("Connection") == "close" && a.value("Content-Type") == "text/plain; charset=utf-8" {
		return
	}
	for _, check := range headChecks {
		check(a)
	}
}

func (a *answer) checkBody() {
	for _, check := range bodyChecks {
		check(a)
	}
}

// keeps tells whether the body is needed for its checks, not only its length.
func (a *answer) keeps() bool {
	return a.header.Get("Content-Encoding") != "" || strings.HasPrefix(a.header.Get("Content-Type"), "multipart/byteranges")
}

// mostKept bytes of a body are kept for the checks; of longer ones only the length is checked.
const mostKept = 4 << 20

// Check says what is wrong with res, the answer to req, one sentence each. It
// reads the body, and puts one in its place that reads the same.
func Check(res *http.Response, req *http.Request) []string {
	a := newAnswer(res, req)
	a.checkHead()
	if a.status == http.StatusSwitchingProtocols {
		return a.found
	}
	var body []byte
	var err error
	if res.Body != nil {
		body, err = io.ReadAll(res.Body)
		res.Body.Close()
		res.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{err}))
	}
	if err != nil {
		a.say("the body cannot be read to its end: %v", err)
		return a.found
	}
	a.size, a.body = int64(len(body)), body
	a.checkBody()
	return a.found
}

// failing is a body's error, or its end.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}

// report fails the test with what was found.
func report(t testing.TB, a *answer) {
	if len(a.found) == 0 {
		return
	}
	what := a.method
	if a.request != nil {
		what += " " + a.request.URL.String()
		if a.request.Host != "" && a.request.Host != a.request.URL.Host {
			what += " (Host " + a.request.Host + ")"
		}
	}
	text := fmt.Sprintf("%s: the answer %d is wrong:\n\t%s\n\thead: %v", what, a.status, strings.Join(a.found, "\n\t"), a.header)
	a.found = nil
	if t == nil || t.Context().Err() != nil { // no test, or one that is over
		collect(text)
		return
	}
	t.Helper()
	t.Error(text)
}
