package cli

import (
	"fmt"
	"strings"
	"time"

	"roost/internal/unit"
	"roost/service/control"

	"github.com/spf13/cobra"
)

func newStatus(c *console) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "status",
		Short:   "say how the box stands: daemon, listeners, sites, certificates, problems",
		Example: "  roost status\n  roost status --json",
		Args:    need(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := c.client()
			if err != nil {
				return err
			}
			status, err := client.Status(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return c.json(status)
			}
			return c.status(status)
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (c *console) status(s control.Status) error {
	f := &facts{}
	f.add("daemon", fmt.Sprintf("roost %s, pid %d, up %s", s.Version, s.PID, unit.Length(seconds(s.Uptime))))
	f.add("uses", fmt.Sprintf("%s, %.1f%% CPU", unit.Bytes(s.Box.DaemonRSS), s.Box.DaemonCPU))
	f.add("box", box(s.Box))
	f.add("config", s.File)
	f.add("state", s.State)
	f.add("logs", s.Logs)
	f.add("socket", s.Socket)
	if err := f.write(c); err != nil {
		return err
	}
	for _, part := range []func(control.Status) *table{c.listeners, c.sites, c.appsTable, c.certificates} {
		if t := part(s); len(t.rows) > 0 {
			c.printf("")
			if err := t.write(c.out, c.paint); err != nil {
				return err
			}
		}
	}
	if len(s.Problems) > 0 {
		c.printf("\n%s", c.paint(styleBad, plural(len(s.Problems), "problem")))
		for _, p := range s.Problems {
			c.printf("  %s", p)
		}
	}
	return nil
}

func box(b control.Box) string {
	s := fmt.Sprintf("%s, %.1f%% busy, %s of %s memory used", plural(b.CPUs, "CPU"), b.CPU, unit.Bytes(b.MemoryUsed), unit.Bytes(b.MemoryTotal))
	if b.Load1 > 0 {
		s += fmt.Sprintf(", load %.2f", b.Load1)
	}
	return s
}

func (c *console) listeners(s control.Status) *table {
	t := newTable("listener", "address", "state")
	for _, l := range s.Listeners {
		state := cell{"listens", styleGood}
		if l.Error != "" {
			state = cell{l.Error, styleBad}
		}
		t.add(cell{l.Name, ""}, cell{l.Address, ""}, state)
	}
	return t
}

func (c *console) sites(s control.Status) *table {
	t := newTable("site", "leads to", "req/min", "p50", "p99", "problem").numbers(2, 3, 4)
	for _, site := range s.Sites {
		name := cell{siteName(site), styleBold}
		figures := []cell{{unit.Rate(site.Traffic.PerMinute), ""}, {fmt.Sprintf("%.1f ms", site.Traffic.P50), ""}, {fmt.Sprintf("%.1f ms", site.Traffic.P99), ""}, {site.Problem, styleBad}}
		targets := site.Targets
		if len(targets) == 0 {
			targets = []string{"-"}
		}
		t.add(append([]cell{name, {targets[0], ""}}, figures...)...)
		for _, target := range targets[1:] {
			t.add(cell{"", ""}, cell{target, ""})
		}
	}
	return t
}

func siteName(s control.Site) string {
	name := strings.Join(s.Domains, " ")
	switch {
	case name == "":
		name = "(every name)"
	case s.Default:
		name += " (default)"
	}
	if s.Maintenance {
		name += " (maintenance)"
	}
	return name
}

func (c *console) appsTable(s control.Status) *table {
	t := newTable("app", "ready", "revision", "reached by", "failure").numbers(2)
	for _, a := range s.Apps {
		ready, slots := 0, map[int]bool{}
		for _, i := range a.Instances {
			slots[i.Slot] = true
			if i.State == "ready" {
				ready++
			}
		}
		style := styleGood
		if ready < len(slots) {
			style = styleWarn
		}
		t.add(cell{shellQuote(a.Name), styleBold}, cell{fmt.Sprintf("%d/%d", ready, len(slots)), style}, cell{fmt.Sprint(a.Revision), ""}, cell{a.Kind, ""}, cell{a.Failure, styleBad})
	}
	return t
}

func (c *console) certificates(s control.Status) *table {
	t := newTable("certificate", "state", "issuer", "expires", "why")
	for _, x := range s.Certificates {
		style := styleGood
		if x.Error != "" {
			style = styleWarn
		}
		expires := "-"
		if !x.Expires.IsZero() {
			expires = x.Expires.Local().Format(time.DateOnly)
		}
		t.add(cell{x.Name, styleBold}, cell{x.State, style}, cell{x.Issuer, ""}, cell{expires, ""}, cell{x.Error, styleWarn})
	}
	return t
}
