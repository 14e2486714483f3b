package cli

import (
	"context"
	"log/slog"

	"roost/apps"
	"roost/service"
	"roost/service/control"
	"roost/service/foreground"

	"github.com/spf13/cobra"
)

func newDev(c *console) *cobra.Command {
	r := &runner{console: c, flags: &appFlags{}}
	var d devFolder
	cmd := &cobra.Command{
		Use:   "dev SCRIPT|PROGRAM|\"COMMAND ARGS\"|FILE|DIR [-- ARGS]",
		Short: "run an app or serve a folder here, anew whenever files change",
		Long: `Run an app, or those of a config file, in the foreground: what they write
appears here, and they start again when their files change. Ctrl-C ends them
and leaves nothing behind; a daemon that runs is not touched.

A folder is served to this machine, or with --host to the network: pages reload
when files change, style sheets are swapped, nothing is cached, folders without
index.html are listed, and errors say what was looked for.`,
		Example: "  roost dev public\n  roost dev dist --port 3000 --spa --host\n  roost dev server.js\n  roost dev server.js --watch src --ignore-watch '*.log'\n  roost dev ecosystem.config.js --env development --only web",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := r.read(cmd, args); err != nil {
				return err
			}
			switch {
			case r.word == "":
				return usage("roost dev needs a folder, a script, a program, a command or a config file", "such as: roost dev public, or roost dev server.js")
			case isFolder(r.word):
				return r.devFolder(cmd.Context(), d)
			case d != devFolder{}:
				return usage("--host, --spa, --html-handling and --rules are for a folder", "such as: roost dev public --spa")
			}
			return r.dev(context.WithoutCancel(cmd.Context()))
		},
	}
	f := cmd.Flags()
	r.flags.define(f)
	f.StringArrayVar(&r.only, "only", nil, "only these `APPS` or namespaces of the file")
	f.BoolVar(&r.raw, "raw", false, "print what apps write without their names")
	f.BoolVar(&r.json, "json", false, "print what apps write as JSON, an object a line")
	d.define(f)
	f.BoolVar(&r.exit, "exit", false, "end when all apps have ended and no site is served")
	return cmd
}

func (r *runner) dev(ctx context.Context) error {
	if code, was, err := foreground.Init(); was {
		return either(err, code)
	}
	var files []string
	r.watch = true
	begin, err := r.begin(ctx, &files)
	if err != nil {
		return err
	}
	dirs, remove, err := scratch()
	if err != nil {
		return err
	}
	defer remove()
	r.home = dirs.State
	o := service.Options{Dirs: dirs, Version: readBuild().Version, Words: newWords(r.console, slog.LevelWarn)}
	f := foreground.Options{Service: o, Begin: r.telling(begin), Exit: r.exit, Print: r.printer(r.logStyle(""))}
	return r.foreground(ctx, f)
}

// telling is begin, with a word for each time that something starts again.
func (r *runner) telling(begin func(context.Context, *control.Client) error) func(context.Context, *control.Client) error {
	return func(ctx context.Context, client *control.Client) error {
		go func() {
			_ = client.Events(ctx, nil, func(e apps.Event) error {
				if e.Kind == apps.EventRestart {
					r.say("%s starts again: %s", apps.ShowName(e.App), e.Reason)
				}
				return nil
			})
		}()
		return begin(ctx, client)
	}
}
