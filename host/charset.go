package host

import "unicode/utf8"

// charset is a set of characters of ASCII, and of all others or none.
type charset struct {
	looked [256]bool // bytes at which escape looks: those of the set, control characters, and parts of others
	others bool
}

// with adds the bytes of text, of a larger character only whether there is one.
func (c *charset) with(text string) *charset {
	for b := range c.looked {
		c.looked[b] = c.looked[b] || b < ' ' || b >= 0x7f
	}
	for _, b := range []byte(text) {
		c.looked[b] = true
		c.others = c.others || b >= utf8.RuneSelf
	}
	return c
}

const hex = "0123456789abcdef"

// escape writes s with control characters, what some program takes for the end
// of a line, and the characters of c as \xNN, byte by byte; in JSON as \u00NN
// (RFC 8259 section 7). So are bytes that are not UTF-8; in JSON they become
// U+FFFD.
func (c *charset) escape(b []byte, s string, json bool) []byte {
	i, done := 0, 0
	for i < len(s) {
		if !c.looked[s[i]] {
			i++
			continue
		}
		char, size := rune(s[i]), 1
		if char >= utf8.RuneSelf {
			char, size = utf8.DecodeRuneInString(s[i:])
		}
		broken := char == utf8.RuneError && size == 1
		if char >= 0xa0 && char != 0x2028 && char != 0x2029 && !broken && !c.others {
			i += size
			continue
		}
		b = append(b, s[done:i]...)
		switch {
		case !json:
			for _, raw := range []byte(s[i : i+size]) {
				b = append(b, '\\', 'x', hex[raw>>4], hex[raw&15])
			}
		case char == '"' || char == '\\':
			b = append(b, '\\', byte(char))
		case broken:
			b = utf8.AppendRune(b, utf8.RuneError)
		default:
			b = append(b, '\\', 'u', hex[char>>12&15], hex[char>>8&15], hex[char>>4&15], hex[char&15])
		}
		i += size
		done = i
	}
	return append(b, s[done:]...)
}
