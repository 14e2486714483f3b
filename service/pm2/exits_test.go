package pm2

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestExitCodesAreThoseOfPM2 runs the commands that PM2 was run with when
// testdata/exits.txt was written.
func TestExitCodesAreThoseOfPM2(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/exits.txt")
	if err != nil {
		t.Fatal(err)
	}
	work, run := newHome(t)
	for name, content := range map[string]string{
		"web.js":         "require('http').createServer((q, r) => r.end('hi')).listen(0)",
		"worker.js":      "setInterval(() => {}, 1000)",
		"ecosystem.json": `{"apps": [{"name": "eco", "script": "./web.js", "instances": 2}, {"name": "eco2", "script": "./worker.js"}]}`,
	} {
		if err := os.WriteFile(filepath.Join(work, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	commands := 0
	for l := range strings.Lines(string(text)) {
		want, command, ok := strings.Cut(strings.TrimSpace(l), " ")
		if want == "#" || !ok {
			continue
		}
		commands++
		got := "0"
		_, err := run(strings.Fields(command)...)
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			got = string(rune('0' + exit.ExitCode()))
		} else if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("pm2 %s exits %s, PM2 %s: %v", command, got, want, err)
		}
	}
	if commands < 50 {
		t.Errorf("only %d commands", commands)
	}
}
