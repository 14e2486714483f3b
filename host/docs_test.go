package host

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// mustDo are the rows that docs/static.md must have, with their tests.
var mustDo = []string{
	// how a file is represented and cached
	"Precompressed files", "Compression", "Compressed once", "Vary", "ETag", "If-None-Match", "Last-Modified and other conditions", "Ranges",
	"Methods", "Cache-Control", "In memory", "Types", "Changes", "Never half a file", "Large files", "Many files", "Want of files or memory",
	// which file it is, and what else is answered
	"Single-page apps", "Clean URLs", "Slashes", "Error pages", "Listing", "Hidden files", "Symbolic links", "Files only", "Paths that attack", "Names of Windows",
	"Redirects, rewrites, headers", "Rules of a site", "Rules that attack", "Attacks", "Domains", "Canonical domain", "CORS", "Basic auth", "Limits", "Bandwidth", "Addresses", "Security headers",
	"Access log", "Early hints", "Downloads", "Development", "Figures", "Maintenance",
	// how it travels
	"HTTP/2", "Floods", "HTTP/2 conformance", "HTTP/3", "Connections", "HTTP to HTTPS", "Slow clients", "Strict HTTP/1.1", "Good HTTP", "TLS", "Certificates of clients",
}

// manual is docs/static.md.
func manual(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/static.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestEveryRowOfTheManualOfFoldersHasTests(t *testing.T) {
	t.Parallel()
	exists := map[string]bool{}
	err := fs.WalkDir(os.DirFS(".."), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && name != "." || d.Name() == "node_modules"):
			return fs.SkipDir
		case !strings.HasSuffix(name, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(filepath.Join("..", name))
		for _, found := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllStringSubmatch(string(text), -1) {
			exists[found[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]bool{}
	_, rows, _ := strings.Cut(manual(t), "\n## What is done, how, and what shows it\n")
	for line := range strings.Lines(rows) {
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") || strings.HasPrefix(line, "| what |") {
			continue
		}
		fields := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(fields) != 3 {
			t.Errorf("a row of %d fields, not 3: %s", len(fields), line)
			continue
		}
		what := strings.TrimSpace(fields[0])
		if said[what] {
			t.Errorf("%s: two rows", what)
		}
		said[what] = true
		if !slices.Contains(mustDo, what) {
			t.Errorf("%s: is not in mustDo", what)
		}
		tests := regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(fields[2], -1)
		for _, test := range tests {
			if !exists[test[1]] {
				t.Errorf("%s: there is no test %s", what, test[1])
			}
		}
		if len(tests) == 0 {
			t.Errorf("%s: no test shows it", what)
		}
	}
	for _, what := range mustDo {
		if !said[what] {
			t.Errorf("%s: has no row", what)
		}
	}
}

func TestTheManualOfFoldersNamesEveryKey(t *testing.T) {
	text := manual(t)
	for _, of := range []any{Site{}, Route{}} {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(of)) {
			key, _, _ := strings.Cut(f.Tag.Get("toml"), ",")
			if key != "" && key != "-" && !regexp.MustCompile("`"+key+"\\b").MatchString(text) {
				t.Errorf("docs/static.md does not tell of the key %s", key)
			}
		}
	}
}

func TestTheManualOfFoldersNamesEveryFieldOfTheAccessLog(t *testing.T) {
	_, text, _ := strings.Cut(manual(t), "\n## The access log\n")
	text, _, _ = strings.Cut(text, "\n## ")
	said := map[string]bool{}
	for line := range strings.Lines(text) {
		if row, ok := strings.CutPrefix(line, "| `$"); ok {
			first, _, _ := strings.Cut(row, "|")
			for _, field := range regexp.MustCompile(`\$?(\w+)`+"`").FindAllStringSubmatch(first, -1) {
				said[field[1]] = true
			}
		}
	}
	for name := range logFields {
		if !said[name] {
			t.Errorf("docs/static.md does not tell of $%s", name)
		}
	}
	for name := range said {
		if _, what, hint := newLogFormat("$"+name, nil); what != "" {
			t.Errorf("%s: %s", what, hint)
		}
	}
}

func TestTheConfigsOfTheManualOfFoldersAreValid(t *testing.T) {
	snippets := regexp.MustCompile("(?ms)^```toml\n(.*?)^```").FindAllStringSubmatch(manual(t), -1)
	if len(snippets) == 0 {
		t.Fatal("docs/static.md shows no config")
	}
	for _, snippet := range snippets {
		dir := t.TempDir()
		for _, folder := range regexp.MustCompile(`(?m)^\s*(?:root|error_pages)\s*=\s*"(.*)"`).FindAllStringSubmatch(snippet[1], -1) {
			if err := os.MkdirAll(filepath.Join(dir, folder[1]), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if _, problems := Check(filepath.Join(dir, "roost.toml"), []byte(snippet[1]), ""); len(problems) > 0 {
			t.Errorf("%s\n%v", snippet[1], problems)
		}
	}
}
