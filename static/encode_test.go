package static

import (
	"context"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	kgzip "github.com/klauspost/compress/gzip"
	kzstd "github.com/klauspost/compress/zstd"
	"go.uber.org/goleak"
)

// tools decode what we compress, and are not ours.
var tools = [codings][]string{br: {"brotli", "-dc"}, zstd: {"zstd", "-dcq"}, gzip: {"gzip", "-dc"}}

// decoded returns what an answer means.
func decoded(t *testing.T, a answer) string {
	t.Helper()
	field := a.Header["Content-Encoding"]
	if field == nil {
		return a.body
	}
	for as, encoding := range contentEncoding {
		if encoding[0] == field[0] && len(field) == 1 {
			return decode(t, coding(as), a.body)
		}
	}
	t.Fatalf("Content-Encoding %q", field)
	return ""
}

func decode(t *testing.T, as coding, body string) string {
	t.Helper()
	tool := tools[as]
	if _, err := exec.LookPath(tool[0]); err != nil {
		t.Fatalf("%s is missing; install it: make deps", tool[0])
	}
	cmd := exec.Command(tool[0], tool[1:]...)
	cmd.Stdin = strings.NewReader(body)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", tool[0], err)
	}
	return string(out)
}

// script is text of a size that compresses about as scripts do.
func script(size int) string {
	text, _ := scripts.LoadOrStore(size, sync.OnceValue(func() string { return newScript(size) }))
	return text.(func() string)()
}

var scripts sync.Map // by size: under the race detector they take long to make

func newScript(size int) string {
	words := strings.Fields("const let function return => { } ( ) ; this.state props.children await async import export document window addEventListener useEffect useState null undefined true false")
	random := rand.New(rand.NewSource(int64(size)))
	var b strings.Builder
	for b.Len() < size {
		fmt.Fprintf(&b, "%s v%d ", words[random.Intn(len(words))], random.Intn(500))
	}
	return b.String()[:size]
}

// shownIn waits for an answer in a coding.
func (s *site) shownIn(path string, as coding) answer {
	s.t.Helper()
	var a answer
	within(s.t, 5*time.Second, path+" in "+contentEncoding[as][0], func() bool {
		a = s.get(path, "Accept-Encoding: "+contentEncoding[as][0])
		return a.Header.Get("Content-Encoding") == contentEncoding[as][0]
	})
	return a
}

func TestContentsAreCompressed(t *testing.T) {
	text := script(20_000)
	s := newSite(t, Config{}, files{"a.js": text})
	plain := s.get("/a.js")
	tags := map[string]string{plain.Header.Get("Etag"): "identity"}
	for as := range coding(codings) {
		name := contentEncoding[as][0]
		a := s.get("/a.js", "Accept-Encoding: "+name)
		if a.Header.Get("Content-Encoding") != name || decoded(t, a) != text || len(a.body) > len(text)/2 {
			t.Errorf("%s: %d bytes, %v", name, len(a.body), a.Header)
		}
		tag := a.Header.Get("Etag")
		if tags[tag] != "" || tag[0] != '"' {
			t.Errorf("%s has the tag %s of %s", name, tag, tags[tag])
		}
		tags[tag] = name
		if a.ContentLength != int64(len(a.body)) {
			t.Errorf("%s: Content-Length %d of %d", name, a.ContentLength, len(a.body))
		}
		for _, field := range []string{"Content-Type", "Last-Modified", "Cache-Control", "Vary", "X-Content-Type-Options"} {
			if a.Header.Get(field) != plain.Header.Get(field) || a.Header.Get(field) == "" {
				t.Errorf("%s: %s is %q, and %q of what is not compressed", name, field, a.Header.Get(field), plain.Header.Get(field))
			}
		}
	}
	if plain.Header.Get("Vary") != "Accept-Encoding" || plain.Header.Get("Content-Encoding") != "" || plain.body != text {
		t.Errorf("not compressed: %v", plain.Header)
	}
	for as := range coding(codings) { // once: what is there is what is sent
		v := s.table.Load().asset("/a.js").contents().coded[as].Load()
		a := s.get("/a.js", "Accept-Encoding: "+contentEncoding[as][0])
		if now := s.table.Load().asset("/a.js").contents().coded[as].Load(); now != v || a.Header.Get("Etag") != v.etag[0] {
			t.Errorf("%s is compressed again", contentEncoding[as][0])
		}
	}
}

func TestWhatIsNotCompressed(t *testing.T) {
	noise := make([]byte, 4000)
	rand.New(rand.NewSource(1)).Read(noise)
	off := false
	for _, c := range []struct {
		name, content string
		config        Serving
		fields        string
		encoded, vary bool
	}{
		{"a.js", script(compressFrom), Serving{}, "", true, true},
		{"a.js", script(compressFrom - 1), Serving{}, "", false, true},
		{"a.js", script(5000), Serving{Compress: &off}, "", false, true},
		{"a.js", script(5000), Serving{Memory: 1}, "", true, true}, // the answer was made, but is not kept
		{"a.js", script(5000), Serving{}, "|Cache-Control: max-age=0, No-Transform", false, true},
		{"a.js", script(5000), Serving{}, "|Cache-Control: no-cache", true, true},
		{"a.js", string(noise), Serving{}, "", false, true},
		{"a.png", script(5000), Serving{}, "", false, false},
		{"a.js.gz", script(5000), Serving{}, "", false, false},
		{"a.zip", script(5000), Serving{}, "", false, false},
		{"a.woff2", script(5000), Serving{}, "", false, false},
		{"a", script(5000), Serving{}, "", false, false},
		{"a.wasm", script(5000), Serving{}, "", true, true},
		{"a.svg", script(5000), Serving{}, "", true, true},
		{"a.ttf", script(5000), Serving{}, "", true, true},
	} {
		s := newSite(t, Config{Serving: c.config}, files{c.name: c.content})
		for range 2 {
			a := s.get("/"+c.name, strings.Split("Accept-Encoding: gzip, br, zstd"+c.fields, "|")...)
			if encoded := a.Header.Get("Content-Encoding") == "br"; encoded != c.encoded && c.config.Memory == 0 || decoded(t, a) != c.content {
				t.Errorf("%s of %d bytes, %+v%s: %v", c.name, len(c.content), c.config, c.fields, a.Header)
			}
			if vary := a.Header.Get("Vary") == "Accept-Encoding"; vary != c.vary {
				t.Errorf("%s: Vary %q", c.name, a.Header.Get("Vary"))
			}
		}
	}
}

// What was compressed while a client waited is replaced by something better.
// Who has the former need not have the same content again, but must not put
// parts of both together.
func TestCompressedContentsBecomeBetter(t *testing.T) {
	text := script(30_000)
	s := newSite(t, Config{}, files{"a.js": text})
	var former [codings]answer
	for as := range coding(codings) {
		former[as] = s.get("/a.js", "Accept-Encoding: "+contentEncoding[as][0])
	}
	s.run()
	for as := range coding(codings) {
		accept := "Accept-Encoding: " + contentEncoding[as][0]
		old := former[as].Header.Get("Etag")
		slot := &s.table.Load().asset("/a.js").contents().coded[as]
		within(t, 5*time.Second, accept+" becomes better", func() bool { return slot.Load().etag[0] != old })
		now := s.get("/a.js", accept)
		if len(now.body) >= len(former[as].body) || decoded(t, now) != text {
			t.Errorf("%s: %d bytes after %d", accept, len(now.body), len(former[as].body))
		}
		tag := now.Header.Get("Etag")
		for _, c := range []struct {
			fields string
			status int
			tag    string
		}{
			{"If-None-Match: " + old, 304, old},
			{"If-None-Match: W/" + old, 304, old},
			{`If-None-Match: "x", ` + old, 304, old},
			{"If-None-Match: " + tag, 304, tag},
			{"If-None-Match: " + old + ", " + tag, 304, tag},
			{"If-None-Match: *", 304, tag},
			{"If-Match: " + old, 412, ""},
			{"If-Match: " + tag, 200, tag},
			{"Range: bytes=0-9|If-Range: " + old, 200, tag},
			{"Range: bytes=0-9|If-Range: " + tag, 206, tag},
		} {
			a := s.get("/a.js", strings.Split(accept+"|"+c.fields, "|")...)
			if a.StatusCode != c.status || a.Header.Get("Etag") != c.tag {
				t.Errorf("%s, %s: %d with %s, want %d with %s", accept, c.fields, a.StatusCode, a.Header.Get("Etag"), c.status, c.tag)
			}
		}
		for other := range coding(codings) {
			if other != as {
				if a := s.get("/a.js", accept, "If-None-Match: "+former[other].Header.Get("Etag")); a.StatusCode != http.StatusOK {
					t.Errorf("%s with the tag of %s: %d", accept, contentEncoding[other][0], a.StatusCode)
				}
			}
		}
	}
}

func TestWhatBecomesBetterTakesTheFormersPlace(t *testing.T) {
	s := newSite(t, Config{}, files{"a.js": script(30_000)}).run()
	former := s.shownIn("/a.js", br).Header.Get("Etag")
	slot := &s.table.Load().asset("/a.js").contents().coded[br]
	within(t, 5*time.Second, "it becomes better", func() bool { return slot.Load().etag[0] != former })
	if used, sum := s.held(); used != sum {
		t.Errorf("%d bytes are used, %d are in the table", used, sum)
	}
	if !slot.Load().visited.Load() {
		t.Error("that it was asked for is forgotten")
	}
	write(t, s.root, files{"a.js": "changed"})
	s.shows("/a.js", 200, "changed")
	within(t, time.Second, "nothing else is kept", func() bool { return s.memory.used.Load() == int64(overhead+len("changed")) })
}

// Files above maxInMemory are compressed behind the requests, which get them
// as they are until then; those above compressTo never are. Not parallel: all
// folders take turns to compress.
func TestLargeContentsAreCompressedBehindTheRequests(t *testing.T) {
	text, huge := script(maxInMemory+1), script(compressTo+1)
	s := newSite(t, Config{}, files{"a.js": text, "huge.js": huge})
	for range 2 {
		if a := s.get("/a.js", "Accept-Encoding: br"); a.body != text || a.Header.Get("Content-Encoding") != "" {
			t.Fatalf("before: %v", a.Header)
		}
	}
	s.run()
	var shown []answer // all of them before a pause, in which the first would be made better for long
	for as := range coding(codings) {
		shown = append(shown, s.shownIn("/a.js", as))
	}
	for _, a := range shown {
		if decoded(t, a) != text || a.ContentLength > maxInMemory/2 {
			t.Errorf("%v", a.Header)
		}
	}
	if a := s.get("/huge.js", "Accept-Encoding: br"); a.body != huge || a.Header.Get("Content-Encoding") != "" {
		t.Errorf("huge: %v", a.Header)
	}
	if _, ok := s.encoder.take(quick); ok {
		t.Error("something waits that is not to be done")
	}
}

// With nobody free to compress, and while somebody else is at it, requests are
// answered with what there is, and find the rest later.
func TestNobodyWaitsForAnothersCompression(t *testing.T) {
	text := script(50_000)
	s := newSite(t, Config{}, files{"a.js": text, "b.js": text})
	for range cap(quickSlots) {
		quickSlots <- struct{}{}
	}
	c := s.table.Load().asset("/b.js").contents()
	c.begin(br, quick)
	for _, path := range []string{"/a.js", "/b.js"} {
		for range 2 {
			if a := s.get(path, "Accept-Encoding: br"); a.body != text {
				t.Errorf("%s: %v", path, a.Header)
			}
		}
	}
	for range cap(quickSlots) {
		<-quickSlots
	}
	if a := s.get("/b.js", "Accept-Encoding: br, gzip;q=0.9"); a.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("the next best: %v", a.Header)
	}
	c.end(br, quick)
	s.run()
	if a := s.shownIn("/a.js", br); decoded(t, a) != text {
		t.Errorf("later: %v", a.Header)
	}
}

// A content that is given up for want of memory is not compressed again at
// every request: only when there is room.
func TestCompressionsAreBoundedByMemory(t *testing.T) {
	all := files{}
	for i := range 40 {
		all[fmt.Sprintf("f%02d.js", i)] = script(20_000 + i)
	}
	const limit = 100_000
	s := newSite(t, Config{Serving: Serving{Memory: limit}}, all)
	ask := func(name string) answer { return s.get("/"+name, "Accept-Encoding: gzip") }
	for name, text := range all {
		if a := ask(name); decoded(t, a) != text {
			t.Errorf("%s: %v", name, a.Header)
		}
	}
	if used, sum := s.held(); used > limit || used != sum {
		t.Errorf("%d bytes are used, %d are in the table", used, sum)
	}
	made := func() (held, given int) {
		for a := range s.table.Load().all() {
			switch v := a.contents().coded[gzip].Load(); {
			case v == nil || v == useless:
			case v.body != nil:
				held++
			default:
				given++
			}
		}
		return held, given
	}
	held, given := made()
	if held == 0 || given == 0 {
		t.Fatalf("%d are held, %d given up", held, given)
	}
	for name, text := range all { // those given up are sent as they are
		v := s.table.Load().asset("/" + name).contents().coded[gzip].Load()
		room := s.memory.room(v.size)
		a := ask(name)
		if v.body == nil && !room && (a.Header.Get("Content-Encoding") != "" || a.body != text) {
			t.Errorf("%s, given up: %v", name, a.Header)
		}
	}
}

// Whoever changes a file while it is compressed: what is sent is one state of it.
func TestCompressedContentsAreOneStateOfTheFile(t *testing.T) {
	t.Parallel()
	state := func(i int) string { return strings.Repeat(string(rune('a'+i%26)), 3_000+i%7*100_000) }
	s := newSite(t, Config{}, files{"renamed.js": state(0), "written.js": strings.Repeat("0", 400_000)}).run()
	stop := make(chan struct{})
	changing := make(chan error, 1)
	go func() {
		var err error
		for i := 0; err == nil; i++ {
			select {
			case <-stop:
				changing <- err
				return
			case <-time.After(70 * time.Millisecond):
			}
			next := s.path("next")
			if err = os.WriteFile(next, []byte(state(i)), 0o644); err == nil {
				err = os.Rename(next, s.path("renamed.js"))
			}
			if i%10 == 0 && err == nil { // in place, and of the same size
				err = os.WriteFile(s.path("written.js"), []byte(strings.Repeat(string(rune('0'+i/10%10)), 400_000)), 0o644)
			}
		}
		changing <- err
	}()
	seen := 0
	for i := range 45 {
		as := coding(i % codings)
		for _, path := range []string{"/renamed.js", "/written.js"} {
			a, whole := s.getMaybe(path, "Accept-Encoding: "+contentEncoding[as][0])
			if !whole {
				continue // broken off, because the file was written to meanwhile
			}
			if a.StatusCode != http.StatusOK || path == "/written.js" && a.Header.Get("Content-Encoding") == "" {
				continue // from disk, as it is at the moment
			}
			text := unpack(t, a)
			if text == "" || strings.Trim(text, text[:1]) != "" || path == "/renamed.js" && (len(text)-3_000)%100_000 != 0 {
				t.Fatalf("%s in %s is of two states: %.20q … %.20q", path, contentEncoding[as][0], text, text[max(0, len(text)-20):])
			}
			seen++
		}
	}
	close(stop)
	check(t, <-changing)
	if seen < 40 {
		t.Errorf("%d answers", seen)
	}
}

// unpack is decoded without a process for each.
func unpack(t *testing.T, a answer) string {
	t.Helper()
	var in io.Reader = strings.NewReader(a.body)
	var err error
	switch a.Header.Get("Content-Encoding") {
	case "br":
		in = brotli.NewReader(in)
	case "gzip":
		in, err = kgzip.NewReader(in)
	case "zstd":
		var d *kzstd.Decoder
		d, err = kzstd.NewReader(in)
		in = d
		defer d.Close()
	}
	check(t, err)
	text, err := io.ReadAll(in)
	check(t, err)
	return string(text)
}

// What is compressed behind the requests ends with Run, also in the middle.
func TestCompressionEndsWithRun(t *testing.T) {
	s := newSite(t, Config{}, files{"a.js": script(compressTo), "b.js": script(maxInMemory)})
	before := goleak.IgnoreCurrent()
	for _, path := range []string{"/a.js", "/b.js"} {
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set("Accept-Encoding", "br")
		s.ServeHTTP(&discard{header: http.Header{}}, r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	within(t, 5*time.Second, "the compression has begun", func() bool { return len(slowSlot) > 0 })
	cancel()
	begun := time.Now()
	check(t, <-done)
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	goleak.VerifyNone(t, before)
	if len(slowSlot) > 0 {
		t.Error("the place is still taken")
	}
	if v := s.table.Load().asset("/a.js").contents().coded[br].Load(); v != nil {
		t.Error("it was done to the end")
	}
}

// However often a content is given up and made again, it waits once to be made better.
func TestAContentWaitsOnceToBeMadeBetter(t *testing.T) {
	s := newSite(t, Config{}, files{"a.js": script(5000)})
	slot := &s.table.Load().asset("/a.js").contents().coded[gzip]
	for range 3 {
		if a := s.get("/a.js", "Accept-Encoding: gzip"); a.Header.Get("Content-Encoding") != "gzip" {
			t.Fatalf("%v", a.Header)
		}
		s.memory.mu.Lock()
		s.memory.drop(slot)
		s.memory.mu.Unlock()
	}
	if n := len(s.encoder.again); n != 1 {
		t.Errorf("it waits %d times", n)
	}
}
