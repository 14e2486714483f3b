package cli

import (
	"context"
	"errors"
	"fmt"

	"roost/apps/ecosystem"
	"roost/host"
	"roost/service"
	"roost/service/control"

	"github.com/spf13/cobra"
)

// defaultConfig is the config file that commands take when none is named.
const defaultConfig = "roost.toml"

func newApply(c *console) *cobra.Command {
	o := &fileFlags{}
	cmd := &cobra.Command{
		Use:   "apply [FILE]",
		Short: "make what a config file declares so",
		Long: `Show what a config file (./roost.toml, or an ecosystem file of PM2's) changes,
and make it so. Apps and sites that came from the file and have left it are
removed; those of other files and of commands stay. When it fails, all is as
before.`,
		Example: "  roost apply\n  roost apply /srv/box/roost.toml --dry-run\n  roost apply ecosystem.config.js --env production",
		Args:    need(0, 1, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			plan, _, err := c.apply(cmd.Context(), fileOf(args), *o)
			if err != nil {
				return err
			}
			return c.plan(plan, o.asJSON)
		},
	}
	o.define(cmd.Flags())
	cmd.Flags().BoolVar(&o.keep, "keep", false, "do not remove what has left the file")
	cmd.Flags().BoolVar(&o.dry, "dry-run", false, "only show the plan")
	jsonFlag(cmd, &o.asJSON)
	return cmd
}

func fileOf(args []string) string {
	if len(args) == 0 {
		return defaultConfig
	}
	return args[0]
}

// apply makes a config file so, or with dry says what that would change.
func (c *console) apply(ctx context.Context, word string, o fileFlags) (plan control.Plan, f configFile, err error) {
	if f, err = c.readConfig(ctx, word); err != nil {
		return plan, f, err
	}
	client, err := c.client()
	if err != nil {
		return plan, f, err
	}
	if _, err := client.Ping(ctx); errors.Is(err, control.ErrNotRunning) {
		// A file that makes no sense by itself is no reason to start anything.
		if _, problems := host.Parse(f.file, f.text, o.env); len(problems) > 0 {
			_, problems = host.Check(f.file, f.text, o.env)
			return plan, f, host.Problems(problems)
		}
		if client, err = c.daemon(ctx); err != nil {
			return plan, f, err
		}
	} else if err != nil {
		return plan, f, err
	}
	err = c.follow(func(news func(string)) error {
		plan, err = client.Apply(ctx, f.request(o), news)
		return err
	})
	return plan, f, err
}

// request asks for what the file declares, as o says.
func (f configFile) request(o fileFlags) control.ApplyRequest {
	r := control.ApplyRequest{
		File: f.file, Text: string(f.text), Env: o.env, Only: o.only, Keep: o.keep, UpdateEnv: o.updateEnv, Set: o.set, DryRun: o.dry,
	}
	if o.updateEnv || ecosystem.Is(f.file) { // PM2's apps get the shell's environment
		r.Environ = service.Environ()
	}
	return r
}

func noFile(file string) error {
	return usage("there is no file "+file, "name a config file; it is called roost.toml as a rule")
}

// plan prints what a change of the configuration comes to, a line a step.
func (c *console) plan(p control.Plan, asJSON bool) error {
	for _, note := range p.Notes {
		c.say("%s", note)
	}
	if asJSON {
		if p.Changes == nil {
			p.Changes = []control.Change{}
		}
		return c.json(p)
	}
	if len(p.Changes) == 0 {
		c.say("nothing to change")
		return nil
	}
	for _, change := range p.Changes {
		c.printf("%s", c.step(change))
	}
	return nil
}

// step writes a change such as "~ app web: instances 2 -> 4".
func (c *console) step(change control.Change) string {
	sign, style := map[string]string{"add": "+", "change": "~", "remove": "-"}[change.Verb], styleWarn
	switch change.Verb {
	case "add":
		style = styleGood
	case "remove":
		style = styleBad
	}
	line := fmt.Sprintf("%s %s", sign, change.Kind)
	switch {
	case change.Kind == "app":
		line += " " + shellQuote(change.Name)
	case change.Name != "":
		line += " " + change.Name
	}
	if change.Detail == "" {
		return c.paint(style, line)
	}
	return c.paint(style, line) + ": " + change.Detail
}
