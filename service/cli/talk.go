package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"roost/service/control"

	"github.com/spf13/cobra"
)

func newSend(c *console) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:               "send APP|ID LINE...",
		Short:             "write a line to the standard input of apps",
		Example:           "  roost send console \"reload maps\"\n  roost send 3 quit",
		Args:              need(2, -1, "an app, and the line"),
		ValidArgsFunction: c.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.talk(cmd.Context(), "wrote to", asJSON, func(ctx context.Context, client *control.Client) ([]control.Reply, error) {
				return client.Input(ctx, control.InputRequest{Targets: args[:1], Text: strings.Join(args[1:], " ") + "\n"})
			})
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func newMessage(c *console) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:               "message APP|ID JSON",
		Short:             "send Node programs a message: process.on('message')",
		Example:           "  roost message web '{\"type\": \"refresh\"}'",
		Args:              need(2, 2, "an app, and a JSON value"),
		ValidArgsFunction: c.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !json.Valid([]byte(args[1])) {
				return usage(fmt.Sprintf("%q is not JSON", args[1]), `a text needs its own quotes: '"refresh"'`)
			}
			return c.talk(cmd.Context(), "sent the message to", asJSON, func(ctx context.Context, client *control.Client) ([]control.Reply, error) {
				return client.Message(ctx, control.MessageRequest{Targets: args[:1], Message: json.RawMessage(args[1])})
			})
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func newTrigger(c *console) *cobra.Command {
	var asJSON bool
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "trigger APP|ID ACTION [PARAM]",
		Short: "have programs do an action that they offer",
		Long: `Have Node programs do an action that they have registered (axm:action, as with
@pm2/io), and print what they answer. Which there are: roost describe APP.`,
		Example:           "  roost trigger web \"clear cache\"\n  roost trigger 3 level debug --json",
		Args:              need(2, 3, "an app, and an action of it"),
		ValidArgsFunction: c.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			r := control.TriggerRequest{Targets: args[:1], Action: args[1], Timeout: timeout}
			if len(args) > 2 {
				r.Param = &args[2]
			}
			return c.talk(cmd.Context(), "", asJSON, func(ctx context.Context, client *control.Client) ([]control.Reply, error) {
				return client.Trigger(ctx, r)
			})
		},
	}
	cmd.Flags().DurationVar(&timeout, "timeout", 10*time.Second, "how long to wait for an answer")
	jsonFlag(cmd, &asJSON)
	return cmd
}

// talk tells instances something and shows what they answer: past says what
// was done to them, when there are no answers.
func (c *console) talk(ctx context.Context, past string, asJSON bool, tell func(context.Context, *control.Client) ([]control.Reply, error)) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	replies, err := tell(ctx, client)
	if err != nil {
		return err
	}
	var done, failed []string
	t := newTable("name", "id", "answer").numbers(1)
	for _, r := range replies {
		if r.Error != "" {
			failed = append(failed, fmt.Sprintf("%s (id %d): %s", shellQuote(r.App), r.ID, r.Error))
			continue
		}
		done = append(done, fmt.Sprintf("%s (id %d)", shellQuote(r.App), r.ID))
		t.add(cell{shellQuote(r.App), styleBold}, cell{fmt.Sprint(r.ID), ""}, cell{string(r.Return), ""})
	}
	switch {
	case asJSON:
		if replies == nil {
			replies = []control.Reply{}
		}
		err = c.json(replies)
	case past == "" && len(done) > 0:
		err = t.write(c.out, c.paint)
	case len(done) > 0:
		c.say("%s %s", past, strings.Join(done, ", "))
	}
	if err == nil && len(failed) > 0 {
		err = &control.Error{Code: control.CodeFailed, Message: strings.Join(failed, "; "), Hint: "see how they fare: " + c.command("list")}
	}
	return err
}
