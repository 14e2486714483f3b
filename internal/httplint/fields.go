package httplint

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// imfFixdate is the one form of a date that is sent (RFC 9110 section 5.6.7).
const imfFixdate = "Mon, 02 Jan 2006 15:04:05 GMT"

func date(text string) (time.Time, bool) {
	t, err := time.Parse(imfFixdate, text)
	return t, err == nil && t.Format(imfFixdate) == text
}

// dateField checks Date (RFC 9110 section 6.6.1).
func dateField(a *answer) {
	lines := a.header.Values("Date")
	switch {
	case a.status < 200:
		return
	case len(lines) == 0:
		if !a.bare {
			a.say("no Date, RFC 9110 section 6.6.1")
		}
		return
	case len(lines) > 1:
		a.say("Date is there %d times", len(lines))
	}
	at, ok := date(lines[0])
	switch {
	case !ok:
		a.say("Date %q is not as RFC 9110 section 5.6.7 has it", lines[0])
	case at.Sub(a.now).Abs() > time.Minute:
		a.say("Date %q is not now", lines[0])
	}
}

// singular are fields that may be there once (RFC 9110 section 5.3); the first
// few also where an app made the answer, as they frame or date it.
var singular = []string{
	"Content-Length", "Date", "Content-Type", "Server", "Location", "Content-Range",
	"Etag", "Last-Modified", "Content-Encoding", "Content-Disposition", "Content-Location", "Expires", "Age", "Retry-After",
	"Accept-Ranges", "Strict-Transport-Security", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy",
	"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Max-Age",
}

const singularOfApps = 6

func singletons(a *answer) {
	names := singular
	if !a.ours() {
		names = names[:singularOfApps]
	}
	for _, name := range names {
		if n := len(a.header[name]); n > 1 && name != "Content-Length" && name != "Date" { // which speak for themselves
			a.say("%s is there %d times: %q", name, n, a.header[name])
		}
	}
}

// fieldSyntax checks names and values (RFC 9110 section 5).
func fieldSyntax(a *answer) {
	for name, lines := range a.header {
		if !isToken(name) {
			a.say("field name %q", name)
		}
		for _, value := range lines {
			if i := strings.IndexFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }); i >= 0 {
				a.say("%s has a control character: %q", name, value)
			}
			if !a.ours() {
				continue
			}
			switch {
			case value == "":
				a.say("%s is empty", name)
			case strings.Trim(value, " \t") != value:
				a.say("%s has white space around it: %q", name, value)
			case strings.IndexFunc(value, func(r rune) bool { return r > 0x7e }) >= 0:
				a.say("%s is not ASCII: %q", name, value)
			}
		}
	}
}

// isToken is RFC 9110 section 5.6.2.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0:
		default:
			return false
		}
	}
	return s != ""
}

// duplicates returns what is in a list twice, whatever its case.
func duplicates(list []string) (twice []string) {
	seen := map[string]bool{}
	for _, e := range list {
		if e = strings.ToLower(e); seen[e] && !slices.Contains(twice, e) {
			twice = append(twice, e)
		}
		seen[e] = true
	}
	return twice
}

// contains finds an element of a list, whatever its case.
func contains(list []string, want string) bool {
	return slices.ContainsFunc(list, func(e string) bool { return strings.EqualFold(e, want) })
}

// ownPromises are the program's: who it is stays its secret, and what it says
// of a type is final.
func ownPromises(a *answer) {
	if !a.ours() {
		return
	}
	for _, name := range []string{"Server", "X-Powered-By", "Via", "Age", "Pragma"} {
		if a.header[name] != nil {
			a.say("%s: %q", name, a.header[name])
		}
	}
	if a.header["Content-Type"] != nil && a.status >= 200 && a.status != http.StatusNotModified && a.value("X-Content-Type-Options") != "nosniff" {
		a.say("a type without X-Content-Type-Options: nosniff")
	}
	if a.status >= 400 && !contains(a.list("Cache-Control"), "no-store") {
		a.say("an error without Cache-Control: no-store")
	}
}
