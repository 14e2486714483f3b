package pm2

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
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

// The widths of terminals below which the table has fewer columns.
const (
	fullWidth      = 134
	condensedWidth = 65
)

// layout makes the table: all columns where nobody looks on a terminal, there
// as many as fit.
func layout(rows []row, width int) *grid {
	name, id := 9, 2
	if len(rows) > 0 {
		name = 3
	}
	for i := range rows {
		name, id = max(name-3, len([]rune(rows[i].App)))+3, max(id, len(strconv.Itoa(rows[i].ID)))
	}
	name, id = name+2, id+2
	g := &grid{}
	switch room := width - id - name; {
	case width == 0 || room >= fullWidth-12:
		g.head = []string{"id", "name", "namespace", "version", "mode", "pid", "uptime", "↺", "status", "cpu", "mem", "user", "watching"}
		g.widths = []int{id, name, 13, 9, 9, 10, 8, 6, 11, 10, 10, 10, 10}
	case room >= condensedWidth-12:
		g.head = []string{"id", "name", "mode", "↺", "status", "cpu", "memory"}
		g.widths = []int{id, name, 10, 6, 11, 10, 10}
	default:
		g.head = []string{"id", "name", "status", "cpu", "mem"}
		g.widths = []int{id, name, 11, 8, 10}
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
			r.App, r.Namespace, orNA(r.app.Version), r.PID, r.ID, r.status(), r.mode(), r.Restarts, r.age(), size(r.Memory), r.logs().err, watching, s.pidFile(r))
	}
}
