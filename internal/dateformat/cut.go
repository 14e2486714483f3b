package dateformat

import (
	"strings"
	"time"
)

// Cut reads a time in the format from the beginning of text and returns what
// follows it. It fails when text begins otherwise, and for formats that do not
// tell a second of a day by tokens of fixed width; without Z the time is in zone.
func (f Format) Cut(text string, zone *time.Location) (t time.Time, rest string, ok bool) {
	year, month, day, hour, minute, second, milli := -1, -1, -1, -1, -1, -1, 0
	rest = text
	for _, i := range f.items {
		ok := true
		switch i.token {
		case "":
			rest, ok = strings.CutPrefix(rest, i.text)
		case "YYYY":
			rest, ok = number(rest, 4, &year)
		case "MM":
			rest, ok = number(rest, 2, &month)
		case "DD":
			rest, ok = number(rest, 2, &day)
		case "HH":
			rest, ok = number(rest, 2, &hour)
		case "mm":
			rest, ok = number(rest, 2, &minute)
		case "ss":
			rest, ok = number(rest, 2, &second)
		case "SSS":
			rest, ok = number(rest, 3, &milli)
		case "Z", "ZZ":
			layout := map[string]string{"Z": "-07:00", "ZZ": "-0700"}[i.token]
			at, err := time.Parse(layout, rest[:min(len(layout), len(rest))])
			if ok = err == nil; ok {
				_, offset := at.Zone()
				zone, rest = time.FixedZone("", offset), rest[len(layout):]
			}
		default:
			ok = false
		}
		if !ok {
			return time.Time{}, text, false
		}
	}
	if min(year, month, day, hour, minute, second) < 0 {
		return time.Time{}, text, false
	}
	t = time.Date(year, time.Month(month), day, hour, minute, second, milli*1e6, zone)
	if t.Month() != time.Month(month) || t.Day() != day || t.Second() != second { // such as the 31st of February
		return time.Time{}, text, false
	}
	return t, rest, true
}

// number reads width digits into n.
func number(text string, width int, n *int) (rest string, ok bool) {
	if len(text) < width {
		return text, false
	}
	*n = 0
	for _, d := range []byte(text[:width]) {
		if d < '0' || d > '9' {
			return text, false
		}
		*n = *n*10 + int(d-'0')
	}
	return text[width:], true
}
