package static

import (
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"strings"
	"testing"
)

func TestRanges(t *testing.T) {
	const small = "0123456789abcdefghij" // 20 bytes
	big := strings.Repeat("0123456789abcdef", (maxInMemory+16)/16)
	s := dated(t, files{"small.txt": small, "big.txt": big, "empty": ""})
	many := func(n int) string { return strings.TrimSuffix(strings.Repeat("0-0,", n), ",") }
	spread := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "%d-%d,", 2*i, 2*i)
		}
		return b.String()
	}
	for _, c := range []struct{ field, want string }{
		{"bytes=0-0", "0-0"},
		{"bytes=2-5", "2-5"},
		{"Bytes=2-5", "2-5"},
		{"bytes= 2-5 ,", "2-5"},
		{"bytes=5-", "5-19"},
		{"bytes=19-", "19-19"},
		{"bytes=-1", "19-19"},
		{"bytes=-20", "0-19"},
		{"bytes=-99", "0-19"},
		{"bytes=0-99", "0-19"},
		{"bytes=0-99999999999999999999999", "0-19"},
		{"bytes=-99999999999999999999999", "0-19"},
		{"bytes=0-18446744073709551616", "0-19"},
		{"bytes=20-", "416"},
		{"bytes=20-30,99-", "416"},
		{"bytes=99999999999999999999999-", "416"},
		{"bytes=-0", "416"},
		{"bytes=20-,0-1", "0-1"},
		{"bytes=-0,0-1", "0-1"},
		{"bytes=0-1,4-5", "0-1 4-5"},
		{"bytes=4-5,0-1", "4-5 0-1"},
		{"bytes=0-1, -1, 4-5", "0-1 19-19 4-5"},
		{"bytes=0-5,3-8", "0-8"},
		{"bytes=3-8,0-5", "0-8"},
		{"bytes=0-1,2-3", "0-3"},
		{"bytes=0-1,8-9,1-8", "0-9"},
		{"bytes=0-0,10-11,0-19", "0-19"},
		{"bytes=0-1,4-5,8-9,5-8", "0-1 4-9"},
		{"bytes=" + many(16), "0-0"},
		{"bytes=" + many(17), "all"},
		{"bytes=" + spread(10), "0-0 2-2 4-4 6-6 8-8 10-10 12-12 14-14 16-16 18-18"},
		{"bytes=" + many(500), "all"},
		{"bytes=", "all"},
		{"bytes=,,", "all"},
		{"bytes", "all"},
		{"bytes=a-b", "all"},
		{"bytes=5-2", "all"},
		{"bytes=0-1,5-2", "all"},
		{"bytes=+1-2", "all"},
		{"bytes=1 - 2", "all"},
		{"bytes=--1", "all"},
		{"bytes=-", "all"},
		{"bytes=1", "all"},
		{"bytes=0-1;2-3", "all"},
		{"items=0-1", "all"},
		{"=0-1", "all"},
		{"", "all"},
	} {
		if got := shownRanges(t, s.get("/small.txt", "Range: "+c.field), small); got != c.want {
			t.Errorf("%s: %s, want %s", c.field, got, c.want)
		}
	}
	// The same from disk.
	size := len(big)
	for field, want := range map[string]string{
		fmt.Sprintf("bytes=%d-", size-3):     fmt.Sprintf("%d-%d", size-3, size-1),
		fmt.Sprintf("bytes=0-1,-%d", 2):      fmt.Sprintf("0-1 %d-%d", size-2, size-1),
		fmt.Sprintf("bytes=%d-", size):       "416",
		"bytes=100000-200000":                "100000-200000",
		"bytes=7-9,0-1,200000-200001":        "7-9 0-1 200000-200001",
		"bytes=0-0,5-2":                      "all",
		fmt.Sprintf("bytes=0-9,-%d", size+1): fmt.Sprintf("0-%d", size-1),
	} {
		if got := shownRanges(t, s.get("/big.txt", "Range: "+field), big); got != want {
			t.Errorf("large file with %s: %s, want %s", field, got, want)
		}
	}
	for _, field := range []string{"bytes=0-", "bytes=-5", "bytes=3-4"} {
		if a := s.get("/empty", "Range: "+field); a.StatusCode != 200 || a.body != "" {
			t.Errorf("empty file with %s: %d", field, a.StatusCode)
		}
	}
	if a := s.get("/small.txt", "Range: bytes=0-1", "Range: bytes=2-3"); a.StatusCode != 200 {
		t.Errorf("two Range fields: %d", a.StatusCode)
	}
}

// shownRanges says which parts of content an answer has, and checks that they are its.
func shownRanges(t *testing.T, a answer, content string) string {
	t.Helper()
	part := func(field, body string) string {
		var first, last, size int
		if _, err := fmt.Sscanf(field, "bytes %d-%d/%d", &first, &last, &size); err != nil || size != len(content) {
			t.Errorf("Content-Range %q: %v", field, err)
			return "bad"
		}
		if body != content[first:last+1] {
			t.Errorf("%s: %.40q", field, body)
		}
		return fmt.Sprintf("%d-%d", first, last)
	}
	if a.ContentLength != int64(len(a.body)) {
		t.Errorf("Content-Length %d of %d bytes", a.ContentLength, len(a.body))
	}
	switch a.StatusCode {
	case 200:
		if a.body != content || a.Header.Get("Content-Range") != "" || a.Header.Get("Accept-Ranges") != "bytes" {
			t.Errorf("not the whole: %v", a.Header)
		}
		return "all"
	case 416:
		if want := fmt.Sprintf("bytes */%d", len(content)); a.Header.Get("Content-Range") != want || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("416 with %v", a.Header)
		}
		return "416"
	case 206:
	default:
		return a.Status
	}
	if a.Header.Get("Etag") == "" || a.Header.Get("Last-Modified") == "" {
		t.Errorf("206 without validators: %v", a.Header)
	}
	kind, params, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	check(t, err)
	if kind != "multipart/byteranges" {
		return part(a.Header.Get("Content-Range"), a.body)
	}
	if a.Header.Get("Content-Range") != "" {
		t.Error("a multipart answer has a Content-Range")
	}
	var all []string
	for r := multipart.NewReader(strings.NewReader(a.body), params["boundary"]); ; {
		p, err := r.NextPart()
		if err == io.EOF {
			return strings.Join(all, " ")
		}
		check(t, err)
		body, err := io.ReadAll(p)
		check(t, err)
		path := a.Request.URL.Path
		if strings.HasSuffix(path, "/") {
			path += "index.html"
		}
		if p.Header.Get("Content-Type") != mediaTypeOf(path).text {
			t.Errorf("part of type %q", p.Header.Get("Content-Type"))
		}
		all = append(all, part(p.Header.Get("Content-Range"), string(body)))
	}
}

func TestIfRangeComparesStrongly(t *testing.T) {
	s := dated(t, files{"a": "0123456789", "big": strings.Repeat("x", maxInMemory+1)})
	for _, path := range []string{"/a", "/big"} {
		tag := s.get(path).Header.Get("Etag")
		for field, want := range map[string]int{
			tag:                             206,
			"W/" + tag:                      200,
			`"x"`:                           200,
			tag + `, "x"`:                   200,
			"*":                             200,
			"":                              200,
			"Mon, 06 May 2024 07:08:09 GMT": 206,
			"Mon, 06 May 2024 07:08:10 GMT": 200,
			"Mon, 06 May 2024 07:08:08 GMT": 200,
			"now":                           200,
		} {
			if a := s.get(path, "Range: bytes=2-3", "If-Range: "+field); a.StatusCode != want {
				t.Errorf("%s with If-Range %s: %d, want %d", path, field, a.StatusCode, want)
			}
		}
		if a := s.get(path, "Range: bytes=99999999-", `If-Range: "x"`); a.StatusCode != 200 {
			t.Errorf("%s: a range not wanted is unsatisfiable: %d", path, a.StatusCode)
		}
	}
}

func FuzzRanges(f *testing.F) {
	for _, set := range []string{"0-1", "0-1,3-4", "-5,0-", "5-2", "9-,-0", "1-2,2-3,9-99999999999999999999"} {
		f.Add("bytes="+set, int64(10))
	}
	f.Fuzz(func(t *testing.T, field string, size int64) {
		if size < 0 {
			return
		}
		spans, err := parseRange([]string{field}, size)
		if err != nil && len(spans) > 0 || len(spans) > maxRanges {
			t.Fatalf("%v, %v", spans, err)
		}
		for i, s := range spans {
			if s.start < 0 || s.length <= 0 || s.end() > size || s.end() < s.start {
				t.Fatalf("%v of %d", s, size)
			}
			for _, o := range spans[:i] {
				if s.start < o.end() && o.start < s.end() {
					t.Fatalf("%v overlap", spans)
				}
			}
		}
	})
}

// Each part is of the type that the whole would be of, also when a rule says it.
func TestPartsAreOfTheTypeOfTheWhole(t *testing.T) {
	s := newSite(t, Config{}, files{"a.dat": strings.Repeat("0123456789", 9), "_headers": "/a.dat\n  Content-Type: font/x\n"})
	if a := s.get("/a.dat"); a.Header.Get("Content-Type") != "font/x" {
		t.Fatalf("%v", a.Header)
	}
	a := s.get("/a.dat", "Range: bytes=1-2,11-12")
	if n := strings.Count(a.body, "\r\nContent-Type: font/x\r\n"); n != 2 || !strings.HasPrefix(a.Header.Get("Content-Type"), "multipart/byteranges; boundary=") {
		t.Errorf("%v\n%s", a.Header, a.body)
	}
}
