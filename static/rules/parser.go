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

// rule compiles from and to into c and takes it in if nothing is wrong with it; right: nothing else has been told
// to be. A from or to that has been is empty. What is left is looked at all the same.
func (p *parser) rule(c *rule, from, to string, kind targetKind, right bool) {
	names, known := p.from(c, from)
	if !known {
		names = placeholders(to)
	}
	if c.status != 0 && (c.status < 300 || c.status >= 400) {
		kind = internal
	}
	right = p.to(c, to, names, kind) && known && right
	if known {
		right = p.first(c, right) && right
	}
	if !right || !p.room(c) {
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

// from compiles the path of c. It returns the placeholders that the target may have, and false if the path is wrong.
func (p *parser) from(c *rule, from string) (names []string, ok bool) {
	if from == "" {
		return nil, false
	}
	from = cleanPath(from)
	var what, hint string
	if c.pattern, what, hint = parsePattern(from, p.set.loose); what != "" {
		p.wrong("from", "in "+from+": "+what, hint)
		return nil, false
	}
	names = c.pattern.names
	for i, q := range c.query {
		if q.name == 0 {
			c.query[i].name = len(names)
			names = append(names[:len(names):len(names)], q.value)
		}
	}
	if len(names) > maxNames {
		p.wrong("from", "it has more than 16 placeholders", "split it into several rules")
		return nil, false
	}
	return names, true
}

// to compiles the target of c, and tells whether it is right.
func (p *parser) to(c *rule, to string, names []string, kind targetKind) bool {
	if to == "" {
		return false
	}
	var unknown []string
	var what, hint string
	if c.target, unknown, what, hint = parseTarget(to, names, kind); what != "" {
		p.wrong("to", what, hint)
		return false
	}
	for _, name := range unknown {
		if p.strict {
			p.wrong("to", name+" is no placeholder of "+c.pattern.text, "name it there, or escape the colon as %3A")
		} else {
			p.problem(name+" is no placeholder of "+c.pattern.text+" and stays in the target as it is", "name it in the path, or escape the colon as %3A")
		}
	}
	return len(unknown) == 0 || !p.strict
}

// first tells whether c, which is taken in if it is right, is the first for its path.
func (p *parser) first(c *rule, right bool) bool {
	key := fmt.Sprint(c.scheme, c.host, c.pattern.text, c.query, c.wants)
	if p.seen[key] {
		p.wrong("from", "an earlier rule is for the same path "+c.pattern.text, "remove one of them; the first holds")
		return false
	}
	p.seen[key] = right || p.strict
	return true
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
