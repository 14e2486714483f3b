// Package dateformat writes times in the format strings of day.js, which is
// what PM2's log_date_format and --timestamp take: "YYYY-MM-DD HH:mm:ss.SSS Z".
package dateformat

import (
	"strconv"
	"strings"
	"time"
)

// Format is a format string, taken apart. The zero value writes nothing.
type Format struct {
	items []item
}

// item is a token, or literal text when token is "".
type item struct {
	token, text string
}

// tokens are those of day.js, of one letter the longest first.
var tokens = []string{
	"YYYY", "YY", "MMMM", "MMM", "MM", "M", "DD", "D", "dddd", "ddd", "dd", "d",
	"HH", "H", "hh", "h", "mm", "m", "ss", "s", "SSS", "ZZ", "Z", "A", "a",
}

// Parse takes a format string apart. Text in [brackets] is taken as it is, and
// so is whatever is no token; so every string is a format.
func Parse(format string) Format {
	var f Format
	for rest := format; rest != ""; {
		if text, after, ok := strings.Cut(rest[1:], "]"); ok && rest[0] == '[' {
			f.literal(text)
			rest = after
			continue
		}
		n := len(f.items)
		for _, t := range tokens {
			if strings.HasPrefix(rest, t) {
				f.items = append(f.items, item{token: t})
				rest = rest[len(t):]
				break
			}
		}
		if len(f.items) == n {
			f.literal(rest[:1])
			rest = rest[1:]
		}
	}
	return f
}

func (f *Format) literal(text string) {
	if n := len(f.items); n > 0 && f.items[n-1].token == "" {
		f.items[n-1].text += text
	} else {
		f.items = append(f.items, item{text: text})
	}
}

// Empty reports whether the format writes nothing.
func (f Format) Empty() bool { return len(f.items) == 0 }

// Append appends t to b.
func (f Format) Append(b []byte, t time.Time) []byte {
	for _, i := range f.items {
		b = i.append(b, t)
	}
	return b
}

// String is t in the format.
func (f Format) String(t time.Time) string { return string(f.Append(nil, t)) }

func (i item) append(b []byte, t time.Time) []byte {
	switch i.token {
	case "":
		return append(b, i.text...)
	case "YYYY":
		return digits(b, t.Year(), 4)
	case "YY":
		return digits(b, t.Year()%100, 2)
	case "MMMM":
		return append(b, t.Month().String()...)
	case "MMM":
		return append(b, t.Month().String()[:3]...)
	case "M", "MM":
		return digits(b, int(t.Month()), len(i.token))
	case "D", "DD":
		return digits(b, t.Day(), len(i.token))
	case "dddd":
		return append(b, t.Weekday().String()...)
	case "ddd", "dd":
		return append(b, t.Weekday().String()[:len(i.token)]...)
	case "d":
		return digits(b, int(t.Weekday()), 1)
	case "H", "HH":
		return digits(b, t.Hour(), len(i.token))
	case "h", "hh":
		return digits(b, (t.Hour()+11)%12+1, len(i.token))
	case "m", "mm":
		return digits(b, t.Minute(), len(i.token))
	case "s", "ss":
		return digits(b, t.Second(), len(i.token))
	case "SSS":
		return digits(b, t.Nanosecond()/1e6, 3)
	case "Z":
		return t.AppendFormat(b, "-07:00")
	case "ZZ":
		return t.AppendFormat(b, "-0700")
	case "A":
		return t.AppendFormat(b, "PM")
	default: // "a"
		return t.AppendFormat(b, "pm")
	}
}

// digits appends n, with zeros in front where it has fewer digits than width.
func digits(b []byte, n, width int) []byte {
	for least := 10; width > 1; width-- {
		if n < least {
			b = append(b, '0')
		}
		least *= 10
	}
	return strconv.AppendInt(b, int64(n), 10)
}
