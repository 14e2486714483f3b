package ecosystem

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonReader reads JSON5 (spec.json5.org) and remembers lines. The readers
// there are know either positions or keys without quotes, not both.
type jsonReader struct {
	lines lines
	text  string
	at    int // offset of what is read next
	depth int
	found map[string]int
}

func readJSON(text string) (d Document, err error) {
	r := &jsonReader{lines: newLines(text), text: text, found: map[string]int{}}
	if err := r.space(); err != nil {
		return d, err
	}
	if r.at == len(text) {
		return d, &Error{Line: 1, What: "the file is empty", Hint: `write { "apps": [ { "name": "web", "script": "server.js" } ] }`}
	}
	if d.Value, err = r.value(""); err != nil {
		return d, err
	}
	if err := r.space(); err != nil {
		return d, err
	}
	if r.at < len(text) {
		return d, r.wrong(r.at, fmt.Sprintf("%s after the end", r.next()), "a file is one value")
	}
	d.Lines = r.found
	return d, nil
}

func (r *jsonReader) wrong(offset int, what, hint string) error {
	e := &Error{What: what, Hint: hint}
	e.Line, e.Column = r.lines.at(offset)
	return e
}

// next names what is read next.
func (r *jsonReader) next() string {
	if r.at >= len(r.text) {
		return "the end of the file"
	}
	if word := r.word(); word != "" {
		return strconv.Quote(word)
	}
	c, _ := utf8.DecodeRuneInString(r.text[r.at:])
	return strconv.Quote(string(c))
}

// word is the identifier or number that comes next; it is not consumed.
func (r *jsonReader) word() string {
	rest := r.text[r.at:]
	end := strings.IndexFunc(rest, func(c rune) bool {
		return !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune("_$.+-", c)
	})
	if end < 0 {
		end = len(rest)
	}
	return rest[:end]
}

// space passes over white space and comments.
func (r *jsonReader) space() error {
	for r.at < len(r.text) {
		rest := r.text[r.at:]
		c, size := utf8.DecodeRuneInString(rest)
		switch {
		case unicode.IsSpace(c) || c == '\ufeff':
			r.at += size
		case strings.HasPrefix(rest, "//"):
			end := strings.IndexByte(rest, '\n')
			if end < 0 {
				end = len(rest)
			}
			r.at += end
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest, "*/")
			if end < 0 {
				return r.wrong(r.at, "the comment does not end", "close it: */")
			}
			r.at += end + 2
		default:
			return nil
		}
	}
	return nil
}

func (r *jsonReader) peek() byte {
	if r.at < len(r.text) {
		return r.text[r.at]
	}
	return 0
}

func (r *jsonReader) value(path string) (any, error) {
	line, _ := r.lines.at(r.at)
	if _, known := r.found[path]; !known {
		r.found[path] = line
	}
	switch c := r.peek(); {
	case c == '{':
		return r.inside(func() (any, error) { return r.object(path) })
	case c == '[':
		return r.inside(func() (any, error) { return r.array(path) })
	case c == '"' || c == '\'':
		return r.str()
	}
	at, word := r.at, r.word()
	r.at += len(word)
	switch word {
	case "true", "false":
		return word == "true", nil
	case "null", "undefined":
		return nil, nil
	}
	if n, ok := number(word); ok {
		return n, nil
	}
	r.at = at
	if word != "" && unicode.IsLetter(rune(word[0])) {
		return nil, r.wrong(at, fmt.Sprintf("%s is no value", r.next()), "put a text in quotes; a file that computes its values is called ecosystem.config.js")
	}
	return nil, r.wrong(at, fmt.Sprintf("want a value, not %s", r.next()), "")
}

// inside bounds how deep values lie in one another.
func (r *jsonReader) inside(read func() (any, error)) (any, error) {
	if r.depth++; r.depth > maxDepth {
		return nil, r.wrong(r.at, fmt.Sprintf("more than %d tables and lists inside one another", maxDepth), "")
	}
	defer func() { r.depth-- }()
	return read()
}

func (r *jsonReader) object(path string) (any, error) {
	opened := r.at
	r.at++
	table := map[string]any{}
	for {
		if err := r.space(); err != nil {
			return nil, err
		}
		if r.peek() == '}' {
			r.at++
			return table, nil
		}
		at := r.at
		key, err := r.key(opened)
		if err != nil {
			return nil, err
		}
		inner := join(path, key)
		if _, twice := table[key]; twice {
			return nil, r.wrong(at, fmt.Sprintf("the key %q is there twice", key), "remove one of them")
		}
		r.found[inner], _ = r.lines.at(at)
		if err := r.space(); err != nil {
			return nil, err
		}
		if r.peek() != ':' {
			return nil, r.wrong(r.at, fmt.Sprintf("want \":\" after the key %q, not %s", key, r.next()), "")
		}
		r.at++
		if err := r.space(); err != nil {
			return nil, err
		}
		if table[key], err = r.value(inner); err != nil {
			return nil, err
		}
		if err := r.separator('}', opened); err != nil {
			return nil, err
		}
	}
}

func (r *jsonReader) key(opened int) (string, error) {
	switch c := r.peek(); {
	case c == '"' || c == '\'':
		return r.str()
	case r.at >= len(r.text):
		return "", r.wrong(opened, `the "{" is not closed`, `close it: }`)
	}
	word := r.word()
	if word == "" || strings.ContainsAny(word, ".+-") || unicode.IsDigit(rune(word[0])) && !allDigits(word) {
		return "", r.wrong(r.at, fmt.Sprintf("want a key, not %s", r.next()), "")
	}
	r.at += len(word)
	return word, nil
}

func allDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

func (r *jsonReader) array(path string) (any, error) {
	opened := r.at
	r.at++
	list := []any{}
	for {
		if err := r.space(); err != nil {
			return nil, err
		}
		if r.at >= len(r.text) {
			return nil, r.wrong(opened, `the "[" is not closed`, `close it: ]`)
		}
		if r.peek() == ']' {
			r.at++
			return list, nil
		}
		v, err := r.value(joinIndex(path, len(list)))
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		if err := r.separator(']', opened); err != nil {
			return nil, err
		}
	}
}

// separator reads the comma after a value; before closing there need not be one.
func (r *jsonReader) separator(closing byte, opened int) error {
	if err := r.space(); err != nil {
		return err
	}
	switch c := r.peek(); {
	case c == ',':
		r.at++
		return nil
	case c == closing:
		return nil
	case r.at >= len(r.text):
		return r.wrong(opened, fmt.Sprintf("the %q is not closed", r.text[opened:opened+1]), fmt.Sprintf("close it: %c", closing))
	}
	return r.wrong(r.at, fmt.Sprintf("want \",\" or %q, not %s", string(closing), r.next()), "")
}

// number reads a number of JavaScript: whole ones are int64.
func number(word string) (any, bool) {
	digits := strings.TrimLeft(word, "+-")
	if digits == "" || len(word)-len(digits) > 1 || strings.Contains(word, "_") || !strings.ContainsAny(digits[:1], "0123456789.") {
		return nil, false
	}
	if hex, ok := strings.CutPrefix(strings.ToLower(digits), "0x"); ok {
		n, err := strconv.ParseInt(word[:len(word)-len(digits)]+hex, 16, 64)
		return n, err == nil
	}
	if n, err := strconv.ParseInt(word, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(word, 64)
	if err != nil || math.IsInf(f, 0) {
		return nil, false
	}
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return int64(f), true
	}
	return f, true
}

// str reads a text in single or double quotes.
func (r *jsonReader) str() (string, error) {
	opened, quote := r.at, r.text[r.at]
	r.at++
	var b strings.Builder
	for {
		rest := r.text[r.at:]
		i := strings.IndexAny(rest, "\\\n"+string(quote))
		if i < 0 || rest[i] == '\n' {
			return "", r.wrong(opened, "the text is not closed", fmt.Sprintf("close it: %c", quote))
		}
		b.WriteString(rest[:i])
		r.at += i + 1
		if rest[i] == quote {
			return b.String(), nil
		}
		if err := r.escape(&b); err != nil {
			return "", err
		}
	}
}

// escape reads what follows a backslash.
func (r *jsonReader) escape(b *strings.Builder) error {
	at := r.at - 1
	c, size := utf8.DecodeRuneInString(r.text[r.at:])
	r.at += size
	switch c {
	case 'u', 'x':
		digits := map[rune]int{'u': 4, 'x': 2}[c]
		n, ok := r.hex(digits)
		if !ok {
			return r.wrong(at, fmt.Sprintf("want %d hexadecimal digits after \\%c", digits, c), "")
		}
		if utf16.IsSurrogate(n) && strings.HasPrefix(r.text[r.at:], `\u`) {
			before := r.at
			r.at += 2
			if low, ok := r.hex(4); ok && utf16.DecodeRune(n, low) != unicode.ReplacementChar {
				n = utf16.DecodeRune(n, low)
			} else {
				r.at = before
			}
		}
		b.WriteRune(n)
	case '\n': // the text goes on in the next line
	case '\r':
		if r.peek() == '\n' {
			r.at++
		}
	default:
		if i := strings.IndexRune("nrtbfv0", c); i >= 0 {
			c = rune("\n\r\t\b\f\v\x00"[i])
		}
		b.WriteRune(c)
	}
	return nil
}

func (r *jsonReader) hex(digits int) (rune, bool) {
	if r.at+digits > len(r.text) {
		return 0, false
	}
	n, err := strconv.ParseUint(r.text[r.at:r.at+digits], 16, 32)
	if err != nil {
		return 0, false
	}
	r.at += digits
	return rune(n), true
}
