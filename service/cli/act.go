package cli

import (
	"context"
	"strings"

	"roost/apps"
	"roost/service/control"

	"github.com/spf13/cobra"
)

// whichApps is what a command that acts on apps wants to hear.
const whichApps = "an app: its name, an id, a namespace, all or /regular expression/"

// acts are the commands that are a verb and targets.
var acts = map[string]struct {
	aliases []string
	short   string
	long    string
	example string
	env     bool // takes --update-env
	all     bool // without targets: all
}{
	"stop": {
		short:   "stop apps, and keep them stopped",
		long:    "Stop apps: no new requests, wait for those that have begun, then end the process.\nThey stay registered, and stopped after a reboot too.",
		example: "  roost stop web\n  roost stop 3 4\n  roost stop all",
	},
	"restart": {
		short:   "stop apps and start them again",
		long:    "Restart apps, all instances at once; requests wait meanwhile.\nWithout an interruption: roost reload.",
		example: "  roost restart web\n  roost restart /^api/ --update-env",
		env:     true,
	},
	"reload": {
		short:   "replace instances one by one, losing no request",
		long:    "Reload apps: a new instance starts beside each old one, which leaves when the\nnew one is ready. When that fails, the old ones stay and the command fails.",
		example: "  roost reload web\n  roost reload all --update-env",
		env:     true,
	},
	"delete": {
		aliases: []string{"del"},
		short:   "stop apps and forget them",
		example: "  roost delete web\n  roost delete all",
	},
	"flush": {
		short:   "empty the log files of apps",
		example: "  roost flush\n  roost flush web",
		all:     true,
	},
	"reset": {
		short:   "set the restart counters of apps to 0",
		example: "  roost reset web",
	},
}

func newAct(c *console, verb string) *cobra.Command {
	act := acts[verb]
	use, least := verb+" APP...", 1
	if act.all {
		use, least = verb+" [APP...]", 0
	}
	var asJSON, updateEnv bool
	var o fileFlags
	cmd := &cobra.Command{
		Use: use, Aliases: act.aliases, Short: act.short, Long: act.long, Example: act.example,
		Args:              need(least, -1, whichApps),
		ValidArgsFunction: c.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && isConfig(args[0]) && !act.all {
				o.updateEnv, o.asJSON = updateEnv, asJSON
				return c.actFile(cmd.Context(), verb, args[0], o)
			}
			r := control.ActRequest{Verb: verb, Targets: args}
			if len(args) == 0 {
				r.Targets = []string{"all"}
			}
			if updateEnv {
				r.Environ = environ()
			}
			return c.act(cmd.Context(), r, asJSON)
		},
	}
	jsonFlag(cmd, &asJSON)
	if act.env {
		cmd.Flags().BoolVarP(&updateEnv, "update-env", "a", false, "give the apps this shell's environment from now on")
	}
	return cmd
}

func newSignal(c *console) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:               "signal SIGNAL APP...",
		Aliases:           []string{"sendSignal"},
		Short:             "send a signal to apps",
		Example:           "  roost signal SIGUSR2 web\n  roost signal hup all",
		Args:              need(2, -1, "a signal and "+whichApps),
		ValidArgsFunction: c.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.act(cmd.Context(), control.ActRequest{Verb: control.VerbSignal, Signal: args[0], Targets: args[1:]}, asJSON)
		},
	}
	jsonFlag(cmd, &asJSON)
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
	c.say("%s %s", what, strings.Join(done.Apps, ", "))
	if len(done.Instances) == 0 {
		return nil
	}
	return c.instances(done.Instances)
}

func jsonFlag(cmd *cobra.Command, asJSON *bool) {
	cmd.Flags().BoolVar(asJSON, "json", false, "print JSON")
}
