package cli

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"roost/apps"
	"roost/internal/unit"
	"roost/service/control"

	"github.com/spf13/cobra"
)

func newDescribe(c *console) *cobra.Command {
	var asJSON, show bool
	cmd := &cobra.Command{
		Use:               "describe APP",
		Aliases:           []string{"desc", "info", "show"},
		Short:             "say all there is to say about an app",
		Long:              "Say all there is to say about an app. Values of variables are masked, for they are\nsecrets as often as not; --show-env prints them, too.",
		Example:           "  roost describe web\n  roost describe 3 --json\n  roost describe web --show-env",
		Args:              need(1, 1, "an app: its name or an id"),
		ValidArgsFunction: c.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := c.client()
			if err != nil {
				return err
			}
			ask := client.App
			if show {
				ask = client.AppValues
			}
			app, err := ask(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return c.json(app)
			}
			return c.describe(app)
		},
	}
	cmd.Flags().BoolVar(&show, "show-env", false, "with the values of variables")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (c *console) describe(a control.App) error {
	f := &facts{}
	f.identity(a)
	f.conduct(a.Config)
	f.list("logs", a.Logs)
	f.environment(a)
	if err := f.write(c); err != nil {
		return err
	}
	c.printf("")
	if err := c.instances(a.Instances); err != nil {
		return err
	}
	if err := c.reachable(a); err != nil {
		return err
	}
	return c.reported(a)
}

// identity is what an app is, and how it stands.
func (f *facts) identity(a control.App) {
	f.add("app", a.Name)
	f.add("namespace", a.Namespace)
	f.bad("failure", a.Failure)
	f.bad("problem", a.Problem)
	f.bad("logs fail", a.LogProblem)
	f.add("version", a.Version)
	f.add("script", a.Config.Script)
	f.add("command", a.Config.Command)
	f.add("arguments", quoteAll(a.Config.Args))
	f.add("interpreter", strings.TrimSpace(a.Config.Interpreter+" "+quoteAll(a.Config.NodeArgs)))
	f.add("folder", a.Config.Cwd)
	f.add("declared in", a.Source)
	if !a.Created.IsZero() {
		f.add("created", a.Created.Local().Format(time.DateTime))
	}
	f.add("revision", fmt.Sprint(a.Revision))
	f.add("reached by", a.Kind)
	f.add("next reload", a.Strategy)
	f.add("sites", strings.Join(a.Sites, ", "))
	if t := a.Traffic; t != nil {
		f.add("requests", traffic(*t))
	}
	if a.Waiting > 0 {
		f.add("waiting", plural(a.Waiting, "request"))
	}
}

// conduct is when an app starts, stops, and is replaced.
func (f *facts) conduct(a apps.Config) {
	if a.Port > 0 {
		f.add("port", fmt.Sprint(a.Port))
	}
	f.add("health", a.Health)
	if a.Check != nil {
		f.add("check", check(*a.Check))
	}
	f.add("sticky", a.Sticky)
	f.add("user", strings.TrimSuffix(a.User+":"+a.Group, ":"))
	var before []string
	for _, name := range slices.Sorted(maps.Keys(a.DependsOn)) {
		before = append(before, shellQuote(name)+" "+a.DependsOn[name])
	}
	f.add("starts after", strings.Join(before, ", "))
	zone := ""
	if a.TimeZone != "" {
		zone = ", " + a.TimeZone
	}
	if a.Schedule != "" {
		f.add("runs at", a.Schedule+zone)
	}
	if a.CronRestart != "" {
		f.add("replaced at", a.CronRestart+zone)
	}
	if a.MaxMemoryRestart > 0 {
		f.add("replaced above", unit.Bytes(uint64(a.MaxMemoryRestart)))
	}
	if a.MemoryMax > 0 {
		f.add("memory limit", unit.Bytes(uint64(a.MemoryMax)))
	}
	f.add("watches", strings.Join(a.Watch, ", "))
}

func check(k apps.Check) string {
	what := ""
	switch {
	case k.HTTP != "":
		what = "GET " + k.HTTP
	case k.TCP != "":
		what = "connect to " + k.TCP
	default:
		what = quoteAll(k.Exec)
	}
	return fmt.Sprintf("%s, each %v", what, k.Interval.Or(10*time.Second))
}

// environment is where an app's variables come from.
func (f *facts) environment(a control.App) {
	var env []string
	for _, name := range slices.Sorted(maps.Keys(a.Config.Env)) {
		env = append(env, name+"="+a.Config.Env[name])
	}
	f.list("env", env)
	files := map[string][]string{}
	for name, source := range a.Sources {
		if filepath.IsAbs(source) {
			files[source] = append(files[source], name)
		}
	}
	for _, file := range slices.Sorted(maps.Keys(files)) {
		f.add("from "+file, strings.Join(slices.Sorted(slices.Values(files[file])), " "))
	}
	if len(a.Values) == 0 {
		f.add("from the shell", strings.Join(a.Environ, " "))
		return
	}
	var shell []string
	for _, name := range slices.Sorted(maps.Keys(a.Values)) {
		shell = append(shell, name+"="+a.Values[name])
	}
	f.list("from the shell", shell)
}

// reachable prints what the list of instances has no room for.
func (c *console) reachable(a control.App) error {
	t := newTable("id", "address", "in flight", "requests", "event loop", "p50", "p99", "runtime", "started", "last exit", "next start").numbers(0, 2, 3, 4, 5, 6)
	for _, i := range a.Instances {
		started, exit := "-", "-"
		if !i.Started.IsZero() {
			started = i.Started.Local().Format(time.DateTime)
		}
		if i.ExitCode != nil {
			exit = fmt.Sprint(*i.ExitCode)
		}
		p50, p99, next := "", "", ""
		if !i.Next.IsZero() {
			next = i.Next.Local().Format(time.DateTime)
		}
		if i.LagP99MS > 0 {
			p50, p99 = lag(i.LagP50MS), lag(i.LagP99MS)
		}
		t.add(cell{fmt.Sprint(i.ID), ""}, cell{cmp.Or(i.Address, "-"), ""}, cell{fmt.Sprint(i.InFlight), ""}, cell{fmt.Sprint(i.Requests), ""},
			cell{lag(i.LagMS), ""}, cell{p50, ""}, cell{p99, ""}, cell{i.Runtime, ""}, cell{started, ""}, cell{exit, ""}, cell{next, ""})
	}
	c.printf("")
	return t.write(c.out, c.paint)
}

// lag is a delay of an event loop.
func lag(ms float64) string {
	if ms <= 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f ms", ms)
}

// reported prints what programs say of themselves: a note, figures and actions.
func (c *console) reported(a control.App) error {
	notes := newTable("id", "says").numbers(0)
	metrics := newTable("id", "metric", "value", "unit").numbers(0, 2)
	actions := newTable("id", "action", "call").numbers(0)
	for _, i := range a.Instances {
		if i.Note != "" {
			notes.add(cell{fmt.Sprint(i.ID), ""}, cell{i.Note, ""})
		}
		for _, name := range slices.Sorted(maps.Keys(i.Metrics)) {
			m := i.Metrics[name]
			metrics.add(cell{fmt.Sprint(i.ID), ""}, cell{name, ""}, cell{fmt.Sprint(m.Value), ""}, cell{m.Unit, ""})
		}
		for _, action := range i.Actions {
			actions.add(cell{fmt.Sprint(i.ID), ""}, cell{action.Name, ""}, cell{c.command(fmt.Sprintf("trigger %d %s", i.ID, shellQuote(action.Name))), ""})
		}
	}
	for _, t := range []*table{notes, metrics, actions} {
		if len(t.rows) == 0 {
			continue
		}
		c.printf("")
		if err := t.write(c.out, c.paint); err != nil {
			return err
		}
	}
	return nil
}

// traffic is how requests fare, in a line.
func traffic(t control.Traffic) string {
	s := fmt.Sprintf("%d, %s/min", t.Requests, unit.Rate(t.PerMinute))
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
