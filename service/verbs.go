package service

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"roost/apps"
	"roost/host"
	"roost/service/control"
)

// mostInstances bounds the instances of one app, as in apps.Instances.
const mostInstances = 1000

// checkAct refuses what does not go with a verb.
func checkAct(r control.ActRequest) error {
	changes := r.Verb == control.VerbStart || r.Verb == control.VerbRestart || r.Verb == control.VerbReload
	wrong, hint := "", "keys, environment and what runs go with restart and reload, the first two with start as well"
	switch r.Verb {
	case control.VerbStart, control.VerbStop, control.VerbRestart, control.VerbReload, control.VerbDelete,
		control.VerbReset, control.VerbFlush, control.VerbReopen, control.VerbSignal:
	default:
		wrong, hint = fmt.Sprintf("unknown verb %q", r.Verb), "start, stop, restart, reload, delete, reset, flush, reopen or signal"
	}
	switch {
	case wrong != "":
	case r.Environ != nil && !changes:
		wrong = r.Verb + " takes no environment"
	case len(r.Set) > 0 && !changes:
		wrong = r.Verb + " sets no keys"
	case r.Running && (!changes || r.Verb == control.VerbStart):
		wrong = r.Verb + " does not look at what runs"
	case r.Parallel < 0:
		wrong, hint = "parallel cannot be negative", "so many apps at a time; 0: all at once"
	default:
		return nil
	}
	return &control.Error{Code: control.CodeInvalid, Message: wrong, Hint: hint}
}

// act does a verb that changes what is wanted to a Config.
func act(c *host.Config, r control.ActRequest, chosen []selection, cpus int) error {
	if r.Verb == control.VerbDelete {
		return remove(c, chosen)
	}
	for _, s := range chosen {
		app := &c.Apps[s.app]
		if r.Environ != nil {
			app.Environ = r.Environ
		}
		if len(r.Set) > 0 {
			if err := set(c, app, s, r.Set, cpus); err != nil {
				return err
			}
			s.slots = every(app) // new ones too
		}
		if r.Verb == control.VerbReload || r.Running {
			s.slots = pick(app, s.slots, false)
		}
		switch r.Verb {
		case control.VerbStop:
			c.Stop(app, ids(app, s.slots)...)
		case control.VerbRestart, control.VerbReload:
			c.Bump(app, r.Verb == control.VerbRestart, ids(app, s.slots)...)
		case control.VerbStart:
			// PM2: what is stopped starts; where nothing is, and with other keys, all restart.
			if stopped := pick(app, s.slots, true); len(stopped) > 0 && len(r.Set) == 0 {
				s.slots = stopped
			}
			c.Bump(app, true, ids(app, s.slots)...)
		}
	}
	return nil
}

// working leaves out the apps that have nothing running, for verbs that need
// it; there must be one that has.
func working(c host.Config, r control.ActRequest, chosen []selection) ([]selection, error) {
	if r.Verb != control.VerbReload && !r.Running {
		return chosen, nil
	}
	some := slices.DeleteFunc(slices.Clone(chosen), func(s selection) bool { return len(pick(&c.Apps[s.app], s.slots, false)) == 0 })
	if len(some) > 0 || len(chosen) == 0 {
		return some, nil
	}
	names := strings.Join(apps.ShowNames(namesOf(c, chosen)), " ")
	return nil, &control.Error{
		Code: control.CodeConflict, Message: fmt.Sprintf("%s is stopped: there is nothing to %s", names, r.Verb),
		Hint: "start it: roost start " + names,
	}
}

// set gives an app other values for some of its keys. They are the app's, so
// all its instances get them.
func set(c *host.Config, app *apps.Wanted, s selection, keys map[string]json.RawMessage, cpus int) error {
	name := apps.ShowName(app.Name)
	if len(s.slots) < app.Count() {
		return &control.Error{
			Code: control.CodeConflict, Message: fmt.Sprintf("%s has %d instances, which all run as the app is declared", name, app.Count()),
			Hint: fmt.Sprintf("name the app to change it: %s", name),
		}
	}
	declared := app.Config
	if problems := host.Set(&declared, keys); len(problems) > 0 {
		return invalid(problems)
	}
	if declared.Name != app.Name {
		return &control.Error{
			Code: control.CodeInvalid, Message: fmt.Sprintf("%s cannot be renamed", name),
			Hint: "start it under the other name, then: roost delete " + name,
		}
	}
	app.Config = declared
	if _, ok := keys["instances"]; ok {
		c.Resize(app, declared.Instances.Count(cpus))
	}
	return nil
}

// remove forgets apps, or some of their instances.
func remove(c *host.Config, chosen []selection) error {
	var names []string
	for _, s := range chosen {
		app := &c.Apps[s.app]
		if s.whole || len(s.slots) == app.Count() {
			names = append(names, app.Name)
			continue
		}
		c.Free(app, s.slots...)
		app.Instances = apps.Instances(app.Count())
	}
	for _, name := range names {
		if paths := leadingTo(*c, name); len(paths) > 0 {
			return &control.Error{
				Code:    control.CodeConflict,
				Message: fmt.Sprintf("cannot delete %s: %s leads to it", apps.ShowName(name), strings.Join(paths, ", ")),
				Hint:    "take the site out of its file and apply that, or only stop the app: roost stop " + apps.ShowName(name),
			}
		}
		c.RemoveApp(name)
	}
	return nil
}

// register adds a new app, or gives the one of that name the new declaration
// when force is set or nothing of the same program runs.
func register(c *host.Config, r control.StartRequest, cpus int) error {
	if r.Config.Cwd == "" || !filepath.IsAbs(r.Config.Cwd) {
		return &control.Error{Code: control.CodeInvalid, Message: fmt.Sprintf("cwd %q is not an absolute folder", r.Config.Cwd), Hint: "the daemon's own folder is not that of the one who asks"}
	}
	app := c.App(r.Config.Name)
	if app == nil {
		c.AddApp(r.Config, "", r.Environ, cpus)
		return nil
	}
	same := app.Script == r.Config.Script && app.Command == r.Config.Command && app.Cwd == r.Config.Cwd
	idle := len(pick(app, every(app), false)) == 0
	if !r.Force && !(same && idle) {
		return &control.Error{
			Code: control.CodeConflict, Message: fmt.Sprintf("there is an app %s already", apps.ShowName(app.Name)),
			Hint: fmt.Sprintf("restart it: roost restart %s; replace it: --force; or call the new one otherwise: --name", apps.ShowName(app.Name)),
		}
	}
	app.Config, app.Environ = r.Config, r.Environ
	c.Resize(app, r.Config.Instances.Count(cpus))
	c.Bump(app, true)
	return nil
}

// scale gives app as many instances as change says: "4", "+2" or "-1".
func scale(c *host.Config, app *apps.Wanted, change string) error {
	name := apps.ShowName(app.Name)
	wrong := func(what, hint string) error {
		return &control.Error{Code: control.CodeInvalid, Message: what, Hint: hint}
	}
	n, err := strconv.Atoi(change)
	if err != nil {
		return wrong(fmt.Sprintf("%q is not a number of instances", change), `write "4", "+2" or "-1"`)
	}
	if strings.HasPrefix(change, "+") || strings.HasPrefix(change, "-") {
		n += app.Count()
	}
	switch {
	case n < 1:
		return wrong(fmt.Sprintf("%s cannot have %d instances", name, n), fmt.Sprintf("to run none of it: roost stop %s; to forget it: roost delete %[1]s", name))
	case n > mostInstances:
		return wrong(fmt.Sprintf("%s cannot have %d instances", name, n), fmt.Sprintf("at most %d", mostInstances))
	}
	resize(c, app, n)
	return nil
}

// resize gives app n slots, for good: a declaration by the number of CPUs
// would undo it at the next start. The new slots of a stopped app are stopped.
func resize(c *host.Config, app *apps.Wanted, n int) {
	first := c.NextID // of the new ones
	idle := app.Count() > 0 && len(pick(app, every(app), false)) == 0
	c.Resize(app, n)
	app.Instances = apps.Instances(n)
	for i := range app.Slots {
		if idle && app.Slots[i].ID >= first {
			app.Slots[i].Stopped = true
		}
	}
}

// fitCPUs gives apps that are declared by the number of CPUs as many slots as
// this box has now.
func fitCPUs(c *host.Config, cpus int) {
	for i := range c.Apps {
		app := &c.Apps[i]
		if n := app.Instances; n == apps.Max || n < 0 {
			resize(c, app, n.Count(cpus))
			app.Instances = n
		}
	}
}

// notes tell, for apps that a config file declares, how long a change by
// command holds.
func notes(c host.Config, r control.ActRequest, chosen []selection) []string {
	var out []string
	for _, s := range chosen {
		a := c.Apps[s.app]
		if a.Source == "" {
			continue
		}
		name := apps.ShowName(a.Name)
		if len(r.Set) > 0 {
			r.Verb = "replace"
		}
		switch r.Verb {
		case control.VerbDelete:
			out = append(out, fmt.Sprintf("%s is declared in %s: the next apply of it brings the app back", name, a.Source))
		case "replace":
			out = append(out, fmt.Sprintf("%s is declared in %s: the next apply of it sets the app as it says there", name, a.Source))
		case "scale":
			out = append(out, fmt.Sprintf("%s is declared in %s: the next apply of it sets the number of instances again", name, a.Source))
		case control.VerbStop:
			out = append(out, fmt.Sprintf("%s is declared in %s: it stays stopped, through applies and reboots, until: roost start %[1]s", name, a.Source))
		}
	}
	return out
}

// pick keeps of slots those that are stopped, or those that are not.
func pick(app *apps.Wanted, slots []int, stopped bool) []int {
	return slices.DeleteFunc(slices.Clone(slots), func(i int) bool { return app.Slots[i].Stopped != stopped })
}

func every(app *apps.Wanted) []int {
	all := []int{}
	for i, s := range app.Slots {
		if !s.Free {
			all = append(all, i)
		}
	}
	return all
}

func ids(app *apps.Wanted, slots []int) []int {
	out := make([]int, len(slots))
	for i, slot := range slots {
		out[i] = app.Slots[slot].ID
	}
	return out
}
