package cli

import (
	"maps"
	"slices"
	"strconv"

	"roost/service/control"

	"github.com/spf13/cobra"
)

func newEnv(c *console) *cobra.Command {
	var show, asJSON bool
	cmd := &cobra.Command{
		Use:   "env APP|ID",
		Short: "print the environment that an instance runs with",
		Long: `Print the variables of the environment that an instance was started with, the
values masked: they are secrets as often as not. --show-env prints these, too.`,
		Example:           "  roost env 0\n  roost env web --show-env",
		Args:              need(1, 1, "an instance: its id, or an app that has one"),
		ValidArgsFunction: c.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := c.client()
			if err != nil {
				return err
			}
			word, err := c.instance(cmd.Context(), client, args[0])
			if err != nil {
				return err
			}
			id, err := strconv.Atoi(word)
			if err != nil {
				return err
			}
			env, err := client.Environ(cmd.Context(), id)
			if err != nil {
				return err
			}
			for name := range env {
				if !show {
					env[name] = control.Masked
				}
			}
			if asJSON {
				return c.json(env)
			}
			for _, name := range slices.Sorted(maps.Keys(env)) {
				c.printf("%s=%s", name, env[name])
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&show, "show-env", false, "with their values")
	jsonFlag(cmd, &asJSON)
	return cmd
}
