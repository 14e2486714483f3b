package service

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"syscall"

	"github.com/labstack/echo/v4"

	"roost/apps"
	"roost/host"
	"roost/service/control"
)

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

// start registers new apps.
func (a *api) start(ctx context.Context, r asked[control.StartRequest]) (control.Acted, error) {
	all := append([]control.StartRequest{r.Request}, r.Request.Beside...)
	var names, said []string
	for _, one := range all {
		names = append(names, one.Config.Name)
	}
	err := a.editor.Edit(ctx, change{
		what: "start " + strings.Join(apps.ShowNames(names), " "),
		do: func(c *host.Config) error {
			said = nil
			for _, one := range all {
				if i, err := findApp(*c, one.Config.Name); err == nil {
					said = append(said, notes(*c, control.ActRequest{Verb: "replace"}, []selection{{app: i}})...)
				}
				if err := register(c, one, a.cpus); err != nil {
					return err
				}
			}
			return nil
		},
		keepNew: r.Request.KeepNew,
		gone:    r.gone,
	}, r.progress)
	if err != nil {
		return control.Acted{}, err
	}
	return a.acted(names, control.VerbStart, said), nil
}

// act does a verb to targets.
func (a *api) act(ctx context.Context, r asked[control.ActRequest]) (control.Acted, error) {
	verb := r.Request.Verb
	if err := checkAct(r.Request); err != nil {
		return control.Acted{}, err
	}
	touches := verb == control.VerbReset || verb == control.VerbFlush || verb == control.VerbReopen || verb == control.VerbSignal
	if !touches && r.Request.Parallel == 0 {
		return a.change(ctx, r)
	}
	config := a.editor.Config()
	chosen, err := choose(config, r.Request)
	if err != nil {
		return control.Acted{}, err
	}
	if !touches {
		if chosen, err = working(config, r.Request, chosen); err != nil {
			return control.Acted{}, err
		}
		return a.changeSome(ctx, r, config, chosen)
	}
	if err := a.touch(r.Request, config, chosen); err != nil {
		return control.Acted{}, err
	}
	return a.acted(namesOf(config, chosen), verb, nil), nil
}

// changeSome changes so many apps of config at a time as the request says,
// until one fails or the asker leaves.
func (a *api) changeSome(ctx context.Context, r asked[control.ActRequest], config host.Config, chosen []selection) (control.Acted, error) {
	names, many := namesOf(config, chosen), r.Request.Parallel
	var notes []string
	for first := 0; first < len(chosen); first += many {
		last := min(first+many, len(chosen))
		r.Request.Only, r.Request.Targets = nil, nil // what was meant at first: some of it may be gone by now
		for _, s := range chosen[first:last] {
			r.Request.Targets = append(r.Request.Targets, words(config, s)...)
		}
		done, err := a.change(ctx, r)
		if err != nil {
			e := *failed(err)
			if last < len(names) {
				e.Message += "; not touched: " + strings.Join(apps.ShowNames(names[last:]), ", ")
			}
			return control.Acted{}, &e
		}
		notes = append(notes, done.Notes...)
	}
	out := a.acted(names, r.Request.Verb, nil)
	out.Notes = notes
	return out, nil
}

// change does a verb that changes what is wanted.
func (a *api) change(ctx context.Context, r asked[control.ActRequest]) (control.Acted, error) {
	var names, said []string
	err := a.editor.Edit(ctx, change{
		what: r.Request.Verb + " " + strings.Join(r.Request.Targets, " "),
		do: func(c *host.Config) error {
			chosen, err := choose(*c, r.Request)
			if err != nil {
				return err
			}
			if chosen, err = working(*c, r.Request, chosen); err != nil {
				return err
			}
			names, said = namesOf(*c, chosen), notes(*c, r.Request, chosen)
			return act(c, r.Request, chosen, a.cpus)
		},
		separate: r.Request.Verb != control.VerbDelete,
		gone:     r.gone,
	}, r.progress)
	if err != nil {
		return control.Acted{}, err
	}
	return a.acted(names, r.Request.Verb, said), nil
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
			return fmt.Errorf("cannot %s %s: %w", r.Verb, apps.ShowName(app.Name), err)
		}
	}
	return nil
}

// scale changes the number of an app's instances.
func (a *api) scale(ctx context.Context, r asked[control.ScaleRequest]) (control.Acted, error) {
	var name string
	var said []string
	err := a.editor.Edit(ctx, change{
		what: fmt.Sprintf("scale %s %s", apps.ShowName(r.Request.App), r.Request.Change),
		do: func(c *host.Config) error {
			i, err := findApp(*c, r.Request.App)
			if err != nil {
				return err
			}
			name, said = c.Apps[i].Name, notes(*c, control.ActRequest{Verb: "scale"}, []selection{{app: i}})
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
			out.Notes = append(out.Notes, fmt.Sprintf("%s was stopped and started, not overlapped%s", apps.ShowName(s.Name), why))
		}
	}
	return out
}
