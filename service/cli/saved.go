package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"roost/apps"
	"roost/internal/durable"
	"roost/service"

	"github.com/spf13/cobra"
)

func newSave(c *console) *cobra.Command {
	return &cobra.Command{
		Use:     "save",
		Short:   "say where what is wanted is saved: with every change, by itself",
		Example: "  roost save",
		Args:    need(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			_, dirs, err := service.Locate()
			if err != nil {
				return err
			}
			c.say("nothing to do: every change is saved as it is made, in %s", filepath.Join(dirs.State, "state.json"))
			c.hint("to take the apps elsewhere: %s", c.command("dump FILE"))
			return nil
		},
	}
}

func newDump(c *console) *cobra.Command {
	return &cobra.Command{
		Use:   "dump FILE.json",
		Short: "write the apps to a config file",
		Long: `Write the apps that there are to a config file, with their environments, which
only you may read; roost apply FILE makes it so elsewhere. What runs is saved
without it.`,
		Example: "  roost dump apps.json\n  roost apply apps.json",
		Args:    need(1, 1, "a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if filepath.Ext(args[0]) != ".json" {
				return usage(args[0]+" would not be known as a config file", "give it a name that ends in .json")
			}
			return c.dump(cmd.Context(), args[0])
		},
	}
}

func (c *console) dump(ctx context.Context, file string) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	all, err := client.Apps(ctx, true)
	if err != nil {
		return err
	}
	content := struct {
		Apps []apps.Config `json:"apps"`
	}{[]apps.Config{}}
	for _, a := range all {
		env := maps.Clone(a.Values)
		if env == nil {
			env = map[string]string{}
		}
		maps.Copy(env, a.Config.Env)
		a.Config.Env = env
		if !slices.ContainsFunc(a.Instances, func(i apps.Instance) bool { return i.State != apps.StateStopped }) {
			a.Config.Autostart = new(bool)
		}
		content.Apps = append(content.Apps, a.Config)
	}
	text, err := json.MarshalIndent(content, "", "  ")
	if err != nil {
		return fmt.Errorf("cannot write the apps: %w", err)
	}
	if err := durable.WriteFile(file, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("cannot write the apps: %w", err)
	}
	c.say("wrote %s to %s", plural(len(all), "app"), file)
	return nil
}

func newResurrect(c *console) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "resurrect",
		Short:   "start the daemon, with all that is wanted",
		Long:    "Start the daemon where none runs. What is wanted comes back with it, by itself:\nthere is nothing else to bring back.",
		Example: "  roost resurrect",
		Args:    need(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := c.daemon(cmd.Context())
			if err != nil {
				return err
			}
			rows, err := c.settled(cmd.Context(), client)
			if err != nil {
				return err
			}
			if asJSON {
				return c.json(rows)
			}
			c.say("the daemon runs what is wanted: %s", plural(len(rows), "instance"))
			if len(rows) == 0 {
				return nil
			}
			return c.instances(rows)
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}
