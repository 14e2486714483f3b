package cli

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"
)

// completeTargets offers the shell the apps and namespaces that exist.
func (c *console) completeTargets(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	const none = cobra.ShellCompDirectiveNoFileComp
	client, err := c.client()
	if err != nil {
		return nil, none
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	rows, err := client.Instances(ctx, nil)
	if err != nil {
		return nil, none
	}
	words := []string{"all"}
	for _, r := range rows {
		words = append(words, r.App, r.Namespace)
	}
	slices.Sort(words)
	words = slices.DeleteFunc(slices.Compact(words), func(w string) bool { return w == "" || slices.Contains(args, w) })
	return words, none
}
