//go:build unix

package apps

import (
	"path/filepath"
	"testing"
)

func TestWhatRunsIsGuessedAsItIsFound(t *testing.T) {
	cwd, node, bun := t.TempDir(), toolbox(t, "node"), toolbox(t, "bun", "node")
	write(t, filepath.Join(cwd, "text"), "console.log(1)", 0o644)
	write(t, filepath.Join(cwd, "program"), "\x7fELF", 0o755)
	write(t, filepath.Join(cwd, "www"), "#!/usr/bin/env node\n", 0o755)
	write(t, filepath.Join(cwd, "odd"), "#!/usr/bin/env A=1 node\n", 0o644)
	for _, name := range []string{"a.js", "a.ts", "a.tsx", "a.py"} {
		write(t, filepath.Join(cwd, name), "", 0o644)
	}
	for _, c := range []struct {
		Config
		path string
		want bool
	}{
		{Config{Script: "a.js"}, bun, true},
		{Config{Script: "a.ts"}, node, true},
		{Config{Script: "a.ts"}, bun, false},
		{Config{Script: "a.ts", Interpreter: "node"}, bun, true},
		{Config{Script: "a.py", Interpreter: "node@20"}, node, true},
		{Config{Script: "a.tsx"}, node, false},
		{Config{Script: "a.py"}, node, false},
		{Config{Script: "text"}, node, true},
		{Config{Script: "program"}, node, false},
		{Config{Script: "www"}, node, true},
		{Config{Script: "odd"}, node, false},
		{Config{Script: "node"}, node, true},
		{Config{Command: "node x"}, node, true},
		{Config{Command: "program"}, node, false},
	} {
		c.Cwd, c.Env = cwd, map[string]string{"PATH": c.path}
		if got := runsNode(&Wanted{Config: c.Config}); got != c.want {
			t.Errorf("%+v: node %v", c.Config, got)
		}
	}
}
