package static

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
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
	if a := s.get("/pub/empty/", "Accept: application/json"); a.body != `{"path":"/pub/empty/","entries":[]}`+"\n" {
		t.Errorf("empty folder: %s", a.body)
	}
	if a := s.get("/pub/d/", "Accept: text/html,application/json"); !strings.HasPrefix(a.body, "<!DOCTYPE") {
		t.Errorf("a browser gets %.40s", a.body)
	}
}

func TestLongListingIsCut(t *testing.T) {
	paths := make([]string, maxListed+1)
	for i := range paths {
		paths[i] = fmt.Sprintf("/%05d", i)
	}
	l := tableOf(paths...).listing("/")
	if len(l.Entries) != maxListed || !l.Truncated || !strings.Contains(string(l.html(true)), "Only the first 10000 names") {
		t.Errorf("%d entries, %v", len(l.Entries), l.Truncated)
	}
}
