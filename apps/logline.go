package apps

import (
	"bytes"
	"strconv"
	"time"
)

const (
	// maxLine bounds the text of a line, in bytes.
	maxLine = 16 << 10
	// lineTime is the form of a line's time: RFC 3339, in UTC, with milliseconds.
	lineTime = "2006-01-02T15:04:05.000Z"
	// ourSlot is the slot of lines that no instance wrote, but we.
	ourSlot = -1
)

// appendLine appends the form that a line has in a file:
//
//	2026-11-23T01:48:48.123Z <slot> <text>
func appendLine(b []byte, t time.Time, slot int, text []byte) []byte {
	b = t.UTC().AppendFormat(b, lineTime)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(slot), 10)
	b = append(b, ' ')
	b = append(b, text...)
	return append(b, '\n')
}

// parseLine reads what appendLine writes, without the line's end.
func parseLine(line []byte) (t time.Time, slot int, text []byte, ok bool) {
	if len(line) < len(lineTime)+3 || line[len(lineTime)] != ' ' {
		return t, 0, nil, false
	}
	t, err := time.Parse(lineTime, string(line[:len(lineTime)]))
	if err != nil {
		return t, 0, nil, false
	}
	number, text, ok := bytes.Cut(line[len(lineTime)+1:], []byte(" "))
	if !ok {
		return t, 0, nil, false
	}
	slot, err = strconv.Atoi(string(number))
	return t, slot, text, err == nil
}
