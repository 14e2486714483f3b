package cli

import (
	"roost/host"

	"github.com/spf13/cobra"
)

func newCheck(c *console) *cobra.Command {
	var asJSON bool
	var env string
	cmd := &cobra.Command{
		Use:     "check [FILE]",
		Short:   "find the mistakes of a config file; touches nothing",
		Long:    "Read a config file (./roost.toml, or an ecosystem file of PM2's) and print every problem as\nfile:line: what: hint. Needs no daemon and changes nothing.",
		Example: "  roost check\n  roost check /etc/roost/roost.toml --json",
		Args:    need(0, 1, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := c.readConfig(cmd.Context(), fileOf(args))
			if err != nil {
				return err
			}
			config, problems := host.Check(f.file, f.text, env)
			for _, note := range host.Notes(config) {
				c.say("%s", note)
			}
			if asJSON {
				if problems == nil {
					problems = []host.Problem{}
				}
				if err := c.json(problems); err != nil || len(problems) == 0 {
					return err
				}
				return usage(plural(len(problems), "problem"), "")
			}
			if len(problems) > 0 {
				return host.Problems(problems)
			}
			c.say("%s is right: %s, %s", f.file, plural(len(config.Sites), "site"), plural(len(config.Apps), "app"))
			return nil
		},
	}
	cmd.Flags().StringVar(&env, "env", "", "take the env_`NAME` tables of the apps")
	jsonFlag(cmd, &asJSON)
	return cmd
}
