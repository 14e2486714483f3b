package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"roost/internal/unit"
	"roost/service/control"
	"roost/service/install"

	"github.com/spf13/cobra"
)

func newPing(c *console) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "ping",
		Short:   "say whether a daemon answers",
		Example: "  roost ping --json",
		Args:    need(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := c.client()
			if err != nil {
				return err
			}
			pong, err := client.Ping(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return c.json(pong)
			}
			c.printf("roost %s answers at %s: pid %d, up %s", pong.Version, pong.Socket, pong.PID, unit.Length(time.Since(pong.Started)))
			return nil
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

// killTimeout bounds the wait for the daemon's end: its apps are given their
// time to stop first.
const killTimeout = 2 * time.Minute

func newKill(c *console) *cobra.Command {
	return &cobra.Command{
		Use:     "kill",
		Short:   "end the daemon, its sites and its apps",
		Long:    "End the daemon and all it runs. What is wanted stays wanted: the next start\nbrings it back. A daemon that runs as a service is stopped by: roost service stop.",
		Example: "  roost kill",
		Args:    need(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := c.client()
			if err != nil {
				return err
			}
			return c.kill(cmd.Context(), client)
		},
	}
}

func (c *console) kill(ctx context.Context, client *control.Client) error {
	pong, err := client.Ping(ctx)
	if errors.Is(err, control.ErrNotRunning) {
		c.say("no daemon runs")
		return nil
	}
	if err != nil {
		return err
	}
	if install.Runs(ctx, pong.PID) {
		return &control.Error{
			Code:    control.CodeConflict,
			Message: "the daemon runs as a service, which would start it again",
			Hint:    "stop the service: " + c.command("service stop"),
		}
	}
	err = c.follow(func(news func(string)) error {
		news("ending apps and sites")
		if err := client.Shutdown(ctx); err != nil {
			return err
		}
		return Gone(ctx, pong.PID)
	})
	if err != nil {
		return err
	}
	c.say("the daemon has ended (pid %d)", pong.PID)
	return nil
}

// Gone waits for the end of the daemon: its socket closes first, its apps end then.
func Gone(ctx context.Context, pid int) error {
	ctx, cancel := context.WithTimeout(ctx, killTimeout)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !install.Ended(pid) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("the daemon (pid %d) has not ended after %v", pid, killTimeout)
		case <-tick.C:
		}
	}
	return nil
}
