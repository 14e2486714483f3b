package apps

import (
	"cmp"
	"context"
	"crypto/rand"
	"maps"
	"os"
	"strconv"
	"strings"
)

// setup is what a process is started with.
type setup struct {
	invocation
	env     map[string]string           // what all instances of the app have, and the slot's numbers
	own     map[string]string           // what of it the app's declaration says
	ours    map[string]string           // the last layer of its environment
	pids    []string                    // variables that hold its process id
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
	w, slot := p.wanted, strconv.Itoa(p.slot)
	s := &setup{ours: map[string]string{
		cmp.Or(w.InstanceVar, "NODE_APP_INSTANCE"): slot,

		"pm_id":          strconv.Itoa(w.Slots[p.slot].ID),
		"ROOST_APP":      w.Name,
		"ROOST_SLOT":     slot,
		"ROOST_REVISION": strconv.Itoa(p.revision),
		"ROOST_INSTANCE": p.mark,
	}}
	if err := s.find(w, p.slot); err != nil {
		return s, err
	}
	if _, set := s.env["PYTHONUNBUFFERED"]; !set && s.python() {
		s.ours["PYTHONUNBUFFERED"] = "1" // or what it prints would come late
	}
	for key, value := range p.pm2Environ(s) {
		if _, own := s.own[key]; !own { // such as "name", which may be meant otherwise
			s.env[key] = value
		}
	}
	p.kind = kindOfProgram(w, s.node)
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
	if w.Check != nil {
		s.helpers = append(s.helpers, func(ctx context.Context) { p.check(ctx, s) })
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
	s.name()
	return s, err
}

// find finds what is outside and may not be there: user, environment, program.
func (s *setup) find(w *Wanted, slot int) error {
	var err error
	if s.user, err = lookupAccount(w.User, w.Group); err != nil {
		return err
	}
	all, err := layers(os.Environ(), w, s.user)
	if err != nil {
		return err
	}
	s.env, s.own = join(all), declared(all)
	if w.IncrementVar != "" {
		if s.env[w.IncrementVar], err = increment(s.own, w.IncrementVar, slot); err != nil {
			return err
		}
	}
	s.invocation, err = commandLine(&w.Config, s.env)
	return err
}

// name has a shell write the program's own process id, which nobody knows
// before, into the variables that want it; then it becomes the program.
func (s *setup) name() {
	if len(s.pids) > 0 {
		script := "export " + strings.Join(s.pids, "=$$ ") + `=$$; exec "$0" "$@"`
		s.argv = append([]string{"/bin/sh", "-c", script}, s.argv...)
	}
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
	if _, own := s.own["PORT"]; own {
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
