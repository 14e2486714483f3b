package monit

import (
	"fmt"
	"slices"
	"time"

	"roost/apps"
	"roost/internal/unit"
	"roost/service/control"
)

// row is a line of the list: an app, or one instance of an app that has several.
type row struct {
	key    string // what stays the same from one look to the next
	target string // how commands address it
	app    string
	label  string
	id     int // of an instance; -1: the app
	slot   int // of an instance; -1: all

	state     apps.State
	reason    string
	uptime    float64 // seconds, of the youngest that runs
	restarts  int
	cpu       float64
	memory    uint64
	perMinute float64
	p50, p99  float64 // milliseconds, of the app
	lag       float64 // milliseconds, the greatest
	pid       int
	address   string
}

// rowsOf lists apps, each followed by its instances where there are several.
func rowsOf(all []control.App) []row {
	var rows []row
	for _, a := range all {
		head := row{key: a.Name, target: a.Name, app: a.Name, label: a.Name, id: -1, slot: -1}
		if a.Traffic != nil {
			head.p50, head.p99 = a.Traffic.P50, a.Traffic.P99
		}
		var states []apps.State
		var below []row
		for _, i := range a.Instances {
			states = append(states, i.State)
			r := row{
				key: fmt.Sprintf("%s\n%d %d", a.Name, i.ID, i.Revision), target: fmt.Sprint(i.ID), app: a.Name, label: fmt.Sprintf("  %d", i.Slot), id: i.ID, slot: i.Slot,
				state: i.State, reason: i.Reason, uptime: i.Uptime, restarts: i.Restarts, cpu: i.CPU, memory: i.Memory, perMinute: i.PerMinute,
				p50: head.p50, p99: head.p99, lag: i.LagMS, pid: i.PID, address: i.Address,
			}
			if i.LagP99MS > 0 {
				r.lag = i.LagP99MS
			}
			below = append(below, r)
			head.restarts += i.Restarts
			head.cpu += i.CPU
			head.memory += i.Memory
			head.perMinute += i.PerMinute
			head.lag = max(head.lag, r.lag)
			if i.PID != 0 && (head.uptime == 0 || i.Uptime < head.uptime) {
				head.uptime = i.Uptime
			}
		}
		head.state = worst(states)
		switch {
		case a.Failure != "":
			head.reason = a.Failure
		case len(below) == 1:
			head.reason = below[0].reason
		}
		if len(below) == 1 {
			head.pid, head.address = below[0].pid, below[0].address
		}
		rows = append(rows, head)
		if len(below) > 1 {
			rows = append(rows, below...)
		}
	}
	return rows
}

// line is r as columns that are width wide together.
func (r row) line(width int) string {
	up, cpu, memory := "-", "-", "-"
	if r.uptime > 0 {
		up = unit.Length(time.Duration(r.uptime * float64(time.Second)))
	}
	if r.memory > 0 {
		cpu, memory = fmt.Sprintf("%.1f%%", r.cpu), unit.Bytes(r.memory)
	}
	id := ""
	if r.id >= 0 {
		id = fmt.Sprint(r.id)
	}
	return columns(width, r.label, id, string(r.state), up, fmt.Sprint(r.restarts), cpu, memory, unit.Rate(r.perMinute))
}

func heading(width int) string {
	return columns(width, "app", "id", "state", "up", "restarts", "cpu", "memory", "req/min")
}

// columns gives the first column what the others leave.
func columns(width int, cells ...string) string {
	widths := []int{0, 5, 10, 9, 9, 8, 9, 9}
	rest := width
	for _, w := range widths[1:] {
		rest -= w
	}
	widths[0] = max(rest, 8)
	out := ""
	for i, c := range cells {
		if i == 0 || i == 2 {
			gap := ""
			if i == 2 {
				gap = " "
			}
			out += gap + fit(c, widths[i]-len(gap))
			continue
		}
		out += right(c, widths[i])
	}
	return out
}

// find is the index of the row with that key; else of its app; else of the nearest to was.
func find(rows []row, key, app string, was int) int {
	if i := slices.IndexFunc(rows, func(r row) bool { return r.key == key }); i >= 0 {
		return i
	}
	if i := slices.IndexFunc(rows, func(r row) bool { return r.app == app }); i >= 0 {
		return i
	}
	return max(min(was, len(rows)-1), 0)
}
