package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"roost/apps"
	"roost/internal/unit"
	"roost/service/control"

	"github.com/spf13/cobra"
)

func newList(c *console) *cobra.Command {
	l := lister{c: c}
	cmd := &cobra.Command{
		Use:               "list [APP...]",
		Aliases:           []string{"ls", "l", "ps"},
		Short:             "list apps, a line for each instance",
		Example:           "  roost list\n  roost list web --json\n  roost list --sort memory:desc --watch",
		ValidArgsFunction: c.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			by, err := sorter(l.order)
			if err != nil {
				return err
			}
			if l.client, err = c.client(); err != nil {
				return err
			}
			l.by, l.targets = by, args
			if l.watch {
				return l.again(cmd.Context())
			}
			return l.once(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&l.asJSON, "json", false, "an array, one object for each instance")
	cmd.Flags().StringVar(&l.order, "sort", "id", "order by id, name, namespace, pid, uptime, restarts, state, cpu or memory; append :desc")
	cmd.Flags().BoolVarP(&l.mini, "mini", "m", false, "only name, id, state, CPU and memory")
	cmd.Flags().BoolVar(&l.watch, "watch", false, "again each second, until Ctrl-C")
	return cmd
}

// newJlist is list --json under PM2's names.
func newJlist(c *console, name, short string, indent bool) *cobra.Command {
	return &cobra.Command{
		Use: name, Short: short, Example: "  roost " + name, Args: need(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			l := lister{c: c, asJSON: indent, dense: !indent}
			var err error
			if l.by, err = sorter("id"); err != nil {
				return err
			}
			if l.client, err = c.client(); err != nil {
				return err
			}
			return l.once(cmd.Context())
		},
	}
}

// lister prints the list of instances.
type lister struct {
	c                          *console
	client                     *control.Client
	targets                    []string
	by                         func(a, b apps.Instance) int
	order                      string
	asJSON, dense, mini, watch bool
}

func (l *lister) once(ctx context.Context) error {
	rows, err := l.client.Instances(ctx, l.targets)
	if err != nil {
		return err
	}
	slices.SortStableFunc(rows, l.by)
	switch {
	case l.dense:
		return json.NewEncoder(l.c.out).Encode(rows)
	case l.asJSON:
		return l.c.json(rows)
	case len(rows) == 0:
		l.c.say("no apps yet")
		l.c.hint("start one: %s", l.c.command("start server.js"))
		return nil
	case l.mini:
		return l.c.fewer(rows)
	}
	return l.c.instances(rows)
}

// again lists each second until ctx ends: on a terminal in place, elsewhere
// one list after the other with a blank line between.
func (l *lister) again(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if terminal(l.c.out) {
			fmt.Fprint(l.c.out, "\x1b[H\x1b[2J")
		}
		if err := l.once(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if !terminal(l.c.out) && !l.asJSON {
			if _, err := fmt.Fprintln(l.c.out); err != nil {
				return nil // whoever read has seen enough
			}
		}
	}
}

// sorter compares instances by a field.
func sorter(order string) (func(a, b apps.Instance) int, error) {
	field, direction, _ := strings.Cut(order, ":")
	by := map[string]func(a, b apps.Instance) int{
		"id":        func(a, b apps.Instance) int { return cmp.Compare(a.ID, b.ID) },
		"name":      func(a, b apps.Instance) int { return cmp.Compare(a.App, b.App) },
		"namespace": func(a, b apps.Instance) int { return cmp.Compare(a.Namespace, b.Namespace) },
		"pid":       func(a, b apps.Instance) int { return cmp.Compare(a.PID, b.PID) },
		"uptime":    func(a, b apps.Instance) int { return cmp.Compare(a.Uptime, b.Uptime) },
		"restarts":  func(a, b apps.Instance) int { return cmp.Compare(a.Restarts, b.Restarts) },
		"state":     func(a, b apps.Instance) int { return cmp.Compare(a.State, b.State) },
		"status":    func(a, b apps.Instance) int { return cmp.Compare(a.State, b.State) },
		"cpu":       func(a, b apps.Instance) int { return cmp.Compare(a.CPU, b.CPU) },
		"memory":    func(a, b apps.Instance) int { return cmp.Compare(a.Memory, b.Memory) },
	}[field]
	if by == nil || direction != "" && direction != "asc" && direction != "desc" {
		return nil, usage(fmt.Sprintf("cannot sort by %q", order), "by a column, such as --sort cpu:desc")
	}
	if direction == "desc" {
		return func(a, b apps.Instance) int { return by(b, a) }, nil
	}
	return by, nil
}

// instances prints rows, a line each.
func (c *console) instances(rows []apps.Instance) error {
	t := newTable("name", "id", "slot", "revision", "pid", "uptime", "restarts", "state", "cpu", "memory", "req/min", "reason").numbers(1, 2, 3, 4, 5, 6, 8, 9, 10)
	for _, r := range rows {
		uptime := "-"
		if r.PID != 0 {
			uptime = unit.Length(seconds(r.Uptime))
		}
		cpu, memory := consumption(r)
		t.add(
			cell{apps.ShowName(r.App), styleBold}, cell{fmt.Sprint(r.ID), ""}, cell{fmt.Sprint(r.Slot), ""}, cell{fmt.Sprint(r.Revision), ""}, cell{dash(r.PID), ""},
			cell{uptime, ""}, cell{fmt.Sprint(r.Restarts), ""}, cell{string(r.State), stateStyle(r.State)}, cell{cpu, ""}, cell{memory, ""},
			cell{unit.Rate(r.PerMinute), ""}, cell{r.Reason, styleFaint},
		)
	}
	return t.write(c.out, c.paint)
}

// fewer prints rows in few columns.
func (c *console) fewer(rows []apps.Instance) error {
	t := newTable("name", "id", "state", "cpu", "memory").numbers(1, 3, 4)
	for _, r := range rows {
		cpu, memory := consumption(r)
		t.add(cell{apps.ShowName(r.App), styleBold}, cell{fmt.Sprint(r.ID), ""}, cell{string(r.State), stateStyle(r.State)}, cell{cpu, ""}, cell{memory, ""})
	}
	return t.write(c.out, c.paint)
}

// consumption is what an instance uses, "-" while it has not been measured.
func consumption(r apps.Instance) (cpu, memory string) {
	if r.Memory == 0 {
		return "-", "-"
	}
	return fmt.Sprintf("%.1f%%", r.CPU), unit.Bytes(r.Memory)
}

func stateStyle(s apps.State) string {
	switch s {
	case apps.StateReady:
		return styleGood
	case apps.StateErrored:
		return styleBad
	case apps.StateStopped:
		return styleFaint
	}
	return styleWarn
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// dash writes a number, and "-" for 0.
func dash(n int) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(n)
}
