package cli

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"roost/apps"
	"roost/internal/unit"

	"github.com/google/shlex"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// appFlags describe a new app: PM2's flags, and a few of ours.
type appFlags struct {
	app           apps.Config
	env           []string
	nodeArgs      []string
	noAutorestart bool
	names         []string // of the flags that are defined
}

func (f *appFlags) define(flags *pflag.FlagSet) {
	before := map[string]bool{}
	flags.VisitAll(func(x *pflag.Flag) { before[x.Name] = true })
	a := &f.app
	flags.StringVarP(&a.Name, "name", "n", "", "`NAME` of the app (default: that of the script)")
	flags.StringVar(&a.Namespace, "namespace", "", "`NAME` to address several apps at once")
	flags.VarP(decoded{&a.Instances, "n"}, "instances", "i", "how many run at a time: a number, max, or -1 for one fewer than CPUs")
	flags.StringVar(&a.Cwd, "cwd", "", "working `FOLDER` (default: this one)")
	flags.StringVar(&a.Interpreter, "interpreter", "", "`PROGRAM` that runs the script (default: by its ending); none runs it directly")
	flags.StringArrayVar(&f.nodeArgs, "node-args", nil, "`ARGUMENTS` of the interpreter")
	flags.StringArrayVar(&f.nodeArgs, "interpreter-args", nil, "the same, as `ARGUMENTS`")
	flags.StringArrayVar(&f.env, "env", nil, "`KEY=VALUE` for the app's environment; repeatable")
	flags.IntVar(&a.Port, "port", 0, "the app's own `PORT`")
	flags.StringVar(&a.Health, "health", "", "`PATH` that answers 2xx or 3xx once the app is ready")
	flags.BoolVar(&a.ListenFDs, "listen-fds", false, "hand over listening sockets by systemd's protocol")
	flags.BoolVar(&a.WaitReady, "wait-ready", false, "wait for process.send('ready') or READY=1")
	flags.Var(decoded{&a.ListenTimeout, "time"}, "listen-timeout", "bound from start to ready (default 30s; a bare number is milliseconds)")
	flags.VarP(decoded{&a.KillTimeout, "time"}, "kill-timeout", "k", "bound from the request to stop to the kill (default 10s)")
	flags.StringVar(&a.KillSignal, "kill-signal", "", "`SIGNAL` that asks it to stop (default SIGTERM; Node: SIGINT)")
	flags.BoolVar(&a.ShutdownWithMessage, "shutdown-with-message", false, "ask Node to stop by process.on('message')")
	flags.IntVar(&a.MaxRestarts, "max-restarts", 0, "failures in a row that make a crash loop (default 16)")
	flags.Var(decoded{&a.MinUptime, "time"}, "min-uptime", "how long it must live to count as started (default 1s)")
	flags.Var(decoded{&a.RestartDelay, "time"}, "restart-delay", "fixed wait before a restart")
	flags.Var(decoded{&a.ExpBackoff, "time"}, "exp-backoff-restart-delay", "first wait after a failure, doubled by each (default 100ms)")
	flags.BoolVar(&f.noAutorestart, "no-autorestart", false, "leave it stopped after it has exited")
	flags.IntSliceVar(&a.StopExitCodes, "stop-exit-codes", nil, "exit `CODES` that leave it stopped: 0,3")
	flags.StringVarP(&a.User, "user", "u", "", "run as this `USER` (only as root)")
	flags.VisitAll(func(x *pflag.Flag) {
		if !before[x.Name] {
			f.names = append(f.names, x.Name)
		}
	})
}

// envName takes the last --env that is no KEY=VALUE: it names the tables
// env_<name> of a config file.
func (f *appFlags) envName() (name string) {
	f.env = slices.DeleteFunc(f.env, func(pair string) bool {
		if strings.Contains(pair, "=") {
			return false
		}
		name = pair
		return true
	})
	return name
}

// changed reports whether any of the flags was given.
func (f *appFlags) changed(cmd *cobra.Command) bool {
	for _, name := range f.names {
		if cmd.Flags().Changed(name) && (name != "env" || len(f.env) > 0) {
			return true
		}
	}
	return false
}

// decoded is a flag whose value is read as in a config file.
type decoded struct {
	value interface{ Decode(any) error }
	kind  string
}

func (d decoded) Set(s string) error { return d.value.Decode(s) }
func (d decoded) Type() string       { return d.kind }

// String is empty for the zero value, which help then leaves out.
func (d decoded) String() string {
	switch v := d.value.(type) {
	case *unit.Duration:
		if *v != 0 {
			return v.String()
		}
	case *apps.Instances:
		if *v != 0 {
			return v.String()
		}
	}
	return ""
}

// config is the app that word and the flags describe: word is a script, a
// program, or a command with its arguments. It fails with *NotStartable when
// word may still be the name of an app.
func (f *appFlags) config(word string, args []string) (apps.Config, error) {
	a := f.app
	a.Args = args
	var err error
	if a.Cwd, err = filepath.Abs(a.Cwd); err != nil {
		return a, fmt.Errorf("cannot find the working folder: %w", err)
	}
	if f.noAutorestart {
		a.Autorestart = new(bool)
	}
	for _, text := range f.nodeArgs {
		words, err := shlex.Split(text)
		if err != nil {
			return a, usage(fmt.Sprintf("cannot split %q into words", text), "close the quote")
		}
		a.NodeArgs = append(a.NodeArgs, words...)
	}
	for _, pair := range f.env {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return a, usage(fmt.Sprintf("--env %q is not KEY=VALUE", pair), "such as: --env NODE_ENV=production")
		}
		if a.Env == nil {
			a.Env = map[string]string{}
		}
		a.Env[name] = value
	}
	if err := SetProgram(&a, word); err != nil {
		return a, err
	}
	if a.Name == "" {
		return a, usage(fmt.Sprintf("cannot make a name of %q", word), "give one: --name NAME")
	}
	return a, nil
}
