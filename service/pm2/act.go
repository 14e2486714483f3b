package pm2

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"roost/apps"
	"roost/service/control"
)

// deed is a verb that PM2 does to processes.
type deed struct {
	verb  string // of control
	word  string // as PM2 calls it
	set   bool   // takes the flags that describe apps
	table bool   // ends with the list
}

var (
	stop    = deed{control.VerbStop, "stopProcessId", false, true}
	restart = deed{control.VerbRestart, "restartProcessId", true, true}
	reload  = deed{control.VerbReload, "reloadProcessId", true, false}
	remove  = deed{control.VerbDelete, "deleteProcessId", false, true}
)

// act is the command of a deed.
func act(d deed) func(*session) error {
	return func(s *session) error {
		for _, word := range s.args {
			if !s.isFile(word) {
				if s.has("env") {
					return inWords("Using --env [env] without passing the ecosystem.config.js does not work")
				}
				if d.set && !s.has("update-env") {
					s.print("%s", s.paint("Use --update-env to update environment variables", blue, bold))
					break
				}
			}
		}
		for _, word := range s.args {
			do := s.actOn
			if s.isFile(word) {
				do = s.file
			}
			if err := do(d, word); err != nil {
				return err
			}
		}
		if d.table {
			return s.done()
		}
		return s.follow()
	}
}

// actOn does a deed to what one word means.
func (s *session) actOn(d deed, word string) error {
	rows, err := s.all()
	if err != nil {
		return err
	}
	chosen, err := find(rows, word)
	switch {
	case err != nil:
		return err
	case len(chosen) == 0 && word == "all":
		s.warnErr("No process found")
		return failed
	case len(chosen) == 0:
		return inWords("Process or Namespace %s not found", word)
	}
	return s.do(d, word, chosen)
}

// do does a deed to rows; word is what the user called them.
func (s *session) do(d deed, word string, rows []row) error {
	s.say("Applying action %s on app [%s](ids: %s)", d.word, word, idList(rows))
	n, err := s.parallel()
	if err != nil {
		return err
	}
	r := control.ActRequest{Verb: d.verb, Targets: targetsOf(rows), Parallel: n}
	if d.set {
		keys, err := s.setKeys()
		if err != nil {
			return err
		}
		r.Set = keys
		if s.has("update-env") {
			r.Environ = environ()
		}
	}
	if d.verb == control.VerbStop && s.has("watch") {
		r.Verb, r.Set = control.VerbRestart, map[string]json.RawMessage{"watch": json.RawMessage("null")}
		if _, err := s.client.Act(s.ctx, r, nil); err != nil {
			return err
		}
		r.Verb, r.Set = control.VerbStop, nil
	}
	asks := []control.ActRequest{r}
	if d.verb == control.VerbReload { // what does not run is started, as in PM2
		idle := slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return r.State != apps.StateStopped })
		live := slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return r.State == apps.StateStopped })
		asks = nil
		for verb, rows := range map[string][]row{control.VerbStart: idle, control.VerbReload: live} {
			if len(rows) > 0 {
				one := r
				one.Verb, one.Targets = verb, targetsOf(rows)
				asks = append(asks, one)
			}
		}
	}
	for _, r := range asks {
		done, err := s.client.Act(s.ctx, r, nil)
		if err != nil {
			return err
		}
		if d.verb != control.VerbStop && d.verb != control.VerbDelete { // what a file that declares it does later is no news to PM2's users
			s.warnAll(done.Notes)
		}
	}
	s.marks(rows)
	return nil
}

// marks tells that it is done, row by row.
func (s *session) marks(rows []row) {
	for i := range rows {
		s.say("[%s](%d) ✓", rows[i].App, rows[i].ID)
	}
}

// setKeys are the keys of [[app]] that the flags give to an app that exists.
func (s *session) setKeys() (map[string]json.RawMessage, error) {
	keys, err := s.keys()
	if err != nil {
		return nil, err
	}
	if s.has("watch") {
		s.line.warnToggle(s)
	}
	if len(s.script) > 0 {
		keys["args"] = texts(s.script)
	}
	return encoded(keys)
}

// warnToggle says what --watch does to an app that is there: PM2 toggles, so
// that nobody knows what comes of a script that is run twice.
func (l *line) warnToggle(s *session) { s.warn("watching is on now; stop --watch ends it") }

func encoded(keys map[string]any) (map[string]json.RawMessage, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	out := map[string]json.RawMessage{}
	for key, v := range keys {
		text, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("cannot write %s: %w", key, err)
		}
		out[key] = text
	}
	return out, nil
}

// done ends a command: the list, and with --attach the logs.
func (s *session) done() error {
	if err := s.table(); err != nil {
		return err
	}
	return s.follow()
}

// follow goes on with the logs of the command's apps where --attach asks for
// it, or with all as long as the daemon runs where --no-daemon does and one ran already.
func (s *session) follow() error {
	if !s.has("attach") {
		if s.has("no-daemon") && s.daemon == nil {
			if err := s.stream(nil); !errors.Is(err, control.ErrNotRunning) {
				return err
			}
		}
		return nil
	}
	rows, err := s.all()
	if err != nil {
		return err
	}
	var mine []row // of the command; of a file or a new app all
	for _, word := range s.args {
		some, err := find(rows, word)
		if err != nil {
			return err
		}
		mine = append(mine, some...)
	}
	return s.stream(mine)
}

// environ is the environment of this shell, as apps get it: without what is
// meant for the daemon.
func environ() map[string]string {
	env := map[string]string{}
	for _, pair := range os.Environ() {
		name, value, ok := strings.Cut(pair, "=")
		if ok && name != "" && !strings.HasPrefix(name, "ROOST_") {
			env[name] = value
		}
	}
	return env
}

func (s *session) scale() error {
	rows, err := s.all()
	if err != nil {
		return err
	}
	name, change := s.args[0], s.args[1]
	mine := named(rows, name)
	if len(mine) == 0 {
		return inWords("Application %s not found", name)
	}
	n, err := strconv.Atoi(change)
	if err != nil {
		return fmt.Errorf("%q is not a number of instances: write 4, +2 or -1", change)
	}
	mine = named(rows, mine[0].App)
	if strings.HasPrefix(change, "+") || strings.HasPrefix(change, "-") {
		n += len(mine)
	}
	if n == len(mine) {
		return inWords("Nothing to do")
	}
	if n == 0 {
		if err := s.do(remove, name, mine); err != nil {
			return err
		}
		return s.done()
	}
	done, err := s.client.Scale(s.ctx, control.ScaleRequest{App: mine[0].App, Change: strconv.Itoa(n)}, nil)
	if err != nil {
		return err
	}
	for range n - len(mine) {
		s.say("Scaling up application")
	}
	for _, r := range mine {
		if !hasID(done, r.ID) {
			s.say("Applying action deleteProcessId on app [%d](ids: [ %d ])", r.ID, r.ID)
			s.say("[%s](%d) ✓", r.App, r.ID)
		}
	}
	return s.done()
}

func hasID(done control.Acted, id int) bool {
	for _, in := range done.Instances {
		if in.ID == id {
			return true
		}
	}
	return false
}

func (s *session) reset() error {
	rows, err := s.all()
	if err != nil {
		return err
	}
	mine := rows
	if s.args[0] != "all" {
		if mine = named(rows, s.args[0]); len(mine) == 0 {
			fmt.Fprintln(s.err, "Unknown process name")
			return failed
		}
	}
	if len(mine) > 0 {
		if _, err := s.client.Act(s.ctx, control.ActRequest{Verb: control.VerbReset, Targets: targetsOf(mine)}, nil); err != nil {
			return err
		}
	}
	for i := range mine {
		s.say("Resetting meta for process id %d", mine[i].ID)
	}
	return s.done()
}
