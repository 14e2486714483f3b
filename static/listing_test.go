package static

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestListingIsEscaped(t *testing.T) {
	names := []string{
		`"><img src=x onerror=alert(1)>`, `javascript:alert(1)`, `a&b`, `100%`, `q?x#y`, "\u202egnp.exe", `it's`, `:colon`, `ünï`, `<script>alert(1)<`, `{{.}}`,
	}
	all := files{"sub/x": "", "none/404.html": "", ".hidden": ""}
	for _, name := range names {
		all["dir/"+name] = "content of " + name
	}
	all["dir/zz<b>/f"] = "" // a folder
	s := newSite(t, Config{Serving: Serving{Browse: true}}, all)
	a := s.get("/dir/")
	if a.StatusCode != 200 || a.Header.Get("Content-Type") != "text/html; charset=utf-8" ||
		!strings.Contains(a.Header.Get("Content-Security-Policy"), "default-src 'none'") || a.Header.Get("Vary") != "Accept" {
		t.Errorf("%d %v", a.StatusCode, a.Header)
	}
	for _, bad := range []string{"<img", "<script", `href="javascript`, "<b>", `"">`, ".hidden"} {
		if strings.Contains(a.body, bad) {
			t.Errorf("the page has %s:\n%s", bad, a.body)
		}
	}
	// Every link leads to its file.
	links := strings.Split(a.body, `href="./`)[1:]
	if len(links) != len(names)+1 {
		t.Errorf("%d links for %d names", len(links), len(names)+1)
	}
	for _, link := range links {
		href, _, _ := strings.Cut(link, `"`)
		href = strings.NewReplacer("&amp;", "&", "&#39;", "'", "&#34;", `"`).Replace(href)
		got := s.raw("/dir/" + href)
		if got.StatusCode != 200 || !strings.HasSuffix(href, "/") && !strings.HasPrefix(got.body, "content of ") {
			t.Errorf("%s: %s", href, brief(got))
		}
	}
	if a := s.get("/dir"); brief(a) != "308 /dir/" {
		t.Errorf("/dir: %s", brief(a))
	}
	if a := newSite(t, Config{}, files{"dir/x": ""}).get("/dir/"); a.StatusCode != 404 {
		t.Errorf("unasked listing: %d", a.StatusCode)
	}
}

func TestListingAsJSON(t *testing.T) {
	s := newSite(t, Config{Prefix: "/pub/", Serving: Serving{Browse: true}}, files{"d/b.txt": "bb", "d/a/x": "", "d/<": "", "d/.h": "", "empty/": ""})
	a := s.get("/pub/d/", "Accept: application/json")
	var l Listing
	if err := json.Unmarshal([]byte(a.body), &l); err != nil || a.Header.Get("Content-Type") != "application/json; charset=utf-8" {
		t.Fatalf("%v: %v", err, a.Header)
	}
	var got []string
	for _, e := range l.Entries {
		got = append(got, fmt.Sprint(e.Name, " ", e.Type, " ", e.Size, " ", e.Modified != nil))
	}
	if want := "a folder 0 false|< file 0 true|b.txt file 2 true"; strings.Join(got, "|") != want || l.Path != "/pub/d/" || l.Truncated {
		t.Errorf("%s: %v, want %s", l.Path, got, want)
	}
	if a := s.get("/pub/empty/", "Accept: application/json"); a.body != `{"path":"/pub/empty/","entries":[],"total":0,"offset":0}`+"\n" {
		t.Errorf("empty folder: %s", a.body)
	}
	if a := s.get("/pub/d/", "Accept: text/html,application/json"); !strings.HasPrefix(a.body, "<!DOCTYPE") {
		t.Errorf("a browser gets %.40s", a.body)
	}
}

func TestLongListingIsCut(t *testing.T) {
	t.Parallel()
	paths := make([]string, maxListed+5)
	for i := range paths {
		paths[i] = fmt.Sprintf("/%d", i)
	}
	tab := tableOf(paths...)
	first, second := view{by: "name", limit: maxListed}, view{by: "name", limit: maxListed, offset: maxListed}
	l := tab.sort("/", first).listing("/", first)
	l.Path = "/"
	page := string(l.page("/", first))
	if len(l.Entries) != maxListed || !l.Truncated || l.Total != maxListed+5 ||
		!strings.Contains(page, "<p>10000 of 10005 names are shown: 1 to 10000.</p>") || !strings.Contains(page, `"?sort=name&amp;order=asc&amp;offset=10000"`) {
		t.Errorf("%d entries, %v", len(l.Entries), l.Truncated)
	}
	l = tab.sort("/", second).listing("/", second)
	l.Path = "/"
	page = string(l.page("/", second))
	if len(l.Entries) != 5 || l.Truncated || l.Entries[0].Name != "10000" ||
		!strings.Contains(page, "<p>5 of 10005 names are shown: 10001 to 10005.</p>") || !strings.Contains(page, `href="?sort=name&amp;order=asc">`) {
		t.Errorf("%v, %v", l.Entries, l.Truncated)
	}
}

func TestListingIsSortedAsAsked(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{Serving: Serving{Browse: true}}, files{"b10": "1", "B9": "333", "a": "22", "ä": "22", "a01": "", "a1": "", "z/x": "", "Y2/x": "", "y10/x": "", ".hidden": "", "out": "->/etc/passwd", "a.br": "x", "a.txt.gz": "x"})
	at := time.Now().Add(-time.Hour).Truncate(time.Second)
	for i, name := range []string{"ä", "b10", "a", "B9", "a01", "a1", "a.br", "a.txt.gz"} {
		check(t, os.Chtimes(filepath.Join(s.root, name), at, at.Add(time.Duration(i)*time.Minute)))
	}
	s = newSite(t, Config{Root: s.root, Serving: Serving{Browse: true}}, nil)
	for query, want := range map[string]string{
		"":                            "Y2 y10 z | a a.br a.txt.gz a01 a1 B9 b10 ä",
		"?sort=name&order=asc":        "Y2 y10 z | a a.br a.txt.gz a01 a1 B9 b10 ä",
		"?order=desc":                 "z y10 Y2 | ä b10 B9 a1 a01 a.txt.gz a.br a",
		"?sort=size":                  "Y2 y10 z | a01 a1 a.br a.txt.gz b10 a ä B9",
		"?sort=size&order=desc":       "Y2 y10 z | B9 a ä a.br a.txt.gz b10 a01 a1",
		"?sort=modified":              "Y2 y10 z | ä b10 a B9 a01 a1 a.br a.txt.gz",
		"?sort=modified&order=desc":   "Y2 y10 z | a.txt.gz a.br a1 a01 B9 a b10 ä",
		"?limit=2":                    "Y2 y10 |",
		"?limit=3&offset=2":           "z | a a.br",
		"?offset=10":                  "| ä",
		"?offset=11":                  "|",
		"?offset=100&limit=5":         "|",
		"?limit=99999999&offset=9":    "| b10 ä",
		"?utm_source=x&sort=name&%zz": "Y2 y10 z | a a.br a.txt.gz a01 a1 B9 b10 ä",
		"?sort=":                      "Y2 y10 z | a a.br a.txt.gz a01 a1 B9 b10 ä",
	} {
		a := s.raw("/"+query, "Accept: application/json")
		var l Listing
		if err := json.Unmarshal([]byte(a.body), &l); err != nil {
			t.Errorf("%s: %d %v", query, a.StatusCode, err)
			continue
		}
		var names [2][]string
		for _, e := range l.Entries {
			if e.Type == "folder" {
				names[0] = append(names[0], e.Name)
			} else {
				names[1] = append(names[1], e.Name)
			}
		}
		got := strings.TrimSpace(strings.Join(names[0], " ") + " | " + strings.Join(names[1], " "))
		if got != want || l.Total != 11 || l.Truncated != (l.Offset+len(l.Entries) < 11) {
			t.Errorf("%s: %s of %d, want %s", query, got, l.Total, want)
		}
		// The page has the same, in the same order.
		page := s.raw("/" + query)
		var shown []string
		for _, link := range strings.Split(page.body, `href="./`)[1:] {
			href, _, _ := strings.Cut(link, `"`)
			name, err := url.PathUnescape(strings.TrimSuffix(href, "/"))
			check(t, err)
			shown = append(shown, name)
		}
		if got := strings.Join(shown, " "); got != strings.Join(slices.Concat(names[0], names[1]), " ") {
			t.Errorf("the page for %s: %s", query, got)
		}
	}
	for _, query := range []string{"?sort=colour", "?order=up", "?limit=0", "?limit=-1", "?limit=x", "?offset=-1", "?offset=1e3", "?limit=99999999999999999999", "?sort=NAME"} {
		if a := s.raw("/" + query); a.StatusCode != 400 || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d", query, a.StatusCode)
		}
	}
}

func TestALargeFolderIsSortedOnce(t *testing.T) {
	all := files{"small/x": "", "small/y": ""}
	for i := range worthKeeping {
		all[fmt.Sprintf("large/%d", i)] = ""
	}
	s := newSite(t, Config{Serving: Serving{Browse: true}}, all)
	kept := func() (n int) {
		for i := range s.orders {
			if s.orders[i].Load() != nil {
				n++
			}
		}
		return n
	}
	s.get("/small/")
	if n := kept(); n != 0 {
		t.Errorf("%d orders of a small folder are kept", n)
	}
	first := s.get("/large/?limit=3&sort=modified")
	order := s.orders[4].Load()
	if kept() != 1 || order == nil || s.get("/large/?limit=3&sort=modified").body != first.body || s.orders[4].Load() != order {
		t.Errorf("%d orders are kept, or not used", kept())
	}
	for _, query := range []string{"", "?order=desc", "?sort=size", "?sort=size&order=desc", "?sort=modified&order=desc"} {
		s.get("/large/" + query)
	}
	if n := kept(); n != len(s.orders) {
		t.Errorf("%d orders are kept", n)
	}
	// A change shows all the same.
	s.run()
	write(t, s.root, files{"large/0new": "new"})
	within(t, time.Second, "the listing shows the new file", func() bool {
		return strings.Contains(s.get("/large/?limit=1&sort=size&order=desc").body, "0new")
	})
}

func TestListingIsAskedForAgainAndNotModified(t *testing.T) {
	s := newSite(t, Config{Serving: Serving{Browse: true}}, files{"d/a": "a", "d/b": "b"})
	page, data := s.get("/d/"), s.get("/d/", "Accept: application/json")
	tag := page.Header.Get("Etag")
	if tag == "" || tag == data.Header.Get("Etag") || tag == s.get("/d/?order=desc").Header.Get("Etag") {
		t.Errorf("tags %s, %s", tag, data.Header.Get("Etag"))
	}
	for _, c := range []struct {
		fields []string
		status int
	}{
		{[]string{"If-None-Match: " + tag}, 304},
		{[]string{"If-None-Match: W/" + tag + `, "x"`}, 304},
		{[]string{"If-None-Match: *"}, 304},
		{[]string{"If-None-Match: " + tag, "Accept: application/json"}, 200},
		{[]string{`If-Match: "x"`}, 412},
		{[]string{"If-Match: " + tag}, 200},
		{[]string{"Range: bytes=0-0"}, 200},
		{[]string{"If-Modified-Since: Tue, 01 Jan 2030 00:00:00 GMT"}, 200},
	} {
		a := s.get("/d/", c.fields...)
		if a.StatusCode != c.status || a.Header.Get("Vary") != "Accept" {
			t.Errorf("%v: %d %v", c.fields, a.StatusCode, a.Header)
		}
		if a.StatusCode == 304 && (a.body != "" || a.Header.Get("Etag") != tag || a.Header.Get("Cache-Control") != "no-cache") {
			t.Errorf("%v: %v", c.fields, a.Header)
		}
	}
	head := s.ask("HEAD", "/d/")
	if head.ContentLength != int64(len(page.body)) || head.body != "" || head.Header.Get("Etag") != tag {
		t.Errorf("HEAD: %d of %d bytes", head.ContentLength, len(page.body))
	}
}

func TestListingLeadsUpAndStylesItself(t *testing.T) {
	s := newSite(t, Config{Prefix: "/pub/", Serving: Serving{Browse: true}}, files{"a & b/c/x": "x"})
	top, deep := s.get("/pub/"), s.raw("/pub/a%20&%20b/c/")
	if strings.Contains(top.body, `"../"`) || !strings.Contains(top.body, "<h1><bdi>/pub/</bdi></h1>") {
		t.Errorf("the top leads out of the folder:\n%s", top.body)
	}
	if !strings.Contains(deep.body, `<h1><a href="../../"><bdi>/pub/</bdi></a><a href="../"><bdi>a &amp; b/</bdi></a><bdi>c/</bdi></h1>`) || !strings.Contains(deep.body, `<td><a href="../">`) {
		t.Errorf("no way up:\n%s", deep.body)
	}
	_, style, _ := strings.Cut(deep.body, "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	sum := sha256.Sum256([]byte(style))
	if want := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; style == "" || !strings.Contains(deep.Header.Get("Content-Security-Policy"), "style-src "+want) {
		t.Errorf("the policy is not for the style: %v", deep.Header)
	}
}

func TestNaturalOrderIsAnOrder(t *testing.T) {
	sorted := []string{"", " ", "1", "01", "2", "2a", "2B", "10", "99999999999999999999", "100000000000000000000", "a", "A", "a1", "a1b", "a2", "A10", "a10", "b", "Z", "ä", "é", "日"}
	slices.SortFunc(sorted, natural)
	for i, a := range sorted {
		for j, b := range sorted {
			if got := natural(a, b); got != cmp.Compare(i, j) {
				t.Errorf("%q %q: %d, want %d", a, b, got, cmp.Compare(i, j))
			}
		}
	}
	if got := strings.Join(sorted, "|"); got != "| |01|1|2|2a|2B|10|99999999999999999999|100000000000000000000|A|a|a1|a1b|a2|A10|a10|b|Z|ä|é|日" {
		t.Error(got)
	}
}

// A cache takes over what a 304 says (RFC 9111 section 4.3.4), so that has to be what the listing had.
func TestAListingNotModifiedHasTheFieldsOfRules(t *testing.T) {
	s := newSite(t, Config{Serving: Serving{Browse: true}}, files{"d/a": "a", "_headers": "/*\n  Cache-Control: public, max-age=60\n"})
	whole := s.get("/d/")
	again := s.get("/d/", "If-None-Match: "+whole.Header.Get("Etag"))
	for _, a := range []answer{whole, again} {
		if got := a.Header.Get("Cache-Control"); got != "public, max-age=60" {
			t.Errorf("%d: Cache-Control is %q", a.StatusCode, got)
		}
	}
	if again.StatusCode != 304 {
		t.Errorf("got %d", again.StatusCode)
	}
}
