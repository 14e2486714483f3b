package static

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"roost/internal/httplint"
)

// represented serves each kind of representation: compressed here, beside in
// memory, beside on disk, without any.
func represented(t *testing.T) (*site, []string) {
	all := files{"a.png": script(3000), "large.bin": script(maxInMemory + 100), "tiny.css": "b{}", "index.html": script(2000), "404.html": script(700)}
	for name, content := range beside(t, "a.css", script(10_000), br, gzip) {
		all[name] = content
	}
	for name, content := range beside(t, "big.js", script(onDisk), br, zstd) {
		all[name] = content
	}
	all["made.js"] = script(20_000)
	return newSite(t, Config{Serving: Serving{SPA: true}}, all), []string{"/a.png", "/large.bin", "/tiny.css", "/", "/a.css", "/a.css.br", "/big.js", "/made.js"}
}

var accepts = []string{"", "identity", "br", "zstd", "gzip", "gzip, deflate, br, zstd", "br;q=0, *;q=0.1", "identity;q=0"}

func TestRangesAreOfTheRepresentation(t *testing.T) {
	s, paths := represented(t)
	for _, path := range paths {
		for _, accept := range accepts {
			whole := s.get(path, "Accept-Encoding: "+accept)
			if said, encoded := whole.Header.Get("Accept-Ranges"), whole.Header.Get("Content-Encoding") != ""; encoded != (said == "") {
				t.Errorf("%s in %q: Accept-Ranges is %q with Content-Encoding %q", path, accept, said, whole.Header.Get("Content-Encoding"))
			}
			for set, want := range map[string]string{"0-1": "0-1", "1-1,-1": fmt.Sprintf("1-1 %d-%[1]d", len(whole.body)-1), "2-": fmt.Sprintf("2-%d", len(whole.body)-1)} {
				a := s.get(path, "Accept-Encoding: "+accept, "Range: bytes="+set, "If-Range: "+whole.Header.Get("Etag"))
				if len(whole.body) == 3 && set == "1-1,-1" {
					want = "1-2"
				}
				if got := shownRanges(t, a, whole.body); got != want {
					t.Errorf("%s in %q: %s, want %s", path, accept, got, want)
				}
				for _, field := range []string{"Etag", "Vary", "Content-Encoding", "Last-Modified", "Cache-Control", "Accept-Ranges"} {
					if a.Header.Get(field) != whole.Header.Get(field) {
						t.Errorf("%s in %q: %s is %q in a part, %q in the whole", path, accept, field, a.Header.Get(field), whole.Header.Get(field))
					}
				}
			}
			a := s.get(path, "Accept-Encoding: "+accept, "Range: bytes=99999999-")
			if want := fmt.Sprintf("bytes */%d", len(whole.body)); a.StatusCode != 416 || a.Header.Get("Content-Range") != want {
				t.Errorf("%s in %q: %d of %s, want %s", path, accept, a.StatusCode, a.Header.Get("Content-Range"), want)
			}
		}
	}
}

// HEAD is answered with what GET is, byte for byte, but for the content.
func TestHeadIsGetWithoutContent(t *testing.T) {
	s, paths := represented(t)
	cases := 0
	for _, path := range append(paths, "/none.js", "/some/route", "/a.css/") {
		for _, accept := range accepts {
			tag := s.get(path, "Accept-Encoding: "+accept).Header.Get("Etag")
			for _, field := range []string{"", "If-None-Match: " + tag, `If-None-Match: "x"`, `If-Match: "x"`, "If-Modified-Since: Fri, 31 Dec 2100 00:00:00 GMT", "Accept: text/html"} {
				fields := "Accept-Encoding: " + accept + "\r\n"
				if field != "" {
					fields += field + "\r\n"
				}
				get, _ := s.head("GET", path, fields)
				head, rest := s.head("HEAD", path, fields)
				if get != head || rest != "" {
					t.Errorf("%s with %q:\n%s\n%s%q", path, fields, get, head, rest)
				}
				cases++
			}
		}
	}
	if cases < 400 {
		t.Errorf("%d cases", cases)
	}
}

// head returns the head of an answer but for its date, and what follows it.
func (s *site) head(method, path, fields string) (head, rest string) {
	s.t.Helper()
	c, err := net.Dial("tcp", s.addr)
	check(s.t, err)
	defer c.Close()
	check(s.t, c.SetDeadline(time.Now().Add(30*time.Second)))
	_, err = io.WriteString(c, method+" "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"+fields+"\r\n")
	check(s.t, err)
	all, err := io.ReadAll(c)
	check(s.t, err)
	head, rest, _ = strings.Cut(string(all), "\r\n\r\n")
	before, date, _ := strings.Cut(head, "\r\nDate: ")
	return before + date[min(len(date), len(http.TimeFormat)):], rest
}

func TestFieldsThatAnswersDependOnAreSaidTogether(t *testing.T) {
	s, _ := represented(t)
	for _, c := range []struct{ path, want string }{
		{"/", "Accept-Encoding"},
		{"/some/route", "Accept, Sec-Fetch-Mode, Accept-Encoding"},
		{"/a.png", ""},
		{"/a.css.br", ""},
		{"/large.bin", ""},
	} {
		for _, fields := range []string{"", "|Accept-Encoding: br", "|If-None-Match: *", "|Range: bytes=0-1"} {
			a := s.get(c.path, strings.Split("Accept: text/html"+fields, "|")...)
			if got := strings.Join(a.Header["Vary"], ", "); got != c.want {
				t.Errorf("%s%s: Vary is %q, want %q", c.path, fields, got, c.want)
			}
		}
	}
}

// Whatever the representation, an answer from memory allocates nothing here.
func TestRepresentationsInMemoryAllocateNothing(t *testing.T) {
	s, _ := represented(t)
	for _, path := range []string{"/a.css", "/made.js", "/", "/a.png"} {
		for _, accept := range accepts {
			r := httptest.NewRequest("GET", path, nil)
			r.Header.Set("Accept-Encoding", accept)
			w := &discard{header: http.Header{}}
			s.ServeHTTP(w, r)
			if n := testing.AllocsPerRun(100, func() {
				clear(w.header)
				s.ServeHTTP(w, r)
			}); n > 0 {
				t.Errorf("%s in %q: %v allocations", path, accept, n)
			}
		}
	}
}

// mostAllocations of net/http and this package together, for one request on a connection that is kept.
const mostAllocations = 17

func TestARequestOverHTTPAllocatesLittle(t *testing.T) {
	s := newSite(t, Config{}, files{"index.html": "", "a.bin": strings.Repeat("x", 1024), "a.js": script(8 << 10)})
	asked := "Host: example.com\r\n"
	const accept = "Accept-Encoding: gzip, deflate, br, zstd\r\n" // net/http makes one allocation of each field that it reads
	for _, c := range []struct {
		name, request string
		most          float64
	}{
		{"plain", "GET /a.bin HTTP/1.1\r\n" + asked + "\r\n", mostAllocations},
		{"not compressed", "GET /a.js HTTP/1.1\r\n" + asked + "\r\n", mostAllocations},
		{"plain, to a browser", "GET /a.bin HTTP/1.1\r\n" + asked + accept + "\r\n", mostAllocations + 1},
		{"br, to a browser", "GET /a.js HTTP/1.1\r\n" + asked + accept + "\r\n", mostAllocations + 1},
	} {
		conn, err := net.Dial("tcp", s.addr)
		check(t, err)
		defer conn.Close()
		request, buffer := []byte(c.request), make([]byte, 64<<10)
		var size int
		ask := func() {
			if _, err := conn.Write(request); err != nil {
				t.Fatal(err)
			}
			for n := 0; ; {
				m, err := conn.Read(buffer[n:])
				if err != nil {
					t.Fatal(err)
				}
				if n += m; size > 0 && n == size {
					return
				} else if size == 0 {
					if end := bytes.Index(buffer[:n], []byte("\r\n\r\n")); end > 0 {
						res, err := httplint.Read(t, bufio.NewReader(bytes.NewReader(buffer[:n])), nil)
						check(t, err)
						if n == end+4+int(res.ContentLength) {
							size = n
							return
						}
					}
				}
			}
		}
		for range 10 {
			ask()
		}
		const n = 2000
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range n {
			ask()
		}
		runtime.ReadMemStats(&after)
		each := float64(after.Mallocs-before.Mallocs) / n
		t.Logf("%s: %.2f allocations, %.0f bytes", c.name, each, float64(after.TotalAlloc-before.TotalAlloc)/n)
		slack := 0.5 // the process does other things, too
		if raced {
			slack = 4
		}
		if each > c.most+slack {
			t.Errorf("%s: %.2f allocations, more than %v", c.name, each, c.most)
		}
	}
}
