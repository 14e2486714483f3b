package service

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/labstack/echo/v4"

	"roost/apps"
	"roost/host"
	"roost/service/control"
)

// masked stands for values of an environment, which are secrets as often as not.
const masked = "********"

// instances lists rows, of all apps or of the targets.
func (a *api) instances(c echo.Context) (any, error) {
	a.measure.refresh()
	targets := c.QueryParams()["target"]
	if len(targets) == 0 {
		return a.rows(nil), nil
	}
	chosen, err := resolve(a.editor.Config(), targets)
	if err != nil {
		return nil, err
	}
	return a.rows(chosen), nil
}

// rows are the instances of chosen, of all apps when it is nil, by id; the
// older of two in one slot first.
func (a *api) rows(chosen []selection) []apps.Instance {
	config := a.editor.Config()
	wanted := map[int]bool{}
	for _, s := range chosen {
		for _, id := range ids(&config.Apps[s.app], s.slots) {
			wanted[id] = true
		}
	}
	rows := []apps.Instance{}
	for _, s := range a.box.Apps() {
		for _, i := range s.Instances {
			if chosen == nil || wanted[i.ID] {
				rows = append(rows, i)
			}
		}
	}
	slices.SortStableFunc(rows, func(x, y apps.Instance) int {
		return cmp.Or(cmp.Compare(x.ID, y.ID), cmp.Compare(x.Revision, y.Revision))
	})
	return rows
}

// describe says all about one app.
func (a *api) describe(c echo.Context) (any, error) {
	a.measure.refresh()
	config := a.editor.Config()
	i, err := findApp(config, c.Param("name"))
	if err != nil {
		return nil, err
	}
	app := config.Clone().Apps[i]
	for name := range app.Env {
		app.Env[name] = masked
	}
	out := control.App{
		Status: statusOf(a.box.Apps(), app.Name), Config: app.Config, Source: app.Source,
		Environ: slices.Sorted(maps.Keys(app.Environ)), Sites: leadingTo(config, app.Name),
	}
	for _, stream := range []string{"out", "error"} {
		out.Logs = append(out.Logs, filepath.Join(a.dirs.Logs, apps.SafeName(app.Name)+"-"+stream+".log"))
	}
	if traffic, ok := a.box.Look().traffic[app.Name]; ok {
		out.Traffic = &traffic
	}
	return out, nil
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

// start registers a new app.
func (a *api) start(ctx context.Context, r asked[control.StartRequest]) (control.Acted, error) {
	name := r.Request.Config.Name
	var said []string
	err := a.editor.Edit(ctx, change{
		what: "start " + name,
		do: func(c *host.Config) error {
			if i, err := findApp(*c, name); err == nil {
				said = notes(*c, "replace", []selection{{app: i}})
			}
			return register(c, r.Request, a.cpus)
		},
		gone: r.gone,
	}, r.progress)
	if err != nil {
		return control.Acted{}, err
	}
	return a.acted([]string{name}, control.VerbStart, said), nil
}

// act does a verb to targets.
func (a *api) act(ctx context.Context, r asked[control.ActRequest]) (control.Acted, error) {
	verb, targets := r.Request.Verb, r.Request.Targets
	if len(targets) == 0 {
		return control.Acted{}, &control.Error{Code: control.CodeInvalid, Message: verb + " of what?", Hint: `name apps, ids, namespaces, "all" or "/expression/"`}
	}
	if r.Request.Environ != nil && verb != control.VerbStart && verb != control.VerbRestart && verb != control.VerbReload {
		return control.Acted{}, &control.Error{Code: control.CodeInvalid, Message: verb + " takes no environment"}
	}
	var chosen []selection
	var names, said []string
	choose := func(c *host.Config) (err error) {
		chosen, err = resolve(*c, targets)
		names = nil
		for _, s := range chosen {
			names = append(names, c.Apps[s.app].Name)
		}
		return err
	}
	var err error
	switch verb {
	case control.VerbStart, control.VerbStop, control.VerbRestart, control.VerbReload, control.VerbDelete:
		err = a.editor.Edit(ctx, change{
			what: verb + " " + strings.Join(targets, " "),
			do: func(c *host.Config) error {
				if err := choose(c); err != nil {
					return err
				}
				said = notes(*c, verb, chosen)
				return act(c, verb, chosen, r.Request.Environ)
			},
			separate: verb != control.VerbDelete,
			gone:     r.gone,
		}, r.progress)
	case control.VerbReset, control.VerbFlush, control.VerbReopen, control.VerbSignal:
		config := a.editor.Config()
		if err = choose(&config); err == nil {
			err = a.touch(r.Request, config, chosen)
		}
	default:
		err = &control.Error{Code: control.CodeInvalid, Message: fmt.Sprintf("unknown verb %q", verb)}
	}
	if err != nil {
		return control.Acted{}, err
	}
	return a.acted(names, verb, said), nil
}

// touch does a verb that changes nothing of what is wanted.
func (a *api) touch(r control.ActRequest, config host.Config, chosen []selection) error {
	var signal syscall.Signal
	var err error
	if r.Verb == control.VerbSignal {
		if signal, err = signalOf(r.Signal); err != nil {
			return err
		}
	}
	for _, s := range chosen {
		app := &config.Apps[s.app]
		running := a.box.App(app.Name)
		if running == nil { // deleted a moment ago
			return unknown(config, app.Name)
		}
		switch {
		case r.Verb == control.VerbReset:
			running.Reset()
		case r.Verb == control.VerbFlush:
			err = running.Flush()
		case r.Verb == control.VerbReopen:
			err = running.Reopen()
		case s.whole:
			err = running.Signal(-1, signal)
		default:
			for _, id := range ids(app, s.slots) {
				if err == nil {
					err = running.Signal(id, signal)
				}
			}
		}
		if err != nil {
			return fmt.Errorf("cannot %s %s: %w", r.Verb, app.Name, err)
		}
	}
	return nil
}

// scale changes the number of an app's instances.
func (a *api) scale(ctx context.Context, r asked[control.ScaleRequest]) (control.Acted, error) {
	var name string
	var said []string
	err := a.editor.Edit(ctx, change{
		what: fmt.Sprintf("scale %s %s", r.Request.App, r.Request.Change),
		do: func(c *host.Config) error {
			i, err := findApp(*c, r.Request.App)
			if err != nil {
				return err
			}
			name, said = c.Apps[i].Name, notes(*c, "scale", []selection{{app: i}})
			return scale(c, &c.Apps[i], r.Request.Change)
		},
		gone: r.gone,
	}, r.progress)
	if err != nil {
		return control.Acted{}, err
	}
	return a.acted([]string{name}, "scale", said), nil
}

// acted is what a verb came to: the rows of the apps, and what a reload could not do.
func (a *api) acted(names []string, verb string, said []string) control.Acted {
	out := control.Acted{Apps: names, Instances: []apps.Instance{}, Notes: said}
	for _, i := range a.rows(nil) {
		if slices.Contains(names, i.App) {
			out.Instances = append(out.Instances, i)
		}
	}
	for _, s := range a.box.Apps() {
		why, replaced := strings.CutPrefix(s.Strategy, "replace")
		if verb == control.VerbReload && replaced && slices.Contains(names, s.Name) {
			out.Notes = append(out.Notes, fmt.Sprintf("%s was stopped and started, not overlapped%s", s.Name, why))
		}
	}
	return out
}
