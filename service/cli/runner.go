package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"roost/apps"
	"roost/host"
	"roost/service"
	"roost/service/control"
	"roost/service/foreground"
	"roost/service/install"
	"roost/service/logtext"

	"github.com/spf13/cobra"
)

// runner is one run of the daemon in this process.
type runner struct {
	*console
	flags               *appFlags
	word                string   // a file, or what is to be started; may be empty
	args                []string // of the program
	env                 string   // chooses the env_<name> tables of a file
	only                []string // apps of a file
	watch               bool     // apps that do not say what to watch
	json, raw, exit     bool
	background, service bool
	pm2                 string // the home of PM2 that the daemon works in
}

// read takes what the command line names.
func (r *runner) read(cmd *cobra.Command, args []string) error {
	if n := cmd.ArgsLenAtDash(); n >= 0 {
		args, r.args = args[:n], args[n:]
	}
	if len(args) > 0 {
		r.word = args[0]
	}
	r.env = r.flags.envName()
	described := len(r.args) > 0 || r.flags.changed()
	switch {
	case len(args) > 1:
		return usage(fmt.Sprintf("%s does not take %q", cmd.CommandPath(), args[1]), "what is for the program goes behind --")
	case r.word == "" && described:
		return usage("flags for an app need one", "such as: roost run server.js -i 2")
	case isConfig(r.word) && described:
		return usage("flags for apps do not go with the file "+r.word, "write them into the file")
	case !isConfig(r.word) && (r.env != "" || len(r.only) > 0):
		return usage("--env NAME and --only are for a config file", "such as: roost run ecosystem.config.js --env production")
	case r.json && r.raw:
		return usage("--json and --raw exclude each other", "one of them")
	}
	return nil
}

func (r *runner) run(ctx context.Context) error {
	if r.background || r.service {
		return r.unseen(ctx)
	}
	if code, was, err := foreground.Init(); was {
		return either(err, code)
	}
	var files []string
	if isConfig(r.word) {
		files = []string{r.word}
	}
	begin, err := r.begin(ctx, &files)
	if err != nil {
		return err
	}
	o, err := runOptions(files, false, r.pm2)
	if err != nil {
		return err
	}
	o.Env = r.env
	f := foreground.Options{Begin: begin, Alone: begin != nil, Exit: r.exit || begin != nil || foreground.IsInit() && o.File != ""}
	if r.json || r.raw || begin != nil || foreground.IsInit() {
		f.Print = r.printer(logtext.Options{Form: logtext.Raw})
	}
	o.Words = newWords(r.console, slog.LevelWarn)
	if begin == nil {
		o.Ready = func(service.Info) { r.welcome(ctx, o.Dirs) }
	}
	f.Service = o
	return r.foreground(ctx, f)
}

// unseen runs a daemon that nobody looks at.
func (r *runner) unseen(ctx context.Context) error {
	var files []string
	if r.word != "" {
		files = []string{r.word}
	}
	o, err := runOptions(files, r.service, r.pm2)
	if err != nil {
		return err
	}
	if r.background {
		return held(service.Run(ctx, o))
	}
	o.Unattended = true
	o.Words = newWords(r.console, slog.LevelInfo)
	return install.Run(ctx, func(ctx context.Context) error { return service.Run(ctx, o) })
}

// begin is what the daemon starts once it answers: a program, or the apps of
// one of files, which the daemon then does not read itself. It is nil when the
// daemon has all that is wanted from its state and its file.
func (r *runner) begin(ctx context.Context, files *[]string) (func(context.Context, *control.Client) error, error) {
	switch {
	case r.word == "":
		return nil, nil
	case !isConfig(r.word):
		app, err := r.flags.config(r.word, r.args)
		if err != nil {
			return nil, err
		}
		if r.watch && len(app.Watch) == 0 {
			app.Watch = apps.Paths{"."}
		}
		return func(ctx context.Context, c *control.Client) error {
			_, err := c.Start(ctx, control.StartRequest{Config: app, Environ: service.Environ(), Force: true}, nil)
			return err
		}, nil
	case filepath.Ext(r.word) == ".toml" && len(r.only) == 0 && !r.watch:
		return nil, nil
	}
	file, err := r.readConfig(ctx, r.word)
	if err != nil {
		return nil, err
	}
	declared, problems := host.Check(file.file, file.text, r.env)
	if len(problems) > 0 {
		return nil, host.Problems(problems)
	}
	var set map[string]json.RawMessage
	if r.watch && !slices.ContainsFunc(declared.Apps, func(a apps.Wanted) bool { return len(a.Watch) > 0 }) {
		set = map[string]json.RawMessage{"watch": json.RawMessage("true")}
	}
	*files = nil
	return func(ctx context.Context, c *control.Client) error {
		_, err := c.Apply(ctx, file.request(fileFlags{env: r.env, only: r.only, set: set}), nil)
		return err
	}, nil
}

// either is err, or the exit code.
func either(err error, code int) error { return cmp.Or[error](err, exitCode(code)) }

// foreground runs the daemon and tells how it has ended.
func (c *console) foreground(ctx context.Context, f foreground.Options) error {
	err := foreground.Run(ctx, f)
	var ended *foreground.Exited
	switch {
	case !errors.As(err, &ended):
		return err
	case ended.Code == 0:
		return nil
	}
	c.say("%v", ended)
	return exitCode(ended.Code)
}

// printer writes lines as the flags say, else as o does. Raw ones go where the
// app wrote them, to stdout or stderr.
func (r *runner) printer(o logtext.Options) func(apps.Line) {
	switch {
	case r.json:
		o.Form = logtext.JSON
	case r.raw:
		o.Form = logtext.Raw
	}
	out, err := logtext.New(r.out, o), logtext.New(r.err, o)
	return func(l apps.Line) {
		if o.Form == logtext.Raw && l.Stream == "err" {
			_ = err.Print(l)
			return
		}
		_ = out.Print(l) // a reader that is gone does not end the apps
	}
}

// scratch are the folders of a daemon that leaves nothing behind.
func scratch() (dirs service.Dirs, remove func(), err error) {
	home, err := os.MkdirTemp("", "roost-dev-")
	if err != nil {
		return dirs, nil, fmt.Errorf("cannot make a folder: %w", err)
	}
	dirs, err = service.FindDirs(func(name string) string {
		if name == "ROOST_HOME" {
			return home
		}
		return os.Getenv(name)
	})
	return dirs, func() { os.RemoveAll(home) }, err
}
