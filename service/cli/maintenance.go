package cli

import (
	"fmt"

	"roost/service/control"

	"github.com/spf13/cobra"
)

func newMaintenance(c *console) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "maintenance SITE on|off",
		Short: "close a site for a while, or open it again",
		Long: `Have a site answer 503 to everything, its apps too, with the page 503.html of
error_pages or a built-in one. SITE is one of its domains; "*" is the site that
answers every name. It stays so, through changes of its config file and
reboots, until it is opened again.`,
		Example: "  roost maintenance example.com on\n  roost maintenance example.com off\n  roost maintenance '*' on",
		Args:    need(2, 2, "a domain of the site, and on or off"),
		RunE: func(cmd *cobra.Command, args []string) error {
			on := args[1] == "on"
			if !on && args[1] != "off" {
				return usage(fmt.Sprintf("%q is neither on nor off", args[1]), "such as: roost maintenance %s on", shellQuote(args[0]))
			}
			client, err := c.client()
			if err != nil {
				return err
			}
			var plan control.Plan
			err = c.follow(func(news func(string)) error {
				plan, err = client.Maintain(cmd.Context(), control.MaintenanceRequest{Site: args[0], On: on}, news)
				return err
			})
			if err != nil {
				return err
			}
			return c.plan(plan, asJSON)
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}
