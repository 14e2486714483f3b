package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"roost/service/control"

	"github.com/spf13/cobra"
)

func newStart(c *console) *cobra.Command {
	f := &appFlags{}
	var force, asJSON, updateEnv bool
	var only []string
	cmd := &cobra.Command{
		Use:   "start SCRIPT|PROGRAM|\"COMMAND ARGS\"|FILE|APP... [-- ARGS]",
		Short: "start a new app, or one that is stopped",
		Long: `Start a script, a program, a command with arguments, or what a config
file declares; or start apps that exist (by name, id, namespace, all, /regex/).
What follows -- is handed to the program. The app gets this shell's environment.`,
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
			words, rest := args, []string(nil)
			if n := cmd.ArgsLenAtDash(); n >= 0 {
				words, rest = args[:n], args[n:]
			}
			if len(words) == 0 {
				return usage("roost start needs a script, a program, a command, a roost.toml or an app", "such as: roost start server.js")
			}
			s := starter{c: c, flags: f, args: rest, force: force, asJSON: asJSON}
			s.files = fileFlags{only: only, updateEnv: updateEnv, asJSON: asJSON}
			if slices.ContainsFunc(words, isConfig) {
				s.files.env = f.envName()
			}
			s.fresh = len(rest) > 0 || force || f.changed(cmd)
			if updateEnv {
				s.environ = environ()
			}
			return s.all(cmd.Context(), words)
		},
	}
	f.define(cmd.Flags())
	jsonFlag(cmd, &asJSON)
	cmd.Flags().StringSliceVar(&only, "only", nil, "only these `APPS` or namespaces of a config file")
	cmd.Flags().BoolVarP(&force, "force", "f", false, "replace an app that has the name already")
	cmd.Flags().BoolVarP(&updateEnv, "update-env", "a", false, "give apps that exist this shell's environment from now on")
	return cmd
}

// starter starts what one command line names.
type starter struct {
	c       *console
	flags   *appFlags
	args    []string // after --
	fresh   bool     // flags or arguments describe a new app
	force   bool
	asJSON  bool
	environ map[string]string // for apps that exist; nil keeps theirs
	files   fileFlags         // for config files
}

// all starts each of words in turn. What is wrong with a word by itself is
// found before anything is started.
func (s *starter) all(ctx context.Context, words []string) error {
	if name := s.flags.app.Name; name != "" && len(words) > 1 {
		return usage(fmt.Sprintf("--name %s is for one app, not for %d", name, len(words)), "start them one after the other")
	}
	for _, word := range words {
		if isConfig(word) && s.fresh {
			return usage("flags for apps do not go with the file "+word, "write them into the file")
		}
	}
	for _, word := range words {
		if isConfig(word) {
			if err := s.c.actFile(ctx, control.VerbStart, word, s.files); err != nil {
				return err
			}
			continue
		}
		if err := s.one(ctx, word); err != nil {
			return err
		}
	}
	return nil
}

// one starts an app that exists under the name, else a new one.
func (s *starter) one(ctx context.Context, word string) error {
	config, missing := s.flags.config(word, s.args)
	addressable := !s.fresh && isTarget(word)
	var wrong *NotStartable
	if missing != nil && (!errors.As(missing, &wrong) || !addressable) {
		return missing
	}
	client, err := s.c.daemon(ctx)
	if err != nil {
		return err
	}
	if addressable {
		var e *control.Error
		_, err := client.Instances(ctx, []string{word})
		switch {
		case err == nil:
			return s.c.act(ctx, control.ActRequest{Verb: control.VerbStart, Targets: []string{word}, Environ: s.environ}, s.asJSON)
		case !errors.As(err, &e) || e.Code != control.CodeNotFound:
			return err
		case missing != nil:
			if e.Hint != "" { // the daemon knows a name that is near
				wrong.hint = e.Hint
			}
			return missing
		}
	}
	return s.c.startNew(ctx, client, control.StartRequest{Config: config, Environ: environ(), Force: s.force}, s.asJSON)
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

// isTarget reports a word that may address apps that exist.
func isTarget(word string) bool {
	if len(word) > 2 && strings.HasPrefix(word, "/") && strings.HasSuffix(word, "/") {
		return !isFolder(word)
	}
	return !strings.ContainsAny(word, `/\ `) && !slices.Contains(scriptEndings, filepath.Ext(word))
}

// scriptEndings are those that only files have. An app may be called "web.v2".
var scriptEndings = []string{".js", ".cjs", ".mjs", ".ts", ".py", ".sh", ".rb", ".php", ".pl", ".exe"}

// nameOf makes an app's name of a script's or a program's path: its last
// part without an ending, and only what a name may consist of.
func nameOf(path string) string {
	base := filepath.Base(path)
	if ext := filepath.Ext(base); slices.Contains(scriptEndings, ext) {
		base = strings.TrimSuffix(base, ext)
	}
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", r) {
			return r
		}
		return '-'
	}, base)
	return strings.Trim(name, "-.")
}
