package host

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/andybalholm/brotli"

	"roost/internal/httplint"
)

// lanes are two hosts of one Config, with the express lane and without.
type lanes struct {
	express, full *attacked
}

func newLanes(t *testing.T, config func(*box) Config) lanes {
	t.Helper()
	first, second := newBox(t), newBox(t)
	c := config(first)
	with := first.attackedWith(c)
	c.Host.Express = no()
	return lanes{with, second.attackedWith(c)}
}

// answered is how many requests the express lane of a host has answered.
func (b *box) answered() (n uint64) {
	for _, l := range b.servers.Load().lanes() {
		n += l.Answered()
	}
	return n
}

// exchanged is what comes back for bytes, until the connection closes. The
// connection is one that the express lane is on when there is one: nothing of
// what is sent is looked at here.
func exchanged(c net.Conn, sent []byte) []byte {
	defer c.Close()
	c.SetDeadline(time.Now().Add(30 * time.Second))
	go c.Write(sent)
	raw, _ := io.ReadAll(c) // a connection may be reset in the face of a request that is too long
	return raw
}

// told is what answers say, but for the time and the order of fields.
func told(t *testing.T, sent, raw []byte) (all []string) {
	t.Helper()
	answers, found := httplint.Answers(sent, raw)
	for _, f := range found {
		t.Errorf("%.200q: %s", sent, f)
	}
	for _, res := range answers {
		body, err := io.ReadAll(res.Body)
		res.Header.Del("Date")
		var head strings.Builder
		for _, name := range slices.Sorted(maps.Keys(res.Header)) {
			fmt.Fprintf(&head, "%s: %q\n", name, res.Header[name])
		}
		all = append(all, fmt.Sprintf("%s %s length %d, coding %q, close %v, %v\n%s\n%q\n%q", res.Proto, res.Status, res.ContentLength, res.TransferEncoding, res.Close, err, head.String(), body, res.Trailer))
	}
	return all
}

var (
	boundaries = regexp.MustCompile(`\b[A-Z2-7]{26}\b`)
	announced  = regexp.MustCompile(`h3=":\d+"`)
)

// Ways to a host. A handshake costs more than all that is asked here.
var dials = map[string]func(*attacked) (net.Conn, error){
	"plain": (*attacked).plain, "TLS": (*attacked).secure,
}

// same sends bytes through both lanes, on these ways, and wants the same back.
func (l lanes) same(t *testing.T, name string, sent []byte, lines ...string) {
	t.Helper()
	for _, line := range lines {
		var got [2][]string
		for i, a := range []*attacked{l.express, l.full} {
			c, err := dials[line](a)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			raw := exchanged(c, sent)
			// Redirects to HTTPS name the port, which is each host's own, and what stands between parts is random.
			_, port, _ := net.SplitHostPort(a.address("https"))
			raw = announced.ReplaceAll(bytes.ReplaceAll(raw, []byte(":"+port), []byte(":44444")), []byte(`h3=":44444"`))
			got[i] = told(t, sent, boundaries.ReplaceAll(raw, []byte(strings.Repeat("B", 26))))
		}
		if !slices.Equal(got[0], got[1]) {
			n := 0
			for n < min(len(got[0]), len(got[1])) && got[0][n] == got[1][n] {
				n++
			}
			t.Errorf("%s, %s: answer %d of %d and %d differs\nexpress: %.1500q\nfull:    %.1500q", name, line, n, len(got[0]), len(got[1]), got[0][n:min(n+1, len(got[0]))], got[1][n:min(n+1, len(got[1]))])
		}
	}
}

func TestBothLanesAnswerEveryVectorAlike(t *testing.T) {
	t.Parallel()
	l := newLanes(t, func(b *box) Config {
		c := attackedConfig(t, b)
		for i := range c.Sites {
			c.Sites[i].Serving.Compress = no() // done better in the background, when is up to the machine
		}
		return c
	})
	jobs := make(chan *vector)
	var workers sync.WaitGroup
	for i := range 8 {
		line := []string{"plain", "TLS"}[i%2]
		workers.Go(func() {
			for v := range jobs {
				if !v.cuts() {
					l.same(t, v.place, append(slices.Clone(v.request), next...), line)
				}
			}
		})
	}
	for _, v := range readVectors(t) {
		jobs <- v
	}
	close(jobs)
	workers.Wait()
	if n := l.express.answered(); n < 500 {
		t.Errorf("the express lane has answered only %d requests", n)
	}
	if n := l.full.answered(); n != 0 {
		t.Errorf("without an express lane it has answered %d requests", n)
	}
}

// cases are requests for files, by what they are about. Each is a target and
// fields, and "HEAD" before it for that; an empty line is of none.
var cases = []struct {
	about, target string
	fields        []string
}{
	{"a file", "/a.txt", nil},
	{"a page", "/", nil},
	{"a page at its clean URL", "/page", nil},
	{"a page at another of its paths", "/page.html?x=1", nil},
	{"a folder without its slash", "/dir", nil},
	{"a query", "/a.txt?v=1&x=%2F", nil},
	{"an empty query", "/a.txt?", nil},
	{"an escape", "/a%20b+c.txt", nil},
	{"an escape that need not be", "/%61.txt", nil},
	{"two slashes", "//a.txt", nil},
	{"a dot segment", "/dir/../a.txt", nil},
	{"an empty file", "/empty.txt", nil},
	{"a range of an empty file", "/empty.txt", []string{"Range: bytes=0-"}},
	{"nothing", "/nothing", nil},
	{"nothing as JSON", "/nothing", []string{"Accept: application/json"}},
	{"a hidden file", "/.env", nil},
	{"known by its tag", "/a.txt", []string{"If-None-Match: TAG"}},
	{"known by its tag, weakly", "/a.txt", []string{`If-None-Match: "x", W/TAG`}},
	{"known whatever it is", "/a.txt", []string{"If-None-Match: *"}},
	{"another is known", "/a.txt", []string{`If-None-Match: "x"`}},
	{"known by its time", "/a.txt", []string{"If-Modified-Since: TIME"}},
	{"known of before", "/a.txt", []string{"If-Modified-Since: Mon, 02 Jan 2006 15:04:05 GMT"}},
	{"wanted only as it was", "/a.txt", []string{`If-Match: "x"`}},
	{"a first part", "/a.txt", []string{"Range: bytes=0-2"}},
	{"a last part", "/a.txt", []string{"Range: bytes=-2"}},
	{"a part to the end", "/a.txt", []string{"Range: bytes=3-"}},
	{"a part beyond the end", "/a.txt", []string{"Range: bytes=900-"}},
	{"several parts beyond the end", "/a.txt", []string{"Range: bytes=900-, 1000-"}},
	{"a part if it is the same", "/a.txt", []string{"Range: bytes=0-2", "If-Range: TAG"}},
	{"a part if it is another", "/a.txt", []string{"Range: bytes=0-2", `If-Range: "x"`}},
	{"another unit", "/a.txt", []string{"Range: lines=0-2"}},
	{"a coding that lies beside", "/style.css", []string{"Accept-Encoding: gzip, deflate, br, zstd"}},
	{"another coding that lies beside", "/style.css", []string{"Accept-Encoding: gzip"}},
	{"a coding in two fields", "/style.css", []string{"Accept-Encoding: br;q=0.1", "Accept-Encoding: gzip"}},
	{"a coding that is not there", "/style.css", []string{"Accept-Encoding: zstd"}},
	{"a part of a coding", "/style.css", []string{"Accept-Encoding: gzip", "Range: bytes=0-9"}},
	{"nothing made of it", "/style.css", []string{"Accept-Encoding: gzip", "Cache-Control: no-transform"}},
	{"no cache, as of old", "/style.css", []string{"Pragma: no-cache"}},
	{"a name with a hash", "/app.3f2a1b9c.js", nil},
	{"a file of 100 KB", "/medium.bin", nil},
	{"a file of 100 KB, with a coding", "/medium.bin", []string{"Accept-Encoding: gzip"}},
	{"a file on the disk", "/large.bin", nil},
	{"a part of a file on the disk", "/large.bin", []string{"Range: bytes=70000-199999"}},
	{"a file that rules give fields", "/ruled.txt", nil},
	{"a field removed by a rule", "/bare.txt", nil},
	{"a redirect of the folder's rules", "/old/x", nil},
	{"a redirect of the site's rules", "/go/x?y=1", nil},
	{"a rewrite", "/re/a.txt", nil},
	{"a page of a listing", "/list/", nil},
	{"a listing as JSON", "/list/", []string{"Accept: application/json"}},
	{"a path of a route without its slash", "/list", nil},
	{"a place where nobody may go", "/admin/", nil},
	{"a password that is missing", "/vault/", nil},
	{"a password that is right", "/vault/", []string{"Authorization: Basic YW5uOnJpZ2h0"}},
	{"another origin", "/shared/x.txt", []string{"Origin: https://other.test"}},
	{"an origin that may not", "/shared/x.txt", []string{"Origin: https://evil.test"}},
	{"a connection that stays", "/a.txt", []string{"Connection: keep-alive"}},
	{"fields that say nothing here", "/a.txt", []string{"User-Agent: x/1 (\"quoted\" \xe4)", "Referer: https://example.com/?q=\"", "x-odd_Name: 1", "X-Odd_name: 2", "Cookie: a=b"}},
	{"a length of nothing", "/a.txt", []string{"Content-Length: 0"}},
}

// beyond are what the express lane hands on.
var beyond = []struct {
	about, request string
}{
	{"a body", "POST / HTTP/1.1\r\nHost: files.test\r\nContent-Length: 5\r\n\r\nhello"},
	{"a body that a GET has", "GET /a.txt HTTP/1.1\r\nHost: files.test\r\nContent-Length: 5\r\n\r\nhello"},
	{"another method", "CONNECT /a.txt HTTP/1.1\r\nHost: files.test\r\n\r\n"},
	{"the host as a whole", "OPTIONS * HTTP/1.1\r\nHost: files.test\r\n\r\n"},
	{"an upgrade", "GET /a.txt HTTP/1.1\r\nHost: files.test\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"},
	{"an expectation", "GET /a.txt HTTP/1.1\r\nHost: files.test\r\nExpect: 100-continue\r\n\r\n"},
	{"HTTP/1.0", "GET /a.txt HTTP/1.0\r\nHost: files.test\r\n\r\n"},
	{"HTTP/1.0 that stays", "GET /a.txt HTTP/1.0\r\nHost: files.test\r\nConnection: keep-alive\r\n\r\n"},
	{"a whole URI", "GET http://files.test/a.txt HTTP/1.1\r\nHost: x\r\n\r\n"},
	{"a path that is no URI", "GET /%zz HTTP/1.1\r\nHost: files.test\r\n\r\n"},
	{"a malformed line", "GET /a.txt HTTP/1.1\r\nHost: files.test\r\nx y: z\r\n\r\n"},
	{"a bare LF", "GET /a.txt HTTP/1.1\nHost: files.test\n\n"},
	{"no host", "GET /a.txt HTTP/1.1\r\n\r\n"},
	{"an odd host", "GET /a.txt HTTP/1.1\r\nHost: fil(es.test\r\n\r\n"},
	{"too many lines", "GET /a.txt HTTP/1.1\r\nHost: files.test\r\n" + strings.Repeat("x: y\r\n", 101) + "\r\n"},
	{"too long a line", "GET /a.txt HTTP/1.1\r\nHost: files.test\r\nx: " + strings.Repeat("y", 20<<10) + "\r\n\r\n"},
	{"nonsense", "\x16\x03\x01\x02\x00\x01\x00"},
}

// fileLanes are two hosts of a site with all that cases ask for.
func fileLanes(t *testing.T) lanes {
	return newLanes(t, func(b *box) Config {
		c := attackedConfig(t, b)
		site := &c.Sites[0]
		plain, err := os.ReadFile(filepath.Join(site.Root, "style.css"))
		if err != nil {
			t.Fatal(err)
		}
		var gz, br strings.Builder
		for _, w := range []io.WriteCloser{gzip.NewWriter(&gz), brotli.NewWriter(&br)} {
			_, _ = w.Write(plain)
			_ = w.Close()
		}
		for name, text := range map[string]string{
			"style.css.gz": gz.String(), "style.css.br": br.String(), "empty.txt": "", "app.3f2a1b9c.js": "js", "ruled.txt": "ruled", "bare.txt": "bare",
			"medium.bin": strings.Repeat("medium, ", 100<<7), "large.bin": strings.Repeat("large, ", 100<<10),
			"_headers": "/ruled.txt\n  X-Rule: yes\n  Cache-Control: max-age=60\n  X-Twice: a\n  X-Twice: b\n/bare.txt\n  ! Cache-Control\n  ! ETag\n",
		} {
			if err := os.WriteFile(filepath.Join(site.Root, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		old := time.Now().Add(-time.Hour).Truncate(time.Second)
		_ = filepath.WalkDir(site.Root, func(name string, _ os.DirEntry, _ error) error { return os.Chtimes(name, old, old) })
		site.Serving.Compress = no()
		site.Headers = []HeaderRule{{Path: "/a.txt", Set: map[string]string{"X-Site": "yes"}}}
		list := Target{Root: b.folder(map[string]string{"one.txt": "1", "two.txt": "2"})}
		list.Serving.Browse = true
		shared := Target{Root: b.folder(map[string]string{"x.txt": "shared"}), Protection: Protection{CORS: &CORS{Origins: []string{"https://other.test"}}}}
		site.Routes = append(site.Routes, Route{Path: "/list/", Target: list}, Route{Path: "/shared/", Target: shared})
		return c
	})
}

func TestBothLanesAnswerForFilesAlike(t *testing.T) {
	t.Parallel()
	l := fileLanes(t)
	res, _ := l.full.get(l.full.client(false), "http://files.test/a.txt")
	tag, at := res.Header.Get("Etag"), res.Header.Get("Last-Modified")
	if tag == "" || at == "" {
		t.Fatalf("%v", res.Header)
	}
	values := strings.NewReplacer("TAG", tag, "TIME", at)
	var all bytes.Buffer
	for _, test := range cases {
		for _, method := range []string{"GET", "HEAD", "OPTIONS", "DELETE", "PROPFIND"} {
			if method > "HEAD" && test.fields != nil {
				continue
			}
			for _, host := range []string{"files.test", "unknown.test", "secure.test", "Files.test:80"} {
				request := method + " " + test.target + " HTTP/1.1\r\nHost: " + host + "\r\n"
				for _, field := range test.fields {
					request += values.Replace(field) + "\r\n"
				}
				if host != "files.test" {
					all.WriteString(request + "\r\n")
					continue
				}
				before := l.express.answered()
				l.same(t, method+" "+test.about, []byte(request+"\r\n"+request+"Connection: close\r\n\r\n"), "plain")
				if n := l.express.answered() - before; n != 2 {
					t.Errorf("%s: the express lane has answered %d of 2 requests", test.about, n)
				}
				all.WriteString(request + "\r\n")
			}
		}
	}
	// All of them at once, on one connection.
	all.WriteString(next)
	l.same(t, "pipelined", all.Bytes(), "plain", "TLS")
	for _, test := range beyond {
		before := l.express.answered()
		l.same(t, test.about, []byte(test.request+next), "plain")
		if n := l.express.answered() - before; n != 0 {
			t.Errorf("%s: the express lane has answered %d requests", test.about, n)
		}
		l.same(t, test.about+" after another", []byte("GET /a.txt HTTP/1.1\r\nHost: files.test\r\n\r\n"+test.request+next), "plain")
		if n := l.express.answered() - before; n != 1 {
			t.Errorf("%s after another: the express lane has answered %d requests", test.about, n)
		}
	}
	l.sameLog(t, 500, 1)
	l.sameFigures(t, 1)
}

// sameLog holds the access logs of both against each other: the same requests,
// each with the same to be said of it but for the times and the lane, and at
// least so many of them. More are the full lane's, by a Go client.
func (l lanes) sameLog(t *testing.T, least, more int) {
	t.Helper()
	var logs [2][]string
	for i, a := range []*attacked{l.express, l.full} {
		a.stop()
		text, err := os.ReadFile(filepath.Join(a.dir, "logs", "access.log"))
		if err != nil {
			t.Fatal(err)
		}
		express := 0
		for line := range strings.Lines(string(text)) {
			var fields map[string]any
			if err := json.Unmarshal([]byte(line), &fields); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			if fields["lane"] == "express" {
				express++
			}
			for _, of := range []string{"time", "duration_ms", "lane"} {
				delete(fields, of)
			}
			again, _ := json.Marshal(fields)
			logs[i] = append(logs[i], string(again))
		}
		if want := a == l.express; want != (express > len(logs[i])/2) {
			t.Errorf("%d of %d lines are of the express lane", express, len(logs[i]))
		}
		slices.Sort(logs[i])
	}
	if more > 0 && len(logs[0]) == len(logs[1])-more { // the request that told the values was the full lane's only
		line := logs[1][slices.IndexFunc(logs[1], func(s string) bool { return strings.Contains(s, "Go-http-client") })]
		logs[1] = slices.DeleteFunc(logs[1], func(s string) bool { return s == line })
	}
	if len(logs[0]) < least || !slices.Equal(logs[0], logs[1]) {
		t.Errorf("%d lines with the express lane, %d without", len(logs[0]), len(logs[1]))
		for i := range min(len(logs[0]), len(logs[1])) {
			if logs[0][i] != logs[1][i] {
				t.Fatalf("express: %s\nfull:    %s", logs[0][i], logs[1][i])
			}
		}
	}
}

// sameFigures wants the same counted in both, but for so many requests of
// the full lane's for public files.
func (l lanes) sameFigures(t *testing.T, more uint64) {
	t.Helper()
	for i := range l.express.look().config.Sites {
		name := l.express.look().config.Sites[i].Name()
		mine, theirs := l.express.look().sites[name].snapshot(), l.full.look().sites[name].snapshot()
		if name == "files.test" { // one request more: see sameLog
			theirs.Requests -= more
			theirs.Classes[1] -= more
			theirs.Bytes -= more * uint64(len("public"))
		}
		if mine.Requests != theirs.Requests || mine.Classes != theirs.Classes || mine.Bytes != theirs.Bytes || mine.InFlight != 0 {
			t.Errorf("%s: express %+v, full %+v", name, mine, theirs)
		}
	}
}
