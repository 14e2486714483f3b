package host

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// net/http answers what it cannot read as a request by itself, in one write
// to the connection: a status line, these fields, a line of text. No handler
// hears of it, and what it says lacks a Date (RFC 9110 section 6.6.1), a length
// and everything else that our answers have. Nor do handlers
// hear of expectations other than 100-continue (417).
const refusalFields = "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"

// refusalPage is our error page in place of such an answer; nil when p is
// none. It must only be asked about what is written while no handler answers:
// anyone can put these bytes into a file.
func refusalPage(p []byte) []byte {
	refuses := bytes.HasPrefix(p, []byte("HTTP/1.1 417 ")) || bytes.HasPrefix(p, []byte("HTTP/1.1 ")) && bytes.Contains(p, []byte(refusalFields))
	if len(p) > 512 || !refuses {
		return nil
	}
	status, err := strconv.Atoi(string(p[9:12]))
	if err != nil || status < 400 {
		return nil
	}
	page := builtInPage(status)
	return fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n"+
		"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n%s",
		status, http.StatusText(status), time.Now().UTC().Format(http.TimeFormat), len(page), page)
}
