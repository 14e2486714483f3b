package service

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"roost/service/control"
)

// TestBadFilesOfPM2ChangeNothing: what is wrong is told, with its place where
// there is one, and the daemon wants what it wanted.
func TestBadFilesOfPM2ChangeNothing(t *testing.T) {
	b := &fakeBox{}
	d := begin(t, Options{Dirs: home(t), host: withFake(b)})
	folder := filepath.Dir(script(t))
	if _, err := d.Apply(t.Context(), control.ApplyRequest{File: filepath.Join(folder, "a.json"), Text: `[{"script": "app.sh"}]`}, nil); err != nil {
		t.Fatal(err)
	}
	before := len(b.wanted)
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\napps: [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"
	for _, test := range []struct{ file, text, want string }{
		{"a.json", "{ apps: [\n", `a.json:1: column 9: the "[" is not closed`},
		{"a.yml", "apps:\n - name: a\n  script: b\n", "a.yml:3: column 3: "},
		{"a.yml", bomb, "more than 100000 values"},
		{"a.yml", strings.Repeat("[", 100_000), "a.yml:1: too many tables and lists inside one another"},
		{"a.json", "[\n{script: 'app.sh'},\n{script: 'app.sh'}]", "a.json:3: app app: declared twice, first by " + filepath.Join(folder, "a.json") + ":2"},
		{"a.json", "[{script: 'app.sh',\ninstances: {}}]", `a.json:2: instances wants "max" or a number`},
		{"a.json", "[{script: 'app.sh',\nenv: 'A=1'}]", `a.json:2: env wants a table, not the text "A=1"`},
		{"a.json", "[{script: 'app.sh',\nenv_production: ['A=1']}]", "a.json:2: env_production wants a table, not a list"},
		{"a.json", "[{script: 'app.sh', env: {\nA: null}}]", "a.json:2: A wants a text, not nothing"},
		{"a.json", `[{"name": "a", "pm_id": 0, "pm_exec_path": "/x.js", "status": "online"}]`, "this is a list that PM2 has written"},
		{"a.json", `{"apps": 3}`, "apps wants a list, not 3"},
		{"a.json", "[3]", "app 1 of the list is not a table, but 3"},
		{"a.json", "[{name: ' a b', script: 'app.sh'}]", `a.json:1: app ' a b': name " a b" begins or ends with a blank`},
		// What is sent is never evaluated, whatever the file is called.
		{"a.config.js", "module.exports = require('child_process').execSync('touch owned')", `"module.exports" is no value`},
	} {
		_, err := d.Apply(t.Context(), control.ApplyRequest{File: filepath.Join(folder, test.file), Text: test.text}, nil)
		var e *control.Error
		if !errors.As(err, &e) || e.Code != control.CodeInvalid || !strings.Contains(strings.Join(e.Problems, "\n"), test.want) {
			t.Errorf("%.60q: %v\nwant %s", test.text, err, test.want)
			if e != nil {
				t.Log(strings.Join(e.Problems, "\n"))
			}
		}
	}
	if len(b.wanted) != before {
		t.Errorf("%d changes were made", len(b.wanted)-before)
	}
	if _, err := os.Stat(filepath.Join(folder, "owned")); err == nil {
		t.Error("the daemon has evaluated what it was sent")
	}
}

func TestApplyTakesKeysAppsAndEnvironment(t *testing.T) {
	b := &fakeBox{}
	d := begin(t, Options{Dirs: home(t), host: withFake(b)})
	r := control.ApplyRequest{
		File: filepath.Join(filepath.Dir(script(t)), "a.json"), Env: "blue", Environ: map[string]string{"SHELL": "x"},
		Text: `{apps: [{name: "one", script: "app.sh", env_blue: {C: "blue"}, pmx: false}, {name: "two", script: "app.sh", max_restarts: 3}]}`,
		Set:  map[string]json.RawMessage{"max_restarts": json.RawMessage("5"), "namespace": json.RawMessage(`"jobs"`)},
	}
	p, err := d.Apply(t.Context(), r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"there is no env_blue in two", "nothing to do here for pmx: ignored"}; !slices.Equal(p.Notes, want) {
		t.Errorf("notes %q", p.Notes)
	}
	c := b.last()
	for _, name := range []string{"one", "two"} {
		if a := c.App(name); a == nil || a.MaxRestarts != 5 || a.Namespace != "jobs" || a.Environ["SHELL"] != "x" {
			t.Errorf("%s is %+v", name, a)
		}
	}
	if c.App("one").Env["C"] != "blue" {
		t.Errorf("env %v", c.App("one").Env)
	}

	other := r
	other.File += ".json"
	if _, err := d.Apply(t.Context(), other, nil); err == nil {
		t.Error("two files own one app")
	}
	other.Keep = true
	if p, err := d.Apply(t.Context(), other, nil); err != nil || !slices.Contains(p.Notes, "one was declared in "+r.File+" until now") || len(p.Changes) > 0 {
		t.Errorf("taken over: %+v, %v", p, err)
	}
	r = other

	before := len(b.wanted)
	var e *control.Error
	r.Set = map[string]json.RawMessage{"max_restart": json.RawMessage("5")}
	if _, err := d.Apply(t.Context(), r, nil); !errors.As(err, &e) || e.Code != control.CodeInvalid || !strings.Contains(strings.Join(e.Problems, " "), `did you mean "max_restarts"?`) {
		t.Errorf("an unknown key: %v", err)
	}
	r.Set, r.Only = nil, []string{"tow"}
	if _, err := d.Apply(t.Context(), r, nil); !errors.As(err, &e) || e.Code != control.CodeNotFound || !strings.Contains(e.Message, `did you mean "two"?`) {
		t.Errorf("an unknown app: %v", err)
	}
	if len(b.wanted) != before {
		t.Error("something has changed")
	}
}

func TestADaemonEvaluatesTheFileThatItIsStartedWith(t *testing.T) {
	folder := filepath.Dir(script(t))
	file := filepath.Join(folder, "ecosystem.config.js")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`module.exports = async () => [{ script: 'app.sh', env_blue: { C: 'blue' } }]`)
	b := &fakeBox{}
	begin(t, Options{Dirs: home(t), File: file, Env: "blue", host: withFake(b)})
	c := b.last()
	if a := c.App("app"); a == nil || a.Env["C"] != "blue" || a.Environ["PATH"] != os.Getenv("PATH") {
		t.Errorf("wanted %+v", a)
	}
	write("module.exports = [{\n  script 'app.sh' }]")
	var e *control.Error
	if _, err := tryBegin(t, Options{Dirs: home(t), File: file, host: withFake(&fakeBox{})}); !errors.As(err, &e) || len(e.Problems) != 1 ||
		!strings.HasPrefix(e.Problems[0], file+":2: column 10: SyntaxError: ") {
		t.Errorf("started with a broken file: %v", err)
	}
}
