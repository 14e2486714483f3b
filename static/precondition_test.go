package static

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var modified = time.Date(2024, 5, 6, 7, 8, 9, 123456789, time.UTC)

// dated serves files that were all modified then.
func dated(t *testing.T, all files) *site {
	dir := t.TempDir()
	write(t, dir, all)
	for name := range all {
		check(t, os.Chtimes(filepath.Join(dir, name), modified, modified))
	}
	return newSite(t, Config{Root: dir}, nil)
}

func TestPreconditionsAreEvaluatedInOrder(t *testing.T) {
	s := dated(t, files{"a.txt": "hello", "big": strings.Repeat("x", maxInMemory+1)})
	const (
		before = "Mon, 06 May 2024 07:08:08 GMT"
		exact  = "Mon, 06 May 2024 07:08:09 GMT"
		after  = "Monday, 06-May-24 07:08:10 GMT" // RFC 850 form
	)
	for _, path := range []string{"/a.txt", "/big"} {
		tag := s.get(path).Header.Get("Etag")
		if got := s.get(path).Header.Get("Last-Modified"); got != exact {
			t.Fatalf("%s: Last-Modified %q", path, got)
		}
		for _, c := range []struct {
			fields string
			want   int
		}{
			{"If-Match: " + tag, 200},
			{"If-Match: *", 200},
			{`If-Match: "x", ` + tag, 200},
			{`If-Match: "x"|If-Match: ` + tag, 200},
			{"If-Match: W/" + tag, 412},
			{`If-Match: "x"`, 412},
			{`If-Match: x`, 412},
			{`If-Match: `, 412},
			{"If-Match: " + tag + "|If-Unmodified-Since: " + before, 200}, // the date is not looked at
			{`If-Match: "x"|If-None-Match: ` + tag, 412},
			{"If-Unmodified-Since: " + exact, 200},
			{"If-Unmodified-Since: " + after, 200},
			{"If-Unmodified-Since: " + before, 412},
			{"If-Unmodified-Since: yesterday", 200},
			{"If-Unmodified-Since: " + before + "|If-None-Match: " + tag, 412},
			{"If-None-Match: " + tag, 304},
			{"If-None-Match: W/" + tag, 304},
			{"If-None-Match: *", 304},
			{`If-None-Match: "a,b" , W/"c",,` + tag, 304},
			{`If-None-Match: "x"|If-None-Match: ` + tag, 304},
			{`If-None-Match: "x"`, 200},
			{`If-None-Match: ` + strings.Trim(tag, `"`), 200},
			{`If-None-Match: "x" ` + tag, 200}, // no comma: malformed
			{`If-None-Match: "` + tag, 200},
			{`If-None-Match: "x"|If-Modified-Since: ` + after, 200}, // the tag decides
			{"If-None-Match: " + tag + "|If-Modified-Since: " + before, 304},
			{"If-Match: " + tag + "|If-None-Match: " + tag, 304},
			{"If-Modified-Since: " + exact, 304},
			{"If-Modified-Since: " + after, 304},
			{"If-Modified-Since: " + before, 200},
			{"If-Modified-Since: tomorrow", 200},
			{"If-Modified-Since: 0", 200},
			{"If-Unmodified-Since: " + exact + "|If-Modified-Since: " + exact, 304},
			{"If-None-Match: " + tag + "|Range: bytes=0-1", 304},
			{`If-Match: "x"|Range: bytes=0-1`, 412},
			{"If-Match: " + tag + "|Range: bytes=0-1", 206},
		} {
			for _, method := range []string{"GET", "HEAD"} {
				want := c.want
				if method == "HEAD" && want == 206 {
					want = 200 // Range is for GET alone
				}
				a := s.ask(method, path, strings.Split(c.fields, "|")...)
				if a.StatusCode != want {
					t.Errorf("%s %s with %s: %d, want %d", method, path, c.fields, a.StatusCode, want)
				}
				switch a.StatusCode {
				case 304:
					if a.body != "" || a.Header.Get("Etag") != tag || a.Header.Get("Cache-Control") != "no-cache" || a.Header.Get("Content-Type") != "" {
						t.Errorf("%s with %s: %v %q", path, c.fields, a.Header, a.body)
					}
				case 412:
					if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Etag") != "" {
						t.Errorf("%s with %s: %v", path, c.fields, a.Header)
					}
				}
			}
		}
	}
}

func TestPreconditionsOfWhatIsNotThereAreIgnored(t *testing.T) {
	s := newSite(t, Config{}, files{"dir/index.html": "", "404.html": "none"})
	for path, want := range map[string]int{"/none": 404, "/dir": 308} {
		for _, field := range []string{"If-Match: \"x\"", "If-None-Match: *", "Range: bytes=9-"} {
			if a := s.get(path, field); a.StatusCode != want {
				t.Errorf("%s with %s: %d", path, field, a.StatusCode)
			}
		}
	}
}

func TestValidatorsTellContentsApart(t *testing.T) {
	big := strings.Repeat("x", maxInMemory+1)
	s := dated(t, files{"a": "hello", "same": "hello", "b": "hellO", "big": big, "bigger": big + "x", "empty": ""})
	tags := map[string]string{}
	for _, name := range []string{"a", "same", "b", "big", "bigger", "empty"} {
		tags[name] = s.get("/" + name).Header.Get("Etag")
		if len(tags[name]) < 10 || tags[name][0] != '"' {
			t.Errorf("%s: tag %s is not strong", name, tags[name])
		}
	}
	if tags["a"] != tags["same"] || tags["a"] == tags["b"] || tags["big"] == tags["bigger"] {
		t.Errorf("tags %v", tags)
	}
	if want := `"ibmyo4fmc9mt-5mlx"`; !strings.Contains(tags["big"], "-") || len(tags["big"]) != len(want) {
		t.Errorf("tag of a large file: %s", tags["big"])
	}
}

func TestTimesThatSayNothingAreNotSent(t *testing.T) {
	dir := t.TempDir()
	big := strings.Repeat("x", maxInMemory+1)
	write(t, dir, files{"epoch": "", "epochs": big, "future": ""})
	for name, at := range map[string]time.Time{"epoch": time.Unix(1, 0), "epochs": time.Unix(0, 0), "future": time.Now().Add(time.Hour)} {
		check(t, os.Chtimes(filepath.Join(dir, name), at, at))
	}
	s := newSite(t, Config{Root: dir}, nil)
	for name, tagged := range map[string]bool{"epoch": true, "epochs": false, "future": true} {
		a := s.get("/" + name)
		if a.Header.Get("Last-Modified") != "" || (a.Header.Get("Etag") != "") != tagged {
			t.Errorf("%s: %v", name, a.Header)
		}
		if a := s.get("/"+name, "If-Modified-Since: "+time.Now().UTC().Format(http.TimeFormat)); a.StatusCode != 200 {
			t.Errorf("%s, if modified since now: %d", name, a.StatusCode)
		}
	}
}

// A date is the same for each way in which a content has been compressed, so it says nothing of their parts.
func TestADateJoinsNoPartsOfWhatIsCompressedHere(t *testing.T) {
	s := dated(t, files{"a.js": script(20_000)})
	at := "If-Range: " + modified.UTC().Format(http.TimeFormat)
	for accept, want := range map[string]int{"identity": 206, "br": 200, "gzip": 200} {
		if a := s.get("/a.js", "Accept-Encoding: "+accept, "Range: bytes=5-9", at); a.StatusCode != want {
			t.Errorf("%s: %d, want %d", accept, a.StatusCode, want)
		}
	}
}
