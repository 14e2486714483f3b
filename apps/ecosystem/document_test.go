package ecosystem

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestJSONIsReadAsJavaScriptWouldReadIt(t *testing.T) {
	doc, err := Read("apps.json", []byte("\ufeff"+`// the box
{
  apps: [{ // one
    name: 'it\'s',
    "script": "a.js", /* two
    lines */ $x_1: +1,
    n: [0x10, -2, 1.5, .5, 1e3, 2e-3, 9007199254740993],
    t: [true, false, null, undefined],
    s: "\u00e9\x41\n\t\0\uD83D\uDE00\
joined",
    8080: 'key',
  },],
}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"apps": []any{map[string]any{
		"name": "it's", "script": "a.js", "$x_1": int64(1),
		"n": []any{int64(16), int64(-2), 1.5, .5, int64(1000), .002, int64(9007199254740993)},
		"t": []any{true, false, nil, nil},
		"s": "éA\n\t\x00😀joined", "8080": "key",
	}}}
	if diff := cmp.Diff(want, doc.Value); diff != "" {
		t.Error(diff)
	}
	for path, line := range map[string]int{"": 2, "apps": 3, "apps.0": 3, "apps.0.name": 4, "apps.0.$x_1": 6, "apps.0.n.2": 7, "apps.0.8080": 11, "apps.0.nothing": 3} {
		if got := doc.Line(path); got != line {
			t.Errorf("%q is at line %d, want %d", path, got, line)
		}
	}
}

func TestYAMLIsPlainValuesWithLines(t *testing.T) {
	doc, err := Read("apps.yml", []byte(`# the box
common: &common
  cwd: /srv
  watch: true
apps:
  - name: web
    <<: *common
    watch: false
    env: {PORT: 3000, RATE: 1.5, HEX: 0x1f, 8080: x, NONE: ~, EMPTY: }
    args: |
      one
      two
  - <<: [*common, {cwd: /other, time: true}]
    name: !!str 12
    note: "a: b" # no comment of the text
`))
	if err != nil {
		t.Fatal(err)
	}
	common := map[string]any{"cwd": "/srv", "watch": true}
	want := map[string]any{"common": common, "apps": []any{
		map[string]any{
			"name": "web", "cwd": "/srv", "watch": false, "args": "one\ntwo\n",
			"env": map[string]any{"PORT": int64(3000), "RATE": 1.5, "HEX": int64(31), "8080": "x", "NONE": nil, "EMPTY": nil},
		},
		map[string]any{"cwd": "/srv", "watch": true, "time": true, "name": "12", "note": "a: b"},
	}}
	if diff := cmp.Diff(want, doc.Value); diff != "" {
		t.Error(diff)
	}
	for path, line := range map[string]int{"apps": 5, "apps.0.watch": 8, "apps.0.env.RATE": 9, "apps.1.name": 14} {
		if got := doc.Line(path); got != line {
			t.Errorf("%q is at line %d, want %d", path, got, line)
		}
	}
}

func TestABrokenFileIsToldWithLineAndColumn(t *testing.T) {
	deep := strings.Repeat("[", 1000)
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"
	for _, test := range []struct{ name, text, want string }{
		{"a.json", "", "1:0: the file is empty"},
		{"a.json", "// nothing\n", "1:0: the file is empty"},
		{"a.json", "{\n  apps: [\n    {name: 'a' script: 'b'}\n", "3:16: want \",\" or \"}\", not \"script\""},
		{"a.json", "{\n  apps: [\n    {name: 'a'}\n", "2:9: the \"[\" is not closed"},
		{"a.json", "{ apps: [ ] ", "1:1: the \"{\" is not closed"},
		{"a.json", "{ 'apps' [] }", "1:10: want \":\" after the key \"apps\", not \"[\""},
		{"a.json", "{ \"é\": 'x\n }", "1:8: the text is not closed"},
		{"a.json", "{ a: '\\u12' }", "1:7: want 4 hexadecimal digits after \\u"},
		{"a.json", "{ a: process.env.HOME }", "1:6: \"process.env.HOME\" is no value"},
		{"a.json", "{ a: 1_000 }", "1:6: want a value, not \"1_000\""},
		{"a.json", "{ a: NaN }", "1:6: \"NaN\" is no value"},
		{"a.json", "{ a: 1e999 }", "1:6: want a value, not \"1e999\""},
		{"a.json", "{ a: 1, a: 2 }", "1:9: the key \"a\" is there twice"},
		{"a.json", "{} {}", "1:4: \"{\" after the end"},
		{"a.json", "/* {}", "1:1: the comment does not end"},
		{"a.json", "{ , }", "1:3: want a key, not \",\""},
		{"a.json", deep, "1:65: more than 64 tables and lists inside one another"},
		{"a.json", "{ a: \"\xff\" }", "0:0: the file is not UTF-8"},
		{"a.json", strings.Repeat(" ", maxText+1), "0:0: the file has 1048577 bytes, more than 1048576"},
		{"a.yml", "apps:\n  - name: a\n   script: b\n", "3:4: value is not allowed in this context"},
		{"a.yml", "apps: [a\n", "1:7: sequence end token ']' not found"},
		{"a.yml", "apps: 'a\n", "1:7: could not find end character of single-quoted text"},
		{"a.yml", "\tapps: 1\n", "1:5: tab character cannot use as a map key directly"},
		{"a.yml", "a: 1\na: 2\n", "2:1: mapping key \"a\" already defined at [1:1]"},
		{"a.yml", "a: *nobody\n", "1:4: there is no anchor &nobody above"},
		{"a.yml", "a: !secret x\n", "1:4: the tag !secret means nothing here"},
		{"a.yml", "a: .inf\n", "1:4: .inf is no value that a key can have"},
		{"a.yml", "a: 1\n---\nb: 2\n", "3:2: a second document in one file"},
		{"a.yaml", "# nothing\n", "1:0: the file is empty"},
		{"a.yaml", deep, "1:0: too many tables and lists inside one another"},
		{"a.yaml", bomb, "1:12: more than 100000 values, or 64 levels, with aliases written out"},
		{"a.yaml", "a: &x [*x]\n", "1:7: more than 100000 values, or 64 levels, with aliases written out"},
		{"a.yaml", strings.Repeat("#", maxYAML+1), "0:0: the file has 131073 bytes, more than 131072"},
	} {
		_, err := Read(test.name, []byte(test.text))
		e, ok := errors.AsType[*Error](err)
		if !ok {
			t.Errorf("%.60q: %v, want an *Error", test.text, err)
			continue
		}
		if got := fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.What); got != test.want {
			t.Errorf("%.60q:\n got %s\nwant %s", test.text, got, test.want)
		}
	}
}

// FuzzRead looks for texts that take long, crash, or make values that others
// do not know. What encoding/json reads must be read alike.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		`{"apps":[{"name":"a","script":"b.js","env":{"A":1.5}}]}`, "{a:[1,'x',],/*c*/}", "apps:\n  - name: a\n    env: &e {A: 1}\n  - <<: *e\n", "- 1\n- ~\n- !!str 3\n",
		"{\"\\ud83d\\ude00\": -0.5e-3}", "a: |\n  x\n", "\"", "'", "[[", "&a *a", "? x\n: y",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, name := range []string{"f.json", "f.yml"} {
			begun := time.Now()
			doc, err := Read(name, text)
			if took := time.Since(begun); took > 5*time.Second {
				t.Errorf("%s took %v", name, took)
			}
			if err != nil {
				if _, ok := errors.AsType[*Error](err); !ok {
					t.Errorf("%s: %v is no *Error", name, err)
				}
				continue
			}
			if _, err := json.Marshal(doc.Value); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if _, err := doc.Declared(name); err != nil {
				continue
			}
		}
		in := json.NewDecoder(bytes.NewReader(text))
		in.UseNumber()
		var theirs any
		if in.Decode(&theirs) != nil || in.More() || theirs == nil {
			return
		}
		if doc, err := Read("f.json", text); err == nil {
			ours, _ := json.Marshal(doc.Value)
			again, err := Read("f.json", ours)
			if same, _ := json.Marshal(again.Value); err != nil || !bytes.Equal(same, ours) {
				t.Errorf("%q is read as %s, which is read as %s, %v", text, ours, same, err)
			}
		} else if e := (*Error)(nil); errors.As(err, &e) && !strings.Contains(e.What, "twice") && !strings.Contains(e.What, "more than") && !strings.Contains(e.What, "UTF-8") &&
			!strings.Contains(e.What, "after the end") && !strings.Contains(e.What, "want a value") {
			t.Errorf("%q is JSON, but: %v", text, err)
		}
	})
}
