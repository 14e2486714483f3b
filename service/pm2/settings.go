package pm2

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"roost/internal/durable"
	"roost/service/control"
)

// settings are module_conf.json: values by name, or by module and name.
type settings map[string]any

func (s *session) settingsPath() (string, error) {
	if err := s.locate(); err != nil {
		return "", err
	}
	return filepath.Join(s.folder(), "module_conf.json"), nil
}

func (s *session) readSettings() (settings, string, error) {
	path, err := s.settingsPath()
	if err != nil {
		return nil, "", err
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return settings{}, path, nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("cannot read the settings: %w", err)
	}
	all := settings{}
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, "", fmt.Errorf("%s is not JSON: %w; repair it, or remove it to begin anew", path, err)
	}
	return all, path, nil
}

func writeSettings(path string, all settings) error {
	text, err := json.MarshalIndent(all, "", "    ")
	if err != nil {
		return fmt.Errorf("cannot write the settings: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("cannot make the folder of the settings: %w", err)
	}
	return durable.WriteFile(path, text, 0o600)
}

// split takes "module:name" or "module.name" apart; a name alone is no module's.
func split(key string) (module, name string) {
	if i := strings.IndexAny(key, ":."); i >= 0 {
		return key[:i], key[i+1:]
	}
	return "", key
}

// put changes a value; nil removes it.
func (all settings) put(key string, value any) {
	module, name := split(key)
	in := map[string]any(all)
	if module != "" {
		inner, ok := all[module].(map[string]any)
		if !ok {
			inner = map[string]any{}
			all[module] = inner
		}
		in = inner
	}
	if value == nil {
		delete(in, name)
	} else {
		in[name] = value
	}
}

// change reads, changes and writes the settings.
func (s *session) change(edit func(settings)) error {
	all, path, err := s.readSettings()
	if err != nil {
		return err
	}
	edit(all)
	if err := writeSettings(path, all); err != nil {
		return err
	}
	s.showSettings(all)
	return nil
}

func (s *session) set() error {
	if len(s.args) < 2 {
		return errors.New("say what to set: pm2 set <key> <value>; pm2 conf prints what there is")
	}
	s.say("Setting changed")
	if err := s.change(func(all settings) { all.put(s.args[0], s.args[1]) }); err != nil {
		return err
	}
	return s.tell(s.args[0], s.args[1])
}

// tell gives an app that runs under a module's name the value as a variable, and
// restarts it, as PM2 does.
func (s *session) tell(key, value string) error {
	app, name := split(key)
	rows, err := s.all()
	for i := range rows { // a name may have a colon or a dot in it
		if rest, ok := strings.CutPrefix(key, rows[i].App); ok && len(rows[i].App) > len(app) && len(rest) > 1 && strings.ContainsAny(rest[:1], ":.") {
			app, name = rows[i].App, rest[1:]
		}
	}
	if errors.Is(err, control.ErrNotRunning) || app == "" || err == nil && len(named(rows, app)) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	set, err := encoded(map[string]any{"env": map[string]string{name: value}})
	if err != nil {
		return err
	}
	mine := named(rows, app)
	s.say("Applying action %s on app [%s](ids: %s)", restart.word, app, idList(mine))
	if _, err := s.client.Act(s.ctx, control.ActRequest{Verb: control.VerbRestart, Targets: []string{mine[0].App}, Set: set}, nil); err != nil {
		return err
	}
	s.marks(mine)
	return nil
}

func (s *session) multiset() error {
	words := strings.Fields(strings.Join(s.args, " "))
	if len(words)%2 != 0 {
		return fmt.Errorf("%q has no value: write \"key value key value\"", words[len(words)-1])
	}
	return s.change(func(all settings) {
		for i := 0; i < len(words); i += 2 {
			all.put(words[i], words[i+1])
		}
	})
}

func (s *session) unset() error {
	return s.change(func(all settings) { all.put(s.args[0], nil) })
}

func (s *session) get() error {
	if len(s.args) == 0 {
		return s.conf()
	}
	all, _, err := s.readSettings()
	if err != nil {
		return err
	}
	module, name := split(s.args[0])
	if module == "" {
		value, ok := all[name]
		if inner, isModule := value.(map[string]any); ok && isModule {
			s.showSettings(settings{name: inner})
			return nil
		} else if ok {
			s.print("Value for key %s: %v", name, value)
			return nil
		}
		return failed
	}
	inner, _ := all[module].(map[string]any)
	value, ok := inner[name]
	if !ok {
		return failed
	}
	s.print("Value for module %s key %s: %v", module, name, value)
	return nil
}

func (s *session) config() error {
	if len(s.args) == 1 {
		return s.get()
	}
	return s.set()
}

func (s *session) conf() error {
	all, _, err := s.readSettings()
	if err == nil {
		s.showSettings(all)
	}
	return err
}

func (s *session) showSettings(all settings) {
	for _, module := range slices.Sorted(maps.Keys(all)) {
		inner, ok := all[module].(map[string]any)
		if !ok {
			s.print("$ pm2 set %s %v", module, all[module])
			continue
		}
		s.print("%s%s", s.paint("Module: ", bold), s.paint(module, blue, bold))
		for _, name := range slices.Sorted(maps.Keys(inner)) {
			s.print("$ pm2 set %s:%s %v", module, name, inner[name])
		}
	}
}
