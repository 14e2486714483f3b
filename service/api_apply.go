package service

import (
	"context"
	"fmt"
	"path/filepath"

	"roost/apps"
	"roost/host"
	"roost/service/control"
)

// apply makes a config file so, or says what that would change.
func (a *api) apply(ctx context.Context, r asked[control.ApplyRequest]) (control.Plan, error) {
	ask := r.Request
	if !filepath.IsAbs(ask.File) {
		return control.Plan{}, &control.Error{Code: control.CodeInvalid, Message: fmt.Sprintf("the file %q is not an absolute path", ask.File), Hint: "relative paths in it are resolved against its folder"}
	}
	declared, problems := host.Parse(ask.File, []byte(ask.Text), ask.Env)
	if len(problems) > 0 {
		_, problems = host.Check(ask.File, []byte(ask.Text), ask.Env) // what is wrong beside: all at once
		return control.Plan{}, invalid(problems)
	}
	for i := range declared.Apps {
		app := &declared.Apps[i].Config
		if problems := append(host.SetMissing(app, ask.Usual), host.Set(app, ask.Set)...); len(problems) > 0 {
			return control.Plan{}, invalid(problems)
		}
	}
	f := applying{file: host.SourceOf(ask.File), declared: declared, options: host.MergeOptions{
		CPUs: a.cpus, Only: ask.Only, Keep: ask.Keep, Environ: ask.Environ, UpdateEnv: ask.UpdateEnv,
	}, keepNew: ask.KeepNew}
	if _, err := f.options.Choose(declared); err != nil {
		return control.Plan{}, &control.Error{Code: control.CodeNotFound, Message: err.Error(), Hint: "see what it declares with --dry-run"}
	}
	if ask.DryRun {
		now := a.editor.Config()
		next := f.merge(now)
		if err := refuse(now, next, f.file); err != nil {
			return control.Plan{}, err
		}
		return f.plan(now, next), nil
	}
	return f.apply(ctx, a.editor, r.gone, r.progress)
}

// applying is a config file that is to be made so.
type applying struct {
	file     string // the source of what it declares; empty: a command is
	declared host.Config
	options  host.MergeOptions
	keepNew  bool // as in change
}

func (f applying) merge(now host.Config) host.Config {
	return host.Merge(now, f.file, f.declared, f.options)
}

// apply makes it so.
func (f applying) apply(ctx context.Context, e *editor, gone <-chan struct{}, progress func(string)) (control.Plan, error) {
	var p control.Plan
	err := e.Edit(ctx, change{
		what: "apply " + f.file,
		do: func(c *host.Config) error {
			next := f.merge(*c)
			p = f.plan(*c, next)
			*c = next
			return nil
		},
		file:    f.file,
		keepNew: f.keepNew,
		gone:    gone,
	}, progress)
	if err != nil {
		return control.Plan{}, err
	}
	e.troubles.set(troubleFile + f.file)
	return p, nil
}

// plan is what makes now into next, with what there is to say of the file.
func (f applying) plan(now, next host.Config) control.Plan {
	p := plan(now, next)
	notes := host.Notes(f.declared)
	for _, a := range next.Apps {
		if before := now.App(a.Name); before != nil && before.Source != "" && before.Source != a.Source {
			notes = append(notes, fmt.Sprintf("%s was declared in %s until now", apps.ShowName(a.Name), before.Source))
		}
	}
	for _, a := range next.Apps {
		// who keeps what is not in the file is about to start or restart what is
		if n := len(pick(&a, every(&a), true)); n > 0 && n == a.Count() && a.Source == f.file && !f.options.Keep {
			notes = append(notes, fmt.Sprintf("%s is stopped and stays so until: roost start %[1]s", apps.ShowName(a.Name)))
		}
	}
	p.Notes = notes
	return p
}

// plan is what makes now into next, for the socket.
func plan(now, next host.Config) control.Plan {
	p := control.Plan{Changes: []control.Change{}}
	for _, ch := range host.Diff(now, next) {
		p.Changes = append(p.Changes, control.Change(ch))
	}
	return p
}
