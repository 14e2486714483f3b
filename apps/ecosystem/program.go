package ecosystem

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"unicode"

	"github.com/google/shlex"
)

// program makes a command of a script that is none: as in PM2, what has spaces
// is a command line, and what is no file is a program of PATH.
func (n *normaliser) program() {
	t := n.out.Table
	script, ok := t["script"].(string)
	if !ok || t["command"] != nil {
		return
	}
	interpreter, _ := t["interpreter"].(string)
	if interpreter != "" && interpreter != "none" || n.exists(script) {
		return
	}
	switch {
	case strings.ContainsAny(script, " \t"):
		t["command"] = Command(script)
	case script != "" && !strings.ContainsAny(script, `/\`) && !slices.Contains(scriptEndings, filepath.Ext(script)):
		t["command"] = Quote(script)
	default:
		return
	}
	n.out.From["command"] = n.written("script")
	delete(n.out.From, "script")
	delete(t, "script")
	delete(t, "interpreter")
}

// exists reports whether script is a file in the app's folder.
func (n *normaliser) exists(script string) bool {
	cwd, _ := n.out.Table["cwd"].(string)
	for _, folder := range []string{cwd, n.o.Folder} {
		if !filepath.IsAbs(script) {
			script = filepath.Join(folder, script)
		}
	}
	_, err := os.Stat(script)
	return !errors.Is(err, fs.ErrNotExist)
}

// name gives the app the name of its program where it has none, and what PM2
// adds to names.
func (n *normaliser) name() {
	t := n.out.Table
	prefix, tail := "", ""
	if p, ok := t["name_prefix"].(string); ok {
		prefix = p + ":"
	} else if p := t["name_prefix"]; p != nil {
		n.wrong("name_prefix", n.written("name_prefix")+" wants a text, not "+nameOf(p), "put it in quotes")
	}
	delete(t, "name_prefix")
	if n.flag("append_env_to_name") && n.o.Env != "" {
		tail = "-" + n.o.Env
	}
	name, ok := t["name"].(string)
	if t["name"] != nil && !ok {
		return // the reader says so
	}
	if name == "" {
		name, _ = t["script"].(string)
		if words, err := shlex.Split(textOr(t["command"])); name == "" && err == nil && len(words) > 0 {
			name = words[0]
		}
		name = Name(name)
	}
	if name != "" {
		t["name"] = prefix + name + tail
	}
}

func textOr(v any) string {
	s, _ := v.(string)
	return s
}

// scriptEndings are those that only files have. An app may be called "web.v2".
var scriptEndings = []string{".js", ".cjs", ".mjs", ".ts", ".py", ".sh", ".rb", ".php", ".pl", ".exe"}

// HasScriptEnding reports whether a word ends as only scripts do.
func HasScriptEnding(word string) bool { return slices.Contains(scriptEndings, filepath.Ext(word)) }

// Name makes an app's name of a script's or a program's path: its last part
// without an ending, and only what can be seen.
func Name(path string) string {
	if path == "" {
		return ""
	}
	base := filepath.Base(path)
	if HasScriptEnding(base) {
		base = strings.TrimSuffix(base, filepath.Ext(base))
	}
	name := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '-'
	}, base)
	return strings.Trim(name, "-. ")
}

// Command is a command line as an app's command, which runs without a shell:
// one that needs a shell gets it, as in PM2.
func Command(line string) string {
	if runtime.GOOS != "windows" && strings.ContainsAny(line, "|&;<>$`*?~(){}") {
		return "sh -c " + Quote(line)
	}
	return line
}

// Quote quotes a word for a POSIX shell where it needs it.
func Quote(word string) string {
	if word != "" && !strings.ContainsFunc(word, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-", r) && (r < 0x80 || !unicode.In(r, unicode.L, unicode.M, unicode.N))
	}) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
