package host

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"roost/internal/httplint"
)

// smuggled is a second request hidden in, or following, a first. It must never
// be answered as one of its own unless it is.
const smuggled = "GET /smuggled HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"

// verdicts are the answers that a connection gives before it closes: the status
// of each, in order.
type vector struct {
	name, bytes string
	verdicts    string
}

func post(head, body string) string {
	return "POST /first HTTP/1.1\r\nHost: a.test\r\n" + head + "\r\n\r\n" + body
}

func get(line, head string) string {
	if head != "" {
		head += "\r\n"
	}
	return line + "\r\n" + head + "\r\n"
}

const chunked = "Transfer-Encoding: chunked"

// vectors are requests on one connection, each followed by smuggled. A verdict
// of "200 200" means that two were understood.
var vectors = []vector{
	// Good: nothing that is allowed may be refused.
	{"one request, another", get("GET / HTTP/1.1", "Host: a.test"), "200 200"},
	{"a body by length", post("Content-Length: 5", "hello"), "200 200"},
	{"a body of length 0", post("Content-Length: 0", ""), "200 200"},
	{"leading zeros of a length", post("Content-Length: 005", "hello"), "200 200"},
	{"white space around a length", post("Content-Length: \t 5 \t", "hello"), "200 200"},
	{"chunks", post(chunked, "5\r\nhello\r\n0\r\n\r\n"), "200 200"},
	{"many chunks, capital digits", post(chunked, "A\r\n0123456789\r\n1\r\nx\r\n000\r\n\r\n"), "200 200"},
	{"the coding's case", post("Transfer-Encoding: Chunked", "0\r\n\r\n"), "200 200"},
	{"the field's case", post("tRANSFER-eNCODING: chunked", "0\r\n\r\n"), "200 200"},
	{"chunk extensions", post(chunked, "5;a=b;c=\"d e\"\r\nhello\r\n0;x\r\n\r\n"), "200 200"},
	{"trailers", post(chunked, "5\r\nhello\r\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\n"), "200 200"},
	{"an empty line before a request, after a POST", post("Content-Length: 5", "hello\r\n"), "200 200"},
	{"no white space after a colon", get("GET / HTTP/1.1", "Host:a.test"), "200 200"},
	{"an empty value", get("GET / HTTP/1.1", "Host: a.test\r\nX-A:"), "200 200"},
	{"a value with bytes above 127", get("GET / HTTP/1.1", "Host: a.test\r\nX-A: caf\xc3\xa9"), "200 200"},
	{"a tab in a value", get("GET / HTTP/1.1", "Host: a.test\r\nX-A: a\tb"), "200 200"},
	{"every character of a token", get("GET / HTTP/1.1", "Host: a.test\r\n!#$%&'*+-.^_`|~09AZaz: 1"), "200 200"},
	{"HTTP/1.0 kept alive", get("GET / HTTP/1.0", "Host: a.test\r\nConnection: keep-alive"), "200 200"},
	{"HTTP/1.0 without Host", get("GET / HTTP/1.0", ""), "200"},
	{"the absolute form", get("GET http://a.test/x HTTP/1.1", "Host: a.test"), "200 200"},
	{"OPTIONS *", get("OPTIONS * HTTP/1.1", "Host: a.test"), "200 200"},
	{"names that only look like ours", get("GET / HTTP/1.1", "Host: a.test\r\nContent-Lengthy: 7\r\nX-Transfer-Encoding: x\r\nHostess: b"), "200 200"},
	{"a body that looks like a request", post(fmt.Sprintf("Content-Length: %d", len(smuggled)), smuggled), "200 200"},

	// Two lengths for one body, RFC 9112 section 6.3.
	{"length and coding", post("Content-Length: 5\r\n"+chunked, "0\r\n\r\n"), "400"},
	{"coding and length", post(chunked+"\r\nContent-Length: 5", "0\r\n\r\n"), "400"},
	{"coding and length 0", post(chunked+"\r\nContent-Length: 0", "0\r\n\r\n"), "400"},
	{"two lengths that differ", post("Content-Length: 5\r\nContent-Length: 6", "hello"), "400"},
	{"two lengths alike", post("Content-Length: 5\r\nContent-Length: 5", "hello"), "400"},
	{"a list of lengths", post("Content-Length: 5, 5", "hello"), "400"},
	{"a signed length", post("Content-Length: +5", "hello"), "400"},
	{"a negative length", post("Content-Length: -5", "hello"), "400"},
	{"a hexadecimal length", post("Content-Length: 0x5", "hello"), "400"},
	{"an empty length", post("Content-Length: ", "hello"), "400"},
	{"a length that overflows", post("Content-Length: 18446744073709551621", "hello"), "400"},
	{"a length with white space inside", post("Content-Length: 5 0", "hello"), "400"},
	{"a fractional length", post("Content-Length: 5.0", "hello"), "400"},

	// Codings that one parser knows and the next does not.
	{"identity", post("Transfer-Encoding: identity", "hello"), "400"},
	{"gzip, chunked", post("Transfer-Encoding: gzip, chunked", "0\r\n\r\n"), "400"},
	{"chunked, identity", post("Transfer-Encoding: chunked, identity", "0\r\n\r\n"), "400"},
	{"chunked, chunked", post("Transfer-Encoding: chunked, chunked", "0\r\n\r\n"), "400"},
	{"chunked twice", post(chunked+"\r\n"+chunked, "0\r\n\r\n"), "400"},
	{"a quoted coding", post("Transfer-Encoding: \"chunked\"", "0\r\n\r\n"), "400"},
	{"a coding with a vertical tab", post("Transfer-Encoding: \x0bchunked", "0\r\n\r\n"), "400"},
	{"xchunked", post("Transfer-Encoding: xchunked", "0\r\n\r\n"), "400"},
	{"chunkedx", post("Transfer-Encoding: chunkedx", "0\r\n\r\n"), "400"},
	{"chunked;q=1", post("Transfer-Encoding: chunked;q=1", "0\r\n\r\n"), "400"},
	{"an empty coding", post("Transfer-Encoding:", "hello"), "400"},
	{"a coding in HTTP/1.0", "POST /first HTTP/1.0\r\nHost: a.test\r\n" + chunked + "\r\n\r\n0\r\n\r\n", "400"},
	{"white space before the colon", post("Transfer-Encoding : chunked", "0\r\n\r\n"), "400"},
	{"a length with white space before the colon", post("Content-Length : 5", "hello"), "400"},

	// Line ends and folds.
	{"a bare LF after the request line", "GET / HTTP/1.1\nHost: a.test\r\n\r\n", "400"},
	{"a bare LF after a field", "GET / HTTP/1.1\r\nHost: a.test\nX: y\r\n\r\n", "400"},
	{"a bare LF at the end of the head", "GET / HTTP/1.1\r\nHost: a.test\r\n\n", "400"},
	{"bare LFs only", "GET / HTTP/1.1\nHost: a.test\n\n", "400"},
	{"a bare CR in a value", get("GET / HTTP/1.1", "Host: a.test\r\nX: a\rb"), "400"},
	{"a CR before CR LF", get("GET / HTTP/1.1", "Host: a.test\r\nX: a\r"), "400"},
	{"a folded value", get("GET / HTTP/1.1", "Host: a.test\r\nX: a\r\n b"), "400"},
	{"a folded coding", post("Transfer-Encoding:\r\n chunked", "0\r\n\r\n"), "400"},
	{"a fold by a tab", get("GET / HTTP/1.1", "Host: a.test\r\nX: a\r\n\tb"), "400"},
	{"a fold of the request line", "GET / HTTP/1.1\r\n Host: a.test\r\n\r\n", "400"},
	{"an LF before a request", "\nGET / HTTP/1.1\r\nHost: a.test\r\n\r\n", "400"},

	// Request lines.
	{"HTTP/1.2", get("GET / HTTP/1.2", "Host: a.test"), "400"},
	{"HTTP/2.0", get("GET / HTTP/2.0", "Host: a.test"), "400"},
	{"HTTP/0.9", "GET /\r\n", "400"},
	{"HTTP/1.10", get("GET / HTTP/1.10", "Host: a.test"), "400"},
	{"HTTP/01.1", get("GET / HTTP/01.1", "Host: a.test"), "400"},
	{"http/1.1", get("GET / http/1.1", "Host: a.test"), "400"},
	{"white space after the version", get("GET / HTTP/1.1 ", "Host: a.test"), "400"},
	{"two spaces", get("GET  / HTTP/1.1", "Host: a.test"), "400"},
	{"a tab", get("GET\t/ HTTP/1.1", "Host: a.test"), "400"},
	{"a space in the target", get("GET /a b HTTP/1.1", "Host: a.test"), "400"},
	{"a control character in the target", get("GET /a\x01 HTTP/1.1", "Host: a.test"), "400"},
	{"a method that is no token", get("G<T / HTTP/1.1", "Host: a.test"), "400"},
	{"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"},
	{"a TLS handshake", "\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03", "400"},
	{"a fragment", get("GET /a#b HTTP/1.1", "Host: a.test"), "400"},
	{"GET *", get("GET * HTTP/1.1", "Host: a.test"), "400"},
	{"CONNECT", get("CONNECT a.test:443 HTTP/1.1", "Host: a.test:443"), "405"},
	{"TRACE", get("TRACE / HTTP/1.1", "Host: a.test"), "405"},

	// Host and names.
	{"no Host", get("GET / HTTP/1.1", ""), "400"},
	{"an empty Host", get("GET / HTTP/1.1", "Host:"), "400"},
	{"two Hosts", get("GET / HTTP/1.1", "Host: a.test\r\nHost: b.test"), "400"},
	{"two Hosts alike", get("GET / HTTP/1.1", "Host: a.test\r\nHost: a.test"), "400"},
	{"a Host with a path", get("GET / HTTP/1.1", "Host: a.test/x"), "400"},
	{"a Host with a user", get("GET / HTTP/1.1", "Host: u@a.test"), "400"},
	{"a name with a space", get("GET / HTTP/1.1", "Host: a.test\r\nX A: 1"), "400"},
	{"no name", get("GET / HTTP/1.1", "Host: a.test\r\n: 1"), "400"},
	{"no colon", get("GET / HTTP/1.1", "Host: a.test\r\nX"), "400"},
	{"a NUL in a name", get("GET / HTTP/1.1", "Host: a.test\r\nX\x00: 1"), "400"},
	{"a NUL in a value", get("GET / HTTP/1.1", "Host: a.test\r\nX: a\x00b"), "400"},
	{"a name above 127", get("GET / HTTP/1.1", "Host: a.test\r\nX\xe9: 1"), "400"},

	// Limits.
	{"100 header lines", get("GET / HTTP/1.1", "Host: a.test"+strings.Repeat("\r\nX-A: 1", 99)), "200 200"},
	{"101 header lines", get("GET / HTTP/1.1", "Host: a.test"+strings.Repeat("\r\nX-A: 1", 100)), "431"},
	{"a head of 15 KiB", get("GET / HTTP/1.1", "Host: a.test\r\nX: "+strings.Repeat("x", 15<<10)), "200 200"},
	{"a head of 17 KiB", get("GET / HTTP/1.1", "Host: a.test\r\nX: "+strings.Repeat("x", 17<<10)), "431"},
	{"a target of 9 KiB", get("GET /"+strings.Repeat("x", 9<<10)+" HTTP/1.1", "Host: a.test"), "414"},

	// Bodies that end in another place than they say: what follows is never a request.
	{"a chunk that is longer than it says", post(chunked, "5\r\nhelloworld\r\n0\r\n\r\n"), "-"},
	{"a chunk that is shorter than it says", post(chunked, "7\r\nhello\r\n0\r\n\r\n"), "-"},
	{"a bare LF after a chunk's size", post(chunked, "5\nhello\r\n0\r\n\r\n"), "-"},
	{"a bare LF after a chunk", post(chunked, "5\r\nhello\n0\r\n\r\n"), "-"},
	{"a bare LF at the end", post(chunked, "5\r\nhello\r\n0\r\n\n"), "-"},
	{"a chunk's size with 0x", post(chunked, "0x5\r\nhello\r\n0\r\n\r\n"), "-"},
	{"a chunk's size with a sign", post(chunked, "+5\r\nhello\r\n0\r\n\r\n"), "-"},
	{"a chunk's size with white space", post(chunked, " 5\r\nhello\r\n0\r\n\r\n"), "-"},
	{"a chunk's size with white space after", post(chunked, "5 \r\nhello\r\n0\r\n\r\n"), "-"},
	{"a chunk's size that overflows", post(chunked, "10000000000000005\r\nhello\r\n0\r\n\r\n"), "-"},
	{"an empty chunk size", post(chunked, "\r\nhello\r\n0\r\n\r\n"), "-"},
	{"a bare LF in an extension", post(chunked, "5;a\nb\r\nhello\r\n0\r\n\r\n"), "-"},
	{"a bare CR in an extension", post(chunked, "5;a\rb\r\nhello\r\n0\r\n\r\n"), "-"},
	{"a folded trailer", post(chunked, "0\r\nX: a\r\n b\r\n\r\n"), "-"},
	{"a bare LF in a trailer", post(chunked, "0\r\nX: a\nY: b\r\n\r\n"), "-"},
}

// answersTo sends raw bytes and reads answers until the connection closes.
func answersTo(t *testing.T, c net.Conn, raw string) (verdicts string, paths []string) {
	t.Helper()
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	go io.WriteString(c, raw)
	r := bufio.NewReader(c)
	var statuses []string
	for {
		res, err := httplint.Read(t, r, nil)
		if err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return strings.Join(statuses, " "), paths
			}
			t.Errorf("after %v: %v", statuses, err)
			return strings.Join(statuses, " "), paths
		}
		body, _ := io.ReadAll(res.Body)
		statuses = append(statuses, fmt.Sprint(res.StatusCode))
		if res.StatusCode == 200 {
			paths = append(paths, string(body))
		}
	}
}

// check sends every vector by dial, in one piece and byte by byte.
func checkVectors(t *testing.T, dial func(t *testing.T) net.Conn) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			for _, split := range []bool{false, true} {
				if split && len(v.bytes) > 4096 {
					continue
				}
				c := dial(t)
				if split {
					c = &bytewise{c}
				}
				verdicts, paths := answersTo(t, c, v.bytes+smuggled)
				if v.verdicts == "-" {
					for _, p := range paths {
						if p == "/smuggled" {
							t.Errorf("byte by byte %v: the smuggled request was answered: %s", split, verdicts)
						}
					}
					if strings.Count(verdicts, " ") > 0 {
						t.Errorf("byte by byte %v: answers %s, want one at most", split, verdicts)
					}
				} else if verdicts != v.verdicts {
					t.Errorf("byte by byte %v: answers %q, want %q", split, verdicts, v.verdicts)
				}
			}
		})
	}
}

// bytewise writes each byte by itself.
type bytewise struct{ net.Conn }

func (b *bytewise) Write(p []byte) (int, error) {
	for i := range p {
		if _, err := b.Conn.Write(p[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(p), nil
}

// TestTheFramingIsStrict runs the vectors against net/http behind a guard.
func TestTheFramingIsStrict(t *testing.T) {
	f := &front{unknown: newFigures(), httpsPort: func() int { return 0 }}
	f.router.Store(echoRouter())
	server := httptest.NewUnstartedServer(f)
	server.Listener = guardedListener{server.Listener}
	server.Config.MaxHeaderBytes = maxHeader - 4096
	server.Start()
	t.Cleanup(server.Close)
	checkVectors(t, func(t *testing.T) net.Conn {
		c, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		return c
	})
}

type guardedListener struct{ net.Listener }

func (l guardedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return newGuard(c, time.Minute, func(error) {}), nil
}

// FuzzFraming holds the framing against net/http's: of whatever bytes pass the
// guard, net/http must see no more requests than the guard has seen heads end,
// and none at another offset.
func FuzzFraming(f *testing.F) {
	for _, v := range vectors {
		if len(v.bytes) < 4096 {
			f.Add([]byte(v.bytes + smuggled))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > 64<<10 {
			return
		}
		var whole framing
		n, refused := whole.scan(raw)
		var single framing
		for i := range raw {
			if k, err := single.scan(raw[i : i+1]); err != nil {
				if refused == nil || i != n || k != 0 || err != refused {
					t.Fatalf("byte by byte: %v at %d; at once: %v at %d", err, i, refused, n)
				}
				break
			}
		}
		if refused == nil && single != whole {
			t.Fatalf("states differ: %+v, %+v", single, whole)
		}
		// What passes must mean the same to net/http.
		passed := raw[:n]
		in := bufio.NewReader(bytes.NewReader(passed))
		var mine framing
		at := 0
		for {
			req, err := http.ReadRequest(in)
			if err != nil {
				return // net/http may be stricter; it closes then
			}
			_, err = io.Copy(io.Discard, req.Body)
			if err != nil {
				return
			}
			if _, err := in.Peek(1); err != nil {
				return
			}
			end := len(passed) - in.Buffered()
			if _, err := mine.scan(passed[at:end]); err != nil {
				t.Fatal(err)
			}
			at = end
			if mine.state != atStart {
				t.Fatalf("net/http sees a message end at %d of %q, the guard is in state %d", end, passed, mine.state)
			}
		}
	})
}
