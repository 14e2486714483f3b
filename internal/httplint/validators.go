package httplint

import (
	"net/http"
	"strings"
	"time"
)

// isTag is RFC 9110 section 8.8.3.
func isTag(s string) bool {
	s = strings.TrimPrefix(s, "W/")
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return false
	}
	for i := 1; i < len(s)-1; i++ {
		if s[i] < 0x21 || s[i] == '"' || s[i] == 0x7f {
			return false
		}
	}
	return true
}

// tags are those of a list such as If-None-Match, up to where it is malformed.
func tags(lines []string) (all []string) {
	for _, line := range lines {
		for line != "" {
			line = strings.TrimLeft(line, " \t,")
			start := 0
			if strings.HasPrefix(line, "W/") {
				start = 2
			}
			if len(line) <= start || line[start] != '"' {
				break
			}
			end := strings.IndexByte(line[start+1:], '"')
			if end < 0 {
				break
			}
			all = append(all, line[:start+end+2])
			if line = strings.TrimLeft(line[start+end+2:], " \t"); line != "" && line[0] != ',' {
				break
			}
		}
	}
	return all
}

func entityTag(a *answer) {
	if a.header["Etag"] == nil {
		return
	}
	tag := a.value("ETag")
	if a.ours() && !isTag(tag) {
		a.say("ETag %q, RFC 9110 section 8.8.3", tag)
	}
	if a.ours() && a.status >= 400 {
		a.say("a %d with an ETag", a.status)
	}
}

func lastModified(a *answer) {
	if a.header["Last-Modified"] == nil || !a.ours() {
		return
	}
	text := a.value("Last-Modified")
	at, ok := date(text)
	switch {
	case !ok:
		a.say("Last-Modified %q is not as RFC 9110 section 5.6.7 has it", text)
	case at.After(a.now.Add(time.Second)):
		a.say("Last-Modified %q is still to come, RFC 9110 section 8.8.2.1", text)
	case a.status >= 400:
		a.say("a %d with Last-Modified", a.status)
	}
}

// notModified checks that conditions are answered as RFC 9110 section 13.2 has it.
func notModified(a *answer) {
	if !a.ours() || a.request == nil {
		return
	}
	get := a.method == http.MethodGet || a.method == http.MethodHead
	wanted := a.request.Header.Values("If-None-Match")
	tag := a.value("ETag")
	switch {
	case a.status == http.StatusNotModified:
		if !get {
			a.say("a 304 to %s", a.method)
		}
		if len(wanted) == 0 && a.asked("If-Modified-Since") == "" {
			a.say("a 304 that nobody asked for")
		}
		if tag == "" && a.value("Last-Modified") == "" {
			a.say("a 304 without ETag or Last-Modified, RFC 9110 section 15.4.5")
		}
		for _, name := range []string{"Content-Type", "Content-Encoding", "Content-Range", "Content-Language"} {
			if a.header[name] != nil {
				a.say("a 304 with %s, RFC 9110 section 15.4.5", name)
			}
		}
		if n := tags(wanted); len(n) > 0 && tag != "" && !hasWeakly(n, tag) {
			a.say("a 304 of ETag %s, If-None-Match has %s", tag, n)
		}
	case get && tag != "" && (a.status == http.StatusOK || a.status == http.StatusPartialContent):
		if hasWeakly(tags(wanted), tag) {
			a.say("a %d although If-None-Match has its ETag %s", a.status, tag)
		}
		if want := a.request.Header.Values("If-Match"); len(want) == 1 && strings.TrimSpace(want[0]) != "*" && !hasStrongly(tags(want), tag) {
			a.say("a %d although If-Match does not have its ETag %s", a.status, tag)
		}
	}
}

func hasWeakly(list []string, tag string) bool {
	for _, e := range list {
		if strings.TrimPrefix(e, "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}

func hasStrongly(list []string, tag string) bool {
	for _, e := range list {
		if e == tag && !strings.HasPrefix(e, "W/") {
			return true
		}
	}
	return false
}
