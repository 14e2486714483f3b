package apps

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/joho/godotenv"
)

// maxEnvFile is how large a file of variables may be, in bytes. An environment
// has hardly room for more (128 KiB for a value on Linux, see execve(2)).
const maxEnvFile = 256 << 10

// envFiles reads the files that c names, each as a layer. Errors are Complaints.
func envFiles(c *Config) (layers []layer, err error) {
	for _, name := range c.EnvFile {
		l, err := envFile(c, name)
		if err != nil {
			return layers, err
		}
		if l.vars != nil {
			layers = append(layers, l)
		}
	}
	return layers, nil
}

// envFile is one of the files; a layer without variables when it is missing and may be.
func envFile(c *Config, name string) (layer, error) {
	path, optional := strings.CutSuffix(name, "?")
	path = seenFrom(c.Cwd, path)
	vars, err := readEnvFile(path)
	switch {
	case err == nil:
		return layer{path, vars}, nil
	case errors.Is(err, fs.ErrNotExist) && optional:
		return layer{}, nil
	case errors.Is(err, fs.ErrNotExist):
		err = &Complaint{"env_file", fmt.Sprintf("env_file %s does not exist", path), fmt.Sprintf("create it, or write %q when it may be missing", name+"?")}
	}
	return layer{}, err
}

// readEnvFile reads lines of KEY=value as dotenv does: "export" in front,
// comments, quotes, values of several lines in quotes; $NAME stands for a
// variable of the same file, but not in single quotes. What is not a Complaint
// in an error is fs.ErrNotExist. Values are never part of an error.
func readEnvFile(path string) (map[string]string, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fs.ErrNotExist
	case err != nil:
		return nil, &Complaint{"env_file", fmt.Sprintf("cannot read env_file %s: %v", path, cause(err)), "check its permissions"}
	case !info.Mode().IsRegular():
		return nil, &Complaint{"env_file", fmt.Sprintf("env_file %s is not a file", path), "name a file with lines of KEY=value"}
	case info.Size() > maxEnvFile:
		return nil, &Complaint{"env_file", fmt.Sprintf("env_file %s has %d bytes: %d at most", path, info.Size(), maxEnvFile), "name a file with lines of KEY=value"}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, &Complaint{"env_file", fmt.Sprintf("cannot read env_file %s: %v", path, cause(err)), "check its permissions"}
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if n := swollenLine(text); n > 0 {
		return nil, &Complaint{"env_file", fmt.Sprintf("%s:%d: the values become too large", path, n), "write $ in single quotes where it stands for itself"}
	}
	vars, err := godotenv.UnmarshalBytes(text)
	if err != nil {
		return nil, &Complaint{"env_file", fmt.Sprintf("%s:%d: is not KEY=value", path, brokenLine(text)), "see that each quote is closed, and that names have letters, digits and _ only"}
	}
	for _, key := range slices.Sorted(maps.Keys(vars)) {
		if what := badVariable(key, vars[key]); what != "" {
			return nil, &Complaint{"env_file", fmt.Sprintf("%s:%d: %s", path, lineOf(text, key), what), "correct or remove it"}
		}
	}
	return vars, nil
}

// maxValueLines is how many lines a value may have, for a broken one to be
// found: a chain of certificates has fewer.
const maxValueLines = 500

// brokenLine is the number of the line at which text, which does not parse,
// breaks: where the first statement begins that does not parse by itself.
func brokenLine(text []byte) int {
	lines := slices.Collect(bytes.Lines(text))
	for at := 0; at < len(lines); {
		n, good := 0, false
		for ; !good && n < maxValueLines && at+n < len(lines); n++ {
			_, err := godotenv.UnmarshalBytes(bytes.Join(lines[at:at+n+1], nil))
			good = err == nil
		}
		if !good {
			return at + 1
		}
		at += n
	}
	return len(lines)
}

var (
	assigned  = regexp.MustCompile(`^\s*(?:export\s+)?([A-Za-z0-9_.]+)\s*[=:]`)
	mentioned = regexp.MustCompile(`\$\{?([A-Za-z0-9_]+)`)
)

// swollenLine is the number of the first line with which what $NAME stands for
// could make the values larger than maxEnvFile altogether; 0: there is none.
// Values that double from line to line would take all memory.
func swollenLine(text []byte) int {
	sizes, name, n, sum := map[string]int{}, "", 0, 0
	for line := range bytes.Lines(text) {
		n++
		size := len(line)
		for _, m := range mentioned.FindAllSubmatch(line, -1) {
			size += sizes[string(m[1])]
		}
		if m := assigned.FindSubmatch(line); m != nil {
			name = string(m[1])
			sum -= sizes[name]
			sizes[name] = 0
		}
		sizes[name] += size // a line without a name goes on with the value before
		if sum += size; sum > maxEnvFile+len(text) {
			return n
		}
	}
	return 0
}

// lineOf is the number of the first line that sets key.
func lineOf(text []byte, key string) int {
	n := 0
	for line := range bytes.Lines(text) {
		n++
		name, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(string(line)), "export "), "=")
		if strings.TrimSpace(name) == key {
			return n
		}
	}
	return 1
}
