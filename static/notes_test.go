package static

import (
	"strings"
	"testing"
)

func TestAFolderWithoutIndexIsToldOf(t *testing.T) {
	for _, c := range []struct {
		name   string
		config Config
		all    files
		want   string // in the log; "" for nothing
	}{
		{"an index", Config{}, files{"index.html": "x"}, ""},
		{"nothing", Config{}, files{}, "nothing in it answers /.*browse = true"},
		{"no index", Config{}, files{"a.txt": "x", "docs/a.html": ""}, "nothing in it answers /.*browse = true"},
		{"below", Config{}, files{"package.json": "x", "dist/index.html": "x"}, "nothing in it answers /.*dist: is that the root?"},
		{"another name", Config{}, files{"index.htm": "x"}, "nothing in it answers /.*rename index.htm to index.html"},
		{"a link", Config{}, files{"index.html": "->a.html", "a.html": "x"}, ""},
		{"a link out", Config{}, files{"index.html": "->../other.html"}, "nothing in it answers /.*it leads out of the folder"},
		{"a link to a hidden file", Config{}, files{"index.html": "->.a/b.html", ".a/b.html": "x"}, "nothing in it answers /.*it leads to a name that is not served"},
		{"a link to none", Config{}, files{"index.html": "->a.html"}, "nothing in it answers /.*browse = true"},
		{"a link below, where none is followed", Config{Serving: Serving{Symlinks: "none"}}, files{"index.html": "->a.html", "a.html": "x"}, "nothing in it answers /.*it is a symbolic link"},
		{"spa", Config{Serving: Serving{SPA: true}}, files{"a.js": ""}, "which spa needs.*build the app"},
		{"spa and browse", Config{Serving: Serving{SPA: true, Browse: true}}, files{"a.js": ""}, "which spa needs"},
		{"browse", Config{Serving: Serving{Browse: true}}, files{"a.js": ""}, ""},
		{"files alone", Config{Serving: Serving{HTMLHandling: "none"}}, files{"a.js": ""}, ""},
		{"redirects", Config{}, files{"_redirects": "/ /a.js 302"}, ""},
		{"below a path", Config{Prefix: "/assets/"}, files{"a.js": ""}, ""},
	} {
		s := newSite(t, c.config, c.all)
		first, second, _ := strings.Cut(c.want, ".*")
		text := s.logs.String()
		if notes := Notes(s.config); (c.want != "") != (len(notes) == 1) || !strings.Contains(strings.Join(notes, ""), second) {
			t.Errorf("%s: notes %q", c.name, notes)
		}
		if c.want == "" && text != "" || strings.Count(text, "has no index.html") > 1 || !strings.Contains(text, first) || !strings.Contains(text, second) {
			t.Errorf("%s: %q, want %s", c.name, text, c.want)
		}
	}
}
