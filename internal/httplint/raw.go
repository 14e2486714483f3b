package httplint

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"testing"
)

// Read reads one answer from a connection, as http.ReadResponse does, but
// takes nothing that RFC 9112 does not allow to be sent. req is the request, nil
// stands for a GET. Interim answers (1xx) are checked and passed over. Without t,
// Run tells what was found.
func Read(t testing.TB, r *bufio.Reader, req *http.Request) (*http.Response, error) {
	if t != nil {
		t.Helper()
	}
	for {
		res, a, err := read(r, req)
		if errors.As(err, new(*malformed)) {
			a = newAnswer(&http.Response{}, req)
			a.say("malformed: %v", err)
			report(t, a)
		}
		if err != nil {
			return nil, err
		}
		a.checkHead()
		report(t, a)
		if a.status >= 200 || a.status == http.StatusSwitchingProtocols {
			res.Body = &body{ReadCloser: res.Body, a: a, t: t, keep: a.keeps()}
			return res, nil
		}
	}
}

// Raw checks all that a connection was answered with until it closed. request
// is what was sent on it: as far as it is well-formed, it says which answers
// are to HEAD. It returns the answers, with bodies that can be read.
func Raw(t testing.TB, request, answers []byte) []*http.Response {
	t.Helper()
	all, found := Answers(request, answers)
	for _, text := range found {
		t.Errorf("%s\n\tto %.300q\n\tfrom %.2000q", text, request, answers)
	}
	return all
}

// Answers is Raw without a test.
func Answers(request, answers []byte) (all []*http.Response, found []string) {
	requests := bufio.NewReader(bytes.NewReader(request))
	r := bufio.NewReader(bytes.NewReader(answers))
	known, closed := true, false
	var req *http.Request
	next := true
	for n := 1; ; n++ {
		if _, err := r.Peek(1); err != nil {
			return all, found
		}
		if closed {
			left, _ := io.ReadAll(r)
			return all, append(found, fmt.Sprintf("%d bytes after the last answer: %.100q", len(left), left))
		}
		if next && known {
			req = nil
			if got, err := http.ReadRequest(requests); err != nil {
				known = false
			} else {
				_, err = io.Copy(io.Discard, got.Body)
				req, known = got, err == nil
			}
		} else if next {
			req = nil
		}
		res, a, err := read(r, req)
		if err != nil {
			return all, append(found, fmt.Sprintf("answer %d: %v", n, err))
		}
		a.checkHead()
		if res.StatusCode == http.StatusSwitchingProtocols {
			return append(all, res), append(found, a.found...)
		}
		if a.body, err = io.ReadAll(res.Body); err != nil {
			return all, append(found, fmt.Sprintf("answer %d: %v", n, err))
		}
		a.size = int64(len(a.body))
		a.checkBody()
		for _, text := range a.found {
			found = append(found, fmt.Sprintf("answer %d (%d): %s", n, a.status, text))
		}
		next = a.status >= 200
		if next {
			res.Body = io.NopCloser(bytes.NewReader(a.body))
			all = append(all, res)
			closed = res.Close
		}
	}
}

// malformed is an answer that no client should take.
type malformed struct{ what string }

func (m *malformed) Error() string { return m.what }

func malformedf(format string, values ...any) error {
	return &malformed{fmt.Sprintf(format, values...)}
}

// read reads the head of an answer, and prepares to read its body.
func read(r *bufio.Reader, req *http.Request) (*http.Response, *answer, error) {
	start, err := line(r)
	if err != nil {
		return nil, nil, err
	}
	res := &http.Response{Request: req, Header: http.Header{}, ProtoMajor: 1, ContentLength: -1}
	version, rest, _ := strings.Cut(start, " ")
	code, reason, spaced := strings.Cut(rest, " ")
	switch version {
	case "HTTP/1.1":
		res.ProtoMinor = 1
	case "HTTP/1.0":
	default:
		return nil, nil, malformedf("the status line is %q", start)
	}
	status, err := strconv.Atoi(code)
	if err != nil || len(code) != 3 || status < 100 || status > 599 || !spaced || badText(reason) {
		return nil, nil, malformedf("the status line is %q", start)
	}
	res.Proto, res.StatusCode, res.Status = version, status, rest
	for {
		text, err := line(r)
		if err != nil {
			return nil, nil, whole(err)
		}
		if text == "" {
			break
		}
		name, value, colon := strings.Cut(text, ":")
		if !colon || !isToken(name) || badText(value) {
			return nil, nil, malformedf("a header line is %q", text)
		}
		value = strings.Trim(value, " \t")
		if name = textproto.CanonicalMIMEHeaderKey(name); name == "Transfer-Encoding" {
			res.TransferEncoding = append(res.TransferEncoding, value)
		} else {
			res.Header.Add(name, value)
		}
	}
	a := newAnswer(res, req)
	res.Close = contains(a.list("Connection"), "close") || res.ProtoMinor == 0 && !contains(a.list("Connection"), "keep-alive")
	length, lengthErr := strconv.ParseInt(a.value("Content-Length"), 10, 64)
	switch {
	case status == http.StatusSwitchingProtocols:
		res.Body = io.NopCloser(r)
	case !a.hasBody():
		res.Body = http.NoBody
	case len(res.TransferEncoding) > 0:
		res.Body = io.NopCloser(&chunks{r: r})
	case a.value("Content-Length") != "" && lengthErr == nil && length >= 0:
		res.ContentLength = length
		res.Body = io.NopCloser(&counted{r, length})
	case !res.Close:
		return nil, nil, malformedf("nothing says where the body of the %d ends", status)
	default:
		res.Body = io.NopCloser(r)
	}
	return res, a, nil
}

// line reads up to CRLF, RFC 9112 section 2.2.
func line(r *bufio.Reader) (string, error) {
	text, err := r.ReadString('\n')
	if err != nil {
		if err == io.EOF && text != "" {
			err = io.ErrUnexpectedEOF
		}
		return "", err
	}
	text, ok := strings.CutSuffix(text, "\r\n")
	if !ok {
		return "", malformedf("a bare LF after %q", text)
	}
	return text, nil
}

// whole is err where more must come.
func whole(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func badText(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

// counted is a body of known length.
type counted struct {
	r    io.Reader
	left int64
}

func (c *counted) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	if c.left -= int64(n); c.left > 0 {
		err = whole(err)
	}
	return n, err
}

// chunks is a chunked body, RFC 9112 section 7.1, without extensions: nobody
// here sends any.
type chunks struct {
	r     *bufio.Reader
	left  int64 // of the chunk
	begun bool
	ended error
}

func (c *chunks) Read(p []byte) (int, error) {
	if c.ended == nil && c.left == 0 {
		c.ended = c.next()
	}
	if c.ended != nil {
		return 0, c.ended
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	c.ended = whole(err)
	return n, c.ended
}

// next reads up to the data of the next chunk. After the last one it reads the trailer.
func (c *chunks) next() error {
	if c.begun {
		if end, err := line(c.r); err != nil || end != "" {
			return after(err, "a chunk ends with %q", end)
		}
	}
	c.begun = true
	text, err := line(c.r)
	if err != nil {
		return whole(err)
	}
	if c.left, err = strconv.ParseInt(text, 16, 62); err != nil || c.left < 0 || text[0] == '+' {
		return malformedf("a chunk's size is %q", text)
	}
	if c.left > 0 {
		return nil
	}
	for {
		text, err := line(c.r)
		if err != nil {
			return whole(err)
		}
		if text == "" {
			return io.EOF
		}
		if name, value, colon := strings.Cut(text, ":"); !colon || !isToken(name) || badText(value) {
			return malformedf("a trailer line is %q", text)
		}
	}
}

func after(err error, format string, values ...any) error {
	if err != nil {
		return whole(err)
	}
	return malformedf(format, values...)
}
