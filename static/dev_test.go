package static

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"roost/internal/httplint"
)

// newDev serves a folder as roost dev does.
func newDev(t *testing.T, root string, all files) *site {
	t.Helper()
	write(t, root, all)
	logs := &logs{}
	d, err := OpenDev(Config{Root: root}, slog.New(slog.NewTextHandler(logs, nil)))
	check(t, err)
	h := httptest.NewUnstartedServer(d)
	ctx, cancel := context.WithCancel(t.Context())
	h.Config.BaseContext = func(net.Listener) context.Context { return ctx }
	h.Start()
	s := &site{Folder: d.Folder, t: t, root: root, url: h.URL, addr: h.Listener.Addr().String(), logs: logs, asks: &httplint.Transport{T: t}}
	t.Cleanup(func() {
		cancel()
		h.Close()
		check(t, d.Close())
	})
	return s
}

const devTag = `<script src="/.roost/dev.js?`

func TestPagesOfDevCarryTheScript(t *testing.T) {
	s := newDev(t, t.TempDir(), files{
		"index.html": "<html><body>hello <!-- </body> --></BODY></html>\n", "part.html": "no end", "style.css": "a{}", "index.html.gz": "packed",
		"big.html": strings.Repeat("x", maxInMemory+1) + "</body>",
	})
	for _, c := range []struct{ path, before, after string }{
		{"/", "<html><body>hello <!-- </body> -->" + devTag, " async></script>\n</BODY></html>\n"},
		{"/part", "no end" + devTag, " async></script>\n"},
		{"/big", strings.Repeat("x", maxInMemory+1) + devTag, " async></script>\n</body>"},
		{"/none", "<!DOCTYPE html>", " async></script>\n</body>\n</html>\n"},
	} {
		a := s.get(c.path, "Accept: text/html", "Accept-Encoding: gzip, br", "If-None-Match: *", "Range: bytes=-0", "If-Range: \"x\"")
		if !strings.HasPrefix(a.body, c.before) || !strings.HasSuffix(a.body, c.after) || strings.Count(a.body, devTag) != 1 {
			t.Errorf("%s: %s", c.path, a.body[:min(len(a.body), 300)])
		}
		if fmt.Sprint(len(a.body)) != a.Header.Get("Content-Length") {
			t.Errorf("%s: %d bytes, Content-Length %s", c.path, len(a.body), a.Header.Get("Content-Length"))
		}
		if head := s.ask("HEAD", c.path, "Accept: text/html"); head.Header.Get("Content-Length") != a.Header.Get("Content-Length") || head.body != "" {
			t.Errorf("%s: HEAD says %v", c.path, head.Header)
		}
	}
	for _, c := range []struct{ path, field, body string }{
		{"/style.css", "Accept: */*", "a{}"},
		{"/part", "Sec-Fetch-Dest: empty", "no end"},
		{"/part", "Sec-Fetch-Dest: iframe", "no end"},
	} {
		if a := s.get(c.path, c.field); a.body != c.body || a.StatusCode != 200 {
			t.Errorf("%s with %s: %s", c.path, c.field, brief(a))
		}
	}
	script := s.get("/.roost/dev.js")
	if script.StatusCode != 200 || script.body != string(devScript) || !strings.HasPrefix(script.Header.Get("Content-Type"), "text/javascript") {
		t.Errorf("the script: %v", script.Response)
	}
}

func TestNothingOfDevIsKept(t *testing.T) {
	s := newDev(t, t.TempDir(), files{"index.html": "a", "style.css": "a{}", "video.mp4": "0123456789", "empty/": "", "sub/404.html": "own"})
	for _, path := range []string{"/", "/style.css", "/video.mp4", "/none", "/sub/none", "/empty/", "/.roost/dev.js"} {
		a := s.get(path, "Accept-Encoding: gzip, br, zstd", "If-Modified-Since: "+time.Now().UTC().Format(http.TimeFormat))
		if a.StatusCode == 304 || a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Etag")+a.Header.Get("Last-Modified")+a.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s: %s %v", path, a.Status, a.Header)
		}
	}
	if a := s.get("/video.mp4", "Range: bytes=2-4"); a.StatusCode != 206 || a.body != "234" {
		t.Errorf("a range: %s", brief(a))
	}
}

func TestErrorsOfDevSayWhatWasMeant(t *testing.T) {
	s := newDev(t, filepath.Join(t.TempDir(), "public"), files{
		"css/style.css": "a{}", "img/logo <1>.png": "x", "about.html": "x", "deep/er/Special.html": "x", "empty/a.txt": "x",
	})
	for path, want := range map[string]string{
		"/css/stlye.css":         `there is no css/stlye.css in public</bdi></p>.*<a href="/css/style.css"><bdi>/css/style.css</bdi>`,
		"/style.css":             `<a href="/css/style.css">`,
		"/Special":               `<a href="/deep/er/Special.html">`,
		"/abuot":                 `<a href="/about.html">`,
		"/epmty/":                `<a href="/empty">`,
		"/img/logo%20%3C2%3E.pn": `href="/img/logo%20%3C1%3E.png"><bdi>/img/logo &lt;1&gt;.png</bdi>`,
		"/quite/another":         `there is no quite/another in public</bdi></p>\s*<footer>`,
		"/.env":                  `names that begin with a dot`,
		"/%3Cscript%3E":          `there is no &lt;script&gt; in public`,
	} {
		a := s.get(path, "Accept: text/html,*/*")
		if a.StatusCode != 404 || !regexp.MustCompile("(?s)"+want).MatchString(a.body) {
			t.Errorf("%s: %s, want %s", path, brief(a), want)
		}
	}
	a := s.get("/css/stlye.css", "Accept: text/css,*/*;q=0.1")
	if want := "404 Not Found: there is no css/stlye.css in public; there is /css/style.css\n"; a.body != want {
		t.Errorf("for who wants no page: %q", a.body)
	}
	if a = s.get("/empty/", "Accept: text/html"); a.StatusCode != 200 || !strings.Contains(a.body, "a.txt") || !strings.Contains(a.body, devTag) ||
		!strings.Contains(a.Header.Get("Content-Security-Policy"), "script-src 'self'") {
		t.Errorf("a folder without index.html: %s", brief(a))
	}
	if a = s.ask("PUT", "/about.html"); a.StatusCode != 405 || a.Header.Get("Allow") == "" {
		t.Errorf("PUT: %s", brief(a))
	}
	if said := s.logs.String(); !strings.Contains(said, "there is /css/style.css") || strings.Count(said, "/css/stlye.css") != 1 {
		t.Errorf("the log says\n%s", said)
	}
	check(t, os.RemoveAll(s.root))
	s.run()
	within(t, time.Second, "a folder that is gone is named", func() bool { return strings.Contains(s.get("/").body, "the folder public is not there") })
}

func TestAFolderKnowsNothingOfDev(t *testing.T) {
	root := t.TempDir()
	s := newSite(t, Config{Root: root}, files{"index.html": "<body>a</body>", "style.css": "a{}", "sub/a.txt": "a"})
	paths := []string{"/", "/style.css", "/sub/", "/none", "/.roost/dev.js", "/.roost/events"}
	ask := func(path string) string {
		a := s.raw(path, "Accept: text/html")
		a.Header.Del("Date")
		return fmt.Sprint(a.Status, a.Header, a.body)
	}
	var before []string
	for _, path := range paths {
		before = append(before, ask(path))
	}
	dev := newDev(t, root, nil)
	for i, path := range paths {
		dev.ask("HEAD", path, "Accept: text/html")
		if after := ask(path); after != before[i] || strings.Contains(after, "script") {
			t.Errorf("%s: %s\nbefore: %s", path, after, before[i])
		}
	}
}

// tab is a page that is open: what it shows, and the events that it hears.
type tab struct {
	t     *testing.T
	url   string
	asks  http.RoundTripper
	shows string
	heard chan string // kind and id
	close func()
}

// openState is the state that a page shows which is loaded now.
func openState(s *site) string {
	s.t.Helper()
	_, rest, ok := strings.Cut(s.get("/", "Accept: text/html").body, devTag)
	if !ok {
		s.t.Fatal("the page has no script")
	}
	shows, _, _ := strings.Cut(rest, `"`)
	return shows
}

// openTab loads the page as a browser does, and listens.
func openTab(s *site) *tab {
	s.t.Helper()
	b := &tab{t: s.t, url: s.url, shows: openState(s), asks: s.asks}
	b.listen("/.roost/events?" + b.shows)
	return b
}

func (b *tab) listen(path string, fields ...string) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	r, err := http.NewRequestWithContext(ctx, "GET", b.url+path, nil)
	check(b.t, err)
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		r.Header.Set(name, value)
	}
	res, err := b.asks.RoundTrip(r)
	check(b.t, err)
	if kind := res.Header.Get("Content-Type"); kind != "text/event-stream" || res.Header.Get("Cache-Control") != "no-store" {
		b.t.Fatalf("events come as %s", kind)
	}
	heard := make(chan string, 1000)
	b.heard = heard
	go func() {
		defer close(heard)
		defer res.Body.Close()
		kind, id := "", ""
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "event":
				kind = value
			case "id":
				id = value
			case "":
				if kind != "" {
					heard <- kind + " " + id
				}
				kind = ""
			}
		}
	}()
	b.close = func() {
		cancel()
		for range heard {
		}
	}
	b.t.Cleanup(b.close)
}

// hears waits for the next event.
func (b *tab) hears(kind string) {
	b.t.Helper()
	select {
	case event, ok := <-b.heard:
		got, id, _ := strings.Cut(event, " ")
		if !ok || got != kind {
			b.t.Fatalf("heard %q, want %s", event, kind)
		}
		b.shows = id
	case <-time.After(30 * time.Second):
		b.t.Fatalf("heard no %s", kind)
	}
}

func TestOpenPagesHearOfChanges(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	s := newDev(t, root, files{"index.html": "<body>", "style.css": "a{}", "app.js": "1"}).run()
	tabs := []*tab{openTab(s), openTab(s), openTab(s)}
	for _, step := range []struct {
		event string
		files files
	}{
		{"style", files{"style.css": "b{}"}},
		{"style", files{"new.css": "b{}", "new.css.map": "{}"}},
		{"reload", files{"app.js": "2"}},
		{"reload", files{"index.html": "<body>more", "style.css": "c{}"}},
		{"style", files{"style.css": "d{}"}},
		{"reload", files{"_headers": "/*\n  X-A: b"}},
	} {
		write(t, root, step.files)
		for _, b := range tabs {
			b.hears(step.event)
		}
	}
	check(t, os.Remove(filepath.Join(root, "app.js")))
	for _, b := range tabs {
		b.hears("reload")
	}
	if now := openState(s); now != tabs[0].shows {
		t.Errorf("pages were told of %s, new ones show %s", tabs[0].shows, now)
	}
}

func TestAFolderRestsOnceAfterManyChanges(t *testing.T) {
	for _, c := range []struct {
		changes, want []int // ms
	}{
		{[]int{0}, []int{250}},
		{[]int{0, 200, 400, 600}, []int{850}},
		{[]int{0, 250}, []int{500}}, // the change is seen first
		{[]int{0, 300}, []int{250, 550}},
		{[]int{0, 200, 400, 600, 800, 1000, 1200, 1400, 1600, 1800, 2000, 2200, 2400}, []int{2000, 2650}},
		{nil, nil},
	} {
		var r rest
		var got []int
		for ms := 0; ms < 5000; ms += int(devLook.Milliseconds()) {
			if r.comes(slices.Contains(c.changes, ms), time.Time{}.Add(time.Hour+time.Duration(ms)*time.Millisecond)) {
				got = append(got, ms)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("changes at %v ms: told at %v ms, want %v", c.changes, got, c.want)
		}
	}
}

func TestABuildIsNoStormOfReloads(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	s := newDev(t, root, files{"index.html": "<body>"}).run()
	b := openTab(s)
	begun := time.Now()
	pause := time.NewTicker(2 * time.Millisecond)
	defer pause.Stop()
	for i := range 300 {
		write(t, root, files{fmt.Sprintf("chunk-%d.js", i): strings.Repeat("x", i)})
		<-pause.C
	}
	took := time.Since(begun)
	within(t, time.Second, "the last file is served", func() bool { return s.get("/chunk-299.js").StatusCode == 200 })
	last, heard := openState(s), 0
	for b.shows != last {
		b.hears("reload")
		heard++
	}
	if most := 2 + int(took/devRest); heard > most {
		t.Errorf("a build of %v came to %d reloads, want at most %d", took, heard, most)
	}
}

func TestAPageThatWasAwayHearsWhatItMissed(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, root, files{"index.html": "<body>", "style.css": "a{}"})
	first := newDev(t, root, nil)
	b := openTab(first)
	b.close()
	second := newDev(t, root, nil).run() // the server starts again, with the same files
	b.url = second.url
	b.listen("/.roost/events?" + b.shows)
	write(t, root, files{"style.css": "b{}"})
	b.hears("style") // and nothing before
	b.close()
	changed := func() {
		t.Helper()
		within(t, time.Second, "the change is in the table", func() bool { return openState(second) != b.shows })
	}
	write(t, root, files{"index.html": "<body>more"})
	changed()
	b.listen("/.roost/events?" + b.shows)
	b.hears("reload")
	b.close()
	write(t, root, files{"style.css": "c{}"})
	changed()
	b.listen("/.roost/events?"+openState(first), "Last-Event-ID: "+b.shows) // browsers repeat the first query
	b.hears("style")
	b.close()
	b.listen("/.roost/events?rubbish")
	write(t, root, files{"style.css": "d{}"})
	b.hears("style")
}

func TestDevLetsGoOfPagesAtItsEnd(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, root, files{"index.html": "<body>"})
	d, err := OpenDev(Config{Root: root}, nil)
	check(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r := httptest.NewRequest("GET", "/.roost/events", nil).WithContext(ctx)
		d.ServeHTTP(httptest.NewRecorder(), r)
	}()
	cancel()
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Error("the events go on")
	}
	check(t, d.Close())
	if a := httplint.Record(t, d, httptest.NewRequest("HEAD", "/.roost/events", nil)); a.Code != 200 || a.Body.Len() != 0 {
		t.Errorf("HEAD: %d %q", a.Code, a.Body)
	}
}
