package pm2

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// shape is the members of a process and the types of their values.
type shape struct {
	Process map[string]string `json:"process"`
	Monit   map[string]string `json:"monit"`
	Env     map[string]string `json:"pm2_env"`
}

// TestJListHasTheMembersOfPM2 starts apps as they were started with PM2 7.0.4
// when testdata/jlist.json was written, and compares members and types.
func TestJListHasTheMembersOfPM2(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/jlist.json")
	if err != nil {
		t.Fatal(err)
	}
	var theirs map[string]shape
	if err := json.Unmarshal(text, &theirs); err != nil {
		t.Fatal(err)
	}
	work, run := newHome(t)
	for name, script := range map[string]string{
		"app.js":    "require('http').createServer((q, r) => r.end('hi')).listen(0)",
		"worker.js": "setInterval(() => {}, 1000)",
		"crash.js":  "process.exit(3)",
	} {
		if err := os.WriteFile(filepath.Join(work, name), []byte(script), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"start", "app.js", "--name", "web", "-i", "2", "--max-memory-restart", "200M", "--node-args=--no-warnings", "--", "one", "two"},
		{"start", "worker.js", "--name", "work", "--cron", "0 0 * * *", "--restart-delay", "100", "--kill-timeout", "3000"},
	} {
		if _, err := run(args...); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := run("start", "crash.js", "--name", "bad", "--no-autorestart", "--no-pmx"); err == nil {
		t.Error("what fails is not told")
	}
	out, err := run("jlist")
	if err != nil {
		t.Fatal(err)
	}
	var processes []map[string]json.RawMessage
	if err := json.Unmarshal(out, &processes); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, p := range processes {
		var name string
		if err := json.Unmarshal(p["name"], &name); err != nil {
			t.Fatal(err)
		}
		want, ok := theirs[name]
		if !ok || seen[name] {
			continue
		}
		seen[name] = true
		compare(t, name, want.Process, p)
		compare(t, name+".monit", want.Monit, members(t, p["monit"]))
		compare(t, name+".pm2_env", want.Env, members(t, p["pm2_env"]))
	}
	if len(seen) != len(theirs) {
		t.Errorf("there are %v, want all of %v", seen, theirs)
	}
}

func members(t *testing.T, text json.RawMessage) map[string]json.RawMessage {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func compare(t *testing.T, where string, want map[string]string, got map[string]json.RawMessage) {
	t.Helper()
	for key, kind := range want {
		switch value, ok := got[key]; {
		case !ok && key == "node_version" && string(got["status"]) != `"online"`: // only what runs tells it
		case !ok:
			t.Errorf("%s has no %s", where, key)
		case kindOf(value) != kind:
			t.Errorf("%s.%s is %s, want %s: %s", where, key, kindOf(value), kind, value)
		}
	}
	known := []string{"PATH", "HOME", "USER", "PM2_HOME", "FOO", "NO_COLOR", "PM2_USAGE"} // the environment
	for key := range got {
		if _, ok := want[key]; !ok && !slices.Contains(known, key) {
			t.Errorf("%s has %s, which PM2 has not", where, key)
		}
	}
}

func kindOf(text json.RawMessage) string {
	switch text[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	}
	return "number"
}
