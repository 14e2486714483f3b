package rules

import (
	"fmt"
	"strings"
)

// parser makes rules of what is written, and keeps what is wrong with it.
type parser struct {
	*reader
	set             *Redirects
	seen            map[string]bool
	static, dynamic int
	strict          bool // of a config: what a file may say in vain is wrong
}

// rule compiles from and to into c and takes it in.
func (p *parser) rule(c *rule, from, to string, kind targetKind) {
	var what, hint string
	from = cleanPath(from)
	if c.pattern, what, hint = parsePattern(from, p.set.loose); what != "" {
		p.wrong("from", "in "+from+": "+what, hint)
		return
	}
	if c.status < 300 || c.status >= 400 {
		kind = internal
	}
	names := c.pattern.names
	for i, q := range c.query {
		if q.name == 0 {
			c.query[i].name = len(names)
			names = append(names[:len(names):len(names)], q.value)
		}
	}
	if len(names) > maxNames {
		p.wrong("from", "it has more than 16 placeholders", "split it into several rules")
		return
	}
	var unknown string
	if c.target, unknown, what, hint = parseTarget(to, names, kind); what != "" {
		p.wrong("to", what, hint)
		return
	}
	if unknown != "" && p.strict {
		p.wrong("to", unknown+" is no placeholder of "+from, "name it there, or escape the colon as %3A")
		return
	} else if unknown != "" {
		p.problem(unknown+" is no placeholder of "+from+" and stays in the target as it is", "name it in the path, or escape the colon as %3A")
	}
	key := fmt.Sprint(c.scheme, c.host, from, c.query, c.wants)
	if p.seen[key] {
		p.wrong("from", "an earlier rule is for the same path "+from, "remove one of them; the first holds")
		return
	}
	p.seen[key] = true
	if !p.room(c) {
		return
	}
	if p.set.add(c); p.set.loops(c) && (p.strict || c.status != 200) {
		p.set.drop(c)
		if c.status == 200 {
			p.wrong("to", "the rule covers the path that it leads to, and all that lies beside it", "set missing = true to answer with files where there are some")
		} else {
			p.wrong("to", "the rule redirects to itself, or to one that leads back", "let it lead to a path that no such rule covers")
		}
	}
}

// room counts the rules of a file.
func (p *parser) room(c *rule) bool {
	if c.pattern.literal() {
		if p.static++; p.static > maxStatic {
			p.wrong("from", fmt.Sprintf("there are more than %d rules without a placeholder", maxStatic), "put paths together with * or :name")
		}
		return p.static <= maxStatic
	}
	if p.dynamic++; p.dynamic > maxDynamic {
		what := fmt.Sprintf("there are more than %d rules with a placeholder", maxDynamic)
		if !p.strict {
			what += "; the rest of the file is left out"
		}
		p.wrong("from", what, "put paths together")
		p.rest = ""
	}
	return p.dynamic <= maxDynamic
}

// statusOf reads a status if it is one of those that are allowed, else 0.
func statusOf(word string, allowed ...int) int {
	word = strings.TrimSpace(word)
	for _, status := range allowed {
		if word == fmt.Sprint(status) {
			return status
		}
	}
	return 0
}
