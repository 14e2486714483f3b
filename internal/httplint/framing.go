package httplint

import (
	"net/http"
	"strconv"
	"strings"
)

// lengthField checks Content-Length (RFC 9110 section 8.6).
func lengthField(a *answer) {
	lines := a.header.Values("Content-Length")
	if len(lines) == 0 {
		return
	}
	if len(lines) > 1 {
		a.say("Content-Length is there %d times", len(lines))
	}
	n, err := strconv.ParseUint(lines[0], 10, 63)
	if err != nil || lines[0] != strconv.FormatUint(n, 10) {
		a.say("Content-Length %q is not a plain number", lines[0])
		return
	}
	a.length = int64(n)
	switch {
	case a.status < 200 || a.status == http.StatusNoContent:
		a.say("Content-Length on a %d, RFC 9110 section 8.6", a.status)
	case len(a.coding) > 0:
		a.say("Content-Length beside Transfer-Encoding, RFC 9112 section 6.2")
	case a.status == http.StatusResetContent && n != 0:
		a.say("a 205 with a length of %d, RFC 9110 section 15.3.6", n)
	}
}

// codingField checks Transfer-Encoding (RFC 9112 section 6.1).
func codingField(a *answer) {
	if len(a.coding) == 0 {
		return
	}
	switch {
	case a.major != 1:
		a.say("Transfer-Encoding over HTTP/%d, RFC 9113 section 8.2.2", a.major)
	case a.minor == 0 || a.request != nil && a.request.ProtoMajor == 1 && a.request.ProtoMinor == 0 && a.request.Proto != "":
		a.say("Transfer-Encoding to a client of HTTP/1.0, RFC 9112 section 6.1")
	case a.status < 200 || a.status == http.StatusNoContent:
		a.say("Transfer-Encoding on a %d, RFC 9112 section 6.1", a.status)
	case len(a.coding) != 1 || !strings.EqualFold(a.coding[0], "chunked"):
		a.say("Transfer-Encoding %q, which nobody asked for", a.coding)
	}
}

// connectionFields checks the fields that are of one connection only (RFC 9110
// section 7.6.1). HTTP/2 and 3 have none.
func connectionFields(a *answer) {
	for _, name := range []string{"Keep-Alive", "Proxy-Connection", "Te", "Proxy-Authorization", "Http2-Settings"} {
		if a.header[name] != nil {
			a.say("%s: %q does not belong in an answer, RFC 9110 section 7.6.1", name, a.header[name])
		}
	}
	switching := a.status == http.StatusSwitchingProtocols
	if a.header["Upgrade"] != nil && !switching && a.status != http.StatusUpgradeRequired {
		a.say("Upgrade on a %d", a.status)
	}
	options := a.list("Connection")
	if a.major != 1 {
		for _, name := range []string{"Connection", "Upgrade", "Transfer-Encoding"} {
			if a.header[name] != nil {
				a.say("%s over HTTP/%d, RFC 9113 section 8.2.2", name, a.major)
			}
		}
		return
	}
	for _, option := range options {
		switch strings.ToLower(option) {
		case "close":
		case "keep-alive":
			if a.request != nil && a.request.ProtoMinor != 0 && a.request.Proto != "" {
				a.say("Connection: keep-alive over HTTP/1.1 says nothing")
			}
		case "upgrade":
			if !switching && a.status != http.StatusUpgradeRequired {
				a.say("Connection: upgrade on a %d", a.status)
			}
		default:
			a.say("Connection names %s", option)
		}
	}
}

// bodyLength checks that there is a body only where one may be, and that it is
// as long as was said.
func bodyLength(a *answer) {
	switch {
	case !a.hasBody():
		if a.size > 0 {
			a.say("%d bytes of body on a %d to %s", a.size, a.status, a.method)
		}
	case a.status == http.StatusResetContent && a.size > 0:
		a.say("a 205 has a body")
	case a.length >= 0 && !a.unpacked && a.size != a.length:
		a.say("%d bytes of body, Content-Length %d", a.size, a.length)
	}
}
