package service

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"roost/apps"
	"roost/host"
	"roost/service/control"
)

// describe says all about one app.
func (a *api) describe(c echo.Context) (any, error) {
	a.measure.refresh()
	config := a.editor.Config()
	name := c.Param("name")
	if c.Request().URL.RawPath != "" { // then echo matches that, and parameters are as they were sent
		var err error
		if name, err = url.PathUnescape(name); err != nil {
			return nil, &control.Error{Code: control.CodeInvalid, Message: fmt.Sprintf("the path has no name: %v", err)}
		}
	}
	i, err := findApp(config, name)
	if err != nil {
		return nil, err
	}
	return a.description(config, config.Apps[i], a.box.Apps(), a.box.Look(), c.QueryParam("values") == "true"), nil
}

// all says all about every app.
func (a *api) all(c echo.Context) (any, error) {
	a.measure.refresh()
	config, standing, seen := a.editor.Config(), a.box.Apps(), a.box.Look()
	out := []control.App{}
	for _, app := range config.Apps {
		out = append(out, a.description(config, app, standing, seen, c.QueryParam("values") == "true"))
	}
	return out, nil
}

// description is all about app, without the values of its variables unless
// they are asked for.
func (a *api) description(config host.Config, app apps.Wanted, standing []apps.Status, seen look, values bool) control.App {
	out := control.App{
		Status: statusOf(standing, app.Name), Config: app.Config, Created: app.Created, Source: app.Source,
		Version: a.versions.of(programFolder(app)),
		Environ: slices.Sorted(maps.Keys(app.Environ)), Sites: leadingTo(config, app.Name),
	}
	out.Sources, _ = apps.EnvSources(app) // what cannot be read now is told when an instance starts
	if values {
		out.Values = app.Environ
	} else {
		out.Config.Env = maps.Clone(app.Env)
		for name := range out.Config.Env {
			out.Config.Env[name] = control.Masked
		}
	}
	if running := a.box.App(app.Name); running != nil {
		out.LogFiles = logFiles(app, running)
		out.Logs = paths(out.LogFiles)
	}
	if traffic, ok := seen.traffic[app.Name]; ok {
		out.Traffic = &traffic
	}
	return out
}

// logFiles are those of an app's slots.
func logFiles(app apps.Wanted, running program) map[int]apps.LogFiles {
	out := map[int]apps.LogFiles{}
	for n, s := range app.Slots {
		if !s.Free {
			out[n] = running.LogFiles(n)
		}
	}
	return out
}

// paths are the files of all slots, those of "out" first, each once.
func paths(files map[int]apps.LogFiles) []string {
	list := []string{}
	for _, of := range []func(apps.LogFiles) string{
		func(f apps.LogFiles) string { return f.Out }, func(f apps.LogFiles) string { return f.Err }, func(f apps.LogFiles) string { return f.Both },
	} {
		for _, n := range slices.Sorted(maps.Keys(files)) {
			if path := of(files[n]); path != "" && !slices.Contains(list, path) {
				list = append(list, path)
			}
		}
	}
	return list
}

// programFolder is where an app's program lies.
func programFolder(app apps.Wanted) string {
	if filepath.IsAbs(app.Script) {
		return filepath.Dir(app.Script)
	}
	return filepath.Dir(filepath.Join(app.Cwd, cmp.Or(app.Script, "x")))
}

// environ is the environment that an instance runs with.
func (a *api) environ(c echo.Context) (any, error) {
	config := a.editor.Config()
	id, err := strconv.Atoi(c.Param("id"))
	if err != nil {
		return nil, &control.Error{Code: control.CodeInvalid, Message: "an instance id is a number", Hint: "see the ids with: roost list"}
	}
	i, slot, ok := slotOf(config, id)
	if !ok {
		return nil, unknown(config, c.Param("id"))
	}
	env := map[string]string{}
	if p := a.box.App(config.Apps[i].Name); p != nil {
		for _, pair := range p.Environ(slot) {
			name, value, _ := strings.Cut(pair, "=")
			env[name] = value
		}
	}
	if len(env) == 0 {
		return nil, &control.Error{
			Code: control.CodeConflict, Message: apps.ShowName(config.Apps[i].Name) + " (id " + c.Param("id") + ") does not run",
			Hint: "see why: roost describe " + apps.ShowName(config.Apps[i].Name),
		}
	}
	return env, nil
}

// leadingTo are the domains and paths that lead to an app.
func leadingTo(c host.Config, app string) []string {
	var out []string
	for _, s := range c.Sites {
		domains := s.Domains
		if len(domains) == 0 {
			domains = []string{"*"}
		}
		for _, domain := range domains {
			if s.App == app {
				out = append(out, domain+"/")
			}
			for _, r := range s.Routes {
				if r.App == app {
					out = append(out, domain+r.Path)
				}
			}
		}
	}
	return out
}
