package pm2

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"roost/apps"
	"roost/service"
	"roost/service/cli"
	"roost/service/control"
	"roost/service/foreground"
	"roost/service/logtext"
)

// The commands that the programs pm2-runtime and pm2-dev are.
const (
	runtimeName = "pm2-runtime"
	devName     = "pm2-dev"
)

// inForeground is the program pm2-runtime or pm2-dev: one command, whose word
// "start" may be left out.
func inForeground(name string) func(*session, []string) error {
	return func(s *session, args []string) error {
		if len(args) > 0 && (args[0] == "start" || name == devName && args[0] == "run") {
			args = args[1:]
		}
		if len(args) > 0 && (args[0] == "--version" || args[0] == "-v" || args[0] == "-V") {
			_, err := fmt.Fprintln(s.out, version)
			return err
		}
		return pm2(s, append([]string{name}, args...))
	}
}

// runtime runs apps as the main program of a container: their output is this
// program's, nothing of it is kept, and all ends when they have, with the exit
// code of one that failed, or at a signal.
func (s *session) runtime() error {
	if s.has("web") {
		return errors.New("--web is not there, as in PM2 since version 3: roost serves figures on its control socket")
	}
	wait, err := s.delay()
	if err != nil {
		return err
	}
	for _, flag := range []string{"output", "error"} { // what a container writes is kept elsewhere
		if !s.has(flag) {
			s.given[flag] = []string{os.DevNull}
		}
	}
	form := logtext.Raw
	switch {
	case s.has("json"):
		form = logtext.PM2JSON
	case s.has("format"):
		form = logtext.Logfmt
	case s.has("formatted"):
		form = logtext.Prefixed
	}
	home, err := ownHome()
	if err != nil {
		return err
	}
	return s.stage(home, foreground.Options{
		Exit: !s.has("no-auto-exit"),
		Begin: func(ctx context.Context, client *control.Client) error {
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				return nil
			}
			return s.launch(ctx, client)
		},
		Print: s.printer(logtext.Options{Form: form}),
	})
}

// dev runs apps for somebody who works on them: again whenever their files
// change, in a home that is removed.
func (s *session) dev() error {
	if !s.has("watch") {
		s.given["watch"] = []string{""}
	}
	if ignored := s.given["ignore"]; len(ignored) > 0 {
		s.given["ignore-watch"] = ignored
	}
	home, err := os.MkdirTemp("", "pm2-dev-")
	if err != nil {
		return fmt.Errorf("cannot make a folder: %w", err)
	}
	defer os.RemoveAll(home)
	o := logtext.Options{Colour: s.colour}
	if s.has("raw") {
		o.Form = logtext.Raw
	}
	if s.has("timestamp") {
		o.Time = stampOf(s.text("timestamp"))
	}
	print := s.printer(o)
	return s.stage(service.PM2Dirs(home), foreground.Options{
		Exit: s.has("auto-exit"),
		Begin: func(ctx context.Context, client *control.Client) error {
			s.tellRestarts(ctx, client)
			return s.launch(ctx, client)
		},
		Print: print,
	})
}

// ownHome is this user's home of PM2, whatever runs elsewhere on this machine.
func ownHome() (service.Dirs, error) {
	dir := os.Getenv("PM2_HOME")
	if dir == "" {
		user, err := os.UserHomeDir()
		if err != nil {
			return service.Dirs{}, fmt.Errorf("cannot find this user's home folder; set PM2_HOME: %w", err)
		}
		dir = filepath.Join(user, ".pm2")
	}
	dir, err := filepath.Abs(dir)
	return service.PM2Dirs(dir), err
}

// stage runs a daemon here, in dirs. What it runs is not wanted any more when it has ended.
func (s *session) stage(dirs service.Dirs, f foreground.Options) error {
	if code, was, err := foreground.Init(); was {
		return errors.Join(err, exitOf(code))
	}
	o, err := cli.DaemonOptions(dirs.PM2)
	if err != nil {
		return err
	}
	s.dirs, f.Service, f.Alone = o.Dirs, o, true
	err = foreground.Run(context.WithoutCancel(s.ctx), f) // it minds signals itself
	var ended *foreground.Exited
	if !errors.As(err, &ended) {
		return err
	}
	if ended.Code != 0 {
		s.warnErr("%v", ended)
	}
	return exitOf(ended.Code)
}

// exitOf is the error for an exit code; nil for 0.
func exitOf(code int) error {
	if code == 0 {
		return nil
	}
	return exitError(code)
}

// launch starts what the command line names, without the words of pm2 start:
// stdout is the apps'.
func (s *session) launch(ctx context.Context, client *control.Client) error {
	one := *s
	quiet := *s.console
	quiet.silent = true
	one.console, one.client, one.ctx = &quiet, client, ctx
	err := one.start()
	if err == nil || ctx.Err() != nil {
		return err
	}
	// What has begun badly is tried again and holds up nothing else, as in PM2;
	// what was refused has begun nothing.
	if begun, wrong := client.Instances(ctx, nil); wrong != nil || len(begun) == 0 {
		return err
	}
	s.exit(err)
	return nil
}

// printer is sorter for lines of a container's apps.
func (s *session) printer(o logtext.Options) func(apps.Line) {
	out := *s
	if kept := s.text("output"); kept != os.DevNull && kept != "" && o.Form == logtext.Raw {
		console := *s.console
		console.out, out.console = io.Discard, &console // as PM2 does: it is in the file
	}
	print := out.sorter(o)
	return func(l apps.Line) { _ = print(l) } // a reader that is gone does not end the apps
}

// tellRestarts says when something starts again, and runs --post-exec then.
func (s *session) tellRestarts(ctx context.Context, client *control.Client) {
	go func() {
		_ = client.Events(ctx, nil, func(e apps.Event) error {
			switch e.Kind {
			case apps.EventRestart:
				s.say("%s starts again: %s", e.App, e.Reason)
			case apps.EventReady:
				return s.postExec(ctx)
			}
			return nil
		})
	}()
}

// delay is how long to wait before anything is started.
func (s *session) delay() (time.Duration, error) {
	text := s.text("delay")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n < 0 || n > 86400 {
		return 0, usageError(fmt.Sprintf("--delay %q is not a number of seconds", text))
	}
	return time.Duration(n * float64(time.Second)), nil
}
