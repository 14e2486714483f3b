package host

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"roost/apps"
	"roost/apps/ecosystem"
	"roost/internal/unit"
)

func TestAFileOfPM2BecomesAConfig(t *testing.T) {
	dir := folderWith(t, "server.js", "dist/", "docs/")
	want := []apps.Config{
		{
			Name: "web", Script: "server.js", Cwd: dir, Instances: apps.Max, ExecMode: "cluster", OutFile: "out.log", MaxMemoryRestart: unit.Size(300 << 20),
			Env: map[string]string{"A": "1", "B": "x", "RATE": "0.000001", "N": "1000000", "O": `{"deep":true}`, "T": "true"},
		},
		{Name: "npm", Command: "npm", Args: apps.Words{"run", "start"}, Cwd: filepath.Join(dir, "dist")},
	}
	for name, text := range map[string]string{
		"a.json": `{ apps: [
			{ name: 'web', script: 'server.js', instances: 'max', execMode: 'cluster_mode', output: 'out.log', maxMemoryRestart: '300M', pmx: false,
			  env: { A: 1, B: 'y', RATE: 1e-6, N: 1e6, O: { deep: true }, T: true }, env_production: { B: 'x' } },
			{ script: 'npm', args: 'run start', cwd: 'dist' }, ], deploy: {} }`,
		"a.yml": `
apps:
- name: web
  script: server.js
  instances: max
  exec_mode: cluster
  out_file: out.log
  max_memory_restart: 300M
  vizion: no
  env: { A: 1, B: y, RATE: 1.0e-6, N: 1.0e6, O: { deep: true }, T: true }
  env_production: { B: x }
- cmd: npm
  args: [run, start]
  cwd: dist
`,
		"a.config.js": `{"apps":[{"name":"web","script":"server.js","instances":"max","exec_mode":"cluster","out":"out.log","max_memory_restart":314572800,` +
			`"trace":true,"env":{"A":1,"B":"y","RATE":1e-6,"N":1000000,"O":{"deep":true},"T":true},"env_production":{"B":"x"}},{"command":"npm","args":["run","start"],"cwd":"dist"}]}`,
		"roost.toml": `
[[app]]
name = "web"
script = "server.js"
instances = "max"
execMode = "cluster"
out = "out.log"
max_memory_restart = "300M"
pmx = true
env = { A = 1, B = "y", RATE = 1e-6, N = 1e6, O = { deep = true }, T = true }
env_production = { B = "x" }
[[app]]
cmd = "npm"
args = "run start"
cwd = "dist"
`,
	} {
		file := filepath.Join(dir, name)
		c, problems := Check(file, []byte(text), "production")
		if name != "roost.toml" || len(problems) > 0 { // npm itself may be missing on this box
			problems = problemsWithout(problems, "npm is not on PATH")
		}
		if len(problems) > 0 {
			t.Errorf("%s: %v", name, Problems(problems))
		}
		var got []apps.Config
		for _, a := range c.Apps {
			if a.Source != file {
				t.Errorf("%s: source %q", name, a.Source)
			}
			got = append(got, a.Config)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
		if notes := c.Lines.Notes(); len(notes) != 2 || notes[0] != "there is no env_production in npm" || !strings.HasPrefix(notes[1], "nothing to do here for ") {
			t.Errorf("%s: notes %q", name, notes)
		}
	}
}

func problemsWithout(problems []Problem, what string) (rest []Problem) {
	for _, p := range problems {
		if !strings.Contains(p.What, what) {
			rest = append(rest, p)
		}
	}
	return rest
}

func TestMistakesInFilesOfPM2HaveTheirLine(t *testing.T) {
	dir := folderWith(t, "a.js")
	text := `{
  apps: [
    { name: "a",
      scirpt: "a.js", outt: 'x', instances: true,
      envProduction: 3,
      output: 3, execMode: "worker",
    },
    { name: "a", script: "a.js", env: [] },
    { name: "a", script: "b.js", maxMemoryRestrat: 1 },
  ],
}`
	want := []string{
		`x.json:4: instances wants "max" or a number`,
		`x.json:4: unknown key "outt" in an app: did you mean "out"?`,
		`x.json:4: unknown key "scirpt" in an app: did you mean "script"?`,
		`x.json:5: envProduction wants a table, not 3: write variables and their values: { NODE_ENV: "production" }`,
		`x.json:6: execMode is "worker": want "cluster" or "fork"`,
		`x.json:6: output wants a text, not 3: put it in quotes`,
		`x.json:8: app a: declared twice, first by x.json:3: choose another name`,
		`x.json:8: env wants a table, not a list`,
		`x.json:9: app a: declared twice, first by x.json:8: choose another name`,
		`x.json:9: app a: script b.js does not exist: it is looked for in cwd, which is ` + dir,
		`x.json:9: unknown key "maxMemoryRestrat" in an app: did you mean "max_memory_restart"?`,
	}
	_, problems := Check(filepath.Join(dir, "x.json"), []byte(text), "")
	if diff := cmp.Diff(want, problemLines(dir, problems)); diff != "" {
		t.Error(diff)
	}
}

func TestFoldersOfPM2BecomeAppsThatServeThem(t *testing.T) {
	dir := folderWith(t, "dist/", "docs/")
	file := filepath.Join(dir, "a.json")
	c, problems := Check(file, []byte(`{ static: [
		{ name: "docs", path: "docs", port: 9000, spa: true, monitor: "x", basic_auth: { username: "ann", password: "a:b" } },
		{ path: "dist", directory: true, host: "127.0.0.1", port: "9001" },
	], apps: [
		{ name: "s", script: "serve", instances: 2, env: { PM2_SERVE_PATH: "dist", PM2_SERVE_SPA: "true" }, env_production: { PM2_SERVE_PORT: 9002 } },
	] }`), "production")
	if len(problems) > 0 {
		t.Fatal(Problems(problems))
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	unix := runtime.GOOS != "windows"
	server := func(c apps.Config) apps.Wanted {
		c.Cwd, c.Command, c.WaitReady, c.ListenFDs = dir, ecosystem.Quote(self)+" _serve", unix, unix && c.Env["PM2_SERVE_HOST"] == ""
		return apps.Wanted{Config: c, Source: file}
	}
	want := []apps.Wanted{
		server(apps.Config{Name: "s", Port: 9002, Instances: 2, Env: map[string]string{"PM2_SERVE_PATH": "dist", "PM2_SERVE_SPA": "true", "PM2_SERVE_PORT": "9002"}}),
		server(apps.Config{Name: "docs", Port: 9000, Env: map[string]string{"PM2_SERVE_PATH": "docs", "PM2_SERVE_SPA": "true", "PM2_SERVE_PORT": "9000",
			"PM2_SERVE_BASIC_AUTH": "true", "PM2_SERVE_BASIC_AUTH_USERNAME": "ann", "PM2_SERVE_BASIC_AUTH_PASSWORD": "a:b"}}),
		server(apps.Config{Name: "static-page-server-9001", Port: 9001, Env: map[string]string{"PM2_SERVE_PATH": "dist", "PM2_SERVE_FTP": "true", "PM2_SERVE_HOST": "127.0.0.1", "PM2_SERVE_PORT": "9001"}}),
	}
	if diff := cmp.Diff(want, c.Apps); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"nothing to do here for monitor: ignored"}, c.Lines.Notes()); diff != "" {
		t.Error(diff)
	}

	_, problems = Check(file, []byte("{ static: [\n{ path: 'dist', basic_auth: {} },\n{ path: 'nowhere', prot: 3 },\n{ port: 'many', name: 'x' }],\n"+
		"apps: [{ script: 'serve',\nenv: { PM2_SERVE_PATH: 'gone',\nPM2_SERVE_PORT: 70000 } }] }"), "")
	wrong := []string{
		"a.json:2: basic_auth wants a user and a password: write { username: \"ann\", password: \"…\" }",
		`a.json:3: unknown key "prot" in static: known are name, path, port, host, spa, ftp, basic_auth, monitor`,
		`a.json:4: port wants a whole number, not the text "many": leave out the quotes`,
		"a.json:7: app serve: port = 70000 is out of range: ports are 1 to 65535",
	}
	if diff := cmp.Diff(wrong, problemLines(dir, problems)); diff != "" {
		t.Error(diff)
	}
}

func TestANameOfAnEnvironmentThatIsNowhereIsNoted(t *testing.T) {
	dir := folderWith(t, "a.js")
	c, _ := Check(filepath.Join(dir, "a.json"), []byte(`[{script: "a.js", env_production: {}}, {name: "b", script: "a.js"}]`), "prodution")
	if diff := cmp.Diff([]string{`there is no env_prodution in a, b: did you mean "production"?`}, c.Lines.Notes()); diff != "" {
		t.Error(diff)
	}
}

func TestASyntaxErrorOfPM2sFilesHasItsPlace(t *testing.T) {
	for name, want := range map[string]string{
		"a.json":  "/x/a.json:2: column 3: want a key, not \"]\"",
		"a.yml":   "/x/a.yml:2: column 3: could not find flow map content: correct the YAML syntax",
		"-":       "/x/-:2: column 3: want a key, not \"]\"",
		"a.toml":  "/x/a.toml:1: ",
		"pa.yaml": "/x/pa.yaml:2: column 3: could not find flow map content: correct the YAML syntax",
	} {
		_, problems := Parse("/x/"+name, []byte("{\n  ]"), "")
		if len(problems) != 1 || !strings.HasPrefix(problems[0].String(), want) {
			t.Errorf("%s: %v, want %s", name, problems, want)
		}
	}
}

func TestOnlyTakesWhatItNames(t *testing.T) {
	file := "/x/a.json"
	text := `{apps: [{name: "a", script: "a.js", namespace: "one"}, {name: "b", script: "b.js", namespace: "one"}, {name: "c", script: "c.js"}], static: [{path: "dist"}]}`
	c := Merge(Config{}, file, declare(t, file, text), MergeOptions{CPUs: 1, Only: []string{"one"}, Environ: map[string]string{"X": "1"}})
	if names := appNames(c); len(names) != 2 || len(c.Sites) != 0 || c.App("a").Environ["X"] != "1" {
		t.Errorf("%v, %d sites", names, len(c.Sites))
	}
	c = Merge(c, file, declare(t, file, text), MergeOptions{CPUs: 1, Only: []string{"default"}})
	if names := appNames(c); len(names) != 4 { // with the server of dist
		t.Errorf("%v", names)
	}
	again := Merge(c, file, declare(t, file, strings.ReplaceAll(text, "a.js", "new.js")), MergeOptions{CPUs: 1, Only: []string{"b"}})
	if diff := cmp.Diff(c, again); diff != "" {
		t.Errorf("what was not named has changed:\n%s", diff)
	}
	declared := declare(t, file, text)
	for word, want := range map[string]string{"a": "", "one": "", "default": "", "on": `the file declares no app or namespace "on": did you mean "one"?`, "zzz": `the file declares no app or namespace "zzz"`} {
		got := ""
		if _, err := (MergeOptions{Only: []string{word}}).Choose(declared); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
}

func TestKeepAddsAndTakesOver(t *testing.T) {
	file := "/x/a.json"
	c := Config{}
	c.AddApp(apps.Config{Name: "a", Script: "a.js", Cwd: "/x"}, "", map[string]string{"X": "1"}, 1)
	c = Merge(c, file, declare(t, file, `[{name: "a", script: "a.js"}, {name: "b", script: "b.js"}]`), MergeOptions{CPUs: 1, Keep: true, Environ: map[string]string{"X": "2"}})
	if a := c.App("a"); a.Source != file || a.Environ["X"] != "1" || a.Revision != 1 {
		t.Errorf("the command's app is %+v", a)
	}
	release := "/x/2/a.json" // the same app in another folder
	c = Merge(c, release, declare(t, release, `[{name: "a", script: "a.js"}]`), MergeOptions{CPUs: 1, Keep: true})
	if a := c.App("a"); a.Source != release || a.Cwd != "/x/2" || a.Revision != 2 || a.Slots[0].ID != 0 {
		t.Errorf("the app of the other file is %+v", a)
	}
	c = Merge(c, file, declare(t, file, `[{name: "a", script: "a.js"}, {name: "c", script: "c.js"}]`), MergeOptions{CPUs: 1, Keep: true})
	if names := appNames(c); len(names) != 3 {
		t.Errorf("%v", names)
	}
	c = Merge(c, file, declare(t, file, `[{name: "c", script: "c.js"}]`), MergeOptions{CPUs: 1})
	if names := appNames(c); len(names) != 1 || names[0] != "c" {
		t.Errorf("%v", names)
	}
}

func TestUpdateEnvRenewsWhatHasAnotherEnvironment(t *testing.T) {
	file := "/x/a.json"
	take := func(c Config, x string, update bool) Config {
		return Merge(c, file, declare(t, file, `[{name: "a", script: "a.js"}]`), MergeOptions{CPUs: 1, Environ: map[string]string{"X": x}, UpdateEnv: update})
	}
	c := take(Config{}, "1", false)
	c = take(c, "2", false)
	if a := c.App("a"); a.Environ["X"] != "1" || a.Revision != 1 {
		t.Errorf("without --update-env: %+v", a)
	}
	c = take(c, "2", true)
	if a := c.App("a"); a.Environ["X"] != "2" || a.Revision != 2 || a.Replace {
		t.Errorf("with --update-env: %+v", a)
	}
	if c = take(c, "2", true); c.App("a").Revision != 2 {
		t.Error("the same environment has renewed it")
	}
}

func TestStandardInputDeclaresAsACommandDoes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "-")
	c := Config{}
	c.AddApp(apps.Config{Name: "old", Script: "a.js"}, "", nil, 1)
	c.Sites = []Site{{Domains: []string{"example.com"}, Target: Target{App: "old"}}}
	c = Merge(c, SourceOf(file), declare(t, file, `{name: "a", script: "a.js"}`), MergeOptions{CPUs: 1})
	if names := appNames(c); len(names) != 2 || c.App("a").Source != "" || len(c.Sites) != 1 {
		t.Errorf("%v, source %q, %d sites", names, c.App("a").Source, len(c.Sites))
	}
	if cwd := c.App("a").Cwd; cwd != filepath.Dir(file) {
		t.Errorf("cwd %s", cwd)
	}
}

func TestLoadEvaluatesScriptsAndReadsTheRest(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a.config.js": "console.log('said'); module.exports = {apps: []}", "a.json": "{apps: []}", "b.config.js": "module.exports = {\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var said strings.Builder
	text, err := Load(t.Context(), filepath.Join(dir, "a.config.js"), &said)
	if string(text) != `{"apps":[]}` || err != nil || said.String() != "said\n" {
		t.Errorf("%s %v %q", text, err, said.String())
	}
	if text, err := Load(t.Context(), filepath.Join(dir, "a.json"), nil); string(text) != "{apps: []}" || err != nil {
		t.Errorf("%s %v", text, err)
	}
	for name, want := range map[string]string{
		"b.config.js": "b.config.js:2: SyntaxError: Unexpected end of input",
		"c.config.js": "c.config.js: cannot read the file: no such file or directory",
		"c.json":      "c.json: cannot read the file: no such file or directory",
	} {
		_, err := Load(t.Context(), filepath.Join(dir, name), nil)
		problems, ok := err.(Problems)
		if !ok || problemLines(dir, problems)[0] != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzForeign looks for files of PM2's that crash Parse, or that Merge does not
// take as the same when they are applied twice.
func FuzzForeign(f *testing.F) {
	for _, text := range []string{
		`{"apps":[{"name":"a","script":"b.js","env_x":{"A":1.5},"pmx":1}],"static":[{"path":"x","port":1}]}`, "apps:\n  - name: a\n    cmd: x y\n    instances: max\n",
		`[{"script":"serve","env":{"PM2_SERVE_PATH":"."}},{"exec":"npm","cwd":"x","cron":"@daily","depends_on":{"a":"ready"}}]`, `{"name":"a","cmd":"x","check":{"http":"/"},"filter_env":[1]}`,
	} {
		f.Add([]byte(text), "x")
	}
	f.Fuzz(func(t *testing.T, text []byte, env string) {
		for _, file := range []string{"/x/a.json", "/x/a.yml", "/x/a.config.js", "/x/-"} {
			c, problems := Parse(file, text, env)
			for _, p := range problems {
				if p.What == "" || p.File != file {
					t.Errorf("%+v", p)
				}
			}
			if len(problems) > 0 {
				continue
			}
			once := Merge(Config{}, SourceOf(file), c, MergeOptions{CPUs: 2, Keep: true})
			twice := Merge(once, SourceOf(file), c, MergeOptions{CPUs: 2, Keep: true})
			names := map[string]bool{}
			for _, a := range c.Apps {
				names[a.Name] = true
			}
			unique := len(names) == len(c.Apps) && len(c.Sites) < 2 // else Validate refuses it
			if changes := Diff(once, twice); len(changes) > 0 && unique {
				t.Errorf("applied again: %v", changes)
			}
		}
	})
}
