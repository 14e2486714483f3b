package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"syscall"
	"time"

	"roost/apps"
	"roost/service/control"

	"github.com/spf13/cobra"
)

func newLogs(c *console) *cobra.Command {
	var r control.LogsRequest
	var asJSON, raw, out, err bool
	cmd := &cobra.Command{
		Use:     "logs [APP...]",
		Aliases: []string{"log"},
		Short:   "show what apps have written, merged by time",
		Long: `Show the last lines that apps have written to stdout and stderr, merged by
time; with --follow also what they write from now on. --json prints an object
a line. The log of roost itself is roost.log, in the folder that roost status names.`,
		Example:           "  roost logs web -n 100\n  roost logs --follow\n  roost logs web --err --json",
		ValidArgsFunction: c.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			if r.Lines < 0 {
				return usage("--lines cannot be negative", "such as: --lines 100")
			}
			if asJSON && raw {
				return usage("--json and --raw exclude each other", "one of them")
			}
			switch {
			case out && !err:
				r.Stream = "out"
			case err && !out:
				r.Stream = "err"
			}
			r.Targets = args
			client, fail := c.client()
			if fail != nil {
				return fail
			}
			print := c.logLine
			switch {
			case asJSON:
				print = func(l apps.Line) error { return json.NewEncoder(c.out).Encode(l) }
			case raw:
				print = func(l apps.Line) error { _, err := fmt.Fprintln(c.out, l.Text); return err }
			}
			fail = client.Logs(cmd.Context(), r, print)
			if errors.Is(fail, syscall.EPIPE) {
				return nil // whoever read has seen enough
			}
			return fail
		},
	}
	f := cmd.Flags()
	f.IntVarP(&r.Lines, "lines", "n", 15, "how many of the last lines")
	f.BoolVarP(&r.Follow, "follow", "f", false, "go on with new lines until Ctrl-C")
	f.BoolVar(&out, "out", false, "only stdout")
	f.BoolVar(&err, "err", false, "only stderr")
	f.BoolVar(&raw, "raw", false, "only the text")
	jsonFlag(cmd, &asJSON)
	return cmd
}

// logLine prints a line as "2026-11-23 01:48:48.123 web 0 out | text", in local time.
func (c *console) logLine(l apps.Line) error {
	stream := ""
	if l.Stream == "err" {
		stream = styleBad
	}
	_, err := fmt.Fprintf(c.out, "%s %s %s %s %s\n",
		c.paint(styleFaint, l.Time.Local().Format(time.DateOnly+" 15:04:05.000")),
		c.paint(colourOf(l.App), fmt.Sprintf("%s %d", l.App, l.Slot)), c.paint(stream, l.Stream), c.paint(styleFaint, "|"), l.Text)
	return err
}

// colourOf gives each app a colour of its own, always the same.
func colourOf(app string) string {
	h := fnv.New32()
	h.Write([]byte(app))
	return []string{"34", "35", "36", "94", "95", "96"}[h.Sum32()%6]
}
