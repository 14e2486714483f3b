package apps

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// interpreters says what runs a script by its extension; the first that is
// found is taken. No interpreter: the file runs itself.
var interpreters = map[string][]string{
	".js":  {"node"},
	".cjs": {"node"},
	".mjs": {"node"},
	".ts":  {"node"},
	".mts": {"node"},
	".cts": {"node"},
	".py":  {"python3", "python"},
	".sh":  {"bash", "sh"},
	".rb":  {"ruby"},
	".php": {"php"},
	".pl":  {"perl"},
	".exe": nil,
	".bat": nil,
	".cmd": nil,
}

// commandLine is the whole of what an instance of c runs and says whether that
// is Node. argv[0] is an absolute path, looked for anew each time, in the
// folders of searchPath (as in PATH). Errors are Complaints.
func commandLine(c Config, searchPath string) (argv []string, node bool, err error) {
	cwd, err := workingDir(c)
	if err != nil {
		return nil, false, err
	}
	if c.Script == "" {
		return splitCommand(c, cwd, searchPath)
	}
	script := c.Script
	if !filepath.IsAbs(script) {
		script = filepath.Join(cwd, script)
	}
	if info, err := os.Stat(script); err != nil {
		return nil, false, missingScript(c.Script, cwd, err)
	} else if info.IsDir() {
		return nil, false, missingScript(c.Script, cwd, errIsFolder)
	}
	argv0, args, node, err := interpreterOf(c, script, cwd, searchPath)
	if err != nil {
		return nil, false, err
	}
	if argv0 != "" {
		argv = append([]string{argv0}, args...)
	}
	return append(append(argv, script), c.Args...), node, nil
}

// resolveInterpreter says what runs c.Script: the interpreter's absolute path
// and the arguments before the script, or "" when the script, or the command,
// runs by itself. It looks in the PATH of c's Env, else in the program's own.
func resolveInterpreter(c Config) (argv0 string, args []string, node bool, err error) {
	searchPath, ok := c.Env["PATH"]
	if !ok {
		searchPath = os.Getenv("PATH")
	}
	argv, node, err := commandLine(c, searchPath)
	if err != nil || c.Script == "" {
		return "", nil, node, err
	}
	argv = argv[:len(argv)-1-len(c.Args)]
	if len(argv) == 0 {
		return "", nil, false, nil
	}
	return argv[0], argv[1:], node, nil
}

func workingDir(c Config) (string, error) {
	if c.Cwd == "" {
		return os.Getwd()
	}
	return filepath.Abs(c.Cwd)
}

func splitCommand(c Config, cwd, searchPath string) ([]string, bool, error) {
	var words Words
	if err := words.Decode(c.Command); err != nil {
		return nil, false, &Complaint{Key: "command", What: err.Error()}
	}
	if len(words) == 0 {
		return nil, false, &Complaint{Key: "command", What: "neither script nor command says what to run", Hint: `set script = "server.js" or command = "./server --flag"`}
	}
	path, err := lookPath(words[0], cwd, searchPath)
	if err != nil {
		return nil, false, notFound("command", words[0], cwd, err)
	}
	return append(append([]string{path}, words[1:]...), c.Args...), isNode(words[0]), nil
}

// interpreterOf says what runs script: c's own choice, else the script's
// extension, else its first line, else itself.
func interpreterOf(c Config, script, cwd, searchPath string) (argv0 string, args []string, node bool, err error) {
	key, names := "interpreter", []string{c.Interpreter}
	switch c.Interpreter {
	case "none":
		if !executable(script) {
			return "", nil, false, notFound("script", c.Script, cwd, fs.ErrPermission)
		}
		return "", nil, false, nil
	case "":
		ext := strings.ToLower(filepath.Ext(script))
		var known bool
		key = "script"
		if names, known = interpreters[ext]; known && names == nil {
			return "", nil, false, nil
		} else if !known {
			line, err := firstLine(script)
			if err != nil {
				return "", nil, false, missingScript(c.Script, cwd, err)
			}
			words := shebang(line)
			switch {
			case len(words) > 0 && (isNode(words[0]) || !executable(script)):
				names, args = words[:1], words[1:]
			case executable(script):
				return "", nil, false, nil
			default:
				return "", nil, false, &Complaint{"interpreter", fmt.Sprintf("cannot tell what runs %s", c.Script),
					`set interpreter, or make it a program: chmod +x ` + c.Script}
			}
		}
	}
	for _, name := range names {
		if argv0, err = lookPath(name, cwd, searchPath); err != nil {
			continue
		}
		node = isNode(name)
		args = append(args, c.NodeArgs...)
		if node && slices.Contains([]string{".ts", ".mts", ".cts"}, strings.ToLower(filepath.Ext(script))) {
			var flags []string
			if flags, err = typeScriptFlags(argv0); err != nil {
				return "", nil, false, err
			}
			args = append(flags, args...)
		}
		return argv0, args, node, nil
	}
	return "", nil, false, notFound(key, names[0], cwd, err)
}

// isNode reports whether a program of that name is Node.
func isNode(name string) bool {
	base := strings.TrimSuffix(strings.ToLower(filepath.Base(name)), ".exe")
	return base == "node" || base == "nodejs"
}

var errIsFolder = errors.New("is a folder")

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

// typeScriptFlags are what lets this Node run TypeScript: nothing from 22.18
// and 23.6 on, a flag from 22.6 on.
func typeScriptFlags(node string) ([]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, node, "--version").Output()
	if err != nil {
		return nil, &Complaint{"interpreter", fmt.Sprintf("cannot ask %s for its version: %v", node, err), "check that it runs"}
	}
	version := strings.TrimSpace(string(out))
	var major, minor int
	fmt.Sscanf(version, "v%d.%d", &major, &minor)
	switch {
	case major > 23, major == 23 && minor >= 6, major == 22 && minor >= 18:
		return nil, nil
	case major == 23, major == 22 && minor >= 6:
		return []string{"--experimental-strip-types"}, nil
	}
	return nil, &Complaint{"interpreter", fmt.Sprintf("node %s cannot run TypeScript", version),
		`install Node 22.6 or newer, or set interpreter = "tsx", or compile to JavaScript`}
}
