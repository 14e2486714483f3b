package pm2

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"roost/apps"
	"roost/internal/durable"
	"roost/service/control"
	"roost/service/dump"
)

// dumpPath is that of dump.pm2: what save has seen, in PM2's form, so that PM2 itself can
// resurrect it. Under "roost" each process has the declaration as it is here.
func (s *session) dumpPath() string { return filepath.Join(s.folder(), "dump.pm2") }

// unsaved are the members of a process that PM2 does not dump.
var unsaved = []string{"pm_id", "instances", "prev_restart_delay"}

func (s *session) save() error {
	s.say("Saving current process list...")
	rows, err := s.all()
	if err != nil {
		return err
	}
	if len(rows) == 0 && !s.has("force") {
		s.warn("PM2 is not managing any process, skipping save...")
		s.warn("To force saving use: pm2 save --force")
		return nil
	}
	list := make([]any, len(rows))
	for i := range rows {
		o := slices.DeleteFunc(s.pm2Env(&rows[i]), func(m member) bool { return slices.Contains(unsaved, m.key) })
		declared, err := json.Marshal(rows[i].app.Config)
		if err != nil {
			return fmt.Errorf("cannot write the declaration of %s: %w", rows[i].App, err)
		}
		o.set("roost", object{{"config", json.RawMessage(declared)}, {"environ", environObject(rows[i].app.Values)}, {"pm_uptime", o.get("pm_uptime")}})
		list[i] = o
	}
	if err := s.writeDump(list); err != nil {
		return err
	}
	s.say("Successfully saved in %s", s.dumpPath())
	return nil
}

func environObject(env map[string]string) any {
	text, err := json.Marshal(env)
	if err != nil || env == nil {
		return object{}
	}
	return json.RawMessage(text)
}

// writeDump keeps the former dump as dump.pm2.bak.
func (s *session) writeDump(list []any) error {
	text, err := plainJSON(list)
	if err != nil {
		return fmt.Errorf("cannot write the dump: %w", err)
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, text, "", "  "); err != nil {
		return fmt.Errorf("cannot write the dump: %w", err)
	}
	path := s.dumpPath()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("cannot make the folder of the dump: %w", err)
	}
	if before, err := os.ReadFile(path); err == nil {
		if err := durable.WriteFile(path+".bak", before, 0o600); err != nil {
			return fmt.Errorf("cannot keep the former dump: %w", err)
		}
	}
	return durable.WriteFile(path, pretty.Bytes(), 0o600)
}

func (s *session) clearDump() error {
	if err := s.locate(); err != nil {
		return err
	}
	if err := s.writeDump([]any{}); err != nil {
		return err
	}
	s.say("Successfully created %s", s.dumpPath())
	return nil
}

// readDump reads dump.pm2, or the one before where it cannot be read.
func (s *session) readDump() (list []dump.App, path string, err error) {
	var wrong error
	for _, path := range []string{s.dumpPath(), s.dumpPath() + ".bak"} {
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			list, err = dump.Read(text)
		}
		if err == nil {
			return list, path, nil
		}
		s.fail("cannot read %s: %v", path, err)
		wrong = errors.Join(wrong, err)
	}
	if wrong != nil {
		return nil, "", &control.Error{Code: control.CodeFailed, Message: "no dump can be read; nothing was started", Hint: "the files are kept as they are: repair one, or start the apps and save them again"}
	}
	return nil, "", nil
}

func (s *session) resurrect() error {
	s.say("Resurrecting")
	list, path, err := s.readDump()
	if err != nil {
		return err
	}
	if path == "" {
		s.fail("No processes saved; DUMP file doesn't exist")
		return s.done()
	}
	s.say("Restoring processes located in %s", path)
	rows, err := s.all()
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(d dump.App) bool { return len(named(rows, d.Config.Name)) > 0 }) // PM2 skips them, too
	if len(list) == 0 {
		return s.done()
	}
	var all []control.StartRequest
	for _, d := range list {
		r := control.StartRequest{Config: d.Config, Environ: d.Environ, KeepNew: true}
		if d.Stopped {
			r.Config.Autostart = new(bool)
		}
		all = append(all, r)
	}
	all[0].Beside = all[1:]
	if _, err := s.client.Start(s.ctx, all[0], nil); err != nil {
		// What does not become ready is tried again and holds up nothing else: a
		// boot script must not end for it. What is refused has started nothing.
		s.exit(err)
		if after, err := s.all(); err != nil || len(after) == len(rows) {
			return failed
		}
	}
	for _, d := range list {
		for range d.Count {
			s.say("Process %s restored", programOf(&d.Config))
		}
	}
	return s.done()
}

// programOf is the path of what an app runs.
func programOf(a *apps.Config) string {
	r := row{app: &control.App{Config: *a}}
	return r.script()
}
