package pm2

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"roost/apps"
	"roost/host"
	"roost/service/control"
)

// declared is a configuration file as the daemon gets it.
type declared struct {
	file  string // absolute
	text  []byte
	names []string // of the apps that the command is about
}

// readFile reads a configuration file, with this user's rights; "-" is standard input.
func (s *session) readFile(word string) (f declared, err error) {
	f.file, f.text, err = host.LoadWord(s.ctx, word, s.in, s.out) // as in PM2, what it says is said here
	if errors.Is(err, fs.ErrNotExist) {
		return f, inWords("File %s not found", word)
	} else if err != nil {
		return f, err
	}
	f.names, err = host.MergeOptions{Only: s.given["only"]}.Names(f.file, f.text, s.text("env"))
	return f, err
}

// fileCommand is a command whose argument is a file.
func fileCommand(d deed) func(*session) error {
	return func(s *session) error {
		if !isFile(s.args[0]) {
			return fmt.Errorf("%s is no configuration file: it ends in .json, .yml or .config.js", s.args[0])
		}
		if err := s.file(d, s.args[0]); err != nil {
			return err
		}
		return s.done()
	}
}

// file does a deed to the apps of a file. Restart and reload make the file so
// before: what is new or has changed is then as the deed wants it, which is
// done to the others. What is not in the file stays.
func (s *session) file(d deed, word string) error {
	f, err := s.readFile(word)
	if err != nil {
		return err
	}
	before, err := s.all()
	if err != nil {
		return err
	}
	there := slices.DeleteFunc(slices.Clone(before), func(r row) bool { return !slices.Contains(f.names, r.App) })
	if d.verb == control.VerbStop || d.verb == control.VerbDelete {
		if len(there) == 0 {
			return nil
		}
		if _, err := s.client.Act(s.ctx, control.ActRequest{Verb: d.verb, Targets: targetsOf(there)}, nil); err != nil {
			return err
		}
		s.marks(there)
		return nil
	}
	if fresh := slices.DeleteFunc(slices.Clone(f.names), func(name string) bool { return len(named(there, name)) > 0 }); len(fresh) > 0 {
		s.warn("Applications %s not running, starting...", strings.Join(fresh, ", "))
	}
	for _, name := range f.names {
		if mine := named(there, name); len(mine) > 0 {
			s.say("Applying action %s on app [%s](ids: %s)", d.word, name, idList(mine))
		}
	}
	if err := s.apply(f); err != nil {
		return err
	}
	after, err := s.all()
	if err != nil {
		return err
	}
	if err := s.rest(d, f.names, there, after); err != nil {
		return err
	}
	for _, name := range f.names {
		if len(named(there, name)) == 0 {
			s.say("App [%s] launched (%d instances)", name, len(named(after, name)))
		}
	}
	s.marks(slices.DeleteFunc(after, func(r row) bool { return len(named(there, r.App)) == 0 }))
	return nil
}

// apply has the daemon make the file so.
func (s *session) apply(f declared) error {
	set, err := s.setKeys()
	if err != nil {
		return err
	}
	delete(set, "name")
	usual, err := usual()
	if err != nil {
		return err
	}
	plan, err := s.client.Apply(s.ctx, control.ApplyRequest{
		File: f.file, Text: string(f.text), Env: s.text("env"), Only: s.given["only"], Keep: true, KeepNew: true,
		Environ: environ(), UpdateEnv: s.has("update-env"), Set: set, Usual: usual,
	}, nil)
	if err != nil {
		return err
	}
	s.warnAll(plan.Notes)
	return nil
}

// rest does the deed to what making the file so has left as it was: instances
// that run as they ran before, and those that do not run.
func (s *session) rest(d deed, names []string, before, after []row) error {
	pids := map[int]int{}
	for i := range before {
		pids[before[i].ID] = before[i].PID
	}
	var idle, same []row
	for _, r := range after {
		pid, there := pids[r.ID]
		switch {
		case !there || !slices.Contains(names, r.App):
		case r.State == apps.StateStopped || r.State == apps.StateErrored:
			idle = append(idle, r)
		case r.PID != 0 && pid == r.PID:
			same = append(same, r)
		}
	}
	n, err := s.parallel()
	if err != nil {
		return err
	}
	for verb, rows := range map[string][]row{control.VerbStart: idle, d.verb: same} {
		if len(rows) == 0 {
			continue
		}
		if _, err := s.client.Act(s.ctx, control.ActRequest{Verb: verb, Targets: targetsOf(rows), Parallel: n}, nil); err != nil {
			return err
		}
	}
	return nil
}
