package http1

import (
	"bytes"
	"errors"
	"net/textproto"
	"strings"
)

// Answer is the head of an answer (RFC 9112 sections 4 to 6).
type Answer struct {
	Status  int     // 100 to 999
	Fields  []Field // in their order
	Length  int64   // of the content, as said; -1: not said
	Chunked bool
	Close   bool // the connection ends with the answer
}

// Field is a line of a head or of a trailer; the name is canonical, as
// textproto has it, the value without white space around it.
type Field struct{ Name, Value string }

// Reasons for refusing an answer, besides those of Framing.
var (
	errStatusLine = errors.New("a malformed status line")
	errLengths    = errors.New("a malformed Content-Length, or several that differ")
)

// HeadEnd returns where the first head in p ends, behind its empty line; 0 when
// it is not all there. from is where an earlier look at less of p has left off:
// the second result.
func HeadEnd(p []byte, from int) (end, next int) {
	for {
		i := bytes.IndexByte(p[from:], '\n')
		if i < 0 {
			return 0, from
		}
		switch rest := p[from+i+1:]; {
		case len(rest) > 0 && rest[0] == '\n':
			return from + i + 2, 0
		case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
			return from + i + 3, 0
		case len(rest) == 0, len(rest) == 1 && rest[0] == '\r':
			return 0, from + i // to be looked at again
		}
		from += i + 1
	}
}

// Read makes a what a head says, as HeadEnd finds it. Its strings are parts of
// head; the memory of its fields is used again. A line may end in a bare LF,
// which a recipient may take for an end (section 2.2): no next reader sees it.
func (a *Answer) Read(head string) error {
	*a = Answer{Fields: a.Fields[:0], Length: -1}
	line, head := cutLine(head)
	old, err := a.statusLine(line)
	if err != nil {
		return err
	}
	a.Close = old
	length := "" // as it is spelled: 05 is not 5 to everybody
	for {
		if line, head = cutLine(head); line == "" {
			break
		}
		f, err := readField(line)
		if err != nil {
			return err
		}
		switch f.Name {
		case "Content-Length":
			n, ok := decimal(f.Value)
			if !ok || a.Length >= 0 && f.Value != length {
				return errLengths
			}
			if a.Length >= 0 {
				continue
			}
			a.Length, length = n, f.Value
		case "Transfer-Encoding":
			if a.Chunked || !strings.EqualFold(f.Value, "chunked") {
				return errEncoding
			}
			a.Chunked = true
		case "Connection":
			a.Close = a.Close || HasToken(f.Value, "close")
		}
		a.Fields = append(a.Fields, f)
	}
	switch {
	case a.Chunked && a.Length >= 0:
		return errBoth
	case a.Chunked && old:
		return errOldCoding
	}
	return nil
}

// statusLine reads "HTTP/1.1 200 OK"; what follows the number may be missing.
func (a *Answer) statusLine(line string) (old bool, err error) {
	const version, least = "HTTP/1.", len("HTTP/1.1 200")
	if len(line) < least || line[:len(version)] != version || line[8] != ' ' {
		return false, errStatusLine
	}
	if line[7] != '0' && line[7] != '1' {
		return false, errVersion
	}
	for _, c := range []byte(line[9:12]) {
		if c < '0' || c > '9' {
			return false, errStatusLine
		}
		a.Status = a.Status*10 + int(c-'0')
	}
	if a.Status < 100 || len(line) > least && line[least] != ' ' || !printable(line[least:]) {
		return false, errStatusLine
	}
	return line[7] == '0', nil
}

// Value is what follows a field's colon without the white space around it
// (RFC 9110 section 5.5), of which there most often is one space.
func Value(s string) string {
	if len(s) > 0 && s[0] == ' ' {
		s = s[1:]
	}
	if len(s) > 0 && s[0] > ' ' && s[len(s)-1] > ' ' {
		return s
	}
	return strings.Trim(s, " \t")
}

// readField reads a line.
func readField(line string) (Field, error) {
	first, usual := true, true // of a part between hyphens; as it is in the canonical form
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == ':' && i > 0:
			f := Field{line[:i], Value(line[i+1:])}
			if !printable(f.Value) {
				return f, errValue
			}
			if !usual {
				f.Name = textproto.CanonicalMIMEHeaderKey(f.Name)
			}
			return f, nil
		case (c == ' ' || c == '\t') && i == 0:
			return Field{}, errFold
		case !IsToken(c):
			return Field{}, errName
		case first && c >= 'a' && c <= 'z', !first && c >= 'A' && c <= 'Z':
			usual = false
		}
		first = c == '-'
	}
	return Field{}, errName
}

// cutLine cuts the first line off, without its end.
func cutLine(s string) (line, rest string) {
	line, rest, _ = strings.Cut(s, "\n")
	return strings.TrimSuffix(line, "\r"), rest
}

// printable tells whether s has none of the control characters that no line may have.
func printable(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// decimal is a number of digits alone, as many as a length may have.
func decimal(s string) (n int64, ok bool) {
	if len(s) == 0 || len(s) > 18 {
		return 0, false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int64(s[i]-'0')
	}
	return n, true
}

// HasToken tells whether a list such as the value of Connection has a token,
// which is given in small letters.
func HasToken(list, token string) bool {
	for part := range strings.SplitSeq(list, ",") {
		if strings.EqualFold(textproto.TrimString(part), token) {
			return true
		}
	}
	return false
}
