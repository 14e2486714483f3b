package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"roost/host"
	"roost/service/control"
	"roost/service/install"

	"github.com/spf13/cobra"
)

// usageError is a command line that makes no sense; exit code 2.
type usageError struct{ what, hint string }

func (e *usageError) Error() string { return e.what }

func usage(what, hint string, args ...any) error {
	return &usageError{what, fmt.Sprintf(hint, args...)}
}

// exitCode ends this program with that code; all has been said.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// fail tells people what went wrong and returns the exit code.
func (c *console) fail(err error, interrupted bool) int {
	var (
		wrong    *usageError
		refused  *control.Error
		problems host.Problems
	)
	var code exitCode
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	case interrupted && errors.Is(err, context.Canceled):
		c.say("interrupted; what the daemon has begun may go on")
		c.hint("see where it stands: %s", c.command("list"))
	case errors.As(err, &wrong):
		c.say("%s", wrong.what)
		c.hint("%s", wrong.hint)
		return 2
	case errors.As(err, &problems):
		fmt.Fprintln(c.err, problems.Error())
		c.say("%s", plural(len(problems), "problem"))
		return 2
	case errors.As(err, &refused):
		return c.refuse(refused, err)
	case errors.Is(err, control.ErrNotRunning):
		c.say("no daemon runs")
		c.hint("start one: %s, or %s", c.command("start SCRIPT"), c.command("run FILE"))
		if c.home == "" && !install.Privileged() && install.Present(context.Background()) {
			c.hint("the service of this machine is commanded by root: sudo roost …")
		}
	default:
		c.say("%v", err)
	}
	return 1
}

// refuse tells what the daemon has refused, or tried in vain.
func (c *console) refuse(e *control.Error, err error) int {
	for _, p := range e.Problems {
		fmt.Fprintln(c.err, p)
	}
	message := e.Message
	if around, ok := strings.CutSuffix(err.Error(), e.Error()); ok { // what callers have added
		message = around + message
	}
	c.say("%s", message)
	if len(e.Output) > 0 {
		fmt.Fprintln(c.err, "its last lines:")
		for _, line := range e.Output {
			fmt.Fprintln(c.err, "  | "+line)
		}
	}
	c.hint("%s", e.Hint)
	var another heldError
	switch {
	case e.Code == control.CodeInvalid:
		return 2
	case errors.As(err, &another):
		return exitHeld
	}
	return 1
}

// elsewhere says what PM2's verbs that are not ours come to here.
var elsewhere = map[string]string{
	"cleardump": "what is saved is what is wanted; to want nothing: roost delete all",
	"get":       "settings are keys of a config file: roost describe APP",
	"conf":      "settings are keys of a config file: roost describe APP",
	"config":    "settings are keys of a config file: roost describe APP",
	"set":       "settings are keys of a config file, and flags: roost restart APP --env KEY=VALUE",
	"multiset":  "settings are keys of a config file, and flags: roost restart APP --env KEY=VALUE",
	"unset":     "settings are keys of a config file, and flags: roost restart APP --cron-restart null",
	"install":   "there are no modules; rotation of logs is built in. The service: roost service install",
	"uninstall": "there are no modules. The service: roost service uninstall",
	"logrotate": "logs are rotated by themselves: max_log_size and max_log_files of an app",
	"link":      "nothing is sent anywhere; figures for Prometheus: roost status names where",
	"plus":      "nothing is sent anywhere",
	"report":    "roost status, and roost.log in the folder that it names",
}

// unknownCommand suggests what may have been meant.
func unknownCommand(cmd *cobra.Command, word string) error {
	what := fmt.Sprintf("unknown command %q", word)
	if hint := elsewhere[word]; hint != "" && !cmd.HasParent() {
		return usage(what, "%s", hint)
	}
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(word); len(near) > 0 {
		return usage(what, "did you mean %s?", strings.Join(near, " or "))
	}
	return usage(what, "%s --help lists the commands", cmd.CommandPath())
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
