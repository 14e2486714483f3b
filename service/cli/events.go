package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"syscall"
	"time"

	"roost/apps"
	"roost/tls"

	"github.com/spf13/cobra"
)

func newEvents(c *console) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:               "events [APP...]",
		Short:             "show what happens to apps and certificates, until Ctrl-C",
		Long:              "Show what happens to instances from now on: start, ready, stop, exit, restart,\nerrored, and message with what a program has sent. Without APP also what happens to\ncertificates: obtained, renewed, failed, expiring. --json prints an object a line.",
		Example:           "  roost events\n  roost events web --json",
		ValidArgsFunction: c.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := c.client()
			if err != nil {
				return err
			}
			print := c.event
			if asJSON {
				print = func(e apps.Event) error { return json.NewEncoder(c.out).Encode(e) }
			}
			err = client.Events(cmd.Context(), args, print)
			if errors.Is(err, syscall.EPIPE) {
				return nil // whoever read has seen enough
			}
			return err
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

// event prints "2026-11-23 01:48:48.123 web 0 exit | exited with status 1", in local time.
func (c *console) event(e apps.Event) error {
	style := map[string]string{apps.EventReady: styleGood, apps.EventExit: styleWarn, apps.EventRestart: styleWarn, apps.EventErrored: styleBad,
		tls.EventObtained: styleGood, tls.EventRenewed: styleGood, tls.EventFailed: styleBad, tls.EventExpiring: styleBad}[e.Kind]
	whose := fmt.Sprintf("%s %d", apps.ShowName(e.App), e.ID)
	if e.Certificate != "" {
		whose = "certificate " + e.Certificate
	}
	line := fmt.Sprintf("%s %s %s",
		c.paint(styleFaint, e.Time.Local().Format(time.DateOnly+" 15:04:05.000")),
		c.paint(styleBold, whose), c.paint(style, e.Kind))
	if detail := e.Reason + string(e.Data); detail != "" {
		line += c.paint(styleFaint, " | ") + detail
	}
	_, err := fmt.Fprintln(c.out, line)
	return err
}
