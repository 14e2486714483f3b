package apps

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// toolbox makes a folder of programs that only exist.
func toolbox(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		write(t, filepath.Join(dir, name), "#!/bin/sh\necho v24.1.0\n", 0o755)
	}
	return dir
}

func write(t testing.TB, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func unixOnly(t *testing.T) bool { return runtime.GOOS != "windows" }

func TestAScriptIsRunByWhatItsNameOrFirstLineSays(t *testing.T) {
	if !unixOnly(t) {
		return // the mode bits below mean nothing elsewhere
	}
	bin := toolbox(t, "node", "python3", "bash", "ruby", "php", "perl", "tool")
	cwd := t.TempDir()
	plain := func(name, text string) { write(t, filepath.Join(cwd, name), text, 0o644) }
	for _, name := range []string{"a.js", "a.cjs", "a.mjs", "a.ts", "A.JS", "a.py", "a.sh", "a.rb", "a.php", "a.pl", "a.unknown"} {
		plain(name, "")
	}
	plain("www", "#!/usr/bin/env node\n")
	plain("www-flags", "#!/usr/bin/env -S node --no-warnings\r\n")
	plain("lib", "#!"+bin+"/tool -x\nbody")
	plain("odd", "#!/usr/bin/env A=1 tool\n")
	write(t, filepath.Join(cwd, "run"), "#!/usr/bin/env tool\n", 0o755)
	write(t, filepath.Join(cwd, "run-node"), "#!"+bin+"/node\n", 0o755)
	write(t, filepath.Join(cwd, "binary"), "\x7fELF\x00\x01", 0o755)
	write(t, filepath.Join(cwd, "venv/bin/python"), "", 0o755)
	in := func(name string) string { return filepath.Join(cwd, name) }
	tool := func(name string) string { return filepath.Join(bin, name) }

	for _, c := range []struct {
		name string
		c    Config
		want []string
		node bool
	}{
		{"js", Config{Script: "a.js"}, []string{tool("node"), in("a.js")}, true},
		{"cjs", Config{Script: "a.cjs"}, []string{tool("node"), in("a.cjs")}, true},
		{"mjs", Config{Script: in("a.mjs")}, []string{tool("node"), in("a.mjs")}, true},
		{"ts", Config{Script: "a.ts"}, []string{tool("node"), in("a.ts")}, true},
		{"upper case", Config{Script: "A.JS"}, []string{tool("node"), in("A.JS")}, true},
		{"node args", Config{Script: "./a.js", NodeArgs: Words{"--inspect"}, Args: Words{"-p", "1"}}, []string{tool("node"), "--inspect", in("a.js"), "-p", "1"}, true},
		{"python", Config{Script: "a.py"}, []string{tool("python3"), in("a.py")}, false},
		{"shell", Config{Script: "a.sh"}, []string{tool("bash"), in("a.sh")}, false},
		{"ruby", Config{Script: "a.rb"}, []string{tool("ruby"), in("a.rb")}, false},
		{"php", Config{Script: "a.php"}, []string{tool("php"), in("a.php")}, false},
		{"perl", Config{Script: "a.pl"}, []string{tool("perl"), in("a.pl")}, false},
		{"own choice", Config{Script: "a.unknown", Interpreter: "tool"}, []string{tool("tool"), in("a.unknown")}, false},
		{"own choice is node", Config{Script: "a.unknown", Interpreter: tool("node")}, []string{tool("node"), in("a.unknown")}, true},
		{"own choice by path", Config{Script: "a.py", Interpreter: "venv/bin/python"}, []string{in("venv/bin/python"), in("a.py")}, false},
		{"first line names node", Config{Script: "www"}, []string{tool("node"), in("www")}, true},
		{"first line with flags", Config{Script: "www-flags"}, []string{tool("node"), "--no-warnings", in("www-flags")}, true},
		{"first line names node, executable", Config{Script: "run-node"}, []string{tool("node"), in("run-node")}, true},
		{"first line, not executable", Config{Script: "lib"}, []string{tool("tool"), "-x", in("lib")}, false},
		{"executable", Config{Script: "run", Args: Words{"a"}}, []string{in("run"), "a"}, false},
		{"binary", Config{Script: "binary"}, []string{in("binary")}, false},
		{"none", Config{Script: "run", Interpreter: "none"}, []string{in("run")}, false},
		{"command", Config{Command: "tool --flag 'a b'", Args: Words{"c"}}, []string{tool("tool"), "--flag", "a b", "c"}, false},
		{"command by path", Config{Command: "./run x"}, []string{in("run"), "x"}, false},
		{"command node", Config{Command: "node a.js"}, []string{tool("node"), "a.js"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.c.Cwd = cwd
			got, node, err := commandLine(c.c, bin)
			if err != nil || !slices.Equal(got, c.want) || node != c.node {
				t.Errorf("%q, node %v, %v; want %q", got, node, err, c.want)
			}
			c.c.Env = map[string]string{"PATH": bin}
			argv0, args, node, err := resolveInterpreter(c.c)
			var want []string
			if c.c.Script != "" {
				want = c.want[:len(c.want)-1-len(c.c.Args)]
			}
			if argv0 != "" {
				args = append([]string{argv0}, args...)
			}
			if !slices.Equal(args, want) || node != c.node || err != nil {
				t.Errorf("interpreter %q, %v", args, err)
			}
		})
	}

	for _, c := range []struct {
		name       string
		c          Config
		what, hint string
	}{
		{"nothing", Config{}, "neither script nor command", "server.js"},
		{"missing", Config{Script: "b.js"}, "b.js does not exist", cwd},
		{"missing, absolute", Config{Script: "/no/b.js"}, "/no/b.js does not exist", "check"},
		{"folder", Config{Script: "venv"}, "is a folder", "name a file"},
		{"unknown kind", Config{Script: "a.unknown"}, "cannot tell what runs a.unknown", "chmod +x a.unknown"},
		{"unknown kind with env", Config{Script: "odd"}, "cannot tell", "chmod"},
		{"none but not executable", Config{Script: "a.unknown", Interpreter: "none"}, "not executable", "chmod +x"},
		{"interpreter not on PATH", Config{Script: "a.js", Interpreter: "bun"}, "bun is not on PATH", "install it"},
		{"interpreter missing", Config{Script: "a.js", Interpreter: "./no/node"}, "does not exist", cwd},
		{"command not on PATH", Config{Command: "nosuch x"}, "nosuch is not on PATH", "install it"},
		{"command not executable", Config{Command: "./a.js"}, "not executable", "chmod +x ./a.js"},
		{"command not closed", Config{Command: "a 'b"}, "cannot split", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.c.Cwd = cwd
			_, _, err := commandLine(c.c, bin)
			complaint, ok := errors.AsType[*Complaint](err)
			if !ok || !strings.Contains(complaint.What, c.what) || !strings.Contains(complaint.Hint, c.hint) {
				t.Errorf("%#v", err)
			}
		})
	}
}

func TestPathIsLookedUpAtEachStart(t *testing.T) {
	if !unixOnly(t) {
		return
	}
	cwd := t.TempDir()
	write(t, filepath.Join(cwd, "a.js"), "", 0o644)
	empty, full := t.TempDir(), toolbox(t, "node")
	c := Config{Script: "a.js", Cwd: cwd}
	_, _, err := commandLine(c, empty)
	complaint, ok := errors.AsType[*Complaint](err)
	if !ok || complaint.What != "node is not on PATH" || runtime.GOOS == "linux" && complaint.Hint != "install it: apt-get install nodejs" {
		t.Errorf("%#v", err)
	}
	if argv, _, err := commandLine(c, strings.Join([]string{"", ".", empty, full}, string(os.PathListSeparator))); err != nil || argv[0] != filepath.Join(full, "node") {
		t.Errorf("%q, %v", argv, err)
	}
}

func TestTypeScriptNeedsANodeThatCan(t *testing.T) {
	if !unixOnly(t) {
		return
	}
	for version, want := range map[string]string{
		"v18.20.8": "cannot", "v20.1.0": "cannot", "v22.5.1": "cannot", "v22.6.0": "--experimental-strip-types", "v22.18.0": "", "v23.0.0": "--experimental-strip-types", "v23.6.0": "", "v24.1.0": "", "v26.10.0": "",
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "node"), "#!/bin/sh\necho "+version+"\n", 0o755)
		write(t, filepath.Join(dir, "a.ts"), "", 0o644)
		argv, _, err := commandLine(Config{Script: "a.ts", Cwd: dir}, dir)
		switch {
		case want == "cannot":
			if err == nil || !strings.Contains(err.Error(), version+" cannot run TypeScript") {
				t.Errorf("%s: %q, %v", version, argv, err)
			}
		case err != nil || strings.Join(argv[1:len(argv)-1], " ") != want:
			t.Errorf("%s: %q, %v", version, argv, err)
		}
	}
}
