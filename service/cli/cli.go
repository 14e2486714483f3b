// Package cli is the command line. A command is its flags and one call of
// package control; results go to stdout, words to stderr:
//
//	roost: what happened
//	hint: what to do
//
// The exit code is 0, 1 when it failed, 2 for wrong input or usage.
package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"roost/service/control"

	"github.com/spf13/cobra"
)

// Main runs the command line args, of which args[0] is the program's name, and
// returns the exit code.
func Main(args []string, stdout, stderr io.Writer) int {
	c := newConsole(stdout, stderr, os.Getenv)
	root := newRoot(c)
	root.SetArgs(keepNumbers(args[1:]))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return c.fail(root.ExecuteContext(ctx), ctx.Err() != nil)
}

// newRoot is the tree of all commands.
func newRoot(c *console) *cobra.Command {
	root := &cobra.Command{
		Use:   "roost",
		Short: "static sites and small apps on one box, over HTTPS, supervised",
		Long: `Roost serves folders and keeps apps running behind one HTTPS listener.

Apps are addressed by name, id, namespace, "all" or /regular expression/.
Commands go to the daemon of $ROOST_HOME, else to the system's, else to the
one of ~/.roost; those that change something start it when none runs.`,
		Example: `  roost start server.js -i 2     keep two instances running
  roost serve public             serve a folder
  roost apply roost.toml         make what a file declares so
  roost service install          survive reboots`,
		Args:          parent,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       versionLine(),
		RunE: func(cmd *cobra.Command, args []string) error {
			return cmd.Help()
		},
		PersistentPreRun: func(cmd *cobra.Command, _ []string) {
			if plain, _ := cmd.Flags().GetBool("no-color"); plain {
				c.colour = false
			}
		},
	}
	root.SetOut(c.out)
	root.SetErr(c.err)
	root.SetVersionTemplate("{{.Version}}\n")
	root.PersistentFlags().Bool("no-color", false, "no colours (as with NO_COLOR set)")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage(strings.TrimSpace(firstLine(err.Error())), "see %s --help", cmd.CommandPath())
	})
	for _, g := range [][2]string{{"apps", "Apps:"}, {"look", "Look at them:"}, {"talk", "Talk to them:"}, {"box", "The box:"}, {"daemon", "The daemon:"}, {"pm2", "As PM2's users know them:"}} {
		root.AddGroup(&cobra.Group{ID: g[0], Title: g[1]})
	}
	group := func(id string, commands ...*cobra.Command) {
		for _, cmd := range commands {
			cmd.GroupID = id
			root.AddCommand(cmd)
		}
	}
	services := newService(c)
	startup := func(name, of string) *cobra.Command {
		verb, _, _ := services.Find([]string{of})
		return newStartup(name, verb)
	}
	group("apps", newStart(c), newAct(c, "stop"), newAct(c, "restart"), newAct(c, "reload"), newAct(c, "delete"), newScale(c),
		newSignal(c), newAct(c, "reset"))
	group("look", newList(c), newDescribe(c), newEnv(c), newID(c), newPID(c), newLogs(c), newMonit(c), newEvents(c), newAct(c, "flush"), newAct(c, "reopen"))
	group("talk", newSend(c), newAttach(c), newMessage(c), newTrigger(c))
	group("box", newApply(c), newCheck(c), newImport(c), newInit(c), newDump(c), newServe(c), newMaintenance(c), newHashPassword(c), newStatus(c), newTLS(c), newCA(c))
	group("daemon", newRun(c), newDev(c), services, newPing(c), newKill(c), newUpdate(c), newVersion(c))
	group("pm2", newJlist(c, "jlist", "the same as: roost list --json, in one line", false), newJlist(c, "prettylist", "the same as: roost list --json", true),
		newSave(c), newResurrect(c), newStartOr(c, control.VerbRestart, "startOrRestart"), newStartOr(c, control.VerbReload, "startOrReload", "startOrGracefulReload"),
		startup("startup", "install"), startup("unstartup", "uninstall"))
	root.AddCommand(newFolderServer(c))
	root.SetHelpCommand(newHelp())
	root.SetHelpCommandGroupID("daemon")
	root.SetCompletionCommandGroupID("daemon")
	root.InitDefaultCompletionCmd()
	completion, _, _ := root.Find([]string{"completion"})
	completion.Short, completion.Args = "print a script that completes commands for a shell", parent
	completion.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	return root
}

// newHelp explains a command; unlike cobra's, it fails when there is none.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "explain a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			topic, rest, err := cmd.Root().Find(args)
			if err == nil && len(rest) == 0 {
				topic.InitDefaultHelpFlag()
				return topic.Help()
			}
			return unknownCommand(topic, rest[0])
		},
	}
}

// parent is for commands that have commands: what follows is one of these.
func parent(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return unknownCommand(cmd, args[0])
}

// firstLine drops what cobra adds below an error.
func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// need refuses fewer than least or more than most arguments (most < 0: any
// number); what says what is wanted.
func need(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least {
			return usage(fmt.Sprintf("%s needs %s", cmd.CommandPath(), what), "usage: %s", useLine(cmd))
		}
		if most >= 0 && len(args) > most {
			return usage(fmt.Sprintf("%s does not take %q", cmd.CommandPath(), args[most]), "usage: %s", useLine(cmd))
		}
		return nil
	}
}

func useLine(cmd *cobra.Command) string { return strings.TrimSuffix(cmd.UseLine(), " [flags]") }
