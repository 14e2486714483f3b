package http1

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// readAnswer reads a head that is given with \n for line ends, which become CR LF.
func readAnswer(t *testing.T, text string) (a Answer, err error) {
	t.Helper()
	p := []byte(strings.ReplaceAll(text, "\n", "\r\n"))
	end, _ := HeadEnd(p, 0)
	if end == 0 {
		t.Fatalf("%q has no end", text)
	}
	err = a.Read(string(p[:end]))
	return a, err
}

func TestTheHeadOfAnAnswerIsRead(t *testing.T) {
	fields := func(f ...string) (all []Field) {
		for i := 0; i < len(f); i += 2 {
			all = append(all, Field{f[i], f[i+1]})
		}
		return all
	}
	for _, c := range []struct {
		head string
		want Answer
	}{
		{"HTTP/1.1 200 OK\n\n", Answer{Status: 200, Length: -1}},
		{"HTTP/1.1 200\n\n", Answer{Status: 200, Length: -1}},
		{"HTTP/1.1 200 \n\n", Answer{Status: 200, Length: -1}},
		{"HTTP/1.0 404 Not Found\n\n", Answer{Status: 404, Length: -1, Close: true}},
		{"HTTP/1.1 999 \xe9t\xe9\n\n", Answer{Status: 999, Length: -1}},
		{"HTTP/1.1 200 OK\ncontent-LENGTH:12 \nX:\t a b\t\nx-POWERED-by: y\n\n", Answer{Status: 200, Length: 12,
			Fields: fields("Content-Length", "12", "X", "a b", "X-Powered-By", "y")}},
		{"HTTP/1.1 200 OK\nContent-Length: 3\nA: \nContent-Length: 3\n\n", Answer{Status: 200, Length: 3, Fields: fields("Content-Length", "3", "A", "")}},
		{"HTTP/1.1 200 OK\nTransfer-Encoding: Chunked\n\n", Answer{Status: 200, Length: -1, Chunked: true, Fields: fields("Transfer-Encoding", "Chunked")}},
		{"HTTP/1.1 200 OK\nConnection: keep-alive, Close\n\n", Answer{Status: 200, Length: -1, Close: true, Fields: fields("Connection", "keep-alive, Close")}},
	} {
		got, err := readAnswer(t, c.head)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%q: %v, %v, want %v", c.head, got, err, c.want)
		}
	}
}

func TestAHeadThatMayMeanTwoThingsIsRefused(t *testing.T) {
	for head, want := range map[string]error{
		"HTTP/1.1\n\n":                                               errStatusLine,
		"HTTP/1.1 20\n\n":                                            errStatusLine,
		"HTTP/1.1 2000 OK\n\n":                                       errStatusLine,
		"HTTP/1.1 099 OK\n\n":                                        errStatusLine,
		"HTTP/1.1 +20 OK\n\n":                                        errStatusLine,
		"HTTP/1.1  200 OK\n\n":                                       errStatusLine,
		"http/1.1 200 OK\n\n":                                        errStatusLine,
		"ICY 200 OK: it is\n\n":                                      errStatusLine,
		"HTTP/1.1 200 O\rK\n\n":                                      errStatusLine,
		"HTTP/2.0 200 OK\n\n":                                        errStatusLine,
		"HTTP/1.2 200 OK\n\n":                                        errVersion,
		"\nHTTP/1.1 200 OK\n\n":                                      errStatusLine,
		"HTTP/1.1 200 OK\n: x\n\n":                                   errName,
		"HTTP/1.1 200 OK\nname\n\n":                                  errName,
		"HTTP/1.1 200 OK\na b: x\n\n":                                errName,
		"HTTP/1.1 200 OK\na : x\n\n":                                 errName,
		"HTTP/1.1 200 OK\n\xe9: x\n\n":                               errName,
		"HTTP/1.1 200 OK\nA: x\n folded\n\n":                         errFold,
		"HTTP/1.1 200 OK\n\tB: x\n\n":                                errFold,
		"HTTP/1.1 200 OK\nA: x\ry\n\n":                               errValue,
		"HTTP/1.1 200 OK\nA: x\r \n\n":                               errValue,
		"HTTP/1.1 200 OK\nA: x\x00\n\n":                              errValue,
		"HTTP/1.1 200 OK\nA: \x7f\n\n":                               errValue,
		"HTTP/1.1 200 OK\nContent-Length: 3\nContent-Length: 4\n\n":  errLengths,
		"HTTP/1.1 200 OK\nContent-Length: 03\nContent-Length: 3\n\n": errLengths,
		"HTTP/1.1 200 OK\nContent-Length: 3, 3\n\n":                  errLengths,
		"HTTP/1.1 200 OK\nContent-Length: +3\n\n":                    errLengths,
		"HTTP/1.1 200 OK\nContent-Length: \n\n":                      errLengths,
		"HTTP/1.1 200 OK\nContent-Length: 0x3\n\n":                   errLengths,
		"HTTP/1.1 200 OK\nContent-Length: 9999999999999999999\n\n":   errLengths,
		"HTTP/1.1 200 OK\nTransfer-Encoding: gzip\n\n":               errEncoding,
		"HTTP/1.1 200 OK\nTransfer-Encoding: gzip, chunked\n\n":      errEncoding,
		"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nTransfer-Encoding: chunked\n\n":       errEncoding,
		"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nContent-Length: 3\n\n":                errBoth,
		"HTTP/1.1 200 OK\ncontent-length: 3\nTRANSFER-ENCODING: chunked\nContent: x\n\n":    errBoth,
		"HTTP/1.0 200 OK\nTransfer-Encoding: chunked\nConnection: keep-alive\nX: chunk\n\n": errOldCoding,
	} {
		if _, err := readAnswer(t, head); err != want {
			t.Errorf("%q: %v, want %v", head, err, want)
		}
	}
}

func TestTheEndOfAHeadIsFoundWhereverItIsCut(t *testing.T) {
	for head, rest := range map[string]string{
		"HTTP/1.1 200 OK\r\nA: b\r\n\r\n": "body",
		"HTTP/1.1 200 OK\nA: b\n\n":       "\r\n\r\n",
		"HTTP/1.1 200 OK\nA: b\n\r\n":     "\n",
		"HTTP/1.1 200 OK\r\n\n":           "",
	} {
		p, from := []byte(head+rest), 0
		for n := range len(head) {
			var end int
			if end, from = HeadEnd(p[:n], from); end != 0 {
				t.Errorf("%q: ends at %d", p[:n], end)
			}
		}
		if end, _ := HeadEnd(p, from); end != len(head) {
			t.Errorf("%q: ends at %d, want %d", p, end, len(head))
		}
	}
}

// unchunk takes the data out of p in pieces of size. rest is what follows the body.
func unchunk(p []byte, size int) (data []byte, trailer []Field, rest int, err error) {
	var c Chunks
	c.Reset()
	read := 0
	for part := range slices.Chunk(p, size) {
		for len(part) > 0 {
			piece, n, err := c.Next(part)
			if err != nil {
				return data, nil, 0, err
			}
			data = append(data, piece...)
			part = part[n:]
			read += n
			if c.Ended() {
				trailer, err = c.Trailer()
				return data, trailer, len(p) - read, err
			}
		}
	}
	return data, nil, 0, io.ErrUnexpectedEOF
}

func TestWhatIsNoDataOfAChunkedBodyIsBounded(t *testing.T) {
	long := strings.Repeat("x", maxBetween)
	for _, body := range []string{
		"5;" + long + "\r\nhello\r\n0\r\n\r\n",
		"5\r\nhello\r\n0\r\nA: " + long + "\r\n\r\n",
		"5\r\nhello\r\n0\r\n" + strings.Repeat("A: b\r\n", maxBetween/6+1) + "\r\n",
	} {
		if data, _, _, err := unchunk([]byte(body), 1000); err != errChunk {
			t.Errorf("%.20q…: %q, %v", body, data, err)
		}
	}
	many := strings.Repeat("1;"+long[:1000]+"\r\nx\r\n", 100) + "0\r\nA: b\r\n\r\nrest"
	data, trailer, rest, err := unchunk([]byte(many), 1000)
	if len(data) != 100 || len(trailer) != 1 || trailer[0] != (Field{"A", "b"}) || rest != 4 || err != nil {
		t.Errorf("%d bytes, trailer %v, %d left, %v", len(data), trailer, rest, err)
	}
}

// What both take for a chunked body is the same to net/http, however it is cut.
func FuzzChunks(f *testing.F) {
	for _, seed := range []string{
		"5\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n1\r\n!\r\n0\r\nA: b\r\nc: d\r\n\r\nrest", "0\r\n\r\n", "0000\r\n\r\n", "A;x=\"y\"\r\n0123456789\r\n0;z\r\n\r\n",
		"5 \r\nhello\r\n0\r\n\r\n", "5\nhello\r\n0\r\n\r\n", "5\r\nhello0\r\n\r\n", "-1\r\n\r\n", "fffffffffffffff\r\n", "ffffffffffffffff\r\n", "5\r\nhel", "0\r\nA b: c\r\n\r\n", "0\r\n a: b\r\n\r\n",
	} {
		f.Add([]byte(seed), 3)
	}
	f.Fuzz(func(t *testing.T, p []byte, size int) {
		if len(p) > 4000 { // net/http has bounds of 4,096 bytes for lines and trailers
			return
		}
		data, trailer, rest, err := unchunk(p, len(p)+1)
		if data2, trailer2, rest2, err2 := unchunk(p, max(1, size%100)); !bytes.Equal(data, data2) || len(trailer) != len(trailer2) || rest != rest2 || (err == nil) != (err2 == nil) {
			t.Fatalf("cut: %q, %d left, %v; whole: %q, %d left, %v", data2, rest2, err2, data, rest, err)
		}
		if err != nil {
			return
		}
		from := bufio.NewReader(io.MultiReader(strings.NewReader("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), bytes.NewReader(p)))
		res, err := http.ReadResponse(from, nil)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatalf("net/http refuses it: %v", err)
		}
		after, _ := io.ReadAll(from)
		if !bytes.Equal(theirs, data) || len(after) != rest {
			t.Fatalf("%q, %d left; net/http has %q, %d left", data, rest, theirs, len(after))
		}
		if n := 0; true {
			for _, values := range res.Trailer {
				n += len(values)
			}
			for _, f := range trailer {
				if !slices.Contains(res.Trailer[f.Name], f.Value) {
					t.Fatalf("trailer %v; net/http has %v", trailer, res.Trailer)
				}
			}
			if n != len(trailer) {
				t.Fatalf("trailer %v; net/http has %v", trailer, res.Trailer)
			}
		}
	})
}
