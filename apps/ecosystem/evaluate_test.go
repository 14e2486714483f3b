//go:build unix

package ecosystem

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// write makes a file with this text in a new folder.
func write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestAScriptIsEvaluatedToWhatItExports(t *testing.T) {
	t.Parallel()
	const want = `{"apps":[{"name":"a"}]}`
	for _, test := range []struct{ name, text string }{
		{"a.config.js", `module.exports = { apps: [{ name: 'a' }] }`},
		{"b.config.mjs", `export default { apps: [{ name: 'a' }] }`},
		{"c.config.cjs", `exports.apps = [{ name: 'a', unset: undefined }]`},
		{"d.config.mjs", `export const apps = [{ name: 'a' }]`},
		{"e.config.mjs", `import { join } from 'node:path'; export default async () => ({ apps: [{ name: join('a') }] })`},
		{"f.config.js", `module.exports = () => ({ apps: [{ name: 'a' }] })`},
		{"g.config.js", `module.exports = Promise.resolve({ apps: [{ name: 'a' }] })`},
		{"h.config.js", `Object.defineProperty(exports, '__esModule', { value: true }); exports.default = { apps: [{ name: 'a' }] }`},
		{"i.config.js", `setInterval(() => {}, 1000); module.exports = { apps: [{ name: 'a' }] }`},
		{"j.config.js", `console.log('{"apps":[]}'); process.stdout.write('x'); module.exports = { apps: [{ name: 'a' }] }`},
		{"k.config.js", `module.exports = { apps: [{ name: require('path').basename(process.cwd()) === require('path').basename(__dirname) ? 'a' : process.cwd() }] }`},
		{"l.config.js", `class App { constructor() { this.name = 'a' } }; module.exports = { apps: [new App()] }`},
	} {
		t.Run(test.name, func(t *testing.T) {
			var said strings.Builder
			got, err := Evaluate(t.Context(), write(t, test.name, test.text), &said)
			if err != nil || string(got) != want {
				t.Errorf("got %s, %v; said %q", got, err, said.String())
			}
			if test.name == "j.config.js" && said.String() != "{\"apps\":[]}\nx" {
				t.Errorf("said %q", said.String())
			}
		})
	}
}

func TestAScriptThatFailsIsToldWithItsPlace(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, text, want string }{
		{"a.config.js", "module.exports = {\n  apps: [{ name: 'a', script 'b' }]\n}", "2:30: SyntaxError: Unexpected string"},
		{"b.config.mjs", "export default {\n  apps: [{ name: 'a', script 'b' }]\n}", "2:30: SyntaxError: Unexpected string"},
		{"c.config.js", "function db() {\n  throw new TypeError('no database\\nat all')\n}\nmodule.exports = db()", "2:9: TypeError: no database"},
		{"d.config.js", "\nthrow 'a text'", "0:0: it threw a text"},
		{"e.config.js", "module.exports = Promise.reject(new Error('late'))", "1:33: Error: late"},
		{"f.config.js", "module.exports = require('nowhere')", "1:18: Error: Cannot find module 'nowhere'"},
		{"g.config.js", "process.exit(3)", "0:0: it ended the program (exit code 3) before it had exported anything"},
		{"h.config.js", "process.exit(0)", "0:0: it ended the program (exit code 0) before it had exported anything"},
		{"i.config.js", "module.exports = new Promise(() => {})", "before it had exported anything"},
		{"j.config.js", "process.kill(process.pid, 'SIGKILL')", "0:0: node ended before the file had exported anything (signal: killed)"},
		{"k.config.js", "const a = { apps: [] }; a.apps.push(a); module.exports = a", "0:0: apps.0 contains itself"},
		{"l.config.js", "module.exports = { apps: [{ script() {} }] }", "0:0: apps.0.script is a function"},
		{"m.config.js", "module.exports = { apps: [{ port: 3n }] }", "0:0: apps.0.port is a bigint"},
		{"n.config.js", "module.exports = { apps: [{ ignore_watch: [/x/] }] }", "0:0: apps.0.ignore_watch.0 is a RegExp"},
		{"o.config.js", "module.exports = { apps: [{ port: +process.env.NOPE }] }", "0:0: apps.0.port is NaN"},
		{"p.config.js", "module.exports = { apps: new Map() }", "0:0: apps is a Map"},
		{"q.config.js", "let a = []; for (let i = 0; i < 100; i++) a = [a]; module.exports = a", "more than 100000 values, or 64 levels"},
		{"r.config.js", "let a = ['x']; for (let i = 0; i < 40; i++) a = [a, a]; module.exports = a", "more than 100000 values, or 64 levels"},
		{"s.config.js", "module.exports = { apps: 'x'.repeat(2 ** 21) }", "0:0: what it exports is longer than 1048576 bytes"},
		{"t.config.js", "module.exports = undefined", "0:0: it exports nothing"},
		{"u.config.js", "setTimeout(() => { throw new Error('in a timer') }, 0); module.exports = new Promise(() => {})", "1:26: Error: in a timer"},
		{"v.config.js", "JSON.stringify = () => 'x'; module.exports = { get apps() { throw new RangeError('getter') } }", "1:67: RangeError: getter"},
		{"w.config.js", "let a = 0; const f = () => f(); f()", "RangeError: Maximum call stack size exceeded"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Evaluate(t.Context(), write(t, test.name, test.text), nil)
			e, ok := errors.AsType[*Error](err)
			if !ok {
				t.Fatalf("%v is no *Error", err)
			}
			if got := fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.What); !strings.Contains(got, test.want) {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestAnErrorInALoadedModuleNamesItsFile(t *testing.T) {
	t.Parallel()
	file := write(t, "a.config.js", "module.exports = require('./other')")
	other := filepath.Join(filepath.Dir(file), "other.js")
	if err := os.WriteFile(other, []byte("let a\nlet a\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Evaluate(t.Context(), file, nil)
	e, ok := errors.AsType[*Error](err)
	if !ok || e.File != other || e.Line != 2 || e.Column != 5 {
		t.Errorf("%+v", err)
	}
}

// TestAScriptThatNeverEndsIsKilledWithAllItHasStarted: also with what it has
// put into a session of its own.
func TestAScriptThatNeverEndsIsKilledWithAllItHasStarted(t *testing.T) {
	t.Parallel()
	file := write(t, "a.config.js", `
const { spawn } = require('child_process');
const pids = [spawn('sleep', ['1000']).pid, spawn('sh', ['-c', 'sleep 1000 & wait'], { detached: true, stdio: 'ignore' }).pid];
require('fs').writeFileSync('pids', pids.join(' '));
for (;;) console.log('x'.repeat(1000));
`)
	var said strings.Builder
	begun := time.Now()
	_, err := Evaluate(t.Context(), file, &said)
	if e, ok := errors.AsType[*Error](err); !ok || e.What != "the file has not ended after 5s" {
		t.Errorf("got %v", err)
	}
	if took := time.Since(begun); took < evaluateLimit || took > evaluateLimit+3*time.Second {
		t.Errorf("took %v", took)
	}
	if n := said.Len(); n == 0 || n > maxSaid+100 {
		t.Errorf("%d bytes of its output were passed on", n)
	}
	text, err := os.ReadFile(filepath.Join(filepath.Dir(file), "pids"))
	if err != nil {
		t.Fatal(err)
	}
	for word := range strings.FieldsSeq(string(text)) {
		pid, _ := strconv.Atoi(word)
		deadline := time.Now().Add(5 * time.Second)
		for alive(pid) && time.Now().Before(deadline) {
			time.Sleep(10 * time.Millisecond)
		}
		if alive(pid) {
			t.Errorf("process %d still lives", pid)
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// alive reports a process that has not ended; one that nobody has waited for has.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(stat), ") Z ")
}

func TestAnEvaluationEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := Evaluate(ctx, write(t, "a.config.js", "for (;;);"), nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestTheProjectsOwnNodeEvaluates(t *testing.T) {
	t.Parallel()
	file := write(t, "deep/er/a.config.js", "module.exports = {}")
	bin := filepath.Join(filepath.Dir(filepath.Dir(file)), "node_modules", ".bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(bin, "node")
	if err := os.WriteFile(own, []byte("#!/bin/sh\nfor a; do last=$a; done\necho '{\"value\":\"ours\"}' >$last\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got, err := Evaluate(t.Context(), file, nil); err != nil || string(got) != `"ours"` {
		t.Errorf("got %s, %v", got, err)
	}
}
