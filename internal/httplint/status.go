package httplint

import (
	"net/http"
	"net/url"
	"strings"
)

// location checks where a redirect leads (RFC 9110 section 10.2.2).
func location(a *answer) {
	redirect := a.status >= 300 && a.status < 400 && a.status != http.StatusNotModified && a.status != http.StatusMultipleChoices
	if !a.ours() {
		return
	}
	if a.header["Location"] == nil {
		if redirect {
			a.say("a %d without Location", a.status)
		}
		return
	}
	if !redirect && a.status != http.StatusCreated && a.status != http.StatusAccepted {
		a.say("a %d with Location", a.status)
	}
	to := a.value("Location")
	path, _, _ := strings.Cut(to, "?") // the query is the client's own
	u, err := url.Parse(to)
	switch {
	case err != nil || to == "":
		a.say("Location %q: %v", to, err)
		return
	case strings.ContainsFunc(to, func(r rune) bool { return r <= ' ' || r > 0x7e }), strings.ContainsAny(path, "\\\"<>^`{|}"):
		a.say("Location %q has what no URI has", to)
	case u.Scheme == "" && (u.Host != "" || strings.HasPrefix(to, "//")):
		a.say("Location %q leads to another host", to)
	case u.Scheme == "" && strings.HasPrefix(strings.TrimLeft(u.Path, "/"), "\\"), strings.HasPrefix(u.Path, "//") && u.Host == "":
		a.say("Location %q can be read as another host", to)
	case u.Scheme == "" && !strings.HasPrefix(to, "/"):
		a.say("Location %q is relative to what the client takes the path for", to)
	case u.Scheme != "" && (u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil):
		a.say("Location %q", to)
	}
	if redirect && a.request != nil && a.request.URL != nil && a.method == http.MethodGet && a.status != http.StatusSeeOther && u.Scheme == "" && to == a.request.URL.RequestURI() {
		a.say("Location %q is what was asked for", to)
	}
}

// allow checks Allow (RFC 9110 section 10.2.1).
func allow(a *answer) {
	if !a.ours() {
		return
	}
	methods := a.list("Allow")
	if a.status == http.StatusMethodNotAllowed {
		if len(methods) == 0 {
			a.say("a 405 without Allow, RFC 9110 section 15.5.6")
		}
		for _, m := range methods {
			if a.request != nil && m == a.method {
				a.say("a 405 to %s, which Allow has: %s", a.method, methods)
			}
		}
	}
	for _, m := range methods {
		if !isToken(m) || strings.ToUpper(m) != m {
			a.say("Allow has %q", m)
		}
	}
	if twice := duplicates(methods); len(twice) > 0 {
		a.say("Allow has %s twice", strings.Join(twice, ", "))
	}
}

// retryAfter checks Retry-After (RFC 9110 section 10.2.3).
func retryAfter(a *answer) {
	if a.header["Retry-After"] == nil || !a.ours() {
		return
	}
	text := a.value("Retry-After")
	_, dated := date(text)
	if !dated && (text == "" || len(text) > 9 || strings.Trim(text, "0123456789") != "") {
		a.say("Retry-After %q is neither seconds nor a date", text)
	}
	if a.status < 300 || a.status >= 400 && a.status != http.StatusTooManyRequests && a.status != http.StatusServiceUnavailable && a.status != http.StatusRequestEntityTooLarge {
		a.say("Retry-After on a %d", a.status)
	}
}

// challenge checks WWW-Authenticate (RFC 9110 section 11.6.1, 7617 section 2).
func challenge(a *answer) {
	if !a.ours() {
		return
	}
	lines := a.header.Values("WWW-Authenticate")
	if a.status == http.StatusUnauthorized && len(lines) == 0 {
		a.say("a 401 without WWW-Authenticate, RFC 9110 section 15.5.2")
	}
	for _, line := range lines {
		scheme, rest, _ := strings.Cut(line, " ")
		if !isToken(scheme) {
			a.say("WWW-Authenticate %q", line)
		}
		if strings.EqualFold(scheme, "basic") {
			realm, ok := strings.CutPrefix(rest, "realm=\"")
			text, after, ended := quoted(realm)
			if !ok || !ended || text == "" || after != "" && !strings.EqualFold(after, ", charset=\"UTF-8\"") {
				a.say("WWW-Authenticate %q, RFC 7617 section 2", line)
			}
		}
	}
}

// quoted reads a quoted string after its first quote.
func quoted(s string) (text, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			if i++; i == len(s) {
				return "", "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}

// accessControl checks what other origins are told (the Fetch standard, section 3.2).
func accessControl(a *answer) {
	if !a.ours() {
		return
	}
	origin, credentials := a.value("Access-Control-Allow-Origin"), a.header["Access-Control-Allow-Credentials"]
	if credentials != nil && (credentials[0] != "true" || origin == "*" || origin == "") {
		a.say("Access-Control-Allow-Credentials %q beside Access-Control-Allow-Origin %q", credentials, origin)
	}
	if u, err := url.Parse(origin); origin != "" && origin != "*" && origin != "null" && (err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" || u.RawQuery != "") {
		a.say("Access-Control-Allow-Origin %q", origin)
	}
	if age := a.value("Access-Control-Max-Age"); strings.Trim(age, "0123456789") != "" {
		a.say("Access-Control-Max-Age %q", age)
	}
}

// linksAndServices checks Link (RFC 8288), Alt-Svc (RFC 7838) and
// Strict-Transport-Security (RFC 6797).
func linksAndServices(a *answer) {
	if !a.ours() {
		return
	}
	for _, line := range a.header.Values("Link") {
		if !strings.HasPrefix(line, "<") || !strings.Contains(line, ">") {
			a.say("Link %q", line)
		}
	}
	for _, e := range a.list("Alt-Svc") {
		id, rest, ok := strings.Cut(e, "=\"")
		if e != "clear" && (!ok || !isToken(id) || !strings.Contains(rest, "\"") || !strings.Contains(rest, ":")) {
			a.say("Alt-Svc %q", e)
		}
	}
	if hsts := a.header["Strict-Transport-Security"]; hsts != nil {
		age, ok := strings.CutPrefix(hsts[0], "max-age=")
		age, _, _ = strings.Cut(age, ";")
		if !ok || age == "" || strings.Trim(age, "0123456789") != "" {
			a.say("Strict-Transport-Security %q", hsts[0])
		}
		if a.request != nil && a.request.URL.Scheme == "http" {
			a.say("Strict-Transport-Security over plain HTTP, RFC 6797 section 7.2")
		}
	}
}
