package apps

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"roost/apps/node"
)

// invocation is how a program is started.
type invocation struct {
	argv []string // argv[0] is an absolute path
	at   int      // where in argv the script is; 0: there is none but the program
	node bool     // it is Node
}

// commandLine finds what an instance of c runs in the environment env, anew
// each time. Errors are Complaints.
func commandLine(c *Config, env map[string]string) (invocation, error) {
	cwd, err := workingDir(c)
	if err != nil {
		return invocation{}, err
	}
	if c.Script == "" {
		return splitCommand(c, cwd, env["PATH"])
	}
	script := seenFrom(cwd, c.Script)
	switch info, err := os.Stat(script); {
	case errors.Is(err, fs.ErrNotExist) && filepath.Base(c.Script) == c.Script && (c.Interpreter == "" || c.Interpreter == "none"):
		// a program that PATH finds, such as "npm", as in PM2
		if path, e := lookPath(c.Script, cwd, env["PATH"]); e == nil {
			return invocation{argv: append([]string{path}, c.Args...), node: isNodeProgram(path)}.mapped(c), nil
		}
		return invocation{}, missingScript(c.Script, cwd, err)
	case err != nil:
		return invocation{}, missingScript(c.Script, cwd, err)
	case info.IsDir():
		return invocation{}, missingScript(c.Script, cwd, errIsFolder)
	}
	r, err := runnerOf(c, script, cwd, env)
	if err != nil {
		return invocation{}, err
	}
	i := invocation{argv: append(slices.Clone(r.argv), script), at: len(r.argv), node: r.node}
	i.argv = append(i.argv, c.Args...)
	return i.mapped(c), nil
}

// mapped has Node map the lines of stack traces, where that is wanted.
func (i invocation) mapped(c *Config) invocation {
	if i.node && isNode(i.argv[0]) && c.SourceMapSupport != nil && *c.SourceMapSupport {
		i.argv = slices.Insert(i.argv, 1, "--enable-source-maps")
		if i.at > 0 {
			i.at++
		}
	}
	return i
}

// launches reports whether a Node program only starts another, as npm does.
func (i invocation) launches() bool { return node.Launches(i.argv[i.at]) }

// python reports whether Python runs, by its name or because the program says
// so in its first line.
func (i invocation) python() bool {
	is := func(name string) bool { return strings.HasPrefix(filepath.Base(name), "python") }
	if is(i.argv[0]) {
		return true
	}
	line, err := firstLine(i.argv[0])
	words := shebang(line)
	return err == nil && len(words) > 0 && is(words[0])
}

// workingDir is the folder that c runs in, which exists.
func workingDir(c *Config) (string, error) {
	if c.Cwd == "" {
		return os.Getwd()
	}
	switch info, err := os.Stat(c.Cwd); {
	case errors.Is(err, fs.ErrNotExist):
		return "", &Complaint{"cwd", fmt.Sprintf("folder %s does not exist", c.Cwd), "create it: mkdir -p " + c.Cwd}
	case err != nil:
		return "", &Complaint{"cwd", fmt.Sprintf("cannot read folder %s: %v", c.Cwd, cause(err)), "check its permissions"}
	case !info.IsDir():
		return "", &Complaint{"cwd", fmt.Sprintf("%s is not a folder", c.Cwd), "name the folder: " + filepath.Dir(c.Cwd)}
	}
	return filepath.Abs(c.Cwd)
}

func splitCommand(c *Config, cwd, searchPath string) (invocation, error) {
	var words Words
	if err := words.Decode(c.Command); err != nil {
		return invocation{}, &Complaint{Key: "command", What: err.Error()}
	}
	if len(words) == 0 {
		return invocation{}, &Complaint{Key: "command", What: "neither script nor command says what to run", Hint: `set script = "server.js" or command = "./server --flag"`}
	}
	path, err := lookPath(words[0], cwd, searchPath)
	if err != nil {
		return invocation{}, notFound("command", words[0], cwd, err)
	}
	return invocation{argv: append(append([]string{path}, words[1:]...), c.Args...), node: isNodeProgram(path)}.mapped(c), nil
}

// extraOf are the arguments of c's that an interpreter of that name gets
// before the script.
func extraOf(c *Config, name string) []string {
	args := slices.Clone([]string(c.NodeArgs))
	if base := baseName(name); base == "deno" && (len(args) == 0 || strings.HasPrefix(args[0], "-")) {
		if len(args) == 0 {
			args = []string{"-A"} // nobody is there to be asked for permissions
		}
		args = append([]string{"run"}, args...)
	}
	return args
}

// baseName is the name of a program without its folder and ".exe".
func baseName(name string) string {
	return strings.TrimSuffix(strings.ToLower(filepath.Base(name)), ".exe")
}

// isNode reports whether a program of that name is Node; "node@20" is as well.
func isNode(name string) bool {
	base, _, _ := strings.Cut(baseName(name), "@")
	return base == "node" || base == "nodejs"
}

// isNodeProgram reports whether the program at path is Node, or a script that
// says in its first line that Node runs it, such as npm.
func isNodeProgram(path string) bool {
	if isNode(path) {
		return true
	}
	line, err := firstLine(path)
	words := shebang(line)
	return err == nil && len(words) > 0 && isNode(words[0])
}

var errIsFolder = errors.New("is a folder")

// guessEnv is the environment in which the program of w is looked for before an
// instance of it starts.
func guessEnv(w *Wanted) map[string]string {
	all, _ := layers(os.Environ(), w, nil) // a file that cannot be read fails the start
	env := join(all)
	if who, err := lookupAccount(w.User, w.Group); err == nil {
		maps.Copy(env, who.environ())
		maps.Copy(env, declared(all))
	}
	return env
}
