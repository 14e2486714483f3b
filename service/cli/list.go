package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"roost/apps"

	"github.com/spf13/cobra"
)

func newList(c *console) *cobra.Command {
	var asJSON bool
	var order string
	cmd := &cobra.Command{
		Use:               "list [APP...]",
		Aliases:           []string{"ls", "l", "ps"},
		Short:             "list apps, a line for each instance",
		Example:           "  roost list\n  roost list web --json\n  roost list --sort memory:desc",
		ValidArgsFunction: c.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			by, err := sorter(order)
			if err != nil {
				return err
			}
			client, err := c.client()
			if err != nil {
				return err
			}
			rows, err := client.Instances(cmd.Context(), args)
			if err != nil {
				return err
			}
			slices.SortStableFunc(rows, by)
			if asJSON {
				return c.json(rows)
			}
			if len(rows) == 0 {
				c.say("no apps yet")
				c.hint("start one: %s", c.command("start server.js"))
				return nil
			}
			return c.instances(rows)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "an array, one object for each instance")
	cmd.Flags().StringVar(&order, "sort", "id", "order by id, name, namespace, pid, uptime, restarts, state, cpu or memory; append :desc")
	return cmd
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
		uptime, cpu, memory := "-", "-", "-"
		if r.PID != 0 {
			uptime = length(seconds(r.Uptime))
		}
		if r.Memory != 0 { // it has been measured
			cpu, memory = fmt.Sprintf("%.1f%%", r.CPU), size(r.Memory)
		}
		t.add(
			cell{r.App, styleBold}, cell{fmt.Sprint(r.ID), ""}, cell{fmt.Sprint(r.Slot), ""}, cell{fmt.Sprint(r.Revision), ""}, cell{dash(r.PID), ""},
			cell{uptime, ""}, cell{fmt.Sprint(r.Restarts), ""}, cell{string(r.State), stateStyle(r.State)}, cell{cpu, ""}, cell{memory, ""},
			cell{rate(r.PerMinute), ""}, cell{r.Reason, styleFaint},
		)
	}
	return t.write(c.out, c.paint)
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
