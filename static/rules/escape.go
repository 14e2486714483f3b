package rules

import "strings"

const hex = "0123456789ABCDEF"

// Sets of bytes that stay as they are in a part of a URL (RFC 3986); all
// others are escaped. '%' is in none of them: a value is escaped once.
const (
	unreserved = "-._~"
	inPath     = unreserved + "!$&'()*+,;=:@/"
	inQuery    = unreserved + "!$'()*,:@/?" // without what parts it: & = + ;
	inField    = unreserved + "!$&'()*+=:@/"
)

// appendEscaped appends s, all but letters, digits and the bytes in keep escaped.
func appendEscaped(b []byte, s, keep string) []byte {
	for i := range len(s) {
		c := s[i]
		if letter(c) || digit(c) || strings.IndexByte(keep, c) >= 0 {
			b = append(b, c)
		} else {
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return b
}

// appendWritten appends what was written as part of a URL: what cannot stand
// in one is escaped, what is escaped stays.
func appendWritten(b []byte, s string) []byte {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}#", c) >= 0 || c == '%' && !escape(s[i:]) {
			b = append(b, '%', hex[c>>4], hex[c&15])
		} else {
			b = append(b, c)
		}
	}
	return b
}

// label tells whether s can be a label of a DNS name.
func label(s string) bool {
	for i := range len(s) {
		if c := s[i]; !letter(c) && !digit(c) && c != '_' && (c != '-' || i == 0 || i == len(s)-1) {
			return false
		}
	}
	return s != "" && len(s) <= 63
}

// escape tells whether s begins with "%" and two hexadecimal digits.
func escape(s string) bool { return len(s) > 2 && hexDigit(s[1]) && hexDigit(s[2]) }

func hexDigit(c byte) bool { return digit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }
