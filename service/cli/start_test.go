package cli

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"roost/apps"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

func TestWordsOfStartBecomeAnApp(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for name, mode := range map[string]os.FileMode{"server.js": 0o644, "my app.py": 0o644, "sub/tool": 0o755} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "beat"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	for name, c := range map[string]struct {
		word  string
		flags []string
		args  []string
		want  apps.Config
	}{
		"a script":              {"server.js", nil, nil, apps.Config{Name: "server", Script: filepath.Join(dir, "server.js"), Cwd: dir}},
		"a script with a space": {"my app.py", nil, nil, apps.Config{Name: "my app", Script: filepath.Join(dir, "my app.py"), Cwd: dir}},
		"a script below --cwd": {"tool", []string{"--cwd", "sub"}, []string{"-v"},
			apps.Config{Name: "tool", Script: filepath.Join(dir, "sub", "tool"), Cwd: filepath.Join(dir, "sub"), Args: apps.Words{"-v"}}},
		"a program of PATH": {"beat", []string{"--name", "heart"}, []string{"60"},
			apps.Config{Name: "heart", Command: filepath.Join(bin, "beat"), Cwd: dir, Args: apps.Words{"60"}}},
		"a command":                    {"beat -n 5", nil, nil, apps.Config{Name: "beat", Command: "beat -n 5", Cwd: dir}},
		"a command that wants a shell": {"beat | tee 'x y'", nil, nil, apps.Config{Name: "beat", Command: `sh -c 'beat | tee '\''x y'\'''`, Cwd: dir}},
		"PM2's flags": {"server.js", []string{"-i", "max", "--node-args", "--inspect --trace-gc", "--env", "A=b=c", "--kill-timeout", "3000", "--min-uptime", "2s", "--no-autorestart", "--stop-exit-codes", "0,3"}, nil,
			apps.Config{Name: "server", Script: filepath.Join(dir, "server.js"), Cwd: dir, Instances: apps.Max, NodeArgs: apps.Words{"--inspect", "--trace-gc"},
				Env: map[string]string{"A": "b=c"}, KillTimeout: 3e9, MinUptime: 2e9, Autorestart: new(bool), StopExitCodes: []int{0, 3}}},
		"fewer than CPUs": {"server.js", []string{"-i", "-1"}, nil, apps.Config{Name: "server", Script: filepath.Join(dir, "server.js"), Cwd: dir, Instances: -1}},
	} {
		t.Run(name, func(t *testing.T) {
			f, flags := &appFlags{}, pflag.NewFlagSet("start", pflag.ContinueOnError)
			f.define(flags)
			if err := flags.Parse(c.flags); err != nil {
				t.Fatal(err)
			}
			got, err := f.config(c.word, c.args)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("app (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWrongWordsOfStartAreRefusedWithAHint(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.Mkdir("public", 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	for name, c := range map[string]struct {
		word       string
		flags      []string
		what, hint string
	}{
		"a folder":      {"./public", nil, "./public is a folder", "serve it: roost serve ./public; or start a script in it"},
		"nothing":       {"serve.js", nil, `there is no script, program or app "serve.js"`, "name a file in this folder, a program of PATH, or an app of: roost list"},
		"an open quote": {"echo 'a", nil, `cannot split "echo 'a" into words`, "close the quote"},
		"PM2's --env":   {"echo a", []string{"--env", "production"}, `--env "production" is not KEY=VALUE`, "such as: --env NODE_ENV=production"},
		"no letters":    {"... a", nil, `cannot make a name of "... a"`, "give one: --name NAME"},
	} {
		t.Run(name, func(t *testing.T) {
			f, flags := &appFlags{}, pflag.NewFlagSet("start", pflag.ContinueOnError)
			f.define(flags)
			if err := flags.Parse(c.flags); err != nil {
				t.Fatal(err)
			}
			_, err := f.config(c.word, nil)
			var wrong *usageError
			if !errors.As(err, &wrong) || wrong.what != c.what || wrong.hint != c.hint {
				t.Errorf("%+v, want %q, %q", err, c.what, c.hint)
			}
		})
	}
}

func TestNumberOfScaleIsNotAFlag(t *testing.T) {
	for _, c := range []struct{ args, want []string }{
		{[]string{"scale", "web", "-1", "--json"}, []string{"scale", "web", kept + "-1", "--json"}},
		{[]string{"--no-color", "scale", "web", "-12"}, []string{"--no-color", "scale", "web", kept + "-12"}},
		{[]string{"start", "scale", "-i", "-1"}, []string{"start", "scale", "-i", "-1"}},
		{[]string{"scale", "web", "--", "-1"}, []string{"scale", "web", "--", "-1"}},
		{nil, nil},
	} {
		if diff := cmp.Diff(c.want, keepNumbers(c.args)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.args, diff)
		}
	}
}
