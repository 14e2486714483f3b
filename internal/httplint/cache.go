package httplint

import "strings"

// directives of Cache-Control in answers (RFC 9111 section 5.2.2, 5861, 8246),
// and whether each has a number.
var directives = map[string]bool{
	"max-age": true, "s-maxage": true, "stale-while-revalidate": true, "stale-if-error": true,
	"no-cache": false, "no-store": false, "no-transform": false, "must-revalidate": false, "proxy-revalidate": false,
	"must-understand": false, "private": false, "public": false, "immutable": false,
}

func cacheControl(a *answer) {
	if !a.ours() {
		return
	}
	if text := a.value("Expires"); text != "" {
		if _, ok := date(text); !ok {
			a.say("Expires %q", text)
		}
	}
	said := map[string]string{}
	for _, e := range a.list("Cache-Control") {
		name, value, given := strings.Cut(e, "=")
		name = strings.ToLower(name)
		number, known := directives[name]
		_, twice := said[name]
		switch {
		case !known:
			a.say("Cache-Control has %q, which nobody knows", e)
		case number && (!given || value == "" || strings.Trim(value, "0123456789") != ""):
			a.say("Cache-Control has %q, which wants a number", e)
		case !number && given && name != "no-cache" && name != "private":
			a.say("Cache-Control has %q, which takes nothing", e)
		case twice:
			a.say("Cache-Control has %s twice", name)
		}
		said[name] = value
	}
	has := func(name string) bool { _, ok := said[name]; return ok }
	both := func(one, other string) {
		if has(one) && has(other) {
			a.say("Cache-Control has %s and %s", one, other)
		}
	}
	both("public", "private")
	both("no-cache", "immutable")
	for _, other := range []string{"public", "max-age", "s-maxage", "immutable", "stale-while-revalidate", "stale-if-error"} {
		both("no-store", other)
	}
	if has("immutable") && (!has("max-age") || said["max-age"] == "0") {
		a.say("Cache-Control has immutable, which holds for as long as max-age says")
	}
}
