package apps

import (
	"os"
	"os/exec"
	"path/filepath"
)

// resolveInterpreter says what runs c.Script: the interpreter's absolute path
// and the arguments before the script, or "" when the script, or the command,
// runs by itself. node says that Node does.
func resolveInterpreter(c Config) (argv0 string, args []string, node bool, err error) {
	if c.Script == "" || c.Interpreter == "none" {
		return "", nil, false, nil
	}
	name := c.Interpreter
	if name == "" {
		switch filepath.Ext(c.Script) {
		case ".js", ".cjs", ".mjs", ".ts":
			name = "node"
		case ".py":
			name = "python3"
		case ".sh":
			name = "bash"
		default:
			return "", nil, false, nil
		}
	}
	argv0, err = exec.LookPath(name)
	return argv0, c.NodeArgs, filepath.Base(name) == "node", err
}

// commandLine is the whole of what an instance of c runs; argv[0] is an
// absolute path, looked for in searchPath (os.PathListSeparator between).
func commandLine(c Config, searchPath string) (argv []string, node bool, err error) {
	argv0, args, node, err := resolveInterpreter(c)
	if err != nil {
		return nil, false, err
	}
	if c.Script != "" {
		script := c.Script
		if !filepath.IsAbs(script) {
			script = filepath.Join(c.Cwd, script)
		}
		if argv0 != "" {
			argv = append([]string{argv0}, args...)
		}
		return append(append(argv, script), c.Args...), node, nil
	}
	var words Words
	if err := words.Decode(c.Command); err != nil {
		return nil, false, err
	}
	if len(words) == 0 {
		return nil, false, os.ErrNotExist
	}
	if words[0], err = exec.LookPath(words[0]); err != nil {
		return nil, false, err
	}
	return append(words, c.Args...), false, nil
}
