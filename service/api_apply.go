package service

import (
	"context"
	"fmt"
	"path/filepath"

	"roost/host"
	"roost/service/control"
)

// apply makes a config file so, or says what that would change.
func (a *api) apply(ctx context.Context, r asked[control.ApplyRequest]) (control.Plan, error) {
	file := r.Request.File
	if !filepath.IsAbs(file) {
		return control.Plan{}, &control.Error{Code: control.CodeInvalid, Message: fmt.Sprintf("the file %q is not an absolute path", file)}
	}
	declared, problems := host.Parse(file, []byte(r.Request.Text))
	if len(problems) > 0 {
		_, problems = host.Check(file, []byte(r.Request.Text)) // what is wrong beside: all at once
		return control.Plan{}, invalid(problems)
	}
	if r.Request.DryRun {
		now := a.editor.Config()
		next := host.Merge(now, file, declared, a.cpus)
		if err := refuse(now, next, file); err != nil {
			return control.Plan{}, err
		}
		return plan(now, next), nil
	}
	return applyFile(ctx, a.editor, file, declared, a.cpus, r.gone, r.progress)
}

// applyFile makes what file declares so.
func applyFile(ctx context.Context, e *editor, file string, declared host.Config, cpus int, gone <-chan struct{}, progress func(string)) (control.Plan, error) {
	var p control.Plan
	err := e.Edit(ctx, change{
		what: "apply " + file,
		do: func(c *host.Config) error {
			next := host.Merge(*c, file, declared, cpus)
			p = plan(*c, next)
			*c = next
			return nil
		},
		file: file,
		gone: gone,
	}, progress)
	if err != nil {
		return control.Plan{}, err
	}
	e.troubles.set(troubleFile + file)
	return p, nil
}

// plan is what makes now into next, for the socket.
func plan(now, next host.Config) control.Plan {
	p := control.Plan{Changes: []control.Change{}}
	for _, ch := range host.Diff(now, next) {
		p.Changes = append(p.Changes, control.Change(ch))
	}
	for _, a := range next.Apps {
		if n := len(pick(&a, every(&a), true)); n > 0 && n == len(a.Slots) && a.Source != "" {
			p.Notes = append(p.Notes, fmt.Sprintf("%s is stopped and stays so until: roost start %s", a.Name, a.Name))
		}
	}
	return p
}
