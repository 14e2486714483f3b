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

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// isConfig reports a word that names a config file.
func isConfig(word string) bool { return filepath.Ext(word) == ".toml" || ecosystem.Is(word) }

// isFile reports a word that means a config file: one that names such a file,
// unless there is only an app of this name.
func (c *console) isFile(ctx context.Context, word string) bool {
	if _, err := os.Stat(word); !isConfig(word) || word == "-" || err == nil {
		return isConfig(word)
	}
	return !c.isApp(ctx, word)
}

// isApp reports the name of an app that a daemon has which runs.
func (c *console) isApp(ctx context.Context, word string) bool {
	client, err := c.client()
	if err != nil {
		return false
	}
	a, err := client.App(ctx, word)
	return err == nil && a.Name == word
}

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
	flags.StringArrayVar(&o.only, "only", nil, "only these `APPS` or namespaces of the file")
	flags.BoolVarP(&o.updateEnv, "update-env", "a", false, "give the apps this shell's environment from now on")
}

// configFile is a config file as it is handed to the daemon.
type configFile struct {
	file string // absolute
	text []byte
}

// readConfig reads a config file with this user's rights; "-" is standard
// input. What a script says while it is evaluated is told on stderr.
func (c *console) readConfig(ctx context.Context, word string) (f configFile, err error) {
	f.file, f.text, err = host.LoadWord(ctx, word, os.Stdin, c.err)
	if errors.Is(err, fs.ErrNotExist) {
		return f, noFile(word)
	}
	return f, err
}

// targets are the names of the apps that the file declares.
func (f configFile) targets(env string, only []string) ([]string, error) {
	names, err := host.MergeOptions{Only: only}.Names(f.file, f.text, env)
	if _, wrong := errors.AsType[host.Problems](err); err != nil && !wrong {
		return nil, usage(err.Error(), "see what it declares with --dry-run")
	}
	return names, err
}

// fileTargets are the names of the apps that a config file declares, as
// targets of a verb.
func (c *console) fileTargets(ctx context.Context, _, word string, o fileFlags) ([]string, error) {
	f, err := c.readConfig(ctx, word)
	if err != nil {
		return nil, err
	}
	names, err := f.targets(o.env, o.only)
	if err == nil && len(names) == 0 {
		err = usage(word+" declares no apps", "see what it declares with: roost apply %s --dry-run", word)
	}
	return names, err
}

// actFile starts, restarts or reloads the apps of a config file, and returns
// their names. It makes the file so before: apps that are new or have changed
// are then as the verb wants them, and it is done to the others. What is not
// in the file stays.
func (c *console) actFile(ctx context.Context, verb, word string, o fileFlags) ([]string, error) {
	if _, named := o.set["name"]; named {
		return nil, usage("--name does not go with the file "+word, "write the name into the file")
	}
	before, err := c.rows(ctx)
	if err != nil {
		return nil, err
	}
	o.keep = true
	plan, f, err := c.apply(ctx, word, o)
	if err != nil {
		return nil, err
	}
	names, err := f.targets(o.env, o.only)
	if err != nil {
		return nil, err
	}
	after, err := c.rows(ctx)
	if err != nil {
		return nil, err
	}
	idle, same := remaining(plan, names, before, after)
	if verb == control.VerbStart {
		same = nil
	}
	if !o.asJSON && (len(plan.Changes) > 0 || len(idle)+len(same) == 0) {
		if err := c.plan(plan, false); err != nil {
			return nil, err
		}
	}
	for _, step := range []control.ActRequest{{Verb: control.VerbStart, Targets: idle}, {Verb: verb, Targets: same}} {
		if len(step.Targets) == 0 {
			continue
		}
		done, err := c.send(ctx, step)
		if err == nil && !o.asJSON {
			err = c.acted(past[step.Verb], done, false)
		}
		if err != nil {
			return nil, err
		}
	}
	if !o.asJSON {
		return names, nil
	}
	if after, err = c.rows(ctx); err != nil {
		return nil, err
	}
	return names, c.json(slices.DeleteFunc(after, func(i apps.Instance) bool { return !slices.Contains(names, i.App) }))
}

// newStartOr makes the commands that do a verb to apps of a file that run, and
// start the rest.
func newStartOr(c *console, verb, use string, aliases ...string) *cobra.Command {
	var o fileFlags
	cmd := &cobra.Command{
		Use: use + " FILE", Aliases: aliases,
		Short:   fmt.Sprintf("%s the apps of a config file, or start them: the same as %s FILE", verb, verb),
		Example: fmt.Sprintf("  roost %s ecosystem.config.js --env production", use),
		Args:    need(1, 1, "a config file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !isConfig(args[0]) {
				return usage(args[0]+" is no config file", "it ends in .toml, .json, .yml or .config.js; for apps: roost %s", verb)
			}
			_, err := c.actFile(cmd.Context(), verb, args[0], o)
			return err
		},
	}
	o.define(cmd.Flags())
	jsonFlag(cmd, &o.asJSON)
	return cmd
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
