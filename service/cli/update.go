package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"roost/apps"
	"roost/service/control"
	"roost/service/install"

	"github.com/spf13/cobra"
)

func newUpdate(c *console) *cobra.Command {
	return &cobra.Command{
		Use:     "update",
		Aliases: []string{"updatePM2"},
		Short:   "run the daemon in this version of the program",
		Long: `End the daemon and start it as this program is now, after that was replaced by
a newer one. Its apps stop and start again; requests are refused meanwhile.`,
		Example: "  roost update",
		Args:    need(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.update(cmd.Context())
		},
	}
}

func (c *console) update(ctx context.Context) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	pong, err := client.Ping(ctx)
	was := "none"
	switch {
	case errors.Is(err, control.ErrNotRunning):
	case err != nil:
		return err
	case install.Runs(ctx, pong.PID):
		return &control.Error{
			Code: control.CodeConflict, Message: "the daemon runs as a service",
			Hint: "bring that up to date: " + c.asRoot("service install"),
		}
	default:
		was = pong.Version
		c.say("ending roost %s; its apps stop, and start again in a moment", was)
		if err := c.kill(ctx, client); err != nil {
			return err
		}
	}
	if client, err = c.daemon(ctx); err != nil {
		return err
	}
	rows, err := c.settled(ctx, client)
	if err != nil {
		return err
	}
	c.say("the daemon runs roost %s; before it was %s", readBuild().Version, was)
	if len(rows) == 0 {
		return nil
	}
	return c.instances(rows)
}

// settleTime is how long commands that start a daemon wait for its apps.
const settleTime = 30 * time.Second

// settled waits until no instance is starting any more, and returns them all.
func (c *console) settled(ctx context.Context, client *control.Client) (rows []apps.Instance, err error) {
	over := time.After(settleTime)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	err = c.follow(func(news func(string)) error {
		for {
			if rows, err = client.Instances(ctx, nil); err != nil {
				return err
			}
			starting := slices.IndexFunc(rows, func(i apps.Instance) bool { return i.State == apps.StateStarting })
			if starting < 0 {
				return nil
			}
			news(fmt.Sprintf("%s is starting", shellQuote(rows[starting].App)))
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-over:
				return nil
			case <-tick.C:
			}
		}
	})
	return rows, err
}
