package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"

	"roost/service"
	"roost/service/control"

	"github.com/spf13/cobra"
)

func newRun(c *console) *cobra.Command {
	r := &runner{console: c, flags: &appFlags{}}
	cmd := &cobra.Command{
		Use:   "run [FILE|SCRIPT|PROGRAM|\"COMMAND ARGS\"] [-- ARGS]",
		Short: "run the daemon in the foreground",
		Long: `Run what is wanted, in the foreground: what earlier commands have made, and
what FILE declares. Ctrl-C ends it in order; SIGHUP applies FILE again.

With a script, a program or a command it starts that, hands on its output, and
ends when it has ended for good, with its exit code. As the main program of a
container (pid 1) it also reaps what has lost its parent, and does the same
for a FILE without sites.`,
		Example: "  roost run\n  roost run roost.toml\n  roost run ecosystem.config.js --env production\n  roost run server.js -i max --json\n  ROOST_HOME=/tmp/try roost run examples/box/roost.toml",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := r.read(cmd, args); err != nil {
				return err
			}
			return r.run(context.WithoutCancel(cmd.Context())) // the daemon minds signals itself, and counts them
		},
	}
	f := cmd.Flags()
	r.flags.define(f)
	f.StringArrayVar(&r.only, "only", nil, "only these `APPS` or namespaces of the file")
	f.BoolVar(&r.json, "json", false, "print what apps write as JSON, an object a line")
	f.BoolVar(&r.raw, "raw", false, "print what apps write")
	f.BoolVar(&r.exit, "exit", false, "end when all apps have ended and no site is served")
	f.BoolVar(&r.background, "background", false, "as started by another command: no words")
	f.BoolVar(&r.service, "service", false, "as started by the service manager")
	f.StringVar(&r.pm2, "pm2", "", "in this home of PM2")
	_ = f.MarkHidden("pm2")
	_ = f.MarkHidden("background")
	_ = f.MarkHidden("service")
	return cmd
}

// heldError is a conflict with another daemon; exit code exitHeld.
type heldError struct{ error }

func (e heldError) Unwrap() error { return e.error }

func held(err error) error {
	var e *control.Error
	if errors.As(err, &e) && e.Code == control.CodeConflict {
		return heldError{err}
	}
	return err
}

// DaemonOptions are those of the daemon in a home of PM2.
func DaemonOptions(pm2 string) (service.Options, error) { return runOptions(nil, false, pm2) }

// runOptions are those of a daemon with the config file of args, else with the
// one in its config folder if there is one.
func runOptions(args []string, asService bool, pm2 string) (o service.Options, err error) {
	o.Version = readBuild().Version
	if pm2 != "" {
		o.Dirs = service.PM2Dirs(pm2)
	} else if o.Dirs, err = service.FindDirs(os.Getenv); err != nil {
		return o, err
	}
	file, named := o.Dirs.File(), false
	if len(args) > 0 {
		file, named = args[0], !asService // the service's may be missing: it then declares nothing
	}
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		if named {
			return o, noFile(file)
		}
		return o, nil
	}
	o.File = file
	return o, nil
}

// welcome says, once the daemon answers, where everything is and what to try.
func (c *console) welcome(ctx context.Context, dirs service.Dirs) {
	status, err := control.Dial(dirs.Socket()).Status(ctx)
	if err != nil {
		c.say("runs, but does not answer: %v", err)
		return
	}
	c.say("runs (pid %d); Ctrl-C ends it", status.PID)
	if at := addresses(status.Listeners, status.Sites); len(at) > 0 {
		c.openAt(at)
	}
	c.say("logs are in %s", dirs.Logs)
	c.say("try, in another terminal:")
	try := []string{"status", "list", "logs --follow"}
	if len(status.Apps) > 0 {
		try = append(try, "reload "+shellQuote(status.Apps[0].Name))
	} else {
		try = append(try, "start server.js", "serve public")
	}
	t := &table{}
	for _, words := range slices.Concat(try, []string{"help"}) {
		t.add(cell{"  " + c.command(words), ""})
	}
	_ = t.write(c.err, func(_, text string) string { return text }) // words for people
}
