package rules

import (
	"net/url"
	"slices"
	"strings"
)

// netlify reads "from [key=value …] to [status[!]] [Condition=value …]".
func (p *parser) netlify(words []string) {
	c := &rule{status: 301}
	from := words[0]
	if scheme := schemeOf(from); scheme != "" {
		u, err := url.Parse(from)
		if err != nil || u.Hostname() == "" || u.User != nil {
			p.problem(from+" is no URL", "write a path, or https://example.com/path")
			return
		}
		c.host = u.Hostname()
		c.scheme = strings.TrimSuffix(scheme, "://")
		_, path, _ := strings.Cut(from[len(scheme):], "/")
		from = "/" + path
	}
	if !strings.HasPrefix(from, "/") {
		p.problem("the path "+from+" does not begin with a slash", "write /"+from)
		return
	}
	if strings.HasPrefix(from, "/.netlify/") {
		p.problem("paths of /.netlify are Netlify's own", "remove the rule")
		return
	}
	if star := strings.IndexByte(from, '*'); star >= 0 && star+1 < len(from) && from[star+1] != '/' {
		p.problem("in "+from+": * does not end a segment", "let it stand at the end")
		return
	}
	rest := words[1:]
	to := slices.IndexFunc(rest, func(w string) bool { return w[0] == '/' || schemeOf(w) != "" })
	target := ""
	switch status := ""; {
	case len(rest) > 0 && strings.HasSuffix(from, "/*") && statusOf(strings.TrimSuffix(rest[0], "!"), 200) != 0:
		target = strings.TrimSuffix(from, "*") + ":splat" // the files themselves
	case to < 0:
		if len(rest) > 0 {
			status = ", but " + strings.Join(rest, " ")
		}
		p.problem("the rule has no target"+status, "write: /from /to 301")
		return
	default:
		if !p.parameters(c, rest[:to]) {
			return
		}
		target, rest = rest[to], rest[to+1:]
	}
	if len(rest) > 0 {
		word, force := strings.CutSuffix(rest[0], "!")
		c.force = force
		if c.status = statusOf(word, 200, 301, 302, 303, 307, 308, 404); c.status == 0 {
			p.problem("the status is "+rest[0], "want 200, 301, 302, 303, 307, 308 or 404; ! behind it comes before files")
			return
		}
		if !p.conditions(c, rest[1:]) {
			return
		}
	}
	p.rule(c, from, target, external)
}

// parameters reads what the query must have: "id=:id" or "id=1".
func (p *parser) parameters(c *rule, words []string) bool {
	for _, word := range words {
		key, value, ok := strings.Cut(word, "=")
		if !ok || key == "" {
			p.problem(word+" is neither a target nor key=value", "a target begins with a slash, http:// or https://")
			return false
		}
		q := parameter{key: key, value: value, name: -1}
		if len(value) > 1 && value[0] == ':' {
			q.value, q.name = value[1:], 0
		}
		c.query = append(c.query, q)
	}
	return true
}

// conditions reads what else a request must have.
func (p *parser) conditions(c *rule, words []string) bool {
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		w := condition{any: strings.Split(value, ",")}
		switch strings.ToLower(key) {
		case "cookie":
			w.field = "Cookie"
		case "language":
			w.field = "Accept-Language"
		case "country":
			p.problem("the country of a client is not known here", "remove the rule, or go by Language=")
			return false
		case "role", "sign", "signed":
			p.problem(key+"= needs Netlify's own accounts", "protect the path with basic_auth in roost.toml, or in an app")
			return false
		default:
			p.problem("unknown condition "+word, "known are Cookie= and Language=")
			return false
		}
		if value == "" || slices.Contains(w.any, "") {
			p.problem(key+"= has an empty value", "write "+key+"=a,b")
			return false
		}
		c.wants = append(c.wants, w)
	}
	return true
}
