package upstream

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// recorded is a connection on which what an instance says has been said
// already; it comes in parts of size, and then the connection ends.
type recorded struct {
	net.Conn // nil: nothing else is used
	text     []byte
	size     int
}

func (r *recorded) Read(p []byte) (int, error) {
	if len(r.text) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), r.size)], r.text)
	r.text = r.text[n:]
	return n, nil
}
func (r *recorded) Write(p []byte) (int, error)      { return len(p), nil }
func (r *recorded) Close() error                     { return nil }
func (r *recorded) SetDeadline(time.Time) error      { return nil }
func (r *recorded) SetReadDeadline(time.Time) error  { return nil }
func (r *recorded) SetWriteDeadline(time.Time) error { return nil }

// reading is what an answer is read as.
type reading struct {
	status  int
	fields  []string
	content string
	trailer []string
	left    int // bytes behind the answer
}

func (r *reading) sorted() *reading {
	slices.Sort(r.fields)
	slices.Sort(r.trailer)
	return r
}

// ofFraming are fields that net/http tells of in another way, or not at all.
func ofFraming(name string) bool {
	return name == "Transfer-Encoding" || name == "Trailer" || name == "Content-Length"
}

// ours reads an answer, and tells of bytes that came in one part with its end, too.
func ours(text []byte, size int, head bool) (*reading, error) {
	on := &recorded{text: text, size: size}
	c := New(func(context.Context) (net.Conn, error) { return on, nil })
	a, err := c.Do(context.Background(), &Request{Head: []byte("x"), NoContent: head})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	defer a.Close()
	r := &reading{status: a.Head.Status}
	for _, f := range a.Head.Fields {
		if !ofFraming(f.Name) {
			r.fields = append(r.fields, f.Name+": "+f.Value)
		}
	}
	for err == nil {
		var p []byte
		p, _, err = a.Next(forever)
		r.content += string(p)
	}
	if err != io.EOF {
		return nil, err
	}
	for _, f := range a.Trailer() {
		if !ofFraming(f.Name) {
			r.trailer = append(r.trailer, f.Name+": "+f.Value)
		}
	}
	r.left = len(on.text) + a.w - a.r
	return r.sorted(), nil
}

// theirs reads it by net/http.
func theirs(text []byte, head bool) (*reading, error) {
	from := bufio.NewReader(bytes.NewReader(text))
	q := &http.Request{Method: "GET"}
	if head {
		q.Method = "HEAD"
	}
	for {
		res, err := http.ReadResponse(from, q)
		if err != nil {
			return nil, err
		}
		if res.StatusCode < 200 && res.StatusCode != http.StatusSwitchingProtocols {
			continue
		}
		content, err := io.ReadAll(res.Body)
		if err != nil {
			return nil, err
		}
		r := &reading{status: res.StatusCode, content: string(content)}
		for _, h := range []struct {
			from http.Header
			to   *[]string
		}{{res.Header, &r.fields}, {res.Trailer, &r.trailer}} {
			for name, values := range h.from {
				for _, v := range values {
					if !ofFraming(name) {
						*h.to = append(*h.to, name+": "+v)
					}
				}
			}
		}
		rest, _ := io.ReadAll(from)
		r.left = len(rest)
		return r.sorted(), nil
	}
}

// What is an answer to us and to net/http says the same to both, and ends at
// the same byte, in whatever parts it comes.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello, world",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100\r\n\r\nHTTP/1.1 304 Not Modified\r\nEtag: \"x\"\r\nContent-Length: 7\r\n\r\n",
		"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nuntil the end",
		"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc",
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\nmore",
		"HTTP/1.1 200\nA:b\nA: \tc \n\nx",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nContent-Length: 05\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "nonsense", "",
	} {
		f.Add([]byte(seed), 7, false)
		f.Add([]byte(seed), 1, true)
	}
	f.Fuzz(func(t *testing.T, text []byte, size int, head bool) {
		if len(text) > 4000 { // net/http has bounds of 4,096 bytes for lines and trailers
			return
		}
		size = 1 + max(0, size)%1000
		us, err := ours(text, size, head)
		if whole, err2 := ours(text, len(text)+1, head); (err == nil) != (err2 == nil) || err == nil && fmt.Sprint(us) != fmt.Sprint(whole) {
			t.Fatalf("in parts %v, %v; whole %v, %v", us, err, whole, err2)
		}
		if err != nil {
			return
		}
		them, err := theirs(text, head)
		if err != nil {
			t.Fatalf("net/http refuses what is %+v to us: %v", us, err)
		}
		if fmt.Sprintf("%+v", us) != fmt.Sprintf("%+v", them) {
			t.Fatalf("%+v\nto net/http it is\n%+v", us, them)
		}
	})
}

func TestHeadsAreBoundedAndMayBeLong(t *testing.T) {
	for lines, ok := range map[int]bool{10: true, 1000: true, 2600: true, 2700: false} {
		text := "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + strings.Repeat("A: "+strings.Repeat("x", 95)+"\r\n", lines) + "\r\nok"
		r, err := ours([]byte(text), 10_000, false)
		if (err == nil) != ok || ok && (r.content != "ok" || len(r.fields) != lines) {
			t.Errorf("%d lines: %v", lines, err)
		}
	}
	for n, ok := range map[int]bool{1000: true, 10_000: true, 13_000: false} {
		text := strings.Repeat("HTTP/1.1 102 Wait\r\n\r\n", n) + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
		if r, err := ours([]byte(text), 10_000, false); (err == nil) != ok || ok && r.content != "ok" {
			t.Errorf("%d interim answers: %v", n, err)
		}
	}
}

// The strings of a head are the reader's for good.
func TestAHeadOutlivesItsConnection(t *testing.T) {
	c, _ := instance(t, func(nc net.Conn, r *bufio.Reader) {
		for n := 0; skipHead(r); n++ {
			fmt.Fprintf(nc, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Number: %d\r\n\r\n", n)
		}
	})
	var seen []string
	for range 10 {
		a, err := c.Do(t.Context(), get)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Head.Fields {
			if f.Name == "X-Number" {
				seen = append(seen, f.Value)
			}
		}
		a.Close()
	}
	if got := strings.Join(seen, ""); got != "0123456789" {
		t.Errorf("%q", got)
	}
}
