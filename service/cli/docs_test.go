package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"roost/apps"
	"roost/host"
)

// tabled are the rows of the table below a heading of the README: the words in
// code of the first field, and the rest.
func tabled(t *testing.T, heading string) (fields [][]string, rest string) {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(text), "\n"+heading+"\n")
	if !ok {
		t.Fatalf("README.md has no %s", heading)
	}
	for line := range strings.Lines(section) {
		switch {
		case strings.HasPrefix(line, "#"):
			return fields, rest
		case strings.HasPrefix(line, "|"):
			first, others, _ := strings.Cut(line[1:], "|")
			var words []string
			for _, word := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(first, -1) {
				words = append(words, word[1])
			}
			fields, rest = append(fields, words), rest+others
		}
	}
	return fields, rest
}

// keysOf are the names of a struct's fields in config files, those of embedded ones too.
func keysOf(v any) (keys []string) {
	for _, f := range reflect.VisibleFields(reflect.TypeOf(v)) {
		if key, _, _ := strings.Cut(f.Tag.Get("toml"), ","); key != "" && key != "-" {
			keys = append(keys, key)
		}
	}
	return keys
}

func TestTheREADMEHasEveryKeyAndNoOther(t *testing.T) {
	for heading, keys := range map[string][]string{
		"### `[host]`":    keysOf(host.Config{}.Host),
		"### `[tls]`":     keysOf(host.Config{}.TLS),
		"### `[tls.dns]`": keysOf(host.Config{}.TLS.DNS),
		"### `[[app]]`":   append(keysOf(apps.Config{}), "env_<name>"),
		"### `[[site]]` and `[[site.route]]`": slices.DeleteFunc(append(keysOf(host.Site{}), keysOf(host.Route{})...),
			func(key string) bool { return slices.Contains([]string{"route", "redirect", "rewrite", "header"}, key) }),
		"### `[[site.redirect]]`, `[[site.rewrite]]` and `[[site.header]]`": slices.Concat(keysOf(host.Redirect{}), keysOf(host.Rewrite{}), keysOf(host.HeaderRule{})),
	} {
		fields, _ := tabled(t, heading)
		said := slices.Concat(fields...)
		for _, key := range keys {
			if !slices.Contains(said, key) {
				t.Errorf("%s lacks %s", heading, key)
			}
		}
		for _, key := range said {
			if !slices.Contains(keys, key) {
				t.Errorf("%s has %s, which is no key", heading, key)
			}
		}
	}
	_, text := tabled(t, "### `[[app]]`")
	for _, key := range keysOf(apps.Check{}) {
		if !strings.Contains(text, key) {
			t.Errorf("no row tells of the key %s of check", key)
		}
	}
}

// commands are all that do something, by what is typed.
func commands() map[string]*cobra.Command {
	all := map[string]*cobra.Command{}
	var walk func(*cobra.Command)
	walk = func(parent *cobra.Command) {
		for _, cmd := range parent.Commands() {
			if !cmd.HasSubCommands() && !cmd.Hidden {
				all[strings.TrimPrefix(cmd.CommandPath(), "roost ")] = cmd
			}
			walk(cmd)
		}
	}
	walk(newRoot(newConsole(io.Discard, io.Discard, func(string) string { return "" })))
	return all
}

func TestTheREADMEHasEveryCommandAndNoOther(t *testing.T) {
	all := commands()
	said := map[string]bool{"help": true}
	fields, _ := tabled(t, "## Commands")
	for _, words := range fields {
		group := ""
		for i, word := range words {
			word = regexp.MustCompile(` \[?[A-Z].*`).ReplaceAllString(word, "") // arguments
			if parent, _, ok := strings.Cut(word, " "); ok && i == 0 {
				group = parent + " "
			} else if all[group+word] != nil {
				word = group + word
			}
			said[word] = true
			if all[word] == nil && word != "completion" {
				t.Errorf("the table has %q, which is no command", word)
			}
		}
	}
	for path := range all {
		if !said[path] && !strings.HasPrefix(path, "completion ") {
			t.Errorf("the table lacks roost %s", path)
		}
	}
}

// mute are the commands, and groups of them, that list nothing: they act, draw
// a page, print a file or are --json themselves.
var mute = strings.Fields("attach ca completion dump help init jlist kill monit prettylist save service startup unstartup update")

// listing are those of these groups that do list something.
var listing = []string{"ca show", "service install", "service status"}

func TestEveryListingHasJSON(t *testing.T) {
	for path, cmd := range commands() {
		parent, _, _ := strings.Cut(path, " ")
		none := slices.Contains(mute, parent) && !slices.Contains(listing, path)
		if has := cmd.Flags().Lookup("json") != nil; has == none {
			t.Errorf("roost %s: --json %v", path, has)
		}
	}
}

// TestEveryCommandSucceedsAndFailsInAScript reads the scripts: each command
// must be run, and fail with a hint.
func TestEveryCommandSucceedsAndFailsInAScript(t *testing.T) {
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	run := regexp.MustCompile(`^(exec|until|code|!)\b.*?\broost (.*)`)
	succeeds, fails := map[string]bool{}, map[string]bool{}
	root := newRoot(newConsole(io.Discard, io.Discard, func(string) string { return "" }))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		script, _, _ := strings.Cut(string(text), "\n-- ")
		failed := "" // the command of the last line that ran one and failed
		for line := range strings.Lines(script) {
			switch found := run.FindStringSubmatch(line); {
			case found != nil:
				failed = ""
				cmd, _, err := root.Find(strings.Fields(found[2]))
				if err != nil {
					continue // a command that is not known
				}
				path := strings.TrimPrefix(cmd.CommandPath(), "roost ")
				if found[1] == "exec" || found[1] == "until" {
					succeeds[path] = true
				} else {
					failed = path
				}
			case strings.HasPrefix(line, "stderr") && strings.Contains(line, "hint: "):
				fails[failed] = true
			}
		}
	}
	var lacking []string
	for path := range commands() {
		switch parent, _, _ := strings.Cut(path, " "); {
		case slices.Contains([]string{"completion", "import", "monit", "service", "startup", "unstartup"}, parent), path == "ca install", path == "ca uninstall":
			// tests of other kinds: a terminal, a real boot, a real PM2
		case !succeeds[path]:
			lacking = append(lacking, fmt.Sprintf("no script has roost %s succeed", path))
		case !fails[path]:
			lacking = append(lacking, fmt.Sprintf("no script has roost %s fail with a hint", path))
		}
	}
	slices.Sort(lacking)
	for _, what := range lacking {
		t.Error(what)
	}
}
