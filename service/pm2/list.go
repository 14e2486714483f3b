package pm2

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// redraw is how often ls --watch draws anew.
const redraw = 900 * time.Millisecond

func (s *session) list() error {
	if !s.has("watch") {
		return s.table()
	}
	tick := time.NewTicker(redraw)
	defer tick.Stop()
	for {
		s.print("\x1b[2J\x1b[0;0H\nLast refresh: %s", time.Now().Format(time.DateTime))
		if err := s.table(); err != nil {
			return err
		}
		select {
		case <-s.ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// table prints the list that most commands end with.
func (s *session) table() error {
	if s.silent {
		return nil
	}
	rows, err := s.all()
	if err != nil {
		return err
	}
	if err := sortRows(rows, s.text("sort")); err != nil {
		return err
	}
	if s.has("mini-list") {
		s.mini(rows)
		return nil
	}
	s.grid(layout(rows, s.width))
	if len(rows) == 0 {
		return nil
	}
	if status, err := s.client.Status(s.ctx); err == nil && status.Box.MemoryTotal > 0 {
		s.print("%s | %s: %s | %s: %s", s.paint("host metrics", bold), s.paint("cpu", bold), percent(status.Box.CPU),
			s.paint("ram usage", bold), percent(100*float64(status.Box.MemoryUsed)/float64(status.Box.MemoryTotal)))
	}
	return nil
}

// orders are the fields of --sort.
var orders = map[string]func(a, b row) int{
	"name":      func(a, b row) int { return cmp.Or(cmp.Compare(a.App, b.App), cmp.Compare(a.ID, b.ID)) },
	"namespace": func(a, b row) int { return cmp.Compare(a.Namespace, b.Namespace) },
	"pid":       func(a, b row) int { return cmp.Compare(a.PID, b.PID) },
	"id":        func(a, b row) int { return cmp.Compare(a.ID, b.ID) },
	"cpu":       func(a, b row) int { return cmp.Compare(a.CPU, b.CPU) },
	"memory":    func(a, b row) int { return cmp.Compare(a.Memory, b.Memory) },
	"uptime":    func(a, b row) int { return a.Started.Compare(b.Started) },
	"status":    func(a, b row) int { return cmp.Compare(a.status(), b.status()) },
}

// sortRows sorts by "field" or "field:desc"; by name when the field is empty.
func sortRows(rows []row, by string) error {
	field, direction, _ := strings.Cut(by, ":")
	if field == "" {
		field = "name"
	}
	order := orders[field]
	if order == nil || direction != "" && direction != "asc" && direction != "desc" {
		return usageError(fmt.Sprintf("cannot sort by %q: write name, namespace, pid, id, cpu, memory, uptime or status, with :asc or :desc", by))
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		if direction == "desc" {
			a, b = b, a
		}
		return order(a, b)
	})
	return nil
}

// columns are the tables that there are, the widest first: what is in them, and
// how wide. The widths of id and name, which come first, follow from the rows.
var columns = []struct {
	head     []string
	widths   []int
	mostName int // width of the name
}{
	{[]string{"namespace", "version", "mode", "pid", "uptime", "↺", "status", "cpu", "mem", "user", "watching"}, []int{13, 9, 9, 10, 8, 6, 11, 10, 10, 10, 10}, 200},
	{[]string{"mode", "↺", "status", "cpu", "memory"}, []int{10, 6, 11, 10, 10}, 20},
	{[]string{"status", "cpu", "mem"}, []int{11, 8, 10}, 20},
}

// layout makes the widest table that fits a terminal; the widest of all where
// nobody looks on one (width 0).
func layout(rows []row, width int) *grid {
	name, id := 6, 2
	if len(rows) > 0 {
		name = 1
	}
	for i := range rows {
		name, id = max(name, ansi.StringWidth(rows[i].App)), max(id, len(strconv.Itoa(rows[i].ID)))
	}
	g := &grid{}
	for _, c := range columns {
		g.head = append([]string{"id", "name"}, c.head...)
		g.widths = append([]int{id + 2, min(name+5, c.mostName)}, c.widths...)
		total := len(g.widths) + 1 // the lines between
		for _, w := range g.widths {
			total += w
		}
		if width == 0 || total <= width {
			break
		}
	}
	for i := range rows {
		r := &rows[i]
		cells := map[string]field{
			"id": {strconv.Itoa(r.ID), []style{cyan, bold}}, "name": {text: r.App}, "namespace": {text: r.Namespace}, "version": {text: orNA(r.app.Version)},
			"mode": {r.mode(), modeStyle(r.mode())}, "pid": {text: strconv.Itoa(r.PID)}, "uptime": {text: r.age()}, "↺": {text: strconv.Itoa(r.Restarts)},
			"status": {r.status(), statusStyle(r.status())}, "cpu": {text: percent(r.CPU)}, "mem": {text: size(r.Memory)}, "memory": {text: size(r.Memory)},
			"user": {r.username(), []style{bold}}, "watching": {"disabled", []style{grey}},
		}
		if r.watches() {
			cells["watching"] = field{"enabled", []style{bold, green}}
		}
		line := make([]field, len(g.head))
		for j, h := range g.head {
			line[j] = cells[h]
		}
		g.add(line...)
	}
	return g
}

func modeStyle(mode string) []style {
	if mode == "fork" {
		return []style{bold, inverse}
	}
	return []style{bold, blue}
}

func statusStyle(status string) []style {
	switch status {
	case "online":
		return []style{bold, green}
	case "launching":
		return []style{bold, blue}
	}
	return []style{bold, red}
}

// mini prints the list as plain lines, for -m.
func (s *session) mini(rows []row) {
	for i := range rows {
		r := &rows[i]
		watching := "no"
		if r.watches() {
			watching = "yes"
		}
		s.print("+--- %s\nnamespace : %s\nversion : %s\npid : %d\npm2 id : %d\nstatus : %s\nmode : %s\nrestarted : %d\nuptime : %s\nmemory usage : %s \nerror log : %s\nwatching : %s\nPID file : %s\n",
			r.App, r.Namespace, orNA(r.app.Version), r.PID, r.ID, r.status(), r.mode(), r.Restarts, r.age(), size(r.Memory), r.logs().Err, watching, s.pidFile(r))
	}
}
