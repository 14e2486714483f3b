package pm2

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// inspect writes a value as Node's util.inspect does by default, but to any
// depth: what prettylist, conf and ids print. The rules are those of Node's
// documentation: short things on one line of at most 72 characters, long lists
// in columns, strings in single quotes.
func inspect(v any) string { return (&inspector{}).value(v, 0) }

const (
	lineBreak   = 80  // breakLength
	inner       = 3   // compact: so many innermost levels may share a line
	minLine     = 16  // a shorter string is never broken
	mostEntries = 100 // of an array that are shown
)

// inspector holds where it is while it writes.
type inspector struct {
	indent  int
	current int // depth of the last object that was begun
}

func (p *inspector) value(v any, depth int) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case string:
		return p.text(v)
	case int:
		return strconv.Itoa(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case uint64:
		return strconv.FormatUint(v, 10)
	case float64:
		return float(v)
	case json.Number:
		return v.String()
	case object:
		return p.object(v, depth)
	case []any:
		return p.array(v, depth)
	}
	return fmt.Sprint(v)
}

// float is a number as JavaScript writes it.
func float(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e21 {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	s := strconv.FormatFloat(v, 'g', -1, 64)
	if math.Abs(v) >= 1e-6 && math.Abs(v) < 1e21 {
		s = strconv.FormatFloat(v, 'f', -1, 64)
	}
	return strings.Replace(s, "e-0", "e-", 1)
}

func (p *inspector) object(o object, depth int) string {
	if len(o) == 0 {
		return "{}"
	}
	p.current = depth
	out := make([]string, len(o))
	for i, m := range o {
		p.indent += 2
		out[i] = key(m.key) + ": " + p.value(m.value, depth+1)
		p.indent -= 2
	}
	return p.join(out, "{", "}", depth, true)
}

func (p *inspector) array(list []any, depth int) string {
	if len(list) == 0 {
		return "[]"
	}
	p.current = depth
	shown := list[:min(len(list), mostEntries)]
	out := make([]string, len(shown))
	for i, v := range shown {
		p.indent += 2
		out[i] = p.value(v, depth+1)
		p.indent -= 2
	}
	if more := len(list) - len(shown); more == 1 {
		out = append(out, "... 1 more item")
	} else if more > 1 {
		out = append(out, fmt.Sprintf("... %d more items", more))
	}
	entries := len(out)
	if entries > 6 {
		out = p.columns(out, list, len(list) > len(shown))
	}
	return p.join(out, "[", "]", depth, entries == len(out))
}

// join puts members onto one line where they fit, else a line each.
func (p *inspector) join(out []string, left, right string, depth int, mayShare bool) string {
	if p.current-depth < inner && mayShare {
		start := len(out) + p.indent + len(left) + 10
		if total := totalLength(out) + len(out); total+start <= lineBreak && !slices.ContainsFunc(out, func(s string) bool { return strings.Contains(s, "\n") }) {
			return left + " " + strings.Join(out, ", ") + " " + right
		}
	}
	indentation := "\n" + strings.Repeat(" ", p.indent)
	return left + indentation + "  " + strings.Join(out, ","+indentation+"  ") + indentation + right
}

func totalLength(out []string) (n int) {
	for _, s := range out {
		n += width(s)
	}
	return n
}

// width is a string's length as JavaScript counts.
func width(s string) int { return len(utf16.Encode([]rune(s))) }

// columns groups the many entries of an array into rows of equal columns.
func (p *inspector) columns(out []string, list []any, more bool) []string {
	entries := len(out)
	if more {
		entries-- // the last says how many are left out
	}
	const gap = 2
	total, longest := 0, 0
	widths := make([]int, entries)
	for i := range entries {
		widths[i] = width(out[i])
		total += widths[i] + gap
		longest = max(longest, widths[i])
	}
	wide := longest + gap
	if wide*3+p.indent >= lineBreak || !(float64(total)/float64(wide) > 5 || longest <= 6) {
		return out
	}
	biased := max(float64(wide)-3-math.Sqrt(float64(wide)-float64(total)/float64(len(out))), 1)
	count := min(
		int(math.Round(math.Sqrt(2.5*biased*float64(entries))/biased)), // about a square
		(lineBreak-p.indent)/wide,
		inner*4,
		15,
	)
	if count <= 1 {
		return out
	}
	columnWidths := make([]int, count)
	for i := range entries {
		columnWidths[i%count] = max(columnWidths[i%count], widths[i]+gap)
	}
	right := !slices.ContainsFunc(list[:min(len(list), len(out))], func(v any) bool { return !isNumber(v) })
	var rows []string
	for i := 0; i < entries; i += count {
		end := min(i+count, entries)
		var b strings.Builder
		for j := i; j < end; j++ {
			text, last := out[j], j == end-1
			if !last {
				text += ", "
			}
			pad := columnWidths[j-i] - width(text)
			switch {
			case right && last:
				b.WriteString(strings.Repeat(" ", max(columnWidths[j-i]-gap-width(text), 0)) + text)
			case right:
				b.WriteString(strings.Repeat(" ", pad) + text)
			case last:
				b.WriteString(text)
			default:
				b.WriteString(text + strings.Repeat(" ", pad))
			}
		}
		rows = append(rows, b.String())
	}
	return append(rows, out[entries:]...)
}

func isNumber(v any) bool {
	switch v.(type) {
	case int, int64, uint64, float64, json.Number:
		return true
	}
	return false
}

var identifier = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z_0-9]*$`)

func key(s string) string {
	if identifier.MatchString(s) {
		return s
	}
	return quote(s)
}

// text quotes a string; one that is too long for its line is broken after its
// line breaks.
func (p *inspector) text(s string) string {
	if n := width(s); n > minLine && n > lineBreak-p.indent-4 && strings.Contains(strings.TrimSuffix(s, "\n"), "\n") {
		parts := strings.SplitAfter(s, "\n")
		if parts[len(parts)-1] == "" {
			parts = parts[:len(parts)-1]
		}
		for i := range parts {
			parts[i] = quote(parts[i])
		}
		return strings.Join(parts, " +\n"+strings.Repeat(" ", p.indent+2))
	}
	return quote(s)
}

// quote writes a string with the quotes that need the fewest escapes.
func quote(s string) string {
	q := byte('\'')
	if strings.Contains(s, "'") {
		switch {
		case !strings.Contains(s, `"`):
			q = '"'
		case !strings.Contains(s, "`") && !strings.Contains(s, "${"):
			q = '`'
		}
	}
	var b strings.Builder
	b.WriteByte(q)
	for _, r := range s {
		switch {
		case r == rune(q) || r == '\\':
			b.WriteString(`\` + string(r))
		case strings.ContainsRune("\b\t\n\f\r", r):
			b.WriteString(map[rune]string{'\b': `\b`, '\t': `\t`, '\n': `\n`, '\f': `\f`, '\r': `\r`}[r])
		case r < 0x20 || r >= 0x7f && r < 0xa0:
			fmt.Fprintf(&b, `\x%02X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte(q)
	return b.String()
}
