package static

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// What Windows makes of names is known on every system.
func TestNamesThatMeanSomethingElseOnWindows(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"CON", "con", "Con.txt", "con.tar.gz", "CON .txt", "PRN", "aux", "AUX.html", "nul", "nul.txt", "NUL.", "NUL ", "CONIN$", "conout$.js",
		"COM0", "COM1", "com9.txt", "COM¹", "com².log", "LPT0", "LPT1", "lpt9.html", "LPT³",
		"a.txt::$DATA", "a.txt:stream", "a.txt:", ":", "C:", "c:secret", ":$i30:$INDEX_ALLOCATION", "dir:$i30",
		"PROGRA~1", "progra~1.htm", "GIT~1", "git~12", "WEBCON~1.CON", "A~1", "INDEX~2.HTM",
		"a.txt.", "a.txt ", "a. ", "a .", "...", ". ", "a..", "dir.", "index.html....",
		"a<b", "a>b", `a"b`, "a|b", "a?b", "a*b", `a\b`, `\\?\C:\x`, `..\x`, "a/b", "",
	} {
		if windowsName(name) {
			t.Errorf("%q passes for the name of a file", name)
		}
	}
	for _, name := range []string{
		"a", "index.html", "console.log", "CONTACT.html", "con-text.js", "auxiliary", "null", "nul-1.txt", "com", "com10", "COM1a.txt", "lpt", "LPT10", "com¼",
		"a.con", "x.nul", "a~", "~1", "notes~draft.txt", "a-long-name~1.txt", "readme~1.html", "x~1a", ".well-known", "a b.txt", "ünï.txt", "日本", "a.b.c", "$DATA",
	} {
		if !windowsName(name) {
			t.Errorf("%q is refused", name)
		}
	}
}

// Names that people, programs and attackers give: each is served as itself, or is nothing.
func TestStrangeNamesAreThemselvesOrNothing(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Log("these names cannot be made on Windows; windowsName refuses them")
		return
	}
	root := t.TempDir()
	long := strings.Repeat("n", 255)
	wide := strings.Repeat("é", 127)
	served := []string{
		"a b", " a", "a ", "a.", "a..", "a...b", "-", "--", "~", "a~1", "PROGRA~1", "CON", "nul.txt", "a.txt::$DATA", "C:", "100%", "%2e%2e", "%00", "%2f", "%", "a?b", "a#b", "a&b=c", "a;b", "a+b",
		"a:b", "http:", "javascript:alert(1)", "'\"><img src=x onerror=alert(1)>", "<script>", "a*b", "a|b", "[a]", "{a}", "`id`", "$(id)", "a,b", "é", "e\u0301", "日本", "🙂", "\u202ecod.exe", "\u200b", "\u00a0", long, wide, "…", "a\u2028b",
	}
	refused := []string{"a\nb", "a\rb", "a\tb", "a\x01b", "a\x7fb", `a\b`, `..\a`, "a\xffb", "\xc0\xae\xc0\xae", "\xed\xa0\x80", ".a", "...", "..a", ".%2e"}
	for _, names := range [][]string{served, refused} {
		for _, name := range names {
			check(t, os.WriteFile(filepath.Join(root, name), []byte("content of "+name), 0o644))
		}
	}
	s := newSite(t, Config{Root: root, Serving: Serving{Browse: true}}, nil)
	for _, name := range served {
		if a := s.raw("/" + hexed(name)); a.StatusCode != 200 || a.body != "content of "+name {
			t.Errorf("%q: %s", name, brief(a))
		}
	}
	for _, name := range refused {
		if a := s.raw("/" + hexed(name)); a.StatusCode != 404 {
			t.Errorf("%q: %s", name, brief(a))
		}
	}
	listing := s.raw("/")
	for _, name := range refused {
		if strings.Contains(listing.body, hexed(name)) || strings.Contains(listing.body, name+"<") {
			t.Errorf("%q is listed", name)
		}
	}
	for path, why := range map[string]string{
		"/" + strings.Repeat("n", 256):            "longer than a name may be",
		"/" + strings.Repeat("n", 5000):           "longer than a path may be",
		"/" + strings.Repeat("n/", 2500):          "deeper than a path may be",
		"/" + long + "/" + long:                   "below a file",
		"/" + strings.Repeat("%6e", 256):          "longer once it is decoded",
		"/" + strings.Repeat(long+"/", 20) + long: "all of that",
		"/" + strings.Repeat("%c3%a9", 128):       "of 256 bytes in 128 letters",
		"/%6":                                     "cut off",
		"/a%00":                                   "with an end in it",
		"/%ff":                                    "not UTF-8",
	} {
		if a := s.raw(path); a.StatusCode != 404 && a.StatusCode != 400 {
			t.Errorf("a path %s: %s", why, brief(a))
		}
	}
}

// hexed writes each byte of name but letters as %XX.
func hexed(name string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		if 'a' <= c && c <= 'z' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
