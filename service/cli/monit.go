package cli

import (
	"io"
	"os"
	"strings"

	"roost/service/control"
	"roost/service/monit"

	"github.com/spf13/cobra"
)

func newMonit(c *console) *cobra.Command {
	return &cobra.Command{
		Use:     "monit",
		Aliases: []string{"dashboard", "dash"},
		Short:   "watch apps on a full-screen page",
		Long:    "Show apps, their figures over the last minutes and the output of the chosen one,\nand act on it by keys, which the last line of the page names.",
		Args:    need(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !terminal(c.out) || !terminal(os.Stdin) {
				return usage("monit needs a terminal", "in scripts: %s", c.command("list --json"))
			}
			client, err := c.client()
			if err != nil {
				return err
			}
			return monit.Run(cmd.Context(), monit.Options{Client: client, Describe: describeText, In: os.Stdin, Out: c.out})
		},
	}
}

// describeText is what describe prints, without colours.
func describeText(a control.App) string {
	var text strings.Builder
	_ = (&console{out: &text, err: io.Discard, width: 80}).describe(a)
	return text.String()
}
