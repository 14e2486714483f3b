package cli

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"roost/service/control"

	"github.com/spf13/cobra"
)

func newScale(c *console) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "scale APP NUMBER",
		Short:   "change the number of instances of an app",
		Long:    "Scale an app to a number of instances, or by a difference: +2, -1.\nInstances that leave finish their requests first.",
		Example: "  roost scale web 4\n  roost scale web +2\n  roost scale web -1",
		Args:    need(2, 2, "an app and a number of instances: 4, +2 or -1"),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return c.completeTargets(cmd, args, word)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			change := strings.TrimPrefix(args[1], kept)
			if !scaleChange.MatchString(change) {
				return usage(fmt.Sprintf("%q is not a number of instances", change), "4, +2 or -1")
			}
			client, err := c.client()
			if err != nil {
				return err
			}
			var done control.Acted
			err = c.follow(func(news func(string)) error {
				done, err = client.Scale(cmd.Context(), control.ScaleRequest{App: args[0], Change: change}, news)
				return err
			})
			if err != nil {
				return err
			}
			return c.acted("scaled", done, asJSON)
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

var scaleChange = regexp.MustCompile(`^[+-]?[0-9]+$`)

// kept marks an argument that only looks like a flag.
const kept = "\x00"

// keepNumbers marks the -1 of `scale web -1`, which would be read as a flag.
func keepNumbers(args []string) []string {
	verb := slices.IndexFunc(args, func(a string) bool { return !strings.HasPrefix(a, "-") })
	if verb < 0 || args[verb] != "scale" {
		return args
	}
	out := slices.Clone(args)
	for i, a := range out {
		if a == "--" {
			break
		}
		if len(a) > 1 && a[0] == '-' && scaleChange.MatchString(a) {
			out[i] = kept + a
		}
	}
	return out
}
