package static

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestValidateSaysAllThatIsWrong(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, files{"file": ""})
	for _, c := range []struct {
		config Config
		want   []string
	}{
		{Config{Root: dir}, nil},
		{Config{Root: dir, Prefix: "/docs/a b/", Serving: Serving{Memory: 1 << 20, SPA: true}}, nil},
		{Config{}, []string{"root: no folder is given"}},
		{Config{Root: "public"}, []string{"root: the path public is not absolute"}},
		{Config{Root: filepath.Join(dir, "none"), Prefix: "docs", Serving: Serving{Memory: -1}}, []string{"root: the folder", "path: the path", "memory: the memory"}},
		{Config{Root: filepath.Join(dir, "file")}, []string{"is not a folder"}},
		{Config{Root: dir, Serving: Serving{HTMLHandling: "none", Download: []string{"*.pdf", "/files/**", "a{b,c}[d-e]?"}}}, nil},
		{Config{Root: dir, Serving: Serving{Download: []string{"", "[", "files/", "x"}}}, []string{`download.0: "" is not`, `download.1: "[" is not`, `download.2: "files/" matches no file`}},
		{Config{Root: dir, Serving: Serving{HTMLHandling: "plain"}}, nil},
		{Config{Root: dir, Serving: Serving{HTMLHandling: "Plain"}}, []string{`html_handling: there is no html_handling "Plain"`}},
		{Config{Root: dir, Serving: Serving{Symlinks: "follow"}}, nil},
		{Config{Root: dir, Serving: Serving{Symlinks: "on"}}, []string{`symlinks: there is no way "on"`}},
		{Config{Root: dir, Prefix: "//x/"}, []string{"path: "}},
		{Config{Root: dir, Prefix: "/\\x/"}, []string{"path: "}},
		{Config{Root: dir, Prefix: "/a\tb/"}, []string{"path: "}},
	} {
		got := Validate(c.config)
		if len(got) != len(c.want) {
			t.Errorf("%+v: %v", c.config, got)
			continue
		}
		for i, complaint := range got {
			if s := complaint.Key + ": " + complaint.What; !strings.Contains(s, c.want[i]) || complaint.Hint == "" {
				t.Errorf("%+v: %s (%s), want %s", c.config, s, complaint.Hint, c.want[i])
			}
		}
	}
}
