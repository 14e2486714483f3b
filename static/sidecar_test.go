package static

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	kgzip "github.com/klauspost/compress/gzip"
)

// packed is a text in a coding, as a build would lay it beside.
func packed(t *testing.T, as coding, text string) string {
	t.Helper()
	key := packing{as, text}
	if body, ok := packings.Load(key); ok {
		return body.(string)
	}
	body, err := compress(context.Background(), as, quick, []byte(text))
	check(t, err)
	packings.Store(key, string(body))
	return string(body)
}

// packing is a text in a coding; packings are those that there were, which take long to make.
type packing struct {
	as   coding
	text string
}

var packings sync.Map

// onDisk is the size of a text that is larger than maxInMemory also when it is packed.
const onDisk = 3 << 19

// beside writes a file and its sidecars.
func beside(t *testing.T, name, text string, which ...coding) files {
	all := files{name: text}
	for _, as := range which {
		all[name+extensionOf[as]] = packed(t, as, text)
	}
	return all
}

func TestCompressedFilesBesideAreUsed(t *testing.T) {
	t.Parallel()
	small, large := script(10_000), script(onDisk)
	for name, text := range map[string]string{"a.css": small, "a.png": small, "big.js": large} {
		all := beside(t, name, text, br, zstd, gzip)
		s := newSite(t, Config{}, all)
		for as := range coding(codings) {
			for range 2 {
				a := s.get("/"+name, "Accept-Encoding: "+contentEncoding[as][0])
				if a.body != all[name+extensionOf[as]] || a.Header.Get("Content-Encoding") != contentEncoding[as][0] ||
					a.Header.Get("Content-Type") != mediaTypeOf(name).text || a.Header.Get("Vary") != "Accept-Encoding" {
					t.Errorf("%s in %s: %d bytes, %v", name, contentEncoding[as][0], len(a.body), a.Header)
				}
				if decode(t, as, a.body) != text {
					t.Errorf("%s in %s is another text", name, contentEncoding[as][0])
				}
			}
			// It is a file like others, too.
			a := s.get("/"+name+extensionOf[as], "Accept-Encoding: gzip, br, zstd")
			if a.body != all[name+extensionOf[as]] || a.Header.Get("Content-Encoding") != "" || a.Header.Get("Vary") != "" ||
				a.Header.Get("Content-Type") != mediaTypeOf("x"+extensionOf[as]).text {
				t.Errorf("%s: %v", name+extensionOf[as], a.Header)
			}
		}
		if a := s.get("/" + name); a.body != text || a.Header.Get("Vary") != "Accept-Encoding" || a.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s as it is: %v", name, a.Header)
		}
		if a := s.get("/"+name, "Accept-Encoding: gzip;q=0.9, br;q=0.8, zstd;q=0.7"); a.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("%s: %v", name, a.Header)
		}
	}
	for extension, want := range map[string]string{".gz": "application/gzip", ".zst": "application/zstd", ".br": "application/octet-stream"} {
		if got := mediaTypeOf("a.css" + extension).text; got != want {
			t.Errorf("%s: %s", extension, got)
		}
	}
}

// The three kinds of content (compressed here, beside in memory, beside on
// disk) and the plain one each have validators of their own.
func TestEachRepresentationHasItsValidators(t *testing.T) {
	tags := map[string]string{}
	dir := t.TempDir()
	all := beside(t, "a.css", script(10_000), br)
	for name, content := range beside(t, "big.js", script(onDisk), br, gzip) {
		all[name] = content
	}
	all["same.js"] = strings.Repeat("x", maxInMemory+1) // and beside it one of the same size
	all["same.js.gz"] = padded(t, all["same.js"])
	write(t, dir, all)
	for name := range all {
		check(t, os.Chtimes(dir+"/"+name, modified, modified)) // as gzip -k does
	}
	s := newSite(t, Config{Root: dir}, nil)
	for _, path := range []string{"/a.css", "/big.js", "/same.js"} {
		for _, accept := range []string{"identity", "br", "zstd", "gzip"} {
			a := s.get(path, "Accept-Encoding: "+accept)
			as := a.Header.Get("Content-Encoding")
			tag := a.Header.Get("Etag")
			what := path + " " + as
			if was := tags[tag]; was != "" && was != what {
				t.Errorf("%s has the tag %s of %s", what, tag, was)
			}
			tags[tag] = what
			for other, was := range tags {
				want := http.StatusOK
				if was == what {
					want = http.StatusNotModified
				}
				if b := s.get(path, "Accept-Encoding: "+accept, `If-None-Match: "none", `+other); b.StatusCode != want || want == 304 && b.Header.Get("Vary") != "Accept-Encoding" {
					t.Errorf("%s with the tag of %s: %d", what, was, b.StatusCode)
				}
			}
		}
	}
	if len(tags) != 4+3+2 {
		t.Errorf("%d representations: %v", len(tags), tags)
	}
}

// padded is a text as gzip has it, made as long as the text by members without content.
func padded(t *testing.T, text string) string {
	t.Helper()
	member := func(text string, comment int) string {
		var b bytes.Buffer
		w := kgzip.NewWriter(&b)
		w.Comment = strings.Repeat(" ", comment)
		_, err := io.WriteString(w, text)
		check(t, err)
		check(t, w.Close())
		return b.String()
	}
	out, empty := member(text, 0), len(member("", 1))-1
	for len(out) < len(text) {
		comment := len(text) - len(out) - empty
		if comment > 400 {
			comment = 300
		}
		out += member("", comment)
	}
	return out
}

func TestOlderCompressedFilesAreIgnored(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, beside(t, "a.css", script(1000), gzip))
	write(t, dir, files{"a.css.br": "made of something else", "b.css": "body{}", "b.css.gz": packed(t, gzip, "body{}")})
	now := time.Now().Add(-time.Hour)
	for name, at := range map[string]time.Time{"a.css": now, "a.css.gz": now.Add(-sidecarSlack), "a.css.br": now.Add(-sidecarSlack - 1), "b.css": now, "b.css.gz": now.Add(-time.Minute)} {
		check(t, os.Chtimes(dir+"/"+name, at, at))
	}
	s := newSite(t, Config{Root: dir}, nil)
	for range 3 {
		if a := s.get("/a.css", "Accept-Encoding: gzip"); a.body != packed(t, gzip, script(1000)) {
			t.Errorf("a little older: %v", a.Header)
		}
		if a := s.get("/a.css", "Accept-Encoding: br"); decoded(t, a) != script(1000) {
			t.Errorf("much older: %v", a.Header)
		}
		if a := s.get("/b.css", "Accept-Encoding: gzip"); a.body != "body{}" || a.Header.Get("Content-Encoding") != "" {
			t.Errorf("too small to be made here: %v", a.Header)
		}
	}
	for _, name := range []string{"a.css.br", "b.css.gz"} {
		if n := strings.Count(s.logs.String(), "file="+name); n != 1 {
			t.Errorf("%s is told of %d times", name, n)
		}
	}
	if strings.Contains(s.logs.String(), "a.css.gz") {
		t.Error("a.css.gz is told of")
	}
}

func TestChangesOfCompressedFilesShow(t *testing.T) {
	t.Parallel()
	eachMode(t, beside(t, "a.css", "one", gzip), func(t *testing.T, s *site) {
		shows := func(path, coding, text string) {
			t.Helper()
			within(t, time.Second, path+" in "+coding+" shows "+text, func() bool {
				a := s.get(path, "Accept-Encoding: gzip, br")
				return a.StatusCode == 200 && a.Header.Get("Content-Encoding") == coding && decoded(t, a) == text
			})
		}
		shows("/a.css", "gzip", "one")
		write(t, s.root, files{"a.css.gz": packed(t, gzip, "two")}) // it alone
		shows("/a.css", "gzip", "two")
		write(t, s.root, files{"a.css.br": packed(t, br, "three")})
		shows("/a.css", "br", "three")
		check(t, os.Remove(s.path("a.css.br")))
		shows("/a.css", "gzip", "two")
		check(t, os.Remove(s.path("a.css.gz")))
		shows("/a.css", "", "one")
		write(t, s.root, files{"dir/index.html.gz": packed(t, gzip, "page"), "dir/index.html": "page"})
		shows("/dir/", "gzip", "page")
	})
}

// A compressed file that cannot be read, or is not what the table says, is not
// missed: the file itself is there.
func TestCompressedFilesThatCannotBeReadAreNotMissed(t *testing.T) {
	s := newSite(t, Config{}, beside(t, "a.css", "text", br, gzip))
	check(t, os.Remove(s.path("a.css.br")))
	write(t, s.root, files{"a.css.gz": "changed, and the table does not know yet"})
	for range 2 {
		for _, accept := range []string{"br", "gzip"} {
			if a := s.get("/a.css", "Accept-Encoding: "+accept); a.StatusCode != 200 || a.body != "text" || a.Header.Get("Content-Encoding") != "" {
				t.Errorf("%s: %s %q %v", accept, a.Status, a.body, a.Header)
			}
		}
	}
}

// A file that is called so but is something else would be a broken page.
func TestFilesThatAreNotCompressedAreNotTakenForIt(t *testing.T) {
	large := script(1 << 20)
	s := newSite(t, Config{}, files{"a.css": "text", "a.css.gz": "text", "a.css.zst": "", "b.css": large, "b.css.gz": large, "b.css.zst": large})
	for range 3 {
		for path, text := range map[string]string{"/a.css": "text", "/b.css": large} {
			for _, accept := range []string{"gzip", "zstd"} {
				if a := s.get(path, "Accept-Encoding: "+accept); a.body != text || a.Header.Get("Content-Encoding") != "" {
					t.Errorf("%s in %s: %v", path, accept, a.Header)
				}
			}
		}
		if a := s.get("/a.css.gz", "Accept-Encoding: gzip"); a.body != "text" {
			t.Errorf("by its own name: %v", a.Header)
		}
	}
	for _, name := range []string{"a.css.gz", "a.css.zst", "b.css.gz", "b.css.zst"} {
		if n := strings.Count(s.logs.String(), "file="+name); n != 1 {
			t.Errorf("%s is told of %d times", name, n)
		}
	}
}

func TestCompressedFilesBesideAreNeverLookedForByRequests(t *testing.T) {
	s := newSite(t, Config{}, files{"a.css": script(600), "b.css": script(600)})
	s.get("/a.css", "Accept-Encoding: br")
	write(t, s.root, files{"b.css.br": packed(t, br, "found")}) // nothing follows the folder
	if a := s.get("/b.css", "Accept-Encoding: br"); decoded(t, a) != script(600) {
		t.Errorf("%v", a.Header)
	}
	for _, path := range []string{"/a.css", "/a.png"} {
		w := &discard{header: http.Header{}}
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set("Accept-Encoding", "gzip, deflate, br, zstd")
		s.ServeHTTP(w, r)
		if path == "/a.css" && w.header.Get("Content-Encoding") != "br" {
			t.Errorf("%v", w.header)
		}
	}
}

// noisy is text that no coding makes smaller.
func noisy(size int) string {
	b := make([]byte, size)
	rand.Read(b)
	return string(b)
}

func TestLargeCompressedFilesAreSentByTheKernel(t *testing.T) {
	t.Parallel()
	// A sidecar is taken at its word: this one is noise, so that it is large when compressed as well.
	noise := packed(t, br, noisy(1<<20))
	sent := kernelSent(t, files{"a.js": script(2 << 20), "a.js.br": noise}, "/a.js", "Accept-Encoding: br")
	if sent < 1<<20-512-withheld {
		t.Errorf("%d bytes were sent by the kernel", sent)
	}
}

// Whoever fetches a file beside another by its own name has not proved that it holds what its name says.
func TestAFileBesideThatIsNotWhatItsNameSaysIsNeverUsed(t *testing.T) {
	for size, text := range map[string]string{"small": "body{}", "large": script(maxInMemory + 1)} {
		s := newSite(t, Config{}, files{"a.css": text, "a.css.gz": "is not gzip " + text})
		if a := s.get("/a.css.gz"); a.body != "is not gzip "+text {
			t.Fatalf("%s: %v", size, a.Header)
		}
		for _, method := range []string{"HEAD", "GET"} {
			if a := s.ask(method, "/a.css", "Accept-Encoding: gzip"); a.Header.Get("Content-Encoding") != "" || method == "GET" && a.body != text {
				t.Errorf("%s %s: %v", method, size, a.Header)
			}
		}
		if !strings.Contains(s.logs.String(), errForeign.Error()) {
			t.Errorf("the log is %q", s.logs)
		}
	}
}

// One that is being written is not what the table knows: the file itself is sent until it is.
func TestAFileBesideThatIsBeingWrittenIsNotUsed(t *testing.T) {
	t.Parallel()
	for _, text := range []string{script(10_000), script(onDisk)} {
		all := beside(t, "a.css", text, br)
		s := newSite(t, Config{}, all)
		write(t, s.root, files{"a.css.br": all["a.css.br"][:len(all["a.css.br"])-1000]}) // nothing follows the folder
		if a := s.get("/a.css", "Accept-Encoding: br"); a.Header.Get("Content-Encoding") != "" || a.body != text {
			t.Errorf("%d bytes, %v", len(a.body), a.Header)
		}
	}
}
