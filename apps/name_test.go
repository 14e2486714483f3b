package apps

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

func TestNamesOfPM2sUsersAreGood(t *testing.T) {
	for _, name := range []string{
		"web", "web-1.2_B", "My App", "api:prod", "@scope/pkg", "a, b", "café", "日本語", "🚀 rocket", "it's", `say "hi"`, "a\\b", "$HOME", "*", "#1", "~",
		".hidden", "app.json", "CON", "1st", "v1.0", "ALL", "a/", "/a", "x=y&z", "%2F", "[a]", "100%", strings.Repeat("n", maxName),
	} {
		if what, hint := badName(name); what != "" {
			t.Errorf("%q %s: %s", name, what, hint)
		}
		if got := Validate(Wanted{Config: Config{Name: name, Namespace: name, Command: "true"}}); len(got) > 0 {
			t.Errorf("%q: %v", name, got)
		}
	}
}

func TestNamesThatMeanSomethingElseOrCannotBeSeenAreRefused(t *testing.T) {
	for name, want := range map[string][2]string{
		"all": {"is taken", "another"}, "12": {"is a number", "letter"}, "-3": {"is a number", "letter"}, "+3": {"is a number", "letter"},
		"99999999999999999999": {"is a number", "letter"}, "-f": {"for a flag", "letter"}, "--": {"for a flag", "letter"},
		"/x/": {"regular expression", "slashes"}, "//": {"regular expression", "slashes"}, ".": {"folder", "another"}, "..": {"folder", "another"},
		" a": {"blank", "remove"}, "a ": {"blank", "remove"}, "a\n": {"blank", "remove"}, "\u00a0a": {"blank", "remove"}, " ": {"blank", "remove"},
		"a\nb": {"cannot be seen", "one line"}, "a\tb": {"cannot be seen", "one line"}, "a\x1b[31mb": {"cannot be seen", "one line"}, "a\x00b": {"cannot be seen", "one line"},
		"a\u2028b": {"cannot be seen", "one line"}, "a\u202eb": {"cannot be seen", "one line"}, "a\u200bb": {"cannot be seen", "one line"}, "a\u00a0b": {"cannot be seen", "one line"},
		"a\xffb": {"UTF-8", "UTF-8"}, strings.Repeat("n", maxName+1): {"101 bytes", "shorter"}, strings.Repeat("é", 51): {"102 bytes", "shorter"},
	} {
		what, hint := badName(name)
		if !strings.Contains(what, want[0]) || !strings.Contains(hint, want[1]) {
			t.Errorf("%q: %q, %q", name, what, hint)
		}
	}
}

func TestNamesAreShownAsTheyAreTyped(t *testing.T) {
	for name, want := range map[string]string{
		"web": "web", "api:prod": "api:prod", "@scope/pkg": "@scope/pkg", "café": "café", "日本語": "日本語",
		"My App": "'My App'", "it's": `'it'\''s'`, "$HOME": "'$HOME'", "🚀": "'🚀'", "#1": "'#1'", "a\x1b[31m": `"a\x1b[31m"`, "a\xff": `"a\xff"`,
	} {
		if got := ShowName(name); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}

func TestPM2sFileNames(t *testing.T) {
	for name, want := range map[string]string{
		"🚀 rocket": "---rocket", "é x": "--x", "a_b": "a-b", "My App": "My-App", "@s/p": "-s-p", "my app.v1": "my-app.v1", // as PM2 7.0.4 has them
	} {
		if got := PM2Name(name); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}

// safe checks what a name becomes in a file name and in a cookie's.
func safe(t *testing.T, name string) string {
	t.Helper()
	got := SafeName(name)
	base, _, _ := strings.Cut(strings.ToLower(got), ".")
	if got == "" || len(got) > maxName || got[0] == '.' || strings.Trim(got, nameRunes+"+") != "" || windowsDevice(base) || !filepath.IsLocal(got) {
		t.Errorf("%q becomes %q", name, got)
	}
	if err := (&http.Cookie{Name: "roost_" + got, Value: "x"}).Valid(); err != nil {
		t.Errorf("%q becomes %q: %v", name, got, err)
	}
	return got
}

func TestPlainNamesKeepTheirFilesAndOthersHaveTheirOwn(t *testing.T) {
	for _, name := range []string{"web", "web-1.2_B", "a-b", "a_b", "console", strings.Repeat("n", maxName)} {
		if got := safe(t, name); got != name {
			t.Errorf("%q becomes %q", name, got)
		}
	}
	seen := map[string]string{}
	for _, name := range []string{
		"", "a b", "a-b", "a_b", "a_b c", "a/b", "a\\b", "a:b", "../x", "..", ".", ".x", "é", "con", "CON", "nul.x", "com1", "LPT9.y", "con.", "@scope/name", "a\x00b",
		strings.Repeat("n", 200), strings.Repeat("n", 201), SafeName("a b"),
	} {
		got := safe(t, name)
		if other, ok := seen[got]; ok {
			t.Errorf("%q and %q share %q", name, other, got)
		}
		seen[got] = name
	}
}

// FuzzNoTwoNamesShareAFile looks at all files that two apps have by themselves:
// of each stream, of both, shared by the slots or not.
func FuzzNoTwoNamesShareAFile(f *testing.F) {
	for _, pair := range [][2]string{
		{"a b", "a-b"}, {"a b", SafeName("a b")}, {"web", "web-out"}, {"web", "web-3"}, {"Roost", "web-OUT"}, {"web", "web-out-3"}, {"web", "web-error"}, {"roost", "access"},
		{"web", "web-2026-11-23T06-00-00.000"}, {"con", "_con"}, {"Web", "web"}, {"roost", "roost-all"}, {"é", "e\u0301"},
	} {
		f.Add(pair[0], pair[1], 3)
	}
	f.Fuzz(func(t *testing.T, a, b string, id int) {
		for _, name := range []string{a, b} {
			if what, _ := badName(name); what != "" || name == "" {
				return
			}
			safe(t, name)
		}
		if a == b || id < 0 {
			return
		}
		no := false
		for _, l := range []logLayout{{dir: "/l"}, {dir: "/p", pm2: true}} {
			twins := twins([]string{a, b}, l.pm2, true)
			seen := map[string]bool{"/l/roost.log": true, "/l/access.log": true}
			for n, name := range []string{a, b} {
				mine := map[string]bool{}
				for _, merge := range []*bool{nil, &no} {
					w := &Wanted{Config: Config{Name: name, LogFile: "true", MergeLogs: merge}, Twin: twins[n]}
					if l.pm2 {
						w.LogFile = "" // with it, PM2's names are not told apart: web-out.log is of web, and all of web-out
					}
					for _, p := range l.places(w, []int{id + n}) {
						mine[strings.ToLower(filepath.ToSlash(p.path))] = true
					}
				}
				for path := range mine {
					if seen[path] {
						t.Errorf("%q and %q share %s", a, b, path)
					}
					seen[path] = true
				}
			}
		}
	})
}

func TestTwinsAreThoseBehindTheFirst(t *testing.T) {
	names := []string{"a b", "a-b", "A-b", "a_b", "c"}
	for _, c := range []struct {
		pm2, fold bool
		want      [5]bool
	}{
		{false, false, [5]bool{}},
		{false, true, [5]bool{false, false, true, false, false}},
		{true, false, [5]bool{false, true, false, true, false}},
		{true, true, [5]bool{false, true, true, true, false}},
	} {
		if got := [5]bool(twins(names, c.pm2, c.fold)); got != c.want {
			t.Errorf("pm2 %v, fold %v: %v", c.pm2, c.fold, got)
		}
	}
}
