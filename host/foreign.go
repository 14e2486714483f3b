package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"roost/apps/ecosystem"
)

// Load reads the text of a config file for Parse with this process's rights; a
// script is evaluated, and what it writes goes to said, which may be nil.
// Errors about the file are Problems.
func Load(ctx context.Context, file string, said io.Writer) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err == nil && ecosystem.IsScript(file) {
		text, err = ecosystem.Evaluate(ctx, file, said)
	}
	wrong, ok := errors.AsType[*ecosystem.Error](err)
	switch unread, isPath := errors.AsType[*fs.PathError](err); {
	case ok:
		return nil, Problems{foreignProblem(file, wrong)}
	case isPath:
		return nil, Problems{{File: file, What: "cannot read the file: " + unread.Err.Error()}}
	}
	return text, err
}

// mostInput bounds what is read of standard input, in bytes.
const mostInput = 2 << 20

// LoadWord is Load of what a word of a command line names, as an absolute path;
// "-" is in, standard input. Where nothing is there it is fs.ErrNotExist.
func LoadWord(ctx context.Context, word string, in io.Reader, said io.Writer) (file string, text []byte, err error) {
	if file, err = filepath.Abs(word); err != nil {
		return "", nil, fmt.Errorf("cannot find %s: %w", word, err)
	}
	if word == "-" {
		text, err = io.ReadAll(io.LimitReader(in, mostInput))
	} else if _, err = os.Stat(file); err == nil {
		text, err = Load(ctx, file, said)
	}
	return file, text, err
}

// readForeign reads a file of PM2's: its apps become those of [[app]], as do
// the servers of its folders, which come last.
func readForeign(file string, text []byte) (*reading, *Problem) {
	doc, err := ecosystem.Read(file, text)
	if err == nil && ecosystem.IsScript(file) {
		doc.Lines = nil // those of the JSON that came of it, which nobody has written
	}
	var declared ecosystem.Declared
	if err == nil {
		declared, err = doc.Declared(file)
	}
	if err != nil {
		p := foreignProblem(file, err)
		return nil, &p
	}
	r := &reading{file: file, plain: map[string]any{}, index: newIndex(), foreign: true, section: foreignSection}
	paths := map[string]string{} // of items in the document, to those in plain
	var programs []any
	for _, item := range slices.Concat(declared.Apps, declared.Static) {
		paths[item.Path] = join("app", strconv.Itoa(len(programs)))
		programs = append(programs, item.Table)
	}
	r.plain["app"], r.static = programs, len(declared.Apps)
	for path, line := range doc.Lines {
		for item := path; ; {
			if to, ok := paths[item]; ok {
				r.index.lines[strings.TrimSuffix(join(to, strings.TrimPrefix(path[len(item):], ".")), ".")] = line
				break
			}
			if item == "" {
				break
			}
			item = item[:max(strings.LastIndexByte(item, '.'), 0)]
		}
	}
	return r, nil
}

// foreignProblem is what package ecosystem has found wrong with a file.
func foreignProblem(file string, err error) Problem {
	p := Problem{File: file, What: err.Error()}
	if e, ok := errors.AsType[*ecosystem.Error](err); ok {
		p.Line, p.Hint = e.Line, e.Hint
		if e.File != "" { // a module that the file loads
			p.File, p.What = e.File, fmt.Sprintf("%s (loaded by %s)", e.Error(), file)
		}
	}
	return p
}

// foreignSection calls the tables of PM2's files.
func foreignSection(path string) string {
	if strings.Count(path, ".") > 1 {
		return keyOf(path)
	}
	return "an app"
}

// normalise gives apps, and folders of PM2's, the keys of [[app]].
func (r *reading) normalise(env string, problem func(path, what, hint string)) {
	var idle, envs, without, notes []string
	replace := func(path string, n ecosystem.Normalised) map[string]any {
		for to, from := range n.From {
			r.index.aliases[join(path, to)] = join(path, from)
		}
		for _, p := range n.Problems {
			problem(join(path, p.Key), p.What, p.Hint)
		}
		idle = append(idle, n.Idle...)
		return n.Table
	}
	programs, _ := r.plain["app"].([]any)
	for i, e := range programs {
		if table, ok := e.(map[string]any); ok {
			o, normal := ecosystem.Options{Env: env, Folder: filepath.Dir(r.file), Foreign: r.foreign}, ecosystem.Normal
			if r.foreign && i >= r.static {
				o.Env, normal = "", ecosystem.Static
			}
			n := normal(table, o)
			programs[i] = replace(join("app", strconv.Itoa(i)), n)
			envs = append(envs, n.Envs...)
			if name, _ := n.Table["name"].(string); o.Env != "" && !slices.Contains(n.Envs, env) {
				without = append(without, name)
			}
		}
	}
	if len(without) > 0 {
		note := fmt.Sprintf("there is no env_%s in %s", env, strings.Join(without, ", "))
		if hint := didYouMean(env, envs); hint != "" && !slices.Contains(envs, env) {
			note += ": " + hint
		}
		notes = append(notes, note)
	}
	if len(idle) > 0 {
		slices.Sort(idle)
		notes = append(notes, fmt.Sprintf("nothing to do here for %s: ignored", strings.Join(slices.Compact(idle), ", ")))
	}
	r.index.notes = notes
	maps.DeleteFunc(r.plain, func(_ string, v any) bool { list, ok := v.([]any); return ok && list == nil })
}
