package ecosystem

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// The bounds of an evaluation.
const (
	evaluateLimit = 5 * time.Second
	maxSaid       = 64 << 10 // bytes of its output that are passed on
)

//go:embed evaluate.js
var evaluateScript string

// Evaluate has Node run a script and returns what it exports (module.exports
// or export default; a function is called, a promise awaited) as JSON. It
// runs in the file's folder with this process's rights and environment, 5 s at
// most. What it writes goes to said, which may be nil, cut off at 64 KiB.
// Errors about the script are *Error.
func Evaluate(ctx context.Context, file string, said io.Writer) ([]byte, error) {
	node, err := findNode(filepath.Dir(file))
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "roost-config-")
	if err != nil {
		return nil, fmt.Errorf("cannot evaluate %s: %w", file, err)
	}
	defer os.RemoveAll(dir)
	answer := filepath.Join(dir, "answer.json")

	bounded, cancel := context.WithTimeout(ctx, evaluateLimit)
	defer cancel()
	cmd := exec.CommandContext(bounded, node, "--no-warnings", "-e", evaluateScript, file, answer)
	cmd.Dir = filepath.Dir(file)
	if said == nil {
		said = io.Discard
	}
	out := &limited{to: said, left: maxSaid}
	cmd.Stdout, cmd.Stderr = out, out
	ownGroup(cmd)
	cmd.Cancel = func() error { return killTree(cmd.Process.Pid) }
	cmd.WaitDelay = time.Second // what it has started may hold its output open
	err = cmd.Run()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case bounded.Err() != nil:
		return nil, &Error{What: fmt.Sprintf("the file has not ended after %v", evaluateLimit), Hint: "a config file must not wait for anything for long"}
	}
	return readAnswer(file, answer, err)
}

// readAnswer takes what evaluate.js has written; ended is how it ended.
func readAnswer(file, answer string, ended error) ([]byte, error) {
	text, err := os.ReadFile(answer)
	var told struct {
		Value json.RawMessage
		Error *struct {
			What, Hint, Code, File string
			Line, Column           int
		}
	}
	if err != nil || json.Unmarshal(text, &told) != nil || told.Value == nil && told.Error == nil {
		return nil, &Error{What: fmt.Sprintf("node ended before the file had exported anything (%v)", ended), Hint: "try it: node " + file}
	}
	if told.Error == nil {
		return told.Value, nil
	}
	e := &Error{What: told.Error.What, Hint: told.Error.Hint, Line: told.Error.Line, Column: told.Error.Column}
	if real, err := filepath.EvalSymlinks(file); told.Error.File != file && (err != nil || told.Error.File != real) {
		e.File = told.Error.File
	}
	switch told.Error.Code {
	case "MODULE_NOT_FOUND", "ERR_MODULE_NOT_FOUND":
		e.Hint = "install it: npm install"
	case "ERR_UNKNOWN_FILE_EXTENSION":
		e.Hint = "TypeScript needs Node 22.18 or newer"
	}
	if strings.Contains(e.What, "'export'") || strings.Contains(e.What, "import statement") {
		e.Hint = "this Node wants the ending .mjs for a file with import and export"
	}
	return nil, e
}

// findNode finds the project's own node: that of the nearest node_modules,
// else of PATH.
func findNode(folder string) (string, error) {
	for {
		if node, err := exec.LookPath(filepath.Join(folder, "node_modules", ".bin", "node")); err == nil {
			return node, nil
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			break
		}
		folder = parent
	}
	node, err := exec.LookPath("node")
	if err == nil {
		node, err = filepath.Abs(node)
	}
	if err != nil {
		return "", &Error{What: "node is not on PATH, and this file is JavaScript", Hint: "install it: apt-get install nodejs; or write the file as JSON, YAML or roost.toml"}
	}
	return node, nil
}

// limited passes on so many bytes and swallows the rest.
type limited struct {
	to   io.Writer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	n := len(p)
	if l.left == 0 {
		return n, nil
	}
	if len(p) >= l.left {
		p = append(p[:l.left:l.left], "\n… and more\n"...)
		l.left = len(p)
	}
	_, err := l.to.Write(p)
	l.left = max(l.left-len(p), 0)
	return n, err
}
