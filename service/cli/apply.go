package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"roost/host"
	"roost/service/control"

	"github.com/spf13/cobra"
)

// defaultConfig is the config file that commands take when none is named.
const defaultConfig = "roost.toml"

func newApply(c *console) *cobra.Command {
	var dry, asJSON bool
	cmd := &cobra.Command{
		Use:   "apply [FILE]",
		Short: "make what a config file declares so",
		Long: `Show what a config file (./roost.toml) changes, and make it so. Apps and sites
that came from the file and have left it are removed; those of other files and
of commands stay. When it fails, all is as before.`,
		Example: "  roost apply\n  roost apply /srv/box/roost.toml --dry-run",
		Args:    need(0, 1, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.apply(cmd.Context(), fileOf(args), dry, asJSON)
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only show the plan")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func fileOf(args []string) string {
	if len(args) == 0 {
		return defaultConfig
	}
	return args[0]
}

// apply makes a config file so, or with dry says what that would change.
func (c *console) apply(ctx context.Context, file string, dry, asJSON bool) error {
	file, text, err := readConfig(file)
	if err != nil {
		return err
	}
	client, err := c.client()
	if err != nil {
		return err
	}
	if _, err := client.Ping(ctx); errors.Is(err, control.ErrNotRunning) {
		// A file that makes no sense by itself is no reason to start anything.
		if _, problems := host.Parse(file, text); len(problems) > 0 {
			_, problems = host.Check(file, text)
			return host.Problems(problems)
		}
		if client, err = c.daemon(ctx); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	var plan control.Plan
	err = c.follow(func(news func(string)) error {
		plan, err = client.Apply(ctx, control.ApplyRequest{File: file, Text: string(text), DryRun: dry}, news)
		return err
	})
	if err != nil {
		return err
	}
	return c.plan(plan, asJSON)
}

// readConfig reads a config file with this user's rights.
func readConfig(file string) (path string, text []byte, err error) {
	if path, err = filepath.Abs(file); err != nil {
		return "", nil, fmt.Errorf("cannot find %s: %w", file, err)
	}
	text, err = os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil, noFile(file)
	}
	if err != nil {
		return "", nil, fmt.Errorf("cannot read the config: %w", err)
	}
	return path, text, nil
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
	if change.Name != "" {
		line += " " + change.Name
	}
	if change.Detail == "" {
		return c.paint(style, line)
	}
	return c.paint(style, line) + ": " + change.Detail
}
