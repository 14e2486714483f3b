package apps

import (
	"context"
	"crypto/rand"
	"maps"
	"os"
	"strconv"
	"strings"
)

// setup is what a process is started with.
type setup struct {
	argv    []string
	ours    map[string]string           // the last layer of its environment
	finish  func(env []string) []string // a last change to the environment
	files   []*os.File                  // its file descriptors from 3 on; closed once it has started
	user    *account                    // nil: ours
	helpers []func(ctx context.Context) // what runs beside it, until it has ended
}

func (s *setup) close() {
	for _, f := range s.files {
		f.Close()
	}
}

// prepare finds the program and makes what its kind needs. The setup is never
// nil; what is in it is the caller's even when there is an error.
func (p *program) prepare() (*setup, error) {
	w := p.wanted
	s := &setup{ours: map[string]string{
		"NODE_APP_INSTANCE": strconv.Itoa(p.slot),
		"ROOST_APP":         w.Name,
		"ROOST_SLOT":        strconv.Itoa(p.slot),
		"ROOST_REVISION":    strconv.Itoa(p.revision),
		"ROOST_INSTANCE":    p.mark,
	}}
	argv, node, err := commandLine(w.Config, searchPath(w))
	if err != nil {
		return s, err
	}
	s.argv = argv
	if s.user, err = lookupAccount(w.User); err != nil {
		return s, err
	}
	p.kind = kindOfProgram(w, node)
	if w.Port > 0 {
		s.ours["PORT"] = strconv.Itoa(w.Port)
	}
	dir, err := openSocketDir(p.runDir, s.user)
	if err != nil {
		return s, err
	}
	p.later(dir.close)
	if err := p.prepareNotify(s, dir); err != nil {
		return s, err
	}
	switch p.kind {
	case kindNode:
		err = p.prepareNode(s, dir)
	case kindListen:
		err = p.prepareListen(s, dir)
	case kindPort:
		err = p.preparePort(s)
	case kindFixed:
		err = p.prepareFixed(s)
	}
	return s, err
}

// preparePort gives the program a private port.
func (p *program) preparePort(s *setup) error {
	port, err := loopbackPorts.take()
	if err != nil {
		return err
	}
	p.later(func() { loopbackPorts.give(port) })
	maps.Copy(s.ours, map[string]string{"PORT": strconv.Itoa(port), "HOST": "127.0.0.1"})
	s.helpers = append(s.helpers, p.findOn(port))
	return nil
}

// prepareFixed leaves the program its own port, if that is free. What the
// user's Env says of PORT and HOST holds.
func (p *program) prepareFixed(s *setup) error {
	port := p.wanted.Port
	if _, own := p.wanted.Env["PORT"]; own {
		delete(s.ours, "PORT")
	}
	if err := loopbackFree(port); err != nil {
		return p.taken(port, err)
	}
	s.helpers = append(s.helpers, p.findOn(port))
	return nil
}

// randomName is short and hard to guess.
func randomName() string { return strings.ToLower(rand.Text()[:10]) }
