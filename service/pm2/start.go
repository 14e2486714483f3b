package pm2

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"roost/apps"
	"roost/host"
	"roost/service/cli"
	"roost/service/control"
)

// start starts what the words name, one after the other: a file's apps, apps
// that are there, or a new one.
func (s *session) start() error {
	if s.has("container") {
		return errors.New("apps are not wrapped in Docker: run pm2-runtime in an image of yours")
	}
	words := s.args
	if len(words) == 0 {
		words = []string{"ecosystem.config.js"}
		if path := s.swallowed(); path != "" {
			words = []string{path}
		}
	}
	for _, word := range words {
		var err error
		if s.isFile(word) {
			err = s.file(restart, word)
		} else {
			err = s.one(word)
		}
		if err != nil {
			return err
		}
	}
	return s.done()
}

// swallowed is the script that --watch has taken for a folder to watch:
// "pm2 start --watch app.js" can only mean to start it.
func (s *session) swallowed() string {
	path := s.text("watch")
	if info, err := os.Stat(path); path == "" || err != nil || info.IsDir() {
		return ""
	}
	s.given["watch"] = []string{""}
	return path
}

// one starts one word by PM2's order: a name, a namespace, all, an id, then a script.
func (s *session) one(word string) error {
	rows, err := s.all()
	if err != nil {
		return err
	}
	path, _ := filepath.Abs(word)
	if info, err := os.Stat(path); err != nil || info.IsDir() || len(named(rows, word)) > 0 {
		there, err := find(rows, word)
		if err != nil {
			return err
		}
		if len(there) > 0 {
			d := deed{control.VerbStart, restart.word, true, true}
			if err := s.do(d, word, there); err != nil {
				return err
			}
			s.say("Process successfully started")
			return nil
		}
	}
	if word == "all" {
		s.warnErr("No process found")
		return failed
	}
	return s.new(word)
}

// new starts an app that the word and the flags describe.
func (s *session) new(word string) error {
	a, err := s.describeNew(word)
	if err != nil {
		return err
	}
	if s.has("write") {
		if err := s.write(a, a.Name); err != nil {
			return err
		}
	}
	rows, err := s.all()
	if err != nil {
		return err
	}
	if !s.has("name") {
		if name := nameFor(&a, rows); name != a.Name {
			s.warn("there is an app %s already: this one is called %s", a.Name, name)
			a.Name = name
		}
	}
	r := control.StartRequest{Config: a, Environ: environ(), Force: s.has("force"), KeepNew: true}
	if mine := named(rows, a.Name); len(mine) > 0 && mine[0].App == a.Name && !r.Force {
		switch {
		case !sameProgram(&mine[0], &a):
			return &control.Error{
				Code: control.CodeConflict, Message: fmt.Sprintf("there is an app %s already, which runs %s", a.Name, mine[0].script()),
				Hint: "call this one otherwise with --name, or replace that one with -f",
			}
		case s.fresh: // it came back with the daemon, which this very command has started
			r.Force = true
		case alive(mine):
			return inWords("Script already launched, add -f option to force re-execution")
		default:
			r.Force = true
		}
	}
	if cron := a.CronRestart; cron != "" {
		s.say("cron restart at %s", cron)
	}
	n, plural := 1, ""
	if a.Instances != 0 {
		n = a.Instances.Count(cpus())
	}
	if n != 1 {
		plural = "s"
	}
	mode := "fork_mode"
	if apps.Clustered(a) {
		mode = "cluster_mode"
	}
	s.say("Starting %s in %s (%d instance%s)", programOf(&a), mode, n, plural)
	if _, err := s.client.Start(s.ctx, r, nil); err != nil {
		return err
	}
	s.say("Done.")
	return nil
}

// nameFor is a name for an app that was given none: that of its script, or
// where another program has that one, with a number: index, index-2. PM2 has
// both under one name.
func nameFor(a *apps.Config, rows []row) string {
	name := a.Name
	for n := 2; ; n++ {
		mine := slices.IndexFunc(rows, func(r row) bool { return r.App == name })
		if mine < 0 || sameProgram(&rows[mine], a) {
			return name
		}
		name = fmt.Sprintf("%s-%d", a.Name, n)
	}
}

func sameProgram(r *row, a *apps.Config) bool {
	return r.app.Config.Script == a.Script && r.app.Config.Command == a.Command
}

// alive reports whether any of the rows is meant to run and does.
func alive(rows []row) bool {
	for i := range rows {
		switch rows[i].State {
		case apps.StateStopped, apps.StateErrored, apps.StateDraining:
		default:
			return true
		}
	}
	return false
}

// describeNew is the declaration that a word, which is a script, a program or
// a command line, and the flags make.
func (s *session) describeNew(word string) (apps.Config, error) {
	keys, err := s.keys()
	if err != nil {
		return apps.Config{}, err
	}
	if len(s.script) > 0 {
		keys["args"] = texts(s.script)
	}
	if s.has("ext") {
		return apps.Config{}, usageError("--ext is not supported: name what does not count with --ignore-watch")
	}
	raw, err := usual()
	if err != nil {
		return apps.Config{}, err
	}
	said, err := encoded(keys)
	if err != nil {
		return apps.Config{}, err
	}
	maps.Copy(raw, said)
	var a apps.Config
	if problems := host.Set(&a, raw); len(problems) > 0 {
		return a, host.Problems(problems)
	}
	if a.Cwd, err = filepath.Abs(a.Cwd); err != nil {
		return a, fmt.Errorf("cannot find the working folder: %w", err)
	}
	var missing *cli.NotStartable
	if err := cli.SetProgram(&a, word); errors.As(err, &missing) {
		return a, inWords("Script not found: %s", absolute(word, a.Cwd))
	} else if err != nil {
		return a, err
	}
	return a, nil
}
