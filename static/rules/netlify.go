package rules

import (
	"net/url"
	"slices"
	"strings"
)

// netlify reads "from [key=value …] to [status[!]] [Condition=value …]".
func (p *parser) netlify(words []string) {
	c := &rule{status: 301}
	from, rest, right := p.netlifyPath(c, words[0]), words[1:], true
	to := slices.IndexFunc(rest, func(w string) bool { return w[0] == '/' || schemeOf(w) != "" })
	target := ""
	switch {
	case len(rest) > 0 && strings.HasSuffix(words[0], "/*") && statusOf(strings.TrimSuffix(rest[0], "!"), 200) != 0:
		if from != "" {
			target = strings.TrimSuffix(from, "*") + ":splat" // the files themselves
		}
	case to < 0:
		status := ""
		if len(rest) > 0 {
			status = ", but " + strings.Join(rest, " ")
		}
		p.problem("the rule has no target"+status, "write: /from /to 301")
		rest = nil
	default:
		right = p.parameters(c, rest[:to])
		target, rest = rest[to], rest[to+1:]
	}
	if len(rest) > 0 {
		word, force := strings.CutSuffix(rest[0], "!")
		c.force = force
		if c.status = statusOf(word, 200, 301, 302, 303, 307, 308, 404); c.status == 0 {
			p.problem("the status is "+rest[0], "want 200, 301, 302, 303, 307, 308 or 404; ! behind it comes before files")
		}
		right = p.conditions(c, rest[1:]) && right && c.status != 0
	}
	p.rule(c, from, target, external, right)
}

// netlifyPath reads the path of c, with or without a host before it; "" if it is wrong.
func (p *parser) netlifyPath(c *rule, from string) string {
	if scheme := schemeOf(from); scheme != "" {
		u, err := url.Parse(from)
		if err != nil || u.Hostname() == "" || u.User != nil {
			p.problem(from+" is no URL", "write a path, or https://example.com/path")
			return ""
		}
		c.host = u.Hostname()
		c.scheme = strings.TrimSuffix(scheme, "://")
		_, path, _ := strings.Cut(from[len(scheme):], "/")
		from = "/" + path
	}
	star := strings.IndexByte(from, '*')
	switch {
	case from[0] != '/':
		p.problem("the path "+from+" does not begin with a slash", "write /"+from)
	case strings.HasPrefix(from, "/.netlify/"):
		p.problem("paths of /.netlify are Netlify's own", "remove the rule")
	case star >= 0 && star+1 < len(from) && from[star+1] != '/':
		p.problem("in "+from+": * does not end a segment", "let it stand at the end")
	default:
		return from
	}
	return ""
}

// parameters reads what the query must have: "id=:id" or "id=1".
func (p *parser) parameters(c *rule, words []string) bool {
	before := len(p.problems)
	for _, word := range words {
		key, value, ok := strings.Cut(word, "=")
		if !ok || key == "" {
			p.problem(word+" is neither a target nor key=value", "a target begins with a slash, http:// or https://")
		}
		q := parameter{key: key, value: value, name: -1}
		if len(value) > 1 && value[0] == ':' {
			q.value, q.name = value[1:], 0
		}
		c.query = append(c.query, q)
	}
	return len(p.problems) == before
}

// conditions reads what else a request must have.
func (p *parser) conditions(c *rule, words []string) bool {
	before := len(p.problems)
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
		case "role", "sign", "signed":
			p.problem(key+"= needs Netlify's own accounts", "protect the path with basic_auth in roost.toml, or in an app")
		default:
			p.problem("unknown condition "+word, "known are Cookie= and Language=")
		}
		if w.field != "" && slices.Contains(w.any, "") {
			p.problem(key+"= has an empty value", "write "+key+"=a,b")
		}
		c.wants = append(c.wants, w)
	}
	return len(p.problems) == before
}
