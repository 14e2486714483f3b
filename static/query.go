package static

import "fmt"

// Query is the query of a request as it can stand in a Location: bytes that no
// URI has, and "#", which would end it, are escaped. net/http lets them pass.
func Query(raw string) string {
	for i := range len(raw) {
		if !inQuery(raw[i]) {
			escaped := []byte(raw[:i])
			for _, c := range []byte(raw[i:]) {
				if inQuery(c) {
					escaped = append(escaped, c)
				} else {
					escaped = fmt.Appendf(escaped, "%%%02X", c)
				}
			}
			return string(escaped)
		}
	}
	return raw
}

func inQuery(c byte) bool { return c > ' ' && c < 0x7f && c != '#' && c != '"' && c != '<' && c != '>' }
