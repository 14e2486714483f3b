package pm2

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestACommandLineIsTakenApartAsCommanderDoes(t *testing.T) {
	for text, want := range map[string]line{
		"start app.js --name web -i 4":          {command: "start", args: []string{"app.js"}, given: map[string][]string{"name": {"web"}, "instances": {"4"}}},
		"-s start --name=web app.js":            {command: "start", args: []string{"app.js"}, given: map[string][]string{"silent": {""}, "name": {"web"}}},
		"start app.js -- --name x -i 2":         {command: "start", args: []string{"app.js"}, script: []string{"--name", "x", "-i", "2"}, given: map[string][]string{}},
		"start app.js -i -1":                    {command: "start", args: []string{"app.js"}, given: map[string][]string{"instances": {"-1"}}},
		"start app.js -i4":                      {command: "start", args: []string{"app.js"}, given: map[string][]string{"instances": {"4"}}},
		"start app.js -sf":                      {command: "start", args: []string{"app.js"}, given: map[string][]string{"silent": {""}, "force": {""}}},
		"start app.js --watch --name x":         {command: "start", args: []string{"app.js"}, given: map[string][]string{"watch": {""}, "name": {"x"}}},
		"start app.js --watch a --watch b":      {command: "start", args: []string{"app.js"}, given: map[string][]string{"watch": {"a", "b"}}},
		"start app.js --watch -- x":             {command: "start", args: []string{"app.js"}, script: []string{"x"}, given: map[string][]string{"watch": {""}}},
		"start -":                               {command: "start", args: []string{"-"}, given: map[string][]string{}},
		"scale web -2":                          {command: "scale", args: []string{"web", "-2"}, given: map[string][]string{}},
		"logs --lines 3 web --raw":              {command: "logs", args: []string{"web"}, given: map[string][]string{"lines": {"3"}, "raw": {""}}},
		"start a.js --node-args=--inspect -l":   {command: "start", args: []string{"a.js"}, given: map[string][]string{"node-args": {"--inspect"}, "log": {""}}},
		"serve --spa dist 80 --port 81 -n site": {command: "serve", args: []string{"dist", "80"}, given: map[string][]string{"spa": {""}, "port": {"81"}, "name": {"site"}}},
		"-V":                                    {given: map[string][]string{"version": {""}}},
		"":                                      {given: map[string][]string{}},
	} {
		got, err := parse(strings.Fields(text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, *got, cmp.AllowUnexported(line{})); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
	for text, want := range map[string]string{
		"start app.js --nope":     "unknown option `--nope'",
		"restart web -1":          "unknown option `-1'",
		"start app.js --name":     "option `-n, --name <name>' argument missing",
		"restart web --nostream":  "unknown option `--nostream'",
		"start a.js --no-such=-1": "unknown option `--no-such'",
	} {
		if _, err := parse(strings.Fields(text)); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestFlagsAreKeysOfApps(t *testing.T) {
	for text, want := range map[string]map[string]any{
		"--watch":                              {"watch": true},
		"--watch src --ignore-watch=tmp,a":     {"watch": []any{"src"}, "ignore_watch": []any{"tmp", "a"}},
		"--watch-delay 4":                      {"watch_delay": "4s"},
		"--watch-delay 400ms":                  {"watch_delay": "400ms"},
		"--no-autorestart --no-treekill":       {"autorestart": false, "treekill": false},
		"-c 0 --node-args=null":                {"cron_restart": nil, "node_args": nil},
		"--stop-exit-codes 1,3":                {"stop_exit_codes": []any{int64(1), int64(3)}},
		"-l --max-restarts 3 -x":               {"log_file": true, "max_restarts": int64(3), "exec_mode": "fork"},
		"--filter-env A --filter-env B --time": {"filter_env": []any{"A", "B"}, "time": true},
		"--uid 1000 --gid www --pid p.pid":     {"user": "1000", "gid": "www", "pid_file": "p.pid"},
		"--trace --no-pmx --v8 --attach":       {},
	} {
		l, err := parse(append([]string{"start", "x.js"}, strings.Fields(text)...))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		got, err := l.keys()
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%q: %v %s", text, err, diff)
		}
	}
	for _, text := range []string{"--max-restarts many", "--stop-exit-codes a", "--max-memory-restart lots", `--node-args='open`} {
		l, err := parse(append([]string{"start", "x.js"}, strings.Fields(text)...))
		if err != nil {
			t.Fatal(err)
		}
		if keys, err := l.keys(); err == nil {
			t.Errorf("%q: %v", text, keys)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("start\x00app.js\x00--name=x\x00--\x00-i")
	f.Add("-sfi4\x00scale\x00a\x00-1")
	f.Fuzz(func(t *testing.T, text string) {
		words := strings.Split(text, "\x00")
		l, err := parse(words)
		if l == nil {
			t.Fatal("no line")
		}
		if err == nil {
			_, _ = l.keys()
		}
	})
}
