package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	"roost/apps/ecosystem"
	"roost/service"
	"roost/service/control"

	"github.com/spf13/cobra"
)

func newStart(c *console) *cobra.Command {
	o := &actFlags{}
	var force bool
	cmd := &cobra.Command{
		Use:   "start SCRIPT|PROGRAM|\"COMMAND ARGS\"|FILE|APP... [-- ARGS]",
		Short: "start a new app, or one that is stopped",
		Long: `Start a script, a program, a command with arguments, or what a config
file declares; or start apps that exist (by name, id, namespace, all, /regex/).
What follows -- is handed to the program. The app gets this shell's environment.
Flags that are keys of [[app]] declare a new app, and change one that exists.`,
		Example: `  roost start server.js -i max --name web
  roost start ./clock --listen-fds -- -zone UTC
  roost start "python3 -m http.server" --port 8000
  roost start roost.toml
  roost start ecosystem.config.js --env production --only web
  roost start web`,
		ValidArgsFunction: func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
			words, _ := c.completeTargets(cmd, args, word)
			return words, cobra.ShellCompDirectiveDefault // files too
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			s := starter{c: c, actFlags: *o, words: args, force: force}
			if n := cmd.ArgsLenAtDash(); n >= 0 {
				s.words, s.args = args[:n], args[n:]
			}
			if len(s.words) == 0 {
				return usage("roost start needs a script, a program, a command, a config file or an app", "such as: roost start server.js")
			}
			return s.all(cmd.Context())
		},
	}
	o.define(cmd.Flags(), control.VerbStart)
	cmd.Flags().BoolVarP(&force, "force", "f", false, "replace an app that has the name already")
	return cmd
}

// starter starts what one command line names.
type starter struct {
	actFlags
	c     *console
	words []string
	args  []string // after --
	force bool
}

// all starts each of the words in turn.
func (s *starter) all(ctx context.Context) error {
	if name, ok := s.keys.set["name"]; ok && len(s.words) > 1 {
		return usage(fmt.Sprintf("--name %s is for one app, not for %d", name, len(s.words)), "start them one after the other")
	}
	var names []string
	for _, word := range s.words {
		some, err := s.one(ctx, word)
		if err != nil {
			return err
		}
		names = append(names, some...)
	}
	if s.attach {
		return s.c.watchLogs(ctx, names)
	}
	return nil
}

// one starts an app that exists under the name, else a new one, and returns
// what addresses it.
func (s *starter) one(ctx context.Context, word string) ([]string, error) {
	if s.c.isFile(ctx, word) {
		if len(s.args) > 0 {
			return nil, usage("arguments do not go with the file "+word, "write them into the file: args")
		}
		return s.c.actAll(ctx, control.VerbStart, []string{word}, s.actFlags)
	}
	config, missing := s.keys.config(word, s.args)
	_, named := s.keys.set["name"]
	addressable := !named && !s.force
	var wrong *NotStartable
	if missing != nil && (!errors.As(missing, &wrong) || !addressable) {
		if addressable && s.c.isApp(ctx, word) {
			return []string{word}, s.existing(ctx, word)
		}
		return nil, missing
	}
	client, err := s.c.daemon(ctx)
	if err != nil {
		return nil, err
	}
	if addressable {
		var e *control.Error
		err := addressed(ctx, client, word)
		switch {
		case err == nil:
			return []string{word}, s.existing(ctx, word)
		case !errors.As(err, &e) || e.Code != control.CodeNotFound:
			return nil, err
		case missing != nil:
			if e.Hint != "" { // the daemon knows a name that is near
				wrong.hint = e.Hint
			}
			return nil, missing
		}
	}
	return []string{config.Name}, s.c.startNew(ctx, client, control.StartRequest{Config: config, Environ: service.Environ(), Force: s.force}, s.asJSON)
}

// existing starts apps that exist, with other keys where some are given.
func (s *starter) existing(ctx context.Context, word string) error {
	set, err := s.keys.keys()
	if err != nil {
		return err
	}
	if len(s.args) > 0 {
		args, err := json.Marshal(s.args)
		if err != nil {
			return err
		}
		if set = maps.Clone(set); set == nil {
			set = map[string]json.RawMessage{}
		}
		set["args"] = args
	}
	r := control.ActRequest{Verb: control.VerbStart, Targets: []string{word}, Only: s.only, Parallel: s.parallel, Set: set}
	if s.updateEnv {
		r.Environ = service.Environ()
	}
	return s.c.act(ctx, r, s.asJSON)
}

func (c *console) startNew(ctx context.Context, client *control.Client, r control.StartRequest, asJSON bool) error {
	var done control.Acted
	err := c.follow(func(news func(string)) (err error) {
		done, err = client.Start(ctx, r, news)
		return err
	})
	if err != nil {
		return err
	}
	return c.acted("started", done, asJSON)
}

// addressed says whether a word addresses apps that exist: control.CodeNotFound
// when none does. What looks like a script, a path or a command line can only be
// the name of one.
func addressed(ctx context.Context, client *control.Client, word string) error {
	expression := len(word) > 2 && strings.HasPrefix(word, "/") && strings.HasSuffix(word, "/")
	if expression && !isFolder(word) || !strings.ContainsAny(word, `/\ `) && !ecosystem.HasScriptEnding(word) {
		_, err := client.Instances(ctx, []string{word})
		return err
	}
	_, err := client.App(ctx, word)
	return err
}
