package ecosystem

import (
	"bytes"
	"fmt"
	"path/filepath"
	"sort"
	"strconv"
	"unicode/utf8"
)

// The bounds of a file: what people write is far below them.
const (
	maxText  = 1 << 20 // bytes
	maxDepth = 64      // tables and lists inside one another
	maxNodes = 100_000 // values, aliases of YAML written out
)

// Document is a file as plain values: map[string]any, []any, string, int64,
// float64, bool and nil.
type Document struct {
	Value any
	// Lines maps paths such as "apps.0.env.PORT" to lines, from 1.
	Lines map[string]int
}

// Error is what is wrong with the syntax of a file, or with its evaluation.
type Error struct {
	// File is where it is when that is not the file itself.
	File string
	// Line and Column count from 1; 0 is unknown.
	Line, Column int
	What, Hint   string
}

func (e *Error) Error() string {
	if e.Column > 0 {
		return fmt.Sprintf("column %d: %s", e.Column, e.What)
	}
	return e.What
}

// Read reads the text of a file by the ending of its name: YAML, or JSON with
// what JavaScript allows beside (comments, keys without quotes, single quotes,
// commas at the end). What came of a script is JSON, too. Errors are *Error.
func Read(name string, text []byte) (Document, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // as Windows' editors write
	if len(text) > maxText {
		return Document{}, &Error{What: fmt.Sprintf("the file has %d bytes, more than %d", len(text), maxText), Hint: "is it a config file?"}
	}
	if !utf8.Valid(text) {
		return Document{}, &Error{What: "the file is not UTF-8", Hint: "save it as UTF-8"}
	}
	switch filepath.Ext(name) {
	case ".yml", ".yaml":
		return readYAML(text)
	}
	return readJSON(string(text))
}

// lines finds the line and the column of an offset.
type lines struct {
	text   string
	starts []int // offset of each line's first byte
}

func newLines(text string) lines {
	l := lines{text: text, starts: []int{0}}
	for i := range len(text) {
		if text[i] == '\n' {
			l.starts = append(l.starts, i+1)
		}
	}
	return l
}

func (l lines) at(offset int) (line, column int) {
	line = sort.SearchInts(l.starts, offset+1)
	return line, utf8.RuneCountInString(l.text[l.starts[line-1]:offset]) + 1
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func joinIndex(path string, i int) string { return join(path, strconv.Itoa(i)) }
