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

	"roost/apps/ecosystem"
	"roost/tls"
)

// Parse reads a config file whose absolute name is file, strictly: TOML, or
// one of PM2's by the ending of its name, where the text of a script is the
// JSON that came of it. env chooses the env_<name> tables of apps. Relative
// folders become absolute against that of the file, and file becomes the
// Source of all that it declares. Slots and ids are left to Merge, and what
// the values mean to Validate; the Config is as complete as can be when there
// are problems, so that Validate can look for more.
func Parse(file string, text []byte, env string) (Config, []Problem) {
	var c Config
	read := readTOML
	if ecosystem.Is(file) {
		read = readForeign
	}
	r, problem := read(file, text)
	if problem != nil {
		return c, []Problem{*problem}
	}
	var problems []Problem
	d := decoder{section: r.section, also: ecosystem.Aliases(), problem: func(path, what, hint string) {
		if from, renamed := r.index.aliases[path]; renamed { // say the key that was written
			what = strings.Replace(what, keyOf(path), keyOf(from), 1)
		}
		r.index.spoiled[path] = true
		problems = append(problems, Problem{File: file, Line: r.index.line(path), What: what, Hint: hint})
	}}
	r.normalise(env, d.problem)
	d.decode("", r.plain, reflect.ValueOf(&c).Elem())
	source, index := SourceOf(file), r.index
	c.Lines = Lines{source: index}

	folder := filepath.Dir(file)
	if !reflect.ValueOf(c.Host).IsZero() {
		c.Host.Source = source
	}
	if c.TLS != (tls.Config{}) {
		c.TLSSource = source
	}
	absolute(folder, &c.TLS.CARoot)
	absolute(folder, &c.TLS.DNS.SecretFile)
	absolute(folder, &c.TLS.EAB.HMACFile)
	absolute(folder, &c.TLS.StorageKeyFile)
	absolute(folder, &c.TLS.StoragePasswordFile)
	for i := range c.Sites {
		s := &c.Sites[i]
		s.Source = source
		index.add("site", s.key(), i)
		absolute(folder, &s.Root)
		absolute(folder, &s.ErrorPages)
		absolute(folder, &s.Cert)
		absolute(folder, &s.Key)
		if s.ClientAuth != nil {
			absolute(folder, &s.ClientAuth.CA)
		}
		for j := range s.Routes {
			absolute(folder, &s.Routes[j].Root)
		}
	}
	for i := range c.Apps {
		a := &c.Apps[i]
		a.Source = source
		index.add("app", a.Name, i)
		if a.Cwd == "" {
			a.Cwd = "."
		}
		absolute(folder, &a.Cwd)
	}
	return c, sortProblems(problems)
}

// reading is a file as plain values in the keys of roost.toml.
type reading struct {
	file    string
	plain   map[string]any
	index   *Index
	foreign bool                     // it is PM2's
	static  int                      // the first of its apps that stands for a folder
	section func(path string) string // how messages call the table at a path
}

func readTOML(file string, text []byte) (*reading, *Problem) {
	r := &reading{file: file, section: sectionOf}
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // as Windows' editors write
	if err := toml.Unmarshal(text, &r.plain); err != nil {
		p := &Problem{File: file, What: err.Error()}
		var syntax *toml.DecodeError
		if errors.As(err, &syntax) {
			line, column := syntax.Position()
			p.Line, p.What = line, fmt.Sprintf("column %d: %s", column, strings.TrimPrefix(syntax.Error(), "toml: "))
			p.Hint = "correct the TOML syntax"
		}
		return nil, p
	}
	r.index = readIndex(text)
	return r, nil
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
