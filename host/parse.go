package host

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"roost/tls"
)

// Parse reads a config file (TOML, strictly) whose absolute name is file.
// Relative folders become absolute against that of the file, and file becomes
// the Source of all that it declares. Slots and ids are left to Merge, and
// what the values mean to Validate; the Config is as complete as can be when
// there are problems, so that Validate can look for more.
func Parse(file string, text []byte, env string) (Config, []Problem) {
	var c Config
	var problems []Problem
	var plain map[string]any
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // as Windows' editors write
	if err := toml.Unmarshal(text, &plain); err != nil {
		p := Problem{File: file, What: err.Error()}
		var syntax *toml.DecodeError
		if errors.As(err, &syntax) {
			line, column := syntax.Position()
			p.Line, p.What = line, fmt.Sprintf("column %d: %s", column, strings.TrimPrefix(syntax.Error(), "toml: "))
			p.Hint = "correct the TOML syntax"
		}
		return c, []Problem{p}
	}
	index := readIndex(text)
	d := decoder{problem: func(path, what, hint string) {
		index.spoiled[path] = true
		problems = append(problems, Problem{File: file, Line: index.line(path), What: what, Hint: hint})
	}}
	d.decode("", plain, reflect.ValueOf(&c).Elem())
	c.Lines = Lines{file: index}

	folder := filepath.Dir(file)
	if c.Host != (Listen{}) {
		c.Host.Source = file
	}
	if c.TLS != (tls.Config{}) {
		c.TLSSource = file
	}
	absolute(folder, &c.TLS.CARoot)
	for i := range c.Sites {
		s := &c.Sites[i]
		s.Source = file
		index.add("site", s.key(), i)
		absolute(folder, &s.Root)
		absolute(folder, &s.ErrorPages)
		for j := range s.Routes {
			absolute(folder, &s.Routes[j].Root)
		}
	}
	for i := range c.Apps {
		a := &c.Apps[i]
		a.Source = file
		index.add("app", a.Name, i)
		if a.Cwd == "" {
			a.Cwd = "."
		}
		absolute(folder, &a.Cwd)
	}
	return c, sortProblems(problems)
}

// Check reads and validates a file by itself: all its problems at once.
func Check(file string, text []byte, env string) (Config, []Problem) {
	c, problems := Parse(file, text, env)
	if c.Lines == nil { // a syntax error: nothing to look at
		return c, problems
	}
	return c, sortProblems(append(problems, Validate(c)...))
}

// add notes that the i-th item of a kind has this name.
func (x *Index) add(kind, name string, i int) {
	key := [2]string{kind, name}
	x.items[key] = append(x.items[key], join(kind, strconv.Itoa(i)))
}

func absolute(folder string, name *string) {
	if *name != "" && !filepath.IsAbs(*name) {
		*name = filepath.Join(folder, *name)
	}
}

// with returns lines and those of others; the others' win.
func (l Lines) with(others Lines) Lines {
	all := maps.Clone(l)
	if all == nil {
		all = Lines{}
	}
	maps.Copy(all, others)
	return all
}
