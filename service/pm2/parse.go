package pm2

import (
	"fmt"
	"slices"
	"strings"
)

// line is a command line, taken apart.
type line struct {
	command string
	args    []string
	// script is what follows "--": it belongs to the app.
	script []string
	// given are the values of the flags by their long names (short where there
	// is none), in order; "" for one without a value.
	given map[string][]string
}

func (l *line) has(flag string) bool { return len(l.given[flag]) > 0 }

// text is the last value of a flag, "" when it was not given.
func (l *line) text(flag string) string {
	if all := l.given[flag]; len(all) > 0 {
		return all[len(all)-1]
	}
	return ""
}

// usageError is a command line that makes no sense; it is printed as the parser of PM2 does.
type usageError string

func (e usageError) Error() string { return string(e) }

// parse takes a command line apart as PM2's parser (commander 2) does: flags may
// stand anywhere, -abc is -a -b -c, --name=value is --name value, the first
// word that is no flag is the command, and "--" ends it all. -i4 is -i 4, and a
// negative number is no flag after scale, where PM2 stumbles over it.
func parse(words []string) (*line, error) {
	l := &line{given: map[string][]string{}}
	for i := 0; i < len(words); i++ {
		word := words[i]
		if word == "--" {
			l.script = words[i+1:]
			break
		}
		if len(word) < 2 || word[0] != '-' || l.command == "scale" && difference(word) {
			if l.command == "" {
				l.command = word
			} else {
				l.args = append(l.args, word)
			}
			continue
		}
		name, text, hasText := strings.Cut(word, "=")
		if !strings.HasPrefix(word, "--") && len(word) > 2 {
			name, text, hasText = word[:2], strings.TrimPrefix(word[2:], "="), true
		}
		f := flagOf(name)
		if c := lookUp(l.command); f == nil && c != nil && c.lenient {
			continue
		}
		if f == nil {
			return l, usageError(fmt.Sprintf("unknown option `%s'", name))
		}
		switch {
		case f.takes == nothing && hasText && !strings.HasPrefix(word, "--"):
			words = slices.Insert(slices.Clone(words), i+1, "-"+text) // -sf is -s -f
		case f.takes == nothing || hasText:
		case f.takes == value && i+1 < len(words):
			i++
			text = words[i]
		case f.takes == value:
			return l, usageError(fmt.Sprintf("option `%s' argument missing", f.name()))
		case i+1 < len(words) && words[i+1] != "--" && (len(words[i+1]) < 2 || words[i+1][0] != '-'):
			i++
			text = words[i]
		}
		if f.takes == nothing {
			text = ""
		}
		key := f.long
		if key == "" {
			key = f.short
		}
		if f.short == "V" {
			key = "version"
		}
		l.given[key] = append(l.given[key], text)
	}
	return l, l.foreign()
}

// difference reports -1, -2 and so on.
func difference(word string) bool {
	return strings.Trim(word[1:], "0123456789") == ""
}

func flagOf(name string) *flag {
	for i := range flags {
		f := &flags[i]
		if name == "--"+f.long || f.short != "" && name == "-"+f.short {
			return f
		}
	}
	return nil
}

// foreign refuses flags that are another command's.
func (l *line) foreign() error {
	c := lookUp(l.command)
	if c == nil {
		return nil // that is told first
	}
	for i := range flags {
		f := &flags[i]
		if f.on != nil && l.has(f.long) && !slices.Contains(f.on, c.names[0]) {
			return usageError(fmt.Sprintf("unknown option `--%s'", f.long))
		}
	}
	return nil
}

// keys are the keys of [[app]] that the flags set. A value "null" removes a key.
func (l *line) keys() (map[string]any, error) {
	keys := map[string]any{}
	for i := range flags {
		f := &flags[i]
		if f.key == "" || !l.has(f.long) {
			continue
		}
		var v any
		text := l.text(f.long)
		switch read := f.read; {
		case f.long == "watch":
			v = paths(l.given["watch"])
		case f.long == "filter-env":
			v, _ = list(strings.Join(l.given["filter-env"], ","))
		case f.takes == nothing:
			if v = f.says; v == nil {
				v = true
			}
		case text == "null", f.key == "cron_restart" && text == "0":
			v = nil
		case text == "" && f.takes == optional:
			if f.key == "max_restarts" {
				continue // --max-restarts without a number says nothing
			}
			v = true
		case read != nil:
			var err error
			if v, err = read(text); err != nil {
				return nil, err
			}
		default:
			v = text
		}
		keys[f.key] = v
	}
	return keys, nil
}

// paths are those of --watch: true without any, what they name otherwise.
func paths(values []string) any {
	var out []string
	for _, v := range values {
		if v != "" {
			out = append(out, v)
		}
	}
	if len(out) == 0 {
		return true
	}
	return texts(out)
}
