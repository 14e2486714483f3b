package ecosystem

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// table reads the table of an app.
func table(t *testing.T, text string) map[string]any {
	t.Helper()
	doc, err := Read("a.json", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc.Value.(map[string]any)
}

func TestEveryNameOfAKeyIsOneKey(t *testing.T) {
	folder := t.TempDir()
	for _, test := range []struct{ written, want string }{
		{`exec: "a.js"`, `script: "a.js", name: "a"`},
		{`cmd: "a.js"`, `script: "a.js", name: "a"`},
		{`command: "a.js"`, `script: "a.js", name: "a"`},
		{`maxMemoryRestart: "1G", killTimeout: 3`, `max_memory_restart: "1G", kill_timeout: 3`},
		{`execInterpreter: "bash"`, `interpreter: "bash"`},
		{`exec_interpreter: "bash"`, `interpreter: "bash"`},
		{`interpreter_args: "-x", interpreter: "bash"`, `node_args: "-x", interpreter: "bash"`},
		{`interpreterArgs: ["-x", 3]`, `node_args: ["-x", "3"]`},
		{`out: "a", err: "b", log: true`, `out_file: "a", error_file: "b", log_file: true`},
		{`output: "a", error: "b"`, `out_file: "a", error_file: "b"`},
		{`out_log: "a", err_log: "b"`, `out_file: "a", error_file: "b"`},
		{`outFile: "a", err_file: "b"`, `out_file: "a", error_file: "b"`},
		{`combine_logs: true, pid: "x.pid", cron: "@daily"`, `merge_logs: true, pid_file: "x.pid", cron_restart: "@daily"`},
		{`uid: 1000, gid: 1000`, `user: "1000", gid: "1000"`},
		{`user: "www", uid: "www"`, `user: "www"`},
		{`cron_restart: 0`, ``},
		{`cron: "0"`, ``},
		{`exec_mode: "fork_mode"`, `exec_mode: "fork"`},
		{`execMode: "cluster"`, `exec_mode: "cluster"`},
		{`execute_command: true`, `exec_mode: "fork"`},
		{`execute_command: false`, ``},
		{`disable_source_map_support: true`, `source_map_support: false`},
		{`source_map_support: true`, `source_map_support: true`},
		{`stop_exit_codes: 3`, `stop_exit_codes: [3]`},
		{`stop_exit_codes: ["0", 3]`, `stop_exit_codes: [0, 3]`},
		{`args: ["--port", 3000, true, 1.5]`, `args: ["--port", "3000", "true", "1.5"]`},
		{`port: "3000", instances: "4"`, `port: 3000, instances: "4"`},
		{`watch: null, env: null`, ``},
		{`env: { A: { b: [1, "<"] }, L: [1], N: 3 }`, `env: { A: '{"b":[1,"<"]}', L: "[1]", N: 3 }`},
		{`env: { A: "1", B: "2" }, env_production: { B: "3", C: "4" }, env_staging: { A: "x" }`, `env: { A: "1", B: "3", C: "4" }`},
		{`env_production: { A: "1" }`, `env: { A: "1" }`},
		{`envProduction: { A: "1" }`, `env: { A: "1" }`},
		{`env_file: ".env"`, `env_file: ".env"`},
		{`name: "a", name_prefix: "b"`, `name: "b:a"`},
		{`name: "a", append_env_to_name: true`, `name: "a-production"`},
		{`script: "deep/the server.js"`, `command: "deep/the server.js", name: "the"`},
		{`script: "npm", args: "start"`, `command: "npm", args: "start", name: "npm"`},
		{`script: "npm", interpreter: "none"`, `command: "npm", name: "npm"`},
		{`script: "run.sh"`, `script: "run.sh", name: "run"`},
		{`script: "there"`, `script: "there", name: "there"`},
		{`script: "a b.js"`, `script: "a b.js", name: "a b"`},
		{`cwd: "sub", script: "inner"`, `cwd: "sub", script: "inner", name: "inner"`},
		{`script: "node x.js | tee y"`, `command: "sh -c 'node x.js | tee y'", name: "sh"`},
		{`wach: true, maxMemory: 3`, `wach: true, max_memory: 3`},
		{`name: 3`, `name: 3`},
		{`env: "x"`, `env: "x"`},
		{`port: 3000`, `port: 3000`},
		{`port: 3000, increment_var: "PORT"`, `env: {PORT: 3000}, increment_var: "PORT"`},
	} {
		for _, name := range []string{"there", "a b.js", "sub/inner"} {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(folder, name)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, name), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		n := Normal(table(t, "{"+test.written+"}"), Options{Env: "production", Folder: folder, Foreign: true})
		if diff := cmp.Diff(table(t, "{"+test.want+"}"), n.Table); diff != "" || len(n.Problems) > 0 {
			t.Errorf("%s: %v\n%s", test.written, n.Problems, diff)
		}
	}
}

func TestACommandOfRoostTomlStaysOne(t *testing.T) {
	n := Normal(table(t, `{command: "web --flag"}`), Options{Folder: t.TempDir()})
	if diff := cmp.Diff(map[string]any{"command": "web --flag", "name": "web"}, n.Table); diff != "" {
		t.Error(diff)
	}
}

func TestWhatCannotBeMeantIsAProblem(t *testing.T) {
	for written, want := range map[string]string{
		`out: "a", out_file: "b"`:                     `out_file: out and out_file are the same key: remove one of them`,
		`exec_mode: "worker"`:                         `exec_mode: exec_mode is "worker": want "cluster" or "fork"`,
		`execMode: "worker"`:                          `execMode: execMode is "worker": want "cluster" or "fork"`,
		`env_production: "x"`:                         `env_production: env_production wants a table, not the text "x": write variables and their values: { NODE_ENV: "production" }`,
		`env_other: [1]`:                              `env_other: env_other wants a table, not a list: write variables and their values: { NODE_ENV: "production" }`,
		`appendEnvToName: 1`:                          `appendEnvToName: appendEnvToName wants true or false, not 1: `,
		`name_prefix: 1`:                              `name_prefix: name_prefix wants a text, not 1: put it in quotes`,
		`cmd: "a.js", script: "b.js"`:                 `script: cmd and script are the same key: remove one of them`,
		`uid: 1, user: "www"`:                         `user: uid and user are the same key: remove one of them`,
		`execute_command: "x", exec_mode: "fork"`:     `execute_command: execute_command wants true or false, not the text "x": `,
		`disable_source_map_support: {}, name: "web"`: `disable_source_map_support: disable_source_map_support wants true or false, not a table: `,
	} {
		n := Normal(table(t, "{"+written+"}"), Options{Env: "production", Folder: t.TempDir(), Foreign: true})
		var got []string
		for _, p := range n.Problems {
			got = append(got, fmt.Sprintf("%s: %s: %s", p.Key, p.What, p.Hint))
		}
		if strings.Join(got, "\n") != want {
			t.Errorf("%s:\n got %s\nwant %s", written, strings.Join(got, "\n"), want)
		}
	}
}

func TestKeysWithNothingToDoAreNamed(t *testing.T) {
	n := Normal(table(t, `{name: "a", vizion: false, pmx: true, automation: false, windowsHide: true, kill_retry_time: 3, trace: true, v8: true, km_link: 1, watch_options: {}, io: {}, post_update: ["x"]}`), Options{})
	want := []string{"automation", "io", "kill_retry_time", "km_link", "pmx", "post_update", "trace", "v8", "vizion", "watch_options", "windowsHide"}
	if diff := cmp.Diff(want, n.Idle); diff != "" || len(n.Table) != 1 || len(n.Problems) > 0 {
		t.Errorf("%v %v\n%s", n.Table, n.Problems, diff)
	}
}

func TestWhereAKeyWasWrittenIsKnown(t *testing.T) {
	n := Normal(table(t, `{exec: "npm", output: "x", envProduction: {A: "1"}, maxRestarts: 3}`), Options{Env: "production", Folder: t.TempDir()})
	want := map[string]string{"command": "exec", "out_file": "output", "env.A": "envProduction.A", "max_restarts": "maxRestarts"}
	if diff := cmp.Diff(want, n.From); diff != "" {
		t.Error(diff)
	}
}

func TestTheFormsOfAFile(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"a.json", `{apps: [{name: "a"}, {name: "b"}], deploy: {x: 1}}`, "apps.0=a apps.1=b"},
		{"a.json", `{apps: {name: "a"}}`, "apps=a"},
		{"a.json", `{pm2: [{name: "a"}]}`, "pm2.0=a"},
		{"a.json", `{pm2: {apps: [{name: "a"}], deploy: {}}}`, "pm2.apps.0=a"},
		{"a.json", `[{name: "a"}]`, "0=a"},
		{"a.json", `{name: "a", script: "x"}`, "=a"},
		{"a.json", `{"$schema": "x", apps: []}`, ""},
		{"a.json", `{deploy: {}}`, ""},
		{"a.json", `{apps: [{name: "a"}], static: [{name: "s"}]}`, "apps.0=a static.0=s"},
		{"a.json", `{static: [{name: "s"}]}`, "static.0=s"},
		{"package.json", `{name: "x", version: "1", scripts: {}, pm2: {apps: [{name: "a"}]}}`, "pm2.apps.0=a"},
		{"package.json", `{name: "x", script: "x", apps: [{name: "a"}]}`, "apps.0=a"},
		{"package.json", `{name: "x", scripts: {start: "node ."}}`, `1: the file has no "pm2" or "apps"`},
		{"a.json", "\n3", "2: the file is neither a table nor a list"},
		{"a.json", `{}`, "1: the file declares no apps"},
		{"a.json", `{name: "a"}`, "1: the file declares no apps"},
		{"a.json", `{apps: "x"}`, `1: apps wants a list, not the text "x"`},
		{"a.json", "{apps: [\n3]}", "2: app 1 of the list is not a table, but 3"},
		{"a.json", "{apps: [],\napp: 1}", `2: unknown key "app" beside the apps`},
		{"a.json", `{pm2: {apps: [], x: 1}}`, `1: unknown key "x" beside the apps`},
		{"a.json", `[{name: "a", pm_exec_path: "/x"}]`, "1: this is a list that PM2 has written (dump.pm2, jlist), not a declaration"},
		{"a.json", `[{pid: 1, pm2_env: {}}]`, "1: this is a list that PM2 has written (dump.pm2, jlist), not a declaration"},
	} {
		doc, err := Read(test.name, []byte(test.text))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if d, err := doc.Declared("/srv/" + test.name); err != nil {
			got = fmt.Sprintf("%d: %v", err.(*Error).Line, err)
		} else {
			var items []string
			for _, item := range append(d.Apps, d.Static...) {
				items = append(items, fmt.Sprintf("%s=%v", item.Path, item.Table["name"]))
			}
			got = strings.Join(items, " ")
		}
		if got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.text, got, test.want)
		}
	}
}

func TestWordsThatNameFiles(t *testing.T) {
	for word, want := range map[string]bool{
		"a.json": true, "x/ecosystem.config.js": true, "a.config.mjs": true, "a.config.cjs": true, "a.config.ts": true, "a.yml": true, "b.yaml": true, "-": true, "package.json": true,
		"server.js": false, "config.js": false, ".config.js": false, "a.config.json.js": false, "web": false, "cat a.json": false, "roost.toml": false, "a.config": false,
	} {
		if Is(word) != want {
			t.Errorf("Is(%q) = %v", word, !want)
		}
	}
}

// FuzzNormal looks for tables that crash Normal, or that it cannot make one
// form of: what came of it once must stay as it is.
func FuzzNormal(f *testing.F) {
	for _, text := range []string{
		`{"name":"a","script":"npm run x","env":{"A":{"b":1}},"env_production":{"A":null}}`, `{"exec":"a b","cwd":3,"args":[{}],"uid":1.5,"cron":false}`,
		`{"nameÄ":1,"":2,"env_":{},"execMode":"fork_mode_mode","name_prefix":"","append_env_to_name":true}`, `{"interpreter":"none","script":"\u0000","stop_exit_codes":"1"}`,
	} {
		f.Add([]byte(text), true)
	}
	folder := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte, foreign bool) {
		doc, err := Read("f.json", text)
		app, ok := doc.Value.(map[string]any)
		if err != nil || !ok {
			return
		}
		before, _ := json.Marshal(app)
		once := Normal(app, Options{Env: "production", Folder: folder, Foreign: foreign})
		if after, _ := json.Marshal(app); string(before) != string(after) {
			t.Errorf("%s has become %s", before, after)
		}
		twice := Normal(once.Table, Options{Folder: folder})
		if diff := cmp.Diff(once.Table, twice.Table); diff != "" {
			t.Errorf("%s is not one form:\n%s", text, diff)
		}
		Static(app, Options{Folder: folder})
	})
}
