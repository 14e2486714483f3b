package tls

import (
	"context"
	"time"
)

// Own is a certificate that somebody else gets and renews: nothing is ordered
// for its names. Cert and Key are PEM files, the first with the chain, leaf first.
type Own struct {
	Cert, Key string
	Names     []string
}

// ownIssuer is what Status says of certificates from files.
const ownIssuer = "file"

// ValidateOwn returns what is wrong with a certificate of the user's own.
func ValidateOwn(cert, key string) []Complaint {
	switch {
	case cert == "" && key == "":
		return nil
	case key == "":
		return []Complaint{{"cert", "cert is set without key", "set key to the PEM file of its private key"}}
	case cert == "":
		return []Complaint{{"key", "key is set without cert", "set cert to the PEM file of the certificate and its chain"}}
	}
	pair, wrong := readPair(cert, key)
	if wrong == nil {
		wrong = timely(cert, pair.Leaf, time.Now())
	}
	if wrong != nil {
		return []Complaint{*wrong}
	}
	return nil
}

// NoteOwn says what people should know of a certificate that can be used: that
// it is not for some of the names. It is empty when there is nothing to say.
func NoteOwn(o Own) string {
	if o.Cert == "" {
		return ""
	}
	pair, wrong := readPair(o.Cert, o.Key)
	if wrong != nil {
		return ""
	}
	var names []string
	for _, name := range o.Names {
		if name, err := canonical(name); err == nil {
			names = append(names, name)
		}
	}
	if err := uncovered(o.Cert, pair.Leaf, names...); err != nil {
		return err.Error()
	}
	return ""
}

// pairs returns the pair of each name in own; those that are known stay, and
// the watch alone has them change.
func (c *Certs) pairs(own []Own) map[string]*pair {
	c.mu.Lock()
	known := map[[2]string]*pair{}
	for _, e := range c.entries {
		if e.own != nil {
			known[e.own.files] = e.own
		}
	}
	c.mu.Unlock()
	names := map[string]*pair{}
	for _, o := range own {
		files := [2]string{o.Cert, o.Key}
		p := known[files]
		if p == nil {
			p = newPair(o.Cert, o.Key, time.Now())
			known[files] = p
		}
		for _, name := range o.Names {
			if name, err := canonical(name); err == nil {
				names[name] = p
			}
		}
	}
	return names
}

// belong makes e one whose certificate is p's.
func (e *entry) belong(p *pair) {
	e.own, e.internal, e.issuer = p, false, ownIssuer
	e.refused, e.err = false, nil
}

// reread makes e's certificate that of its pair. The caller holds Certs.mu.
func (e *entry) reread() {
	cert, err := e.own.state()
	if cert != nil {
		e.cert, e.hash, e.old = cert, "", false
		if err == nil {
			err = uncovered(e.own.files[0], cert.Leaf, e.name)
		}
	}
	e.err = err
}

// watch looks at the files of all pairs, and of roots, until ctx ends.
func (c *Certs) watch(ctx context.Context) {
	tick := time.NewTicker(c.looks)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			c.reload(now)
			c.reloadRoots()
		}
	}
}

// reload takes over what has changed in the files of pairs.
func (c *Certs) reload(now time.Time) {
	c.mu.Lock()
	changed := map[*pair]bool{} // whether it has
	for _, e := range c.entries {
		if e.own != nil {
			changed[e.own] = false
		}
	}
	c.mu.Unlock()
	any := false
	for p := range changed {
		if !p.look(now) { // without c.mu: a disk may be slow
			continue
		}
		any, changed[p] = true, true
		if cert, err := p.state(); err != nil {
			c.log.Warn("the files of a certificate are in trouble", "cert", p.files[0], "key", p.files[1], "error", err, "hint", hintOf(err))
		} else {
			c.log.Info("certificate read from its files", "cert", p.files[0], "expires", cert.Leaf.NotAfter.Format(time.RFC3339))
		}
	}
	if !any {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.entries {
		if e.own != nil && changed[e.own] {
			e.reread()
			e.tried = now
		}
	}
	c.publish()
	c.stir()
}
