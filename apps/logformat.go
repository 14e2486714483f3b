package apps

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"roost/internal/dateformat"
)

// The values of log_type.
const (
	logLine = "line" // 2026-11-23T01:48:48.123Z <slot> <text>
	logRaw  = "raw"  // <text>, after the date if one is wanted
	logJSON = "json" // {"message":…,"timestamp":…,"type":…,"process_id":…,"app_name":…}
)

// logFormat is the form of the lines of a file.
type logFormat struct {
	kind string
	date dateformat.Format // in front of raw lines, and of JSON's timestamp; none when empty
	both bool              // the file has both streams: "line" says after the slot which
	app  string
}

// origin is where a line comes from. unknown stands for a slot or an id that a file does not tell.
type origin struct {
	slot, id int
	stream   stream
}

const unknown = -1

// frame returns what stands in front of a text and behind it.
func (f *logFormat) frame(at time.Time, from origin) (before, after []byte) {
	switch f.kind {
	case logJSON:
		before = []byte(`{"message":"`)
		after = append(after, `","timestamp":"`...)
		if f.date.Empty() {
			after = at.UTC().AppendFormat(after, lineTime)
		} else {
			after = appendJSON(after, f.date.Append(nil, at))
		}
		after = append(after, `","type":"`+streamNames[from.stream]+`","process_id":`...)
		after = strconv.AppendInt(after, int64(from.id), 10)
		after = append(after, `,"app_name":"`...)
		after = append(appendJSON(after, []byte(f.app)), '"', '}')
	case logRaw:
		before = f.date.Append(before, at)
	default:
		before = at.UTC().AppendFormat(before, lineTime)
		before = append(before, ' ')
		before = strconv.AppendInt(before, int64(from.slot), 10)
		before = append(before, ' ')
		if f.both {
			before = append(before, streamNames[from.stream]+" "...)
		}
	}
	return before, append(after, '\n')
}

// appendText appends a text as it stands in a frame.
func (f *logFormat) appendText(b, text []byte) []byte {
	if f.kind == logJSON {
		return appendJSON(b, text)
	}
	return append(b, text...)
}

// timed reports whether lines tell when they came.
func (f *logFormat) timed() bool {
	if f.kind == logLine || f.kind == logJSON && f.date.Empty() {
		return true
	}
	_, _, ok := f.date.Cut(f.date.String(time.Now()), time.Local)
	return ok
}

// shown is a text as followers and readers of the file see it: with the date that is in front of it there.
func (f *logFormat) shown(before, text []byte) string {
	if f.kind == logRaw && len(before) > 0 {
		return string(before) + string(text)
	}
	return string(text)
}

// parse reads a line of a file, without its end, into l, whose slot, id and
// stream are those of the file as far as that tells them. It reports whether
// the line is of this form; a raw one always is, and has a time only when there is
// a date in front that tells it.
func (f *logFormat) parse(raw []byte, l *Line) bool {
	switch f.kind {
	case logJSON:
		return f.parseJSON(raw, l)
	case logRaw:
		l.Text = string(raw)
		l.Time, _, _ = f.date.Cut(l.Text, time.Local)
		l.Time = l.Time.UTC()
		return true
	}
	at, slot, text, ok := parseLine(raw)
	if ok && f.both {
		var name []byte
		if name, text, ok = bytes.Cut(text, []byte(" ")); ok {
			l.Stream = string(name)
			ok = l.Stream == streamNames[streamOut] || l.Stream == streamNames[streamErr]
		}
	}
	if ok {
		l.Time, l.Slot, l.Text = at, slot, string(text)
	}
	return ok
}

func (f *logFormat) parseJSON(raw []byte, l *Line) bool {
	var j struct {
		Message   *string `json:"message"`
		Timestamp string  `json:"timestamp"`
		Type      string  `json:"type"`
		ID        *int    `json:"process_id"`
		App       string  `json:"app_name"`
	}
	if json.Unmarshal(raw, &j) != nil || j.Message == nil || j.Type != "out" && j.Type != "err" {
		return false
	}
	at, err := time.Parse(lineTime, j.Timestamp)
	if err != nil {
		at, _, _ = f.date.Cut(j.Timestamp, time.Local)
	}
	l.Time, l.Text, l.Stream = at.UTC(), *j.Message, j.Type
	if j.ID != nil {
		l.ID = *j.ID
	}
	if j.App != "" {
		l.App = j.App
	}
	return true
}

// appendJSON appends text as the inside of a JSON string (RFC 8259); what is no UTF-8 becomes U+FFFD.
func appendJSON(b, text []byte) []byte {
	from := 0
	for i := 0; i < len(text); {
		c := text[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		size := 1
		if c >= utf8.RuneSelf {
			var r rune
			if r, size = utf8.DecodeRune(text[i:]); r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		b = append(b, text[from:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\t':
			b = append(b, '\\', 't')
		case '\r':
			b = append(b, '\\', 'r')
		case '\n':
			b = append(b, '\\', 'n')
		default:
			if c < ' ' {
				const hex = "0123456789abcdef"
				b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			} else {
				b = append(b, "\ufffd"...)
			}
		}
		i += size
		from = i
	}
	return append(b, text[from:]...)
}
