// Package dump reads what PM2 keeps of its processes: dump.pm2, and the list
// that a running one prints.
package dump

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"roost/apps"
	"roost/host"
)

// App is one app of a dump.
type App struct {
	Config apps.Config
	// Environ is the environment of the shell that started it.
	Environ map[string]string
	// Count is how many processes of it there were.
	Count int
	// Stopped says that none of them ran.
	Stopped bool
	// Left are members of PM2's that say something and have no meaning here.
	Left []string
}

// Read reads a dump of ours or of PM2's: processes of one name are one app.
func Read(text []byte) ([]App, error) {
	var list []map[string]json.RawMessage
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("it is no list of processes as PM2 saves it: %w", err)
	}
	return appsOf(list)
}

// ReadList reads what "pm2 jlist" prints. Modules of PM2 are left out.
func ReadList(text []byte) ([]App, error) {
	var rows []struct {
		Env map[string]json.RawMessage `json:"pm2_env"`
	}
	if err := json.Unmarshal(text, &rows); err != nil {
		return nil, fmt.Errorf("it is no list of processes as pm2 jlist prints it: %w", err)
	}
	var list []map[string]json.RawMessage
	for _, r := range rows {
		if string(r.Env["pmx_module"]) != "true" {
			list = append(list, r.Env)
		}
	}
	return appsOf(list)
}

func appsOf(list []map[string]json.RawMessage) ([]App, error) {
	var out []App
	for i, p := range list {
		d, err := readProcess(p)
		if err != nil {
			return nil, fmt.Errorf("process %d of it: %w", i+1, err)
		}
		if at := slices.IndexFunc(out, func(o App) bool { return o.Config.Name == d.Config.Name }); at >= 0 {
			out[at].Count++
			out[at].Stopped = out[at].Stopped && d.Stopped
			continue
		}
		out = append(out, d)
	}
	for i := range out {
		if d := &out[i]; d.Count > 1 {
			d.Config.Instances = apps.Instances(d.Count)
		}
	}
	return out, nil
}

func readProcess(p map[string]json.RawMessage) (App, error) {
	d := App{Count: 1, Stopped: string(p["status"]) == `"stopped"`}
	var own struct {
		Config  apps.Config       `json:"config"`
		Environ map[string]string `json:"environ"`
		Uptime  json.RawMessage   `json:"pm_uptime"`
	}
	if text := p["roost"]; text != nil {
		if err := json.Unmarshal(text, &own); err != nil {
			return d, fmt.Errorf("its declaration cannot be read: %w", err)
		}
		if bytes.Equal(own.Uptime, p["pm_uptime"]) { // else PM2 has run it since, and knows better
			d.Config, d.Environ = own.Config, own.Environ
			return d, nil
		}
	}
	keys, environ, err := fromPM2(p)
	if err != nil {
		return d, err
	}
	if problems := host.Set(&d.Config, keys); len(problems) > 0 {
		return d, host.Problems(problems)
	}
	d.Environ, d.Left = environ, left(p, environ)
	return d, nil
}
