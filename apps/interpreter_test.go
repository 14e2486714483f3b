package apps

import (
	"errors"
	"maps"
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
	bin := toolbox(t, "node", "python3", "bash", "ruby", "php", "perl", "tool", "coffee", "lsc", "deno")
	cwd := t.TempDir()
	plain := func(name, text string) { write(t, filepath.Join(cwd, name), text, 0o644) }
	for _, name := range []string{"a.js", "a.cjs", "a.mjs", "a.ts", "A.JS", "a.py", "a.sh", "a.rb", "a.php", "a.pl", "a.unknown", "a.coffee", "a.ls", "a.tsx"} {
		plain(name, "")
	}
	plain("www", "#!/usr/bin/env node\n")
	plain("www-flags", "#!/usr/bin/env -S node --no-warnings\r\n")
	plain("lib", "#!"+bin+"/tool -x\nbody")
	plain("odd", "#!/usr/bin/env A=1 tool\n")
	write(t, filepath.Join(cwd, "run"), "#!/usr/bin/env tool\n", 0o755)
	write(t, filepath.Join(cwd, "run-node"), "#!"+bin+"/node\n", 0o755)
	write(t, filepath.Join(cwd, "binary"), "\x7fELF\x00\x01", 0o755)
	write(t, filepath.Join(cwd, "binary-plain"), "\x7fELF\x00\x01", 0o644)
	write(t, filepath.Join(cwd, "binary.dat"), "\xca\xfe\xba\xbe\x00\x00\x00\x02", 0o755)
	write(t, filepath.Join(cwd, "venv/bin/python"), "", 0o755)
	bun, nvm := toolbox(t, "bun"), t.TempDir()
	for _, v := range []string{"v18.19.0", "v20.9.0", "v20.10.1", "v2.0.0"} {
		write(t, filepath.Join(nvm, "versions/node", v, "bin/node"), "", 0o755)
	}
	write(t, filepath.Join(nvm, "alias/lts/*"), "lts/iron\n", 0o644)
	write(t, filepath.Join(nvm, "alias/lts/iron"), "v20.9.0\n", 0o644)
	nvmNode := func(v string) string { return filepath.Join(nvm, "versions/node", v, "bin/node") }
	yes := true
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
		{"binary by its content", Config{Script: "binary.dat"}, []string{in("binary.dat")}, false},
		{"coffee", Config{Script: "a.coffee"}, []string{tool("coffee"), in("a.coffee")}, false},
		{"livescript", Config{Script: "a.ls"}, []string{tool("lsc"), in("a.ls")}, false},
		{"ts with bun", Config{Script: "a.ts", Env: map[string]string{"PATH": bun + ":" + bin}}, []string{bun + "/bun", in("a.ts")}, false},
		{"tsx with bun", Config{Script: "a.tsx", Env: map[string]string{"PATH": bun + ":" + bin}}, []string{bun + "/bun", in("a.tsx")}, false},
		{"own choice is bun", Config{Script: "a.js", Interpreter: bun + "/bun", NodeArgs: Words{"--smol"}}, []string{bun + "/bun", "--smol", in("a.js")}, false},
		{"deno", Config{Script: "a.ts", Interpreter: "deno"}, []string{tool("deno"), "run", "-A", in("a.ts")}, false},
		{"deno with permissions", Config{Script: "a.ts", Interpreter: "deno", NodeArgs: Words{"--allow-net"}}, []string{tool("deno"), "run", "--allow-net", in("a.ts")}, false},
		{"deno with its command", Config{Script: "a.ts", Interpreter: "deno", NodeArgs: Words{"serve", "--port=1"}}, []string{tool("deno"), "serve", "--port=1", in("a.ts")}, false},
		{"nvm", Config{Script: "a.js", Interpreter: "node@20", NodeArgs: Words{"-x"}}, []string{nvmNode("v20.10.1"), "-x", in("a.js")}, true},
		{"nvm to the dot", Config{Script: "a.js", Interpreter: "node@v20.9.0"}, []string{nvmNode("v20.9.0"), in("a.js")}, true},
		{"nvm by alias", Config{Script: "a.js", Interpreter: "node@lts/*"}, []string{nvmNode("v20.9.0"), in("a.js")}, true},
		{"source maps", Config{Script: "a.js", SourceMapSupport: &yes, NodeArgs: Words{"-x"}}, []string{tool("node"), "--enable-source-maps", "-x", in("a.js")}, true},
		{"source maps of a command", Config{Command: "node a.js", SourceMapSupport: &yes}, []string{tool("node"), "--enable-source-maps", "a.js"}, true},
		{"script on PATH", Config{Script: "tool", Args: Words{"start"}}, []string{tool("tool"), "start"}, false},
		{"script on PATH is node", Config{Script: "node", Args: Words{"a.js"}}, []string{tool("node"), "a.js"}, true},
		{"unknown kind", Config{Script: "a.unknown"}, []string{tool("node"), in("a.unknown")}, true},
		{"none", Config{Script: "run", Interpreter: "none"}, []string{in("run")}, false},
		{"command", Config{Command: "tool --flag 'a b'", Args: Words{"c"}}, []string{tool("tool"), "--flag", "a b", "c"}, false},
		{"command by path", Config{Command: "./run x"}, []string{in("run"), "x"}, false},
		{"command node", Config{Command: "node a.js"}, []string{tool("node"), "a.js"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.c.Cwd = cwd
			env := map[string]string{"PATH": bin, "NVM_DIR": nvm}
			maps.Copy(env, c.c.Env)
			i, err := commandLine(&c.c, env)
			got, node := i.argv, i.node
			if err != nil || !slices.Equal(got, c.want) || node != c.node {
				t.Errorf("%q, node %v, %v; want %q", got, node, err, c.want)
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
		{"unknown kind with env", Config{Script: "odd"}, "cannot tell what runs odd", "chmod +x odd"},
		{"none but not executable", Config{Script: "a.unknown", Interpreter: "none"}, "not executable", "chmod +x"},
		{"binary that may not run", Config{Script: "binary-plain"}, "not executable", "chmod +x binary-plain"},
		{"tsx without bun", Config{Script: "a.tsx"}, "bun is not on PATH", "Node cannot run .tsx"},
		{"tsx by node", Config{Script: "a.tsx", Interpreter: "node"}, "Node cannot run .tsx", "bun"},
		{"no such node of nvm", Config{Script: "a.js", Interpreter: "node@22"}, "no Node 22 in " + nvm, "nvm install 22"},
		{"node of nvm above its folder", Config{Script: "a.js", Interpreter: "node@../../x"}, "no Node ../../x", "nvm install"},
		{"interpreter not on PATH", Config{Script: "a.js", Interpreter: "bun"}, "bun is not on PATH", "install it"},
		{"interpreter missing", Config{Script: "a.js", Interpreter: "./no/node"}, "does not exist", cwd},
		{"command not on PATH", Config{Command: "nosuch x"}, "nosuch is not on PATH", "install it"},
		{"command not executable", Config{Command: "./a.js"}, "not executable", "chmod +x ./a.js"},
		{"command not closed", Config{Command: "a 'b"}, "cannot split", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.c.Cwd = cwd
			_, err := commandLine(&c.c, map[string]string{"PATH": bin, "NVM_DIR": nvm})
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
	_, err := commandLine(&c, map[string]string{"PATH": empty})
	complaint, ok := errors.AsType[*Complaint](err)
	if !ok || complaint.What != "node is not on PATH" || runtime.GOOS == "linux" && complaint.Hint != "install it: apt-get install nodejs" {
		t.Errorf("%#v", err)
	}
	path := strings.Join([]string{"", ".", empty, full}, string(os.PathListSeparator))
	if i, err := commandLine(&c, map[string]string{"PATH": path}); err != nil || i.argv[0] != filepath.Join(full, "node") {
		t.Errorf("%q, %v", i.argv, err)
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
		i, err := commandLine(&Config{Script: "a.ts", Cwd: dir}, map[string]string{"PATH": dir})
		argv := i.argv
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
