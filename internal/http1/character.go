package http1

// Lower is c as a small letter, if it is a letter of ASCII.
func Lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// IsToken says whether c may stand in a method or a field name (RFC 9110
// section 5.6.2).
func IsToken(c byte) bool { return tokens[c] }

var tokens = func() (t [256]bool) {
	for _, c := range []byte("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		t[c] = true
	}
	return t
}()

// printableBytes tells that none of eight bytes is below a space or DEL.
func printableBytes(x uint64) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	del := x ^ 0x7f*ones
	return ((x-' '*ones)&^x|(del-ones)&^del)&highs == 0
}
