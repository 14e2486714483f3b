package apps

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// interpreters says what runs a script by its extension; the first that is
// found is taken. No interpreter: the file runs itself.
var interpreters = map[string][]string{
	".js":     {"node"},
	".cjs":    {"node"},
	".mjs":    {"node"},
	".ts":     {"bun", "node"},
	".mts":    {"bun", "node"},
	".cts":    {"bun", "node"},
	".tsx":    {"bun"},
	".coffee": {"coffee"},
	".ls":     {"lsc"},
	".py":     {"python3", "python"},
	".sh":     {"bash", "sh"},
	".rb":     {"ruby"},
	".php":    {"php"},
	".pl":     {"perl"},
	".exe":    nil,
	".bat":    nil,
	".cmd":    nil,
}

// runner is what runs a script.
type runner struct {
	argv []string // before the script; none when it runs by itself
	node bool
}

// runnerOf says what runs script: c's own choice, else the script's
// extension, else what it holds: a program runs by itself, else its first line
// tells, else it is one if it may be run, else it is for Node, as in PM2.
func runnerOf(c *Config, script, cwd string, env map[string]string) (runner, error) {
	if c.Interpreter == "none" {
		return itself(c, script, cwd)
	}
	if version, ok := strings.CutPrefix(c.Interpreter, "node@"); ok {
		path, err := nvmNode(version, env)
		if err != nil {
			return runner{}, err
		}
		return nodeRunner(c, path, script, nil)
	}
	if c.Interpreter != "" {
		return firstOf(c, "interpreter", []string{c.Interpreter}, nil, script, cwd, env)
	}
	names, known := interpreters[extension(script)]
	switch {
	case known && names == nil:
		return runner{}, nil
	case known:
		return firstOf(c, "script", names, nil, script, cwd, env)
	case isBinary(script):
		return itself(c, script, cwd)
	}
	line, err := firstLine(script)
	if err != nil {
		return runner{}, missingScript(c.Script, cwd, err)
	}
	words := shebang(line)
	switch {
	case len(words) > 0 && (isNode(words[0]) || !executable(script)):
		return firstOf(c, "script", words[:1], words[1:], script, cwd, env)
	case executable(script):
		return runner{}, nil
	case strings.HasPrefix(line, "#!"):
		return runner{}, &Complaint{"interpreter", fmt.Sprintf("cannot tell what runs %s", c.Script),
			`set interpreter, or make it a program: chmod +x ` + c.Script}
	}
	return firstOf(c, "script", []string{"node"}, nil, script, cwd, env)
}

// itself is for a script that is a program.
func itself(c *Config, script, cwd string) (runner, error) {
	if !executable(script) {
		return runner{}, notFound("script", c.Script, cwd, fs.ErrPermission)
	}
	return runner{}, nil
}

// firstOf is the first of the interpreters with these names that is there.
func firstOf(c *Config, key string, names, args []string, script, cwd string, env map[string]string) (runner, error) {
	var missing error
	for _, name := range names {
		path, err := lookPath(name, cwd, env["PATH"])
		if err != nil {
			missing = err
			continue
		}
		if isNode(name) {
			return nodeRunner(c, path, script, args)
		}
		return runner{argv: slices.Concat([]string{path}, args, extraOf(c, name))}, nil
	}
	complaint := notFound(key, names[len(names)-1], cwd, missing)
	if extension(script) == ".tsx" && c.Interpreter == "" {
		complaint.Hint = `install Bun, or set interpreter = "tsx", or compile to JavaScript: Node cannot run .tsx`
	}
	return runner{}, complaint
}

func nodeRunner(c *Config, path, script string, args []string) (runner, error) {
	flags, err := typeScriptFlags(path, script)
	return runner{argv: slices.Concat([]string{path}, flags, args, extraOf(c, path)), node: true}, err
}

func extension(path string) string { return strings.ToLower(filepath.Ext(path)) }

// firstLine reads the first line of a file, 255 bytes at most (the kernel
// reads as many, see execve(2)).
func firstLine(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	line, _ := bufio.NewReaderSize(f, 256).ReadSlice('\n')
	return string(line), nil
}

// shebang returns the interpreter that a first line names, with its
// arguments; env(1) is seen through. None when there is no such line.
func shebang(line string) []string {
	rest, ok := strings.CutPrefix(line, "#!")
	if !ok {
		return nil
	}
	words := strings.Fields(rest)
	if len(words) > 1 && filepath.Base(words[0]) == "env" {
		words = words[1:]
		if words[0] == "-S" || words[0] == "--split-string" {
			words = words[1:]
		}
		if len(words) > 0 && (strings.HasPrefix(words[0], "-") || strings.Contains(words[0], "=")) {
			return nil // left to env
		}
	}
	return words
}

// isBinary reports whether a file holds a program: it begins as ELF, PE or Mach-O does.
func isBinary(path string) bool {
	line, err := firstLine(path)
	if err != nil || len(line) < 4 {
		return false
	}
	switch line[:4] {
	case "\x7fELF", "\xfe\xed\xfa\xce", "\xfe\xed\xfa\xcf", "\xce\xfa\xed\xfe", "\xcf\xfa\xed\xfe":
		return true
	case "\xca\xfe\xba\xbe": // Mach-O for several processors, whose number follows; or a Java class, with its version
		return len(line) >= 8 && line[4:7] == "\x00\x00\x00" && line[7] < 30
	}
	return strings.HasPrefix(line, "MZ") && strings.ContainsRune(line, 0)
}

// runsNode reports whether w's program is Node, as commandLine would find; a
// program that does not exist is taken by its name.
func runsNode(w *Wanted) bool {
	c := &w.Config
	if c.Script == "" {
		var words Words
		return words.Decode(c.Command) == nil && len(words) > 0 && foundNode(w, words[0])
	}
	if c.Interpreter != "" {
		return isNode(c.Interpreter)
	}
	if names, known := interpreters[extension(c.Script)]; known {
		if len(names) > 1 && slices.ContainsFunc(names, isNode) {
			path := guessEnv(w)["PATH"]
			for _, name := range names {
				if _, err := lookPath(name, c.Cwd, path); err == nil {
					return isNode(name)
				}
			}
		}
		return slices.ContainsFunc(names, isNode)
	}
	script := seenFrom(c.Cwd, c.Script)
	if _, err := os.Stat(script); err != nil {
		return foundNode(w, c.Script)
	}
	line, err := firstLine(script)
	return isNodeProgram(script) || err == nil && !strings.HasPrefix(line, "#!") && !isBinary(script) && !executable(script)
}

// foundNode reports whether Node, or a script of it, is what PATH finds by that name.
func foundNode(w *Wanted, name string) bool {
	path, err := lookPath(name, w.Cwd, guessEnv(w)["PATH"])
	if err != nil {
		return isNode(name)
	}
	return isNodeProgram(path)
}

// InterpreterOf is the usual program for a script with this extension; "none"
// when there is none, or the script runs itself.
func InterpreterOf(script string) string {
	if names := interpreters[extension(script)]; len(names) > 0 {
		return names[0]
	}
	return "none"
}
