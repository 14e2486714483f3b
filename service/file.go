package service

import (
	"context"
	"errors"

	"roost/apps/ecosystem"
	"roost/host"
	"roost/service/control"
)

// found is what was wrong at start and did not keep the daemon from starting.
type found struct{ state, file []string }

// initial is what is wanted at start: the state, and File if there is one.
func initial(ctx context.Context, s *store, o Options, cpus int) (c host.Config, f found, err error) {
	if c, f.state, err = s.load(); err != nil {
		return c, f, err
	}
	fitCPUs(&c, cpus)
	if o.File == "" {
		return c, f, nil
	}
	declared, problems := readFile(ctx, o)
	next := host.Merge(c, o.File, declared, ownFile(o.File, cpus))
	if len(problems) == 0 {
		err = refuse(c, next, o.File)
	} else {
		err = invalid(problems)
	}
	switch refused := (*control.Error)(nil); {
	case err == nil:
		return next, f, nil
	case o.Unattended && errors.As(err, &refused):
		f.file = refused.Problems
		return c, f, nil
	}
	return c, f, err
}

// readFile reads a config file and finds all that is wrong with it by itself.
// It is the one that the daemon was started with, so a script is evaluated
// with the daemon's rights; a script that is sent is not.
func readFile(ctx context.Context, o Options) (host.Config, []host.Problem) {
	text, err := host.Load(ctx, o.File, nil)
	if problems := (host.Problems)(nil); errors.As(err, &problems) {
		return host.Config{}, problems
	} else if err != nil {
		return host.Config{}, []host.Problem{{File: o.File, What: err.Error()}}
	}
	return host.Check(o.File, text, o.Env)
}

// ownFile says how the daemon takes the file that it was started with. Apps of
// PM2's files get its environment: in a container that is where theirs is.
func ownFile(file string, cpus int) host.MergeOptions {
	o := host.MergeOptions{CPUs: cpus}
	if ecosystem.Is(file) {
		o.Environ, o.UpdateEnv = Environ(), true
	}
	return o
}

// reapply applies File again, as SIGHUP asks. What is wrong with it is logged
// and changes nothing.
func (d *daemon) reapply(ctx context.Context) {
	file := d.options.File
	if file == "" {
		d.log.Warn("SIGHUP changes nothing: there is no config file to apply again")
		return
	}
	declared, problems := readFile(ctx, d.options)
	if len(problems) > 0 {
		refused := invalid(problems)
		for _, p := range refused.Problems {
			d.log.Error("cannot apply the config file again", "problem", p)
		}
		d.editor.troubles.set(troubleFile+file, refused.Problems...)
		return
	}
	f := applying{file: file, declared: declared, options: ownFile(file, d.cpus)}
	plan, err := f.apply(ctx, d.editor, nil, func(news string) { d.log.Info(news) })
	if err != nil {
		d.log.Error("cannot apply the config file again", "error", err)
		return
	}
	d.log.Info("applied the config file again", "file", file, "changes", len(plan.Changes))
}
