package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"roost/service/control"

	"github.com/spf13/cobra"
)

func newDescribe(c *console) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:               "describe APP",
		Aliases:           []string{"desc", "info", "show"},
		Short:             "say all there is to say about an app",
		Example:           "  roost describe web\n  roost describe 3 --json",
		Args:              need(1, 1, "an app: its name or an id"),
		ValidArgsFunction: c.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := c.client()
			if err != nil {
				return err
			}
			app, err := client.App(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return c.json(app)
			}
			return c.describe(app)
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (c *console) describe(a control.App) error {
	f := &facts{}
	f.add("app", a.Name)
	f.add("namespace", a.Namespace)
	f.bad("failure", a.Failure)
	f.add("script", a.Config.Script)
	f.add("command", a.Config.Command)
	f.add("arguments", quoteAll(a.Config.Args))
	f.add("interpreter", strings.TrimSpace(a.Config.Interpreter+" "+quoteAll(a.Config.NodeArgs)))
	f.add("folder", a.Config.Cwd)
	f.add("declared in", a.Source)
	f.add("revision", fmt.Sprint(a.Revision))
	f.add("reached by", a.Kind)
	f.add("next reload", a.Strategy)
	f.add("sites", strings.Join(a.Sites, ", "))
	if a.Config.Port > 0 {
		f.add("port", fmt.Sprint(a.Config.Port))
	}
	f.add("health", a.Config.Health)
	f.add("user", a.Config.User)
	if t := a.Traffic; t != nil {
		f.add("requests", traffic(*t))
	}
	if a.Waiting > 0 {
		f.add("waiting", plural(a.Waiting, "request"))
	}
	f.list("logs", a.Logs)
	var env []string
	for _, name := range slices.Sorted(maps.Keys(a.Config.Env)) {
		env = append(env, name+"="+a.Config.Env[name])
	}
	f.list("env", env)
	if len(a.Environ) > 0 {
		f.add("from the shell", strings.Join(a.Environ, " "))
	}
	if err := f.write(c); err != nil {
		return err
	}
	c.printf("")
	if err := c.instances(a.Instances); err != nil {
		return err
	}
	return c.reachable(a)
}

// reachable prints what the list of instances has no room for.
func (c *console) reachable(a control.App) error {
	t := newTable("id", "address", "in flight", "requests", "event loop", "started", "last exit").numbers(0, 2, 3, 4)
	for _, i := range a.Instances {
		lag, started, exit := "-", "-", "-"
		if i.LagMS > 0 {
			lag = fmt.Sprintf("%.1f ms", i.LagMS)
		}
		if !i.Started.IsZero() {
			started = i.Started.Local().Format(time.DateTime)
		}
		if i.ExitCode != nil {
			exit = fmt.Sprint(*i.ExitCode)
		}
		address := i.Address
		if address == "" {
			address = "-"
		}
		t.add(cell{fmt.Sprint(i.ID), ""}, cell{address, ""}, cell{fmt.Sprint(i.InFlight), ""}, cell{fmt.Sprint(i.Requests), ""}, cell{lag, ""}, cell{started, ""}, cell{exit, ""})
	}
	c.printf("")
	return t.write(c.out, c.paint)
}

// traffic is how requests fare, in a line.
func traffic(t control.Traffic) string {
	s := fmt.Sprintf("%d, %s/min", t.Requests, rate(t.PerMinute))
	for _, class := range slices.Sorted(maps.Keys(t.Classes)) {
		s += fmt.Sprintf(", %d %s", t.Classes[class], class)
	}
	if t.Requests > 0 {
		s += fmt.Sprintf(", p50 %.1f ms, p90 %.1f ms, p99 %.1f ms", t.P50, t.P90, t.P99)
	}
	return s
}

func quoteAll(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = shellQuote(w)
	}
	return strings.Join(quoted, " ")
}

// facts are names and values, below one another; empty values are left out.
type facts struct{ rows table }

func (f *facts) add(name, value string) { f.styled(name, value, "") }
func (f *facts) bad(name, value string) { f.styled(name, value, styleBad) }

func (f *facts) styled(name, value, style string) {
	if value != "" {
		f.rows.add(cell{name, styleFaint}, cell{value, style})
	}
}

// list has a line for each value, the name on the first.
func (f *facts) list(name string, values []string) {
	for _, v := range values {
		f.add(name, v)
		name = ""
	}
}

func (f *facts) write(c *console) error { return f.rows.write(c.out, c.paint) }
