package cli

import (
	"roost/apps"
	"roost/service/control"

	"github.com/spf13/cobra"
)

func newID(c *console) *cobra.Command {
	return newNumbers(c, numbered{
		use: "id APP...", short: "print the ids of an app's instances, one a line", example: "  roost id web", least: 1,
		of: func(i apps.Instance) int { return i.ID },
	})
}

func newPID(c *console) *cobra.Command {
	return newNumbers(c, numbered{
		use: "pid [APP...]", short: "print the process ids of what runs, one a line", example: "  roost pid web\n  kill -USR2 $(roost pid web)",
		of: func(i apps.Instance) int { return i.PID }, runs: true,
	})
}

// numbered is a command that prints a number of each instance.
type numbered struct {
	use, short, example string
	least               int
	of                  func(apps.Instance) int
	runs                bool // only of those that run
}

func newNumbers(c *console, n numbered) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: n.use, Short: n.short, Example: n.example,
		Args:              need(n.least, -1, whichApps),
		ValidArgsFunction: c.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := c.client()
			if err != nil {
				return err
			}
			rows, err := client.Instances(cmd.Context(), args)
			if err != nil {
				return err
			}
			found := []int{}
			for _, r := range rows {
				if r.PID != 0 || !n.runs {
					found = append(found, n.of(r))
				}
			}
			if asJSON {
				return c.json(found)
			}
			if len(found) == 0 {
				return &control.Error{Code: control.CodeNotFound, Message: "nothing of that runs", Hint: "see why: " + c.command("list")}
			}
			for _, number := range found {
				c.printf("%d", number)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	return cmd
}
