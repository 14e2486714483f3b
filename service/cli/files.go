package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"roost/apps"
	"roost/apps/ecosystem"
	"roost/host"
	"roost/service/control"

	"github.com/spf13/pflag"
)

// isConfig reports a word that names a config file.
func isConfig(word string) bool { return filepath.Ext(word) == ".toml" || ecosystem.Is(word) }

// fileFlags say how a command takes a config file.
type fileFlags struct {
	env       string   // chooses the env_<name> tables
	only      []string // apps and namespaces
	keep      bool     // what has left the file
	updateEnv bool
	dry       bool
	set       map[string]json.RawMessage // as in control.ApplyRequest
	asJSON    bool
}

func (o *fileFlags) define(flags *pflag.FlagSet) {
	flags.StringVar(&o.env, "env", "", "take the env_`NAME` tables of the apps")
	flags.StringSliceVar(&o.only, "only", nil, "only these `APPS` or namespaces of the file")
	flags.BoolVarP(&o.updateEnv, "update-env", "a", false, "give the apps this shell's environment from now on")
}

// configFile is a config file as it is handed to the daemon.
type configFile struct {
	file string // absolute
	text []byte
}

// readConfig reads a config file with this user's rights.
func (c *console) readConfig(ctx context.Context, word string) (f configFile, err error) {
	if f.file, err = filepath.Abs(word); err != nil {
		return f, fmt.Errorf("cannot find %s: %w", word, err)
	}
	f.text, err = os.ReadFile(f.file)
	if errors.Is(err, fs.ErrNotExist) {
		return f, noFile(word)
	}
	if err != nil {
		return f, fmt.Errorf("cannot read the config: %w", err)
	}
	return f, nil
}

// targets are the names of the apps that the file declares.
func (f configFile) targets(env string, only []string) ([]string, error) {
	declared, problems := host.Parse(f.file, f.text, env)
	if len(problems) > 0 {
		return nil, host.Problems(problems)
	}
	o := host.MergeOptions{Only: only}
	if err := o.Missing(declared); err != nil {
		return nil, usage(err.Error(), "see what it declares with --dry-run")
	}
	var names []string
	for _, a := range declared.Apps {
		if o.Takes(a.Config) {
			names = append(names, a.Name)
		}
	}
	return names, nil
}

// fileTargets are the names of the apps that a config file declares, with the
// env_<name> tables of env, as targets for the daemon. only, when not empty,
// restricts them to apps and namespaces with these names.
func (c *console) fileTargets(ctx context.Context, word, env string, only []string) ([]string, error) {
	f, err := c.readConfig(ctx, word)
	if err != nil {
		return nil, err
	}
	names, err := f.targets(env, only)
	if err == nil && len(names) == 0 {
		err = usage(word+" declares no apps", "see what it declares with: roost apply %s --dry-run", word)
	}
	return names, err
}

// actFile does a verb to the apps of a config file. Start, restart and reload
// make the file so before: apps that are new or have changed are then as the
// verb wants them, and it is done to the others. What is not in the file stays.
func (c *console) actFile(ctx context.Context, verb, word string, o fileFlags) error {
	if !starts[verb] {
		names, err := c.fileTargets(ctx, word, o.env, o.only)
		if err != nil {
			return err
		}
		return c.act(ctx, control.ActRequest{Verb: verb, Targets: names}, o.asJSON)
	}
	before, err := c.rows(ctx)
	if err != nil {
		return err
	}
	o.keep = true
	plan, f, err := c.apply(ctx, word, o)
	if err != nil {
		return err
	}
	names, err := f.targets(o.env, o.only)
	if err != nil {
		return err
	}
	after, err := c.rows(ctx)
	if err != nil {
		return err
	}
	idle, same := remaining(plan, names, before, after)
	if verb == control.VerbStart {
		same = nil
	}
	if !o.asJSON && (len(plan.Changes) > 0 || len(idle)+len(same) == 0) {
		if err := c.plan(plan, false); err != nil {
			return err
		}
	}
	for _, step := range []control.ActRequest{{Verb: control.VerbStart, Targets: idle}, {Verb: verb, Targets: same}} {
		if len(step.Targets) == 0 {
			continue
		}
		if o.asJSON {
			if _, err := c.send(ctx, step); err != nil {
				return err
			}
		} else if err := c.act(ctx, step, false); err != nil {
			return err
		}
	}
	if !o.asJSON {
		return nil
	}
	if after, err = c.rows(ctx); err != nil {
		return err
	}
	return c.json(slices.DeleteFunc(after, func(i apps.Instance) bool { return !slices.Contains(names, i.App) }))
}

// remaining is what making a file so has left to do: the ids of instances that
// do not run though they existed before, and the names of the apps that run as
// they ran before.
func remaining(plan control.Plan, names []string, before, after []apps.Instance) (idle, same []string) {
	fresh := map[string]bool{}
	for _, ch := range plan.Changes {
		if ch.Kind == "app" && ch.Verb == "add" {
			fresh[ch.Name] = true
		}
	}
	pids := map[int]int{}
	for _, i := range before {
		pids[i.ID] = i.PID
	}
	for _, i := range after {
		switch {
		case fresh[i.App] || !slices.Contains(names, i.App):
		case i.State == apps.StateStopped || i.State == apps.StateErrored:
			idle = append(idle, fmt.Sprint(i.ID))
		case i.PID != 0 && pids[i.ID] == i.PID && !slices.Contains(same, i.App):
			same = append(same, i.App)
		}
	}
	return idle, same
}

// rows are all instances; none where no daemon runs.
func (c *console) rows(ctx context.Context) ([]apps.Instance, error) {
	client, err := c.client()
	if err != nil {
		return nil, err
	}
	rows, err := client.Instances(ctx, nil)
	if errors.Is(err, control.ErrNotRunning) {
		return nil, nil
	}
	return rows, err
}
