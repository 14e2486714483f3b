package rules

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// reader goes through the lines of a file and keeps what is wrong with them.
type reader struct {
	rest     string
	line     int
	problems []Problem
}

func newReader(text []byte) *reader {
	return &reader{rest: strings.TrimPrefix(string(text), "\ufeff")}
}

// next returns the next line that says something, without blanks around it.
func (r *reader) next() (line string, more bool) {
	for r.rest != "" {
		line, r.rest, _ = strings.Cut(r.rest, "\n")
		r.line++
		line = strings.TrimFunc(line, blank)
		switch {
		case line == "" || line[0] == '#':
		case utf8.RuneCountInString(line) > maxLine:
			r.problem(fmt.Sprintf("the line is longer than %d characters and left out", maxLine), "split it into several rules")
		case !utf8.ValidString(line):
			r.problem("the line is not UTF-8 and left out", "save the file as UTF-8")
		default:
			return line, true
		}
	}
	return "", false
}

func (r *reader) problem(what, hint string) { r.wrong("", what, hint) }

func (r *reader) wrong(key, what, hint string) {
	r.problems = append(r.problems, Problem{Line: r.line, Key: key, What: what, Hint: hint})
}

// skip leaves out the rest of the file.
func (r *reader) skip(what, hint string) {
	r.problem(what, hint)
	r.rest = ""
}

// blank are what JavaScript's trim and \s take for white space.
func blank(c rune) bool { return unicode.IsSpace(c) && c != 0x85 || c == '\ufeff' }

// words are the parts of a line up to a comment.
func words(line string) []string {
	all := strings.FieldsFunc(line, blank)
	if i := slices.IndexFunc(all, func(w string) bool { return w[0] == '#' }); i >= 0 {
		all = all[:i]
	}
	return all
}
