package static

import (
	"errors"
	"strconv"
	"strings"
)

// maxRanges is how many ranges one request may ask for; more are ignored as a
// whole (RFC 9110 section 14.2), as each costs a part and a seek.
const maxRanges = 16

// span is a part of a representation, in bytes.
type span struct{ start, length int64 }

func (s span) end() int64 { return s.start + s.length }

// contentRange is the value of Content-Range for s of size bytes.
func (s span) contentRange(size int64) string {
	return "bytes " + strconv.FormatInt(s.start, 10) + "-" + strconv.FormatInt(s.end()-1, 10) + "/" + strconv.FormatInt(size, 10)
}

// errUnsatisfiable is a Range of which nothing is there.
var errUnsatisfiable = errors.New("no such range")

// parseRange reads a Range field (RFC 9110 section 14.1.2) for a
// representation of size bytes. Ranges that overlap or touch are made one.
// It returns none, without an error, where the field is to be ignored: another
// unit, a malformed or overlong list, nothing to divide.
func parseRange(lines []string, size int64) ([]span, error) {
	if len(lines) != 1 || size == 0 {
		return nil, nil
	}
	unit, set, ok := strings.Cut(lines[0], "=")
	if !ok || !strings.EqualFold(strings.Trim(unit, " \t"), "bytes") {
		return nil, nil
	}
	var spans []span
	specs := 0
	for spec := range strings.SplitSeq(set, ",") {
		spec = strings.Trim(spec, " \t")
		if spec == "" {
			continue // RFC 9110 section 5.6.1: empty list elements are ignored
		}
		if specs++; specs > maxRanges {
			return nil, nil
		}
		s, ok := parseSpec(spec, size)
		if !ok {
			return nil, nil
		}
		if s.length > 0 {
			spans = merge(spans, s)
		}
	}
	if specs > 0 && len(spans) == 0 {
		return nil, errUnsatisfiable
	}
	return spans, nil
}

// parseSpec reads one of "first-last", "first-", "-suffix". A span of length 0
// is well-formed but beyond the end.
func parseSpec(spec string, size int64) (span, bool) {
	from, to, ok := strings.Cut(spec, "-")
	if !ok {
		return span{}, false
	}
	if from == "" {
		n, ok := number(to)
		n = min(n, size)
		return span{size - n, n}, ok
	}
	first, ok := number(from)
	if !ok {
		return span{}, false
	}
	last := size - 1
	if to != "" {
		n, ok := number(to)
		if !ok || n < first {
			return span{}, false
		}
		last = min(last, n)
	}
	if first >= size {
		return span{}, true
	}
	return span{first, last - first + 1}, true
}

// number reads digits; what is too large becomes as large as can be.
func number(s string) (int64, bool) {
	if s == "" {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	n, _ := strconv.ParseInt(s, 10, 64) // the largest int64 when out of range
	return n, true
}

// merge adds s, uniting it with all that it overlaps or touches; the union
// stands where the first of them stood.
func merge(spans []span, s span) []span {
	place := -1
	out := spans[:0]
	for _, t := range spans {
		if s.start > t.end() || t.start > s.end() {
			out = append(out, t)
			continue
		}
		end := max(s.end(), t.end())
		s.start = min(s.start, t.start)
		s.length = end - s.start
		if place < 0 {
			place = len(out)
			out = append(out, s)
		}
	}
	if place < 0 {
		return append(out, s)
	}
	out[place] = s
	return out
}
