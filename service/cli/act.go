package cli

import (
	"context"
	"slices"
	"strings"

	"roost/apps"
	"roost/service"
	"roost/service/control"
	"roost/service/logtext"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// whichApps is what a command that acts on apps wants to hear.
const whichApps = "an app: its name, an id, a namespace, all or /regular expression/"

// acts are the commands that are a verb and targets.
var acts = map[string]struct {
	aliases []string
	short   string
	long    string
	example string
	all     bool // without targets: all
}{
	"stop": {
		short:   "stop apps, and keep them stopped",
		long:    "Stop apps: no new requests, wait for those that have begun, then end the process.\nThey stay registered, and stopped after a reboot too.",
		example: "  roost stop web\n  roost stop 3 4\n  roost stop all",
	},
	"restart": {
		short:   "stop apps and start them again",
		long:    "Restart apps, all instances at once; requests wait meanwhile.\nWithout an interruption: roost reload.\nFlags that are keys of [[app]] hold from then on; the value null takes one away.",
		example: "  roost restart web\n  roost restart /^api/ --update-env\n  roost restart web --max-memory-restart 300M --env LEVEL=debug\n  roost restart ecosystem.config.js --only web",
	},
	"reload": {
		short:   "replace instances one by one, losing no request",
		long:    "Reload apps: a new instance starts beside each old one, which leaves when the\nnew one is ready. When that fails, the old ones stay and the command fails.\nFlags that are keys of [[app]] hold from then on; the value null takes one away.",
		example: "  roost reload web\n  roost reload all --parallel 1\n  roost reload web -i max",
	},
	"delete": {
		aliases: []string{"del"},
		short:   "stop apps and forget them",
		example: "  roost delete web\n  roost delete all",
	},
	"flush": {
		short:   "empty the log files of apps",
		long:    "Empty the log files of apps and remove the rotated ones. The log of roost itself\ntells who changed what: it stays, and rotates by itself.",
		example: "  roost flush\n  roost flush web",
		all:     true,
	},
	"reopen": {
		aliases: []string{"reloadLogs"},
		short:   "open the log files of apps again, after something has moved them",
		example: "  roost reopen",
		all:     true,
	},
	"reset": {
		short:   "set the restart counters of apps to 0",
		example: "  roost reset web",
	},
}

// actFlags say on which apps a verb acts, and what is shown of it.
type actFlags struct {
	only      []string
	parallel  int
	running   bool
	updateEnv bool
	attach    bool
	asJSON    bool
	keys      *appFlags // nil for verbs that set none
}

// define adds the flags that go with a verb.
func (o *actFlags) define(flags *pflag.FlagSet, verb string) {
	flags.BoolVar(&o.asJSON, "json", false, "print JSON")
	flags.StringArrayVar(&o.only, "only", nil, "only these `APPS` or namespaces of what is named")
	if verb != control.VerbStart { // there it is one of the app's
		flags.StringArrayVar(&o.only, "namespace", nil, "the same, for namespaces: `NAMES`")
	}
	switch verb {
	case control.VerbRestart, control.VerbReload:
		flags.BoolVar(&o.running, "running", false, "leave what is stopped as it is")
		fallthrough
	case control.VerbStart:
		flags.BoolVarP(&o.updateEnv, "update-env", "a", false, "give apps that exist this shell's environment from now on")
		flags.BoolVar(&o.attach, "attach", false, "then show what the apps write, until Ctrl-C")
		o.keys = &appFlags{}
		fallthrough
	case control.VerbStop, control.VerbDelete:
		flags.IntVar(&o.parallel, "parallel", 0, "act on so `MANY` apps at a time, until one fails (default: all)")
	}
	if o.keys != nil && verb == control.VerbStart {
		o.keys.define(flags)
	} else if o.keys != nil {
		o.keys.add(flags, declaration)
	}
}

func newAct(c *console, verb string) *cobra.Command {
	act := acts[verb]
	use, least := verb+" APP|FILE...", 1
	if act.all {
		use, least = verb+" [APP|FILE...]", 0
	}
	o := &actFlags{}
	cmd := &cobra.Command{
		Use: use, Aliases: act.aliases, Short: act.short, Long: act.long, Example: act.example,
		Args:              need(least, -1, whichApps),
		ValidArgsFunction: c.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{"all"}
			}
			names, err := c.actAll(cmd.Context(), verb, args, *o)
			if err == nil && o.attach {
				err = c.watchLogs(cmd.Context(), names)
			}
			return err
		},
	}
	o.define(cmd.Flags(), verb)
	return cmd
}

// actAll does one verb to targets, of which some may be config files, and
// returns the names of their apps.
func (c *console) actAll(ctx context.Context, verb string, words []string, o actFlags) (names []string, err error) {
	files := fileFlags{only: o.only, updateEnv: o.updateEnv, asJSON: o.asJSON}
	r := control.ActRequest{Verb: verb, Only: o.only, Parallel: o.parallel, Running: o.running}
	if o.keys != nil {
		isFile := func(word string) bool { return c.isFile(ctx, word) }
		if slices.ContainsFunc(words, isFile) {
			files.env = o.keys.envName()
			files.only = append(files.only, o.keys.takeNamespace()...)
		}
		if r.Set, err = o.keys.keys(); err != nil {
			return nil, err
		}
		files.set = r.Set
	}
	if o.updateEnv {
		r.Environ = service.Environ()
	}
	for _, word := range words {
		if !c.isFile(ctx, word) {
			r.Targets = append(r.Targets, word)
			continue
		}
		declare := c.fileTargets
		if starts[verb] {
			declare = c.actFile
		}
		declared, err := declare(ctx, verb, word, files)
		if err != nil {
			return nil, err
		}
		if names = append(names, declared...); !starts[verb] {
			r.Targets = append(r.Targets, declared...)
		}
	}
	if len(r.Targets) > 0 {
		done, err := c.send(ctx, r)
		if err != nil {
			return nil, err
		}
		names = append(names, done.Apps...)
		if err := c.acted(past[verb], done, o.asJSON); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// watchLogs shows what apps write until ctx ends.
func (c *console) watchLogs(ctx context.Context, names []string) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	return client.Logs(ctx, control.LogsRequest{Targets: names, Lines: 15, Follow: true}, logtext.New(c.out, c.logStyle(logTime)).Print)
}

func newSignal(c *console) *cobra.Command {
	o := &actFlags{}
	cmd := &cobra.Command{
		Use:               "signal SIGNAL APP...",
		Aliases:           []string{"sendSignal"},
		Short:             "send a signal to apps",
		Example:           "  roost signal SIGUSR2 web\n  roost signal hup all",
		Args:              need(2, -1, "a signal and "+whichApps),
		ValidArgsFunction: c.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			done, err := c.send(cmd.Context(), control.ActRequest{Verb: control.VerbSignal, Signal: args[0], Targets: args[1:], Only: o.only})
			if err != nil {
				return err
			}
			return c.acted(past[control.VerbSignal], done, o.asJSON)
		},
	}
	o.define(cmd.Flags(), control.VerbSignal)
	return cmd
}

// act does one verb to apps and shows what has come of it.
func (c *console) act(ctx context.Context, r control.ActRequest, asJSON bool) error {
	done, err := c.send(ctx, r)
	if err != nil {
		return err
	}
	return c.acted(past[r.Verb], done, asJSON)
}

// send does one verb to apps.
func (c *console) send(ctx context.Context, r control.ActRequest) (done control.Acted, err error) {
	client, err := c.client()
	if starts[r.Verb] {
		client, err = c.daemon(ctx)
	}
	if err != nil {
		return done, err
	}
	err = c.follow(func(news func(string)) error {
		done, err = client.Act(ctx, r, news)
		return err
	})
	return done, err
}

// starts are the verbs that begin by starting a daemon where none runs.
var starts = map[string]bool{control.VerbStart: true, control.VerbRestart: true, control.VerbReload: true}

// past says what a verb has done to the apps that are listed after it.
var past = map[string]string{
	control.VerbStart:   "started",
	control.VerbStop:    "stopped",
	control.VerbRestart: "restarted",
	control.VerbReload:  "reloaded",
	control.VerbDelete:  "deleted",
	control.VerbReset:   "reset",
	control.VerbFlush:   "emptied the logs of",
	control.VerbSignal:  "sent the signal to",
	control.VerbReopen:  "opened the logs of",
}

// acted prints the instances of the apps that were changed.
func (c *console) acted(what string, done control.Acted, asJSON bool) error {
	for _, note := range done.Notes {
		c.say("%s", note)
	}
	if asJSON {
		if done.Instances == nil {
			done.Instances = []apps.Instance{}
		}
		return c.json(done.Instances)
	}
	c.say("%s %s", what, strings.Join(apps.ShowNames(done.Apps), ", "))
	if len(done.Instances) == 0 {
		return nil
	}
	return c.instances(done.Instances)
}

func jsonFlag(cmd *cobra.Command, asJSON *bool) {
	cmd.Flags().BoolVar(asJSON, "json", false, "print JSON")
}
