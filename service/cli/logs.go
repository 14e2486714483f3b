package cli

import (
	"bufio"
	"errors"
	"io"
	"syscall"

	"roost/internal/dateformat"
	"roost/service/control"
	"roost/service/logtext"

	"github.com/spf13/cobra"
)

// logTime is what stands in front of a line when nobody says otherwise.
const logTime = "YYYY-MM-DD HH:mm:ss.SSS"

func newLogs(c *console) *cobra.Command {
	var r control.LogsRequest
	var asJSON, raw, logfmt, out, err, once bool
	var stamp, highlight string
	cmd := &cobra.Command{
		Use:     "logs [APP...]",
		Aliases: []string{"log"},
		Short:   "show what apps have written, merged by time",
		Long: `Show the last lines that apps have written to stdout and stderr, merged by
time; with --follow also what they write from now on. Lines of log files that
tell no time (log_type = "raw") come file by file before the others. --json
prints an object a line, --format logfmt lines. --timestamp takes a format of day.js,
as PM2 does: --timestamp=HH:mm:ss; an empty one leaves the time out. The log
of roost itself is roost.log, in the folder that roost status names.`,
		Example:           "  roost logs web -n 100\n  roost logs --follow\n  roost logs web --err --json\n  roost logs /^api/ 3 --timestamp=HH:mm:ss --highlight timeout",
		ValidArgsFunction: c.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			if r.Lines < 0 {
				return usage("--lines cannot be negative", "such as: --lines 100")
			}
			o := c.logStyle(stamp)
			o.Highlight = highlight
			forms := 0
			for form, wanted := range map[logtext.Form]bool{logtext.JSON: asJSON, logtext.Raw: raw, logtext.Logfmt: logfmt} {
				if wanted {
					o.Form = form
					forms++
				}
			}
			if forms > 1 {
				return usage("--json, --format and --raw exclude each other", "one of them")
			}
			if logfmt && !cmd.Flags().Changed("timestamp") {
				o.Time = dateformat.Format{}
			}
			switch {
			case out && !err:
				r.Stream = "out"
			case err && !out:
				r.Stream = "err"
			}
			r.Targets, r.Follow = args, r.Follow && !once
			client, fail := c.client()
			if fail != nil {
				return fail
			}
			w, done := c.out, func() error { return nil }
			if !r.Follow {
				b := bufio.NewWriter(c.out)
				w, done = io.Writer(b), b.Flush
			}
			fail = client.Logs(cmd.Context(), r, logtext.New(w, o).Print)
			if e := done(); fail == nil {
				fail = e
			}
			if errors.Is(fail, syscall.EPIPE) {
				return nil // whoever read has seen enough
			}
			return fail
		},
	}
	f := cmd.Flags()
	f.IntVarP(&r.Lines, "lines", "n", 15, "how many of the last lines, of all apps together")
	f.BoolVarP(&r.Follow, "follow", "f", false, "go on with new lines until Ctrl-C")
	f.BoolVar(&once, "nostream", false, "do not follow, even with --follow")
	f.BoolVar(&out, "out", false, "only stdout")
	f.BoolVar(&err, "err", false, "only stderr")
	f.BoolVar(&raw, "raw", false, "only the text")
	f.BoolVar(&logfmt, "format", false, "print logfmt: timestamp=… app=… id=… type=… message=…")
	f.StringVar(&stamp, "timestamp", logTime, "the form of the time in front")
	f.Lookup("timestamp").NoOptDefVal = "YYYY-MM-DD-HH:mm:ss"
	f.StringVar(&highlight, "highlight", "", "mark a word")
	jsonFlag(cmd, &asJSON)
	return cmd
}

// logStyle is how lines are shown to people, with the time in that form.
func (c *console) logStyle(stamp string) logtext.Options {
	return logtext.Options{Time: dateformat.Parse(stamp), Colour: c.colour}
}
