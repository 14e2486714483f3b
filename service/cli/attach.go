package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"roost/apps"
	"roost/service/control"

	"github.com/spf13/cobra"
)

func newAttach(c *console) *cobra.Command {
	return &cobra.Command{
		Use:   "attach APP|ID",
		Short: "type to an instance and see what it writes",
		Long: `Hand the lines of this terminal (or pipe) to the standard input of an instance,
and show what it writes from now on. Ctrl-C leaves it running, as does the end
of the input, once the instance has been silent for a second.`,
		Example:           "  roost attach console\n  echo 'reload maps' | roost attach 3",
		Args:              need(1, 1, "an instance: its id, or an app that has one"),
		ValidArgsFunction: c.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := c.client()
			if err != nil {
				return err
			}
			id, err := c.instance(cmd.Context(), client, args[0])
			if err != nil {
				return err
			}
			return c.attach(cmd.Context(), client, id, os.Stdin)
		},
	}
}

// instance is the id of the one instance that word means, which must run.
func (c *console) instance(ctx context.Context, client *control.Client, word string) (string, error) {
	rows, err := client.Instances(ctx, []string{word})
	if err != nil {
		return "", err
	}
	var ids []string
	for _, r := range rows {
		id := fmt.Sprint(r.ID)
		if r.PID != 0 && (len(ids) == 0 || ids[len(ids)-1] != id) {
			ids = append(ids, id)
		}
	}
	switch len(ids) {
	case 0:
		return "", &control.Error{Code: control.CodeConflict, Message: shellQuote(word) + " does not run", Hint: "start it: " + c.command("start "+shellQuote(word))}
	case 1:
		return ids[0], nil
	}
	return "", usage(fmt.Sprintf("%s has %d instances", shellQuote(word), len(ids)), "name one by its id: %s", strings.Join(ids, ", "))
}

// silence ends an attachment whose input has ended.
const silence = time.Second

// attach carries lines to an instance, and what it writes here.
func (c *console) attach(ctx context.Context, client *control.Client, id string, in io.Reader) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	fed := make(chan error, 1)
	quiet := time.AfterFunc(time.Hour, cancel)
	quiet.Stop()
	defer quiet.Stop()
	r := control.LogsRequest{Targets: []string{id}, Follow: true, Begun: func() {
		if c.live {
			c.say("attached to %s; Ctrl-C leaves it running", id)
		}
		go func() {
			err := feed(ctx, client, id, in)
			fed <- err
			if err != nil {
				cancel()
			}
			quiet.Reset(silence)
		}()
	}}
	err := client.Logs(ctx, r, func(l apps.Line) error {
		if quiet.Stop() { // it ran: the input has ended
			quiet.Reset(silence)
		}
		to := c.out
		if l.Stream == "err" {
			to = c.err
		}
		_, err := fmt.Fprintln(to, l.Text)
		return err
	})
	select {
	case failed := <-fed:
		if err == nil && !errors.Is(failed, context.Canceled) {
			err = failed
		}
	default:
	}
	return err
}

// feed sends what is read, line by line, to an instance until it ends.
func feed(ctx context.Context, client *control.Client, id string, in io.Reader) error {
	lines := bufio.NewReaderSize(in, 64<<10)
	for {
		line, err := lines.ReadSlice('\n') // of a line that is too long, a piece
		if len(line) > 0 {
			text := string(line)
			if err == io.EOF {
				text += "\n"
			}
			replies, err := client.Input(ctx, control.InputRequest{Targets: []string{id}, Text: text})
			if err != nil {
				return err
			}
			for _, r := range replies {
				if r.Error != "" {
					return &control.Error{Code: control.CodeFailed, Message: fmt.Sprintf("%s (id %d): %s", shellQuote(r.App), r.ID, r.Error), Hint: "does it read its standard input?"}
				}
			}
		}
		if err != nil && err != bufio.ErrBufferFull {
			if err == io.EOF {
				return nil
			}
			return fmt.Errorf("cannot read the input: %w", err)
		}
	}
}
