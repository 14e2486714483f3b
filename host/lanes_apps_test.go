//go:build unix

package host

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"roost/internal/unit"
)

// told is what an app says of what it was asked.
func (h *received) told() string {
	lines := []string{h.String()}
	for _, f := range h.fields {
		lines = append(lines, f[0]+": "+f[1])
	}
	slices.Sort(lines[1:])
	return strings.Join(append(lines, fmt.Sprintf("%d bytes, %x", len(h.body), sha256.Sum256([]byte(h.body)))), "\n")
}

// headOf200 is a head that says 200 and these fields.
func headOf200(fields ...string) string {
	return "HTTP/1.1 200 OK\r\nX-From-App: talk\r\nContent-Type: text/plain; charset=utf-8\r\n" + strings.Join(append(fields, "\r\n"), "\r\n")
}

func said200(text string) string { return headOf200(fmt.Sprint("Content-Length: ", len(text))) + text }

func chunk(text string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(text), text) }

// talking is an app that answers with what it was asked, in the way that the last
// part of the path names. It closes the connection where an answer ends in CLOSE.
func talking(c net.Conn) {
	in := bufio.NewReader(c)
	for {
		h, err := hear(in, func() { _, _ = io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n") })
		if err != nil {
			return
		}
		path, _, _ := strings.Cut(h.target, "?")
		answer := talked(path[strings.LastIndexByte(path, '/')+1:], h.told())
		if h.method == "HEAD" {
			answer = headsOf(answer)
		}
		answer, last := strings.CutSuffix(answer, "CLOSE")
		if _, err := io.WriteString(c, answer); err != nil || last {
			return
		}
	}
}

// headsOf is an answer without what it has of a body.
func headsOf(answer string) string {
	head, rest, _ := strings.Cut(answer, "\r\n\r\n")
	if strings.HasPrefix(head, "HTTP/1.1 1") {
		rest = headsOf(rest)
	} else {
		rest = ""
	}
	return head + "\r\n\r\n" + rest
}

// padding makes an answer too long for its end to be waited for before it is framed.
var padding = strings.Repeat(" ", 3000)

func talked(way, text string) string {
	if n, err := strconv.Atoi(way); err == nil && n >= 200 && n < 600 { // a status
		head := strings.Replace(headOf200("Location: /elsewhere?x=1", `Etag: "x"`), "200 OK", way+" As It Likes", 1)
		if n == 204 || n == 304 {
			return head
		}
		return strings.Replace(head, "\r\n\r\n", fmt.Sprintf("\r\nContent-Length: %d\r\n\r\n", len(text)), 1) + text
	}
	if way, size, found := strings.Cut(way, "-of-"); found {
		n, _ := strconv.Atoi(size)
		text = strings.Repeat("0123456789abcdef", n/16+1)[:n]
		if way == "chunks" {
			all := headOf200("Transfer-Encoding: chunked")
			for len(text) > 0 {
				piece := text[:min(len(text), 10000)]
				all, text = all+chunk(piece), text[len(piece):]
			}
			return all + "0\r\n\r\n"
		}
		return said200(text)
	}
	switch way {
	case "chunked":
		return headOf200("Transfer-Encoding: chunked") + chunk(text[:20]) + chunk(text[20:]) + "0\r\n\r\n"
	case "chunked-nothing":
		return headOf200("Transfer-Encoding: chunked") + "0\r\n\r\n"
	case "nothing":
		return said200("")
	case "to-the-end":
		return headOf200() + text + padding + "CLOSE"
	case "and-close":
		return strings.Replace(said200(text), "\r\n", "\r\nConnection: close\r\n", 1) + "CLOSE"
	case "old":
		return strings.Replace(headOf200(), "/1.1", "/1.0", 1) + text + padding + "CLOSE"
	case "old-length":
		return strings.Replace(said200(text), "/1.1", "/1.0", 1) + "CLOSE"
	case "hints":
		return "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n" + said200(text)
	case "hints-and-more":
		return "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nX-At: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + said200(text)
	case "trailers":
		return headOf200("Transfer-Encoding: chunked", "Trailer: X-Sum, X-Absent") + chunk(text) + "0\r\nX-Sum: 1\r\n\r\n"
	case "trailers-unannounced":
		return headOf200("Transfer-Encoding: chunked") + chunk(text) + "0\r\nX-Sum: 1\r\nX-Sum: 2\r\n\r\n"
	case "events":
		return strings.Replace(headOf200("Transfer-Encoding: chunked", "Cache-Control: no-cache"), "plain; charset=utf-8", "event-stream", 1) + chunk("data: 1\n\n") + chunk("data: 2\n\n") + "0\r\n\r\n"
	case "hops":
		return strings.Replace(said200(text), "\r\n", "\r\nConnection: X-Drop, keep-alive\r\nX-Drop: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\nUpgrade: h2c\r\n", 1)
	case "twice":
		return strings.Replace(said200(text), "\r\n", "\r\nSet-Cookie: a=1; Path=/\r\nSet-Cookie: b=2\r\nx-lower: 1\r\nX-Lower: 2\r\nVary: Cookie\r\n", 1)
	case "untyped":
		return "HTTP/1.1 200 OK\r\nX-From-App: talk\r\nContent-Length: 9\r\n\r\n<p>hello\n"
	case "mute":
		return "CLOSE"
	case "garbage":
		return "what?\r\n\r\nCLOSE"
	case "half-a-head":
		return "HTTP/1.1 200 OK\r\nContent-CLOSE"
	case "cut":
		return headOf200("Content-Length: 5000") + text + "CLOSE"
	case "cut-chunks":
		return headOf200("Transfer-Encoding: chunked") + chunk(text) + "CLOSE"
	case "more-than-said":
		return said200("hello") + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nothers"
	}
	return said200(text)
}

// asked is a request, with the length of what it brings.
func asked(method, host, target, body string, fields ...string) string {
	if body != "" || method == "POST" {
		fields = append(fields, fmt.Sprint("Content-Length: ", len(body)))
	}
	return method + " " + target + " HTTP/1.1\r\nHost: " + host + "\r\n" + strings.Join(append(fields, ""), "\r\n") + "\r\n" + body
}

// hastily is an app that answers without reading what a request brings.
func hastily(c net.Conn) {
	in := bufio.NewReader(c)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		if line == "\r\n" {
			_, _ = io.WriteString(c, "HTTP/1.1 413 Too Large\r\nX-From-App: hasty\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno")
			_, _ = io.Copy(io.Discard, in)
			return
		}
	}
}

// appLanes are two hosts whose sites lead to apps in the hands of the test.
func appLanes(t *testing.T) lanes {
	talker, hasty := newUpstream(t, talking), newUpstream(t, hastily)
	return newLanes(t, func(b *box) Config {
		app := func(p Protection) Target { return Target{App: "talk", Protection: p} }
		auth := Protection{BasicAuth: &BasicAuth{Users: map[string]string{"ann": hashOf(t, "right")}}}
		small, hsts := unit.Size(1000), unit.Duration(time.Hour)
		c := Config{Host: Listen{ProgressTimeout: milliseconds(300)}, Sites: []Site{
			{Domains: []string{"files.test"}, RedirectHTTPS: no(), Target: Target{Root: b.folder(map[string]string{"probe.txt": "probe"})}, Routes: []Route{
				{Path: "/api/", Target: app(Protection{}), StripPrefix: true},
				{Path: "/whole/", Target: app(Protection{})},
				{Path: "/vault/", Target: app(auth)},
				{Path: "/closed/", Target: app(Protection{Deny: []string{"0.0.0.0/0", "::/0"}})},
				{Path: "/small/", Target: app(Protection{MaxBody: &small})},
				{Path: "/safe/", Target: app(Protection{SecurityHeaders: new(true), HSTS: &hsts})},
				{Path: "/shared/", Target: app(Protection{CORS: &CORS{Origins: []string{"https://other.test"}}})},
				{Path: "/stopped/", Target: Target{App: "stopped"}},
				{Path: "/hasty/", Target: Target{App: "hasty"}},
			}},
			{Domains: []string{"app.test"}, RedirectHTTPS: no(), Target: app(Protection{})},
			{Domains: []string{"sticky.test"}, RedirectHTTPS: no(), Target: Target{App: "sticky"}},
			{Domains: []string{"secure.test"}, Target: app(Protection{})},
			{Domains: []string{"closed.test"}, RedirectHTTPS: no(), Maintenance: true, Target: app(Protection{})},
		}}
		c.Sites[0].Redirects = []Redirect{{From: "/go/*", To: "/to/:splat"}}
		c.Sites[0].Rewrites = []Rewrite{{From: "/re/*", To: "/api/:splat"}}
		c.Sites[1].Headers = []HeaderRule{{Path: "/*", Set: map[string]string{"X-Site": "yes"}}}
		talker.app(&c, "talk", "unix")
		talker.app(&c, "sticky", "unix")
		talker.app(&c, "stopped", "unix")
		hasty.app(&c, "hasty", "tcp")
		c.App("sticky").Sticky = "cookie"
		c.App("stopped").Slots[0].Stopped = true
		return c
	})
}

const noNext = "\x00" // behind a request whose connection ends with it

// appCases are requests for apps, and how many the express lane answers of each
// and the one behind it.
func appCases() (all []struct {
	about, request string
	lane           int
}) {
	add := func(lane int, about, request string) {
		all = append(all, struct {
			about, request string
			lane           int
		}{about, request, lane})
	}
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get", "M-SEARCH"} {
		for _, n := range []int{0, 1, 4 << 10, 8 << 10, 8<<10 + 1, 64 << 10} {
			lane := 2
			if method == "TRACE" { // refused, with the connection
				lane = 1
			}
			add(lane, fmt.Sprint(method, " with ", n, " bytes"), asked(method, "app.test", "/x", strings.Repeat("b", n)))
		}
	}
	add(2, "a body of 1 MiB", asked("POST", "app.test", "/x", strings.Repeat("b", 1<<20)))
	for _, way := range []string{
		"chunked", "chunked-nothing", "nothing", "to-the-end", "and-close", "old", "old-length", "hints", "hints-and-more", "trailers", "trailers-unannounced", "events",
		"hops", "twice", "untyped", "more-than-said", "200", "204", "304", "301", "302", "307", "308", "400", "401", "404", "413", "418", "500", "503", "599",
		"length-of-1", "length-of-4096", "length-of-65536", "length-of-1048576", "chunks-of-1", "chunks-of-4096", "chunks-of-65536", "chunks-of-1048576",
	} {
		for _, method := range []string{"GET", "HEAD", "POST"} {
			body := ""
			if method == "POST" {
				body = "hello"
			}
			add(2, method+" answered "+way, asked(method, "app.test", "/"+way, body))
		}
	}
	for _, way := range []string{"mute", "garbage", "half-a-head"} {
		add(2, "POST answered "+way, asked("POST", "app.test", "/"+way, "hello"))
	}
	add(2, "GET answered garbage", asked("GET", "app.test", "/garbage", ""))

	for about, fields := range map[string][]string{
		"who asks is told by us": {"X-Forwarded-For: 1.2.3.4", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil", "X-Real-IP: 1.2.3.4", "Forwarded: for=1.2.3.4", "X_Forwarded_For: 9", "Proxy: x", "X-Client-Subject: root"},
		"fields of a connection": {"Connection: X-Mine, keep-alive", "X-Mine: 1", "Keep-Alive: timeout=9", "Proxy-Connection: x", "Te: trailers, deflate", "Proxy-Authorization: x"},
		"fields as they come":    {"Cookie: a=b", "Cookie: c=d", "accept: */*", "X-Empty:", "x-odd_Name: 1", "User-Agent: x \xe4", "Content-Type: application/json", "Pragma: no-cache", "If-None-Match: \"x\"", "Range: bytes=0-1"},
		"no user agent":          {"Accept-Encoding: gzip, br"},
		"a token and a cookie":   {"Authorization: Bearer x", "Cookie: roost_sticky=nonsense"},
	} {
		add(2, about, asked("GET", "app.test", "/x", "", fields...))
		add(2, about+", with a body", asked("POST", "app.test", "/x", "hello", fields...))
		add(2, about+", at a sticky app", asked("POST", "sticky.test", "/x", "hello", fields...))
	}
	for _, target := range []string{"/api/x?y=1;2&z=%2F", "/api", "/api/", "/api/../x", "/api/a%2Fb", "/api//x", "/api/%61/./b?", "/whole/x", "/whole", "/whole/a/../../api/x", "/re/x?q=1", "/go/x", "/a%20b", "/%zz", "//api/x", "/api/x%00"} {
		for _, method := range []string{"GET", "POST"} {
			lane := 2
			if target == "/%zz" || method == "POST" && !strings.HasPrefix(target, "/api") && !strings.HasPrefix(target, "/whole") && !strings.HasPrefix(target, "/re/") && !strings.HasPrefix(target, "//api/") || target == "/api/../x" && method == "POST" {
				lane = 0 // no target, or a body that no app gets
			} else if target == "/api/x%00" { // refused, with the connection
				lane = 1
			}
			body := ""
			if method == "POST" {
				body = "hello"
			}
			add(lane, method+" "+target, asked(method, "files.test", target, body))
		}
	}
	for _, body := range []string{"", "hello", strings.Repeat("b", 100<<10)} {
		behind := fmt.Sprintf(", with %d bytes", len(body))
		add(2, "no password"+behind, asked("POST", "files.test", "/vault/x", body))
		add(2, "the password"+behind, asked("POST", "files.test", "/vault/x", body, "Authorization: Basic YW5uOnJpZ2h0"))
		add(2, "a place where nobody may go"+behind, asked("POST", "files.test", "/closed/x", body))
		add(2, "fields that are added"+behind, asked("POST", "files.test", "/safe/x", body))
		add(2, "another origin"+behind, asked("POST", "files.test", "/shared/x", body, "Origin: https://other.test"))
		add(2, "before another origin"+behind, asked("OPTIONS", "files.test", "/shared/x", body, "Origin: https://other.test", "Access-Control-Request-Method: PUT"))
		if len(body) < 8<<10 {
			add(2, "an app that is stopped"+behind, asked("POST", "files.test", "/stopped/x", body))
		} else { // net/http closes a connection with a body that apps let be, without a word
			add(1, "an app that is stopped"+behind, asked("POST", "files.test", "/stopped/x", body, "Connection: close"))
		}
		add(2, "elsewhere"+behind, asked("POST", "secure.test", "/x", body))
		add(2, "a closed site"+behind, asked("POST", "closed.test", "/x", body))
		add(1, "an app that does not read"+behind, asked("POST", "files.test", "/hasty/x", body, "Connection: close"))
	}
	add(2, "a body that is small enough", asked("POST", "files.test", "/small/x", strings.Repeat("b", 1000)))
	add(1, "a body that is too large", asked("POST", "files.test", "/small/x", strings.Repeat("b", 1001)))
	add(1, "a body that nobody waits for", strings.Replace(asked("POST", "files.test", "/vault/x", "hello"), "Length: 5", "Length: 300000", 1)+noNext)
	add(2, "requests in a row", asked("POST", "app.test", "/chunked", "hello")+next)
	for about, request := range map[string]string{
		"chunks":         "POST /x HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Up: 1\r\n\r\n",
		"an expectation": asked("POST", "app.test", "/x", "hello", "Expect: 100-continue"),
		"HTTP/1.0":       "POST /x HTTP/1.0\r\nHost: app.test\r\nContent-Length: 5\r\n\r\nhello",
		"an upgrade":     asked("GET", "app.test", "/x", "", "Connection: Upgrade", "Upgrade: h2c"),
		"a whole URI":    asked("POST", "app.test", "http://app.test/x", "hello"),
		"all of it":      asked("OPTIONS", "app.test", "*", ""),
		"a tunnel":       asked("CONNECT", "app.test", "/x", ""),
		"two lengths":    asked("POST", "app.test", "/x", "hello", "Content-Length: 5"),
		"no number":      "POST /x HTTP/1.1\r\nHost: app.test\r\nContent-Length: five\r\n\r\nhello",
	} {
		add(0, "handed on: "+about, request)
	}
	return all
}

func TestBothLanesAnswerForAppsAlike(t *testing.T) {
	t.Parallel()
	l := appLanes(t)
	var row bytes.Buffer
	for i, test := range appCases() {
		sent, single := strings.CutSuffix(test.request, noNext)
		if !single {
			sent += next
		}
		before := l.express.answered()
		l.same(t, test.about, []byte(sent), []string{"plain", "TLS"}[i%2])
		if n := l.express.answered() - before; n != uint64(test.lane) {
			t.Errorf("%s: the express lane has answered %d requests, not %d", test.about, n, test.lane)
		}
		if test.lane == 2 && len(test.request) < 10<<10 && !single {
			row.WriteString(strings.TrimSuffix(test.request, next)) // which one has
		}
	}
	row.WriteString(next)
	before := l.express.answered()
	l.same(t, "all in a row", row.Bytes(), "plain", "TLS")
	if n := l.express.answered() - before; n < 400 {
		t.Errorf("in a row the express lane has answered %d requests", n)
	}
	l.sameLog(t, 900, 0)
	l.sameFigures(t, 0)
}

// keepsWaiting is an app that says for each request that it has come, and when
// its connection has ended. It answers at most the beginning.
func keepsWaiting(came, ended chan<- bool) func(net.Conn) {
	return func(c net.Conn) {
		in := bufio.NewReader(c)
		h, err := hear(in, nil)
		if err != nil {
			return
		}
		switch h.target {
		case "/events":
			_, _ = io.WriteString(c, strings.Replace(headOf200("Transfer-Encoding: chunked"), "plain; charset=utf-8", "event-stream", 1)+chunk("data: 1\n\n"))
		case "/begun":
			_, _ = io.WriteString(c, headOf200("Content-Length: 5000")+padding)
		}
		came <- true
		_, _ = io.Copy(io.Discard, in)
		ended <- true
	}
}

// TestBothLanesBreakOffAlike has instances stop within their answers, and
// clients within their requests and while they wait.
func TestBothLanesBreakOffAlike(t *testing.T) {
	t.Parallel()
	came, ended := make(chan bool, 1), make(chan bool, 1)
	talker, waiter := newUpstream(t, talking), newUpstream(t, keepsWaiting(came, ended))
	l := newLanes(t, func(*box) Config {
		c := Config{Host: Listen{ProgressTimeout: milliseconds(300)}, Sites: []Site{
			{Domains: []string{"app.test", "files.test"}, RedirectHTTPS: no(), Target: Target{App: "talk"}},
			{Domains: []string{"wait.test"}, RedirectHTTPS: no(), Target: Target{App: "wait"}},
		}}
		talker.app(&c, "talk", "unix")
		waiter.app(&c, "wait", "tcp")
		return c
	})
	part := func(announced, sent int) string {
		return fmt.Sprintf("POST /x HTTP/1.1\r\nHost: app.test\r\nContent-Length: %d\r\n\r\n%s", announced, strings.Repeat("b", sent))
	}
	byHalf := func(c net.Conn) { _ = c.(interface{ CloseWrite() error }).CloseWrite() }
	lines := 0
	for about, test := range map[string]struct {
		sent string
		then func(net.Conn)
	}{
		"an answer":             {asked("POST", "app.test", "/cut", "hello") + next, nil},
		"chunks":                {asked("POST", "app.test", "/cut-chunks", "hello") + next, nil},
		"a GET's answer":        {asked("GET", "app.test", "/cut", "") + next, nil},
		"a body":                {part(20, 10), byHalf},
		"a body at its start":   {part(20, 0), byHalf},
		"a large body":          {part(100<<10, 50<<10), byHalf},
		"a body that stays":     {part(20, 10), nil},
		"a large one":           {part(100<<10, 50<<10), nil},
		"a second one":          {asked("POST", "app.test", "/x", "hello") + part(20, 10), nil},
		"a second one's answer": {asked("POST", "app.test", "/x", "hello") + asked("POST", "app.test", "/cut", "hello"), nil},
	} {
		for line, dial := range dials {
			var got [2][]string
			for i, a := range []*attacked{l.express, l.full} {
				c, err := dial(a)
				if err != nil {
					t.Fatal(err)
				}
				_ = c.SetDeadline(time.Now().Add(30 * time.Second))
				_, _ = io.WriteString(c, test.sent)
				if test.then != nil {
					test.then(c)
				}
				raw, err := io.ReadAll(c)
				if errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("%s, %s: the connection does not end", about, line)
				}
				_ = c.Close()
				got[i] = strings.Split(string(raw), "\r\n") // what is no answer cannot be read as one
				got[i] = slices.DeleteFunc(got[i], func(s string) bool { return strings.HasPrefix(s, "Date: ") })
				slices.Sort(got[i])
			}
			if !slices.Equal(got[0], got[1]) || len(got[0]) < 3 {
				t.Errorf("%s, %s:\nexpress: %.1500q\nfull:    %.1500q", about, line, got[0], got[1])
			}
			lines += strings.Count(test.sent, "Host: app.test")
		}
	}
	reset := func(c net.Conn) {
		if secure, ok := c.(*tls.Conn); ok {
			c = secure.NetConn()
		}
		_ = c.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
	}
	for about, test := range map[string]struct {
		sent  string
		hears string // before it goes
		goes  func(net.Conn)
	}{
		"who waits":             {asked("GET", "wait.test", "/x", ""), "", func(c net.Conn) { _ = c.Close() }},
		"who waits with a body": {asked("POST", "wait.test", "/x", strings.Repeat("b", 20<<10)), "", func(c net.Conn) { _ = c.Close() }},
		"who breaks off":        {asked("GET", "wait.test", "/x", ""), "", reset},
		"who hears events":      {asked("GET", "wait.test", "/events", ""), "data: 1\n\n", func(c net.Conn) { _ = c.Close() }},
		"who hears a part":      {asked("POST", "wait.test", "/begun", "hello"), padding, reset},
	} {
		for line, dial := range dials {
			for _, a := range []*attacked{l.express, l.full} {
				c, err := dial(a)
				if err != nil {
					t.Fatal(err)
				}
				_ = c.SetDeadline(time.Now().Add(30 * time.Second))
				_, _ = io.WriteString(c, test.sent)
				<-came
				for heard := ""; !strings.Contains(heard, test.hears); {
					some := make([]byte, 4<<10)
					n, err := c.Read(some)
					if heard += string(some[:n]); err != nil {
						t.Fatalf("%s, %s: %q, %v", about, line, heard, err)
					}
				}
				test.goes(c)
				select {
				case <-ended:
				case <-time.After(30 * time.Second):
					t.Fatalf("%s, %s, with an express lane %v: the instance is not told", about, line, a == l.express)
				}
			}
			lines++
		}
	}
	for _, a := range []*attacked{l.express, l.full} {
		until(t, "all requests have ended", func() bool {
			n := uint64(0)
			for _, s := range a.look().sites {
				f := s.snapshot()
				n += f.Requests
				if f.InFlight > 0 {
					return false
				}
			}
			return n == uint64(lines)
		})
	}
	l.sameLog(t, lines, 0)
	l.sameFigures(t, 0)
}
