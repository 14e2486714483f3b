package static

import "time"

const (
	quiet = 150 * time.Millisecond // without events, after which a change counts as finished
	limit = 10 * time.Second       // a file written all the time is taken as it is after so long
)

// pending is the paths that have changed and are waiting to rest.
type pending map[string]*change

type change struct{ first, last time.Time }

// add notes an event.
func (p pending) add(path string, now time.Time) {
	if c := p[path]; c != nil {
		c.last = now
	} else {
		p[path] = &change{now, now}
	}
}

// ripe tells when what has changed is to be looked at if nothing else happens.
func (c *change) ripe() time.Time { return earlier(c.last.Add(quiet), c.first.Add(limit)) }

// due takes the ripe paths out.
func (p pending) due(now time.Time) map[string]*change {
	var due map[string]*change
	for path, c := range p {
		if c.ripe().After(now) {
			continue
		}
		if due == nil {
			due = map[string]*change{}
		}
		due[path] = c
		delete(p, path)
	}
	return due
}

// hold tells whether a file found changed, last written at modified, should
// be left alone for now, and sees to it that it is looked at again.
func (p pending) hold(path string, modified, now time.Time) bool {
	if age := now.Sub(modified); age < 0 || age >= quiet {
		return false
	}
	c := p[path]
	if c == nil {
		c = &change{first: now}
	}
	c.last = now
	if !c.ripe().After(now) {
		return false
	}
	p[path] = c
	return true
}
