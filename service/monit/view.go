package monit

import (
	"errors"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"roost/apps"
	"roost/internal/unit"
	"roost/service/control"
)

var (
	bold  = lipgloss.NewStyle().Bold(true)
	faint = lipgloss.NewStyle().Faint(true)
	good  = lipgloss.NewStyle().Foreground(lipgloss.Green)
	warn  = lipgloss.NewStyle().Foreground(lipgloss.Yellow)
	wrong = lipgloss.NewStyle().Foreground(lipgloss.Red)
	bar   = lipgloss.NewStyle().Reverse(true)
)

const (
	figureLines = 3
	fixedLines  = 1 + 1 + 1 + figureLines + 1 + 1 // bar, heading, rule, figures, rule, keys
)

// listHeight is how many rows of the list are on the screen: at most half of
// what the rest leaves.
func (p *page) listHeight() int {
	return max(min(len(p.rows), (p.height-fixedLines)/2), 1)
}

func (p *page) paneHeight() int { return max(p.height-fixedLines-p.listHeight(), 1) }

func (p *page) View() tea.View {
	var lines []string
	add := func(line string) { lines = append(lines, line) }
	add(bar.Render(fit(p.title(), p.width)))
	switch {
	case p.away != nil && !p.seen, !p.seen, len(p.rows) == 0:
		add("")
		add(p.emptiness())
	default:
		add(faint.Render(heading(p.width)))
		lines = append(lines, p.list()...)
		r, _ := p.row()
		add(p.rule(r.name()))
		lines = append(lines, p.figures(r)...)
		add(p.rule(p.paneTitle(r)))
		lines = append(lines, p.pane()...)
	}
	for len(lines) < p.height-1 {
		add("")
	}
	lines = append(lines[:max(p.height-1, 0)], p.foot())
	v := tea.NewView(strings.Join(lines, "\n"))
	v.AltScreen, v.WindowTitle = true, "roost"
	return v
}

func (p *page) title() string {
	if !p.seen {
		return " roost"
	}
	b := p.status.Box
	return fmt.Sprintf(" roost %s up %s  cpu %.0f%% of %d  memory %s/%s  load %.2f  self %.1f%% %s",
		p.status.Version, unit.Length(time.Duration(p.status.Uptime*float64(time.Second))), b.CPU, b.CPUs,
		unit.Bytes(b.MemoryUsed), unit.Bytes(b.MemoryTotal), b.Load1, b.DaemonCPU, unit.Bytes(b.DaemonRSS))
}

func (p *page) emptiness() string {
	switch {
	case p.away != nil:
		return " " + wrong.Render(fit(p.absence(), p.width-1))
	case !p.seen:
		return faint.Render(" asking the daemon …")
	}
	return " no apps yet; start one: roost start server.js"
}

// absence says why the daemon does not answer.
func (p *page) absence() string {
	if errors.Is(p.away, control.ErrNotRunning) {
		return "the daemon does not run; waiting for it"
	}
	return p.away.Error()
}

func (p *page) list() []string {
	height := p.listHeight()
	first := max(min(p.chosen-height/2, len(p.rows)-height), 0)
	var lines []string
	for i := first; i < first+height; i++ {
		line := fit(p.rows[i].line(p.width), p.width)
		switch {
		case i == p.chosen:
			line = bar.Render(line)
		default:
			line = tone(p.rows[i].state).Render(line)
		}
		lines = append(lines, line)
	}
	return lines
}

func tone(s apps.State) lipgloss.Style {
	switch s {
	case apps.StateReady:
		return lipgloss.NewStyle()
	case apps.StateErrored:
		return wrong
	case apps.StateStopped:
		return faint
	}
	return warn
}

// runs reports whether anything of r runs or is about to.
func (r row) runs() bool { return r.state != apps.StateStopped }

func (p *page) rule(title string) string {
	return faint.Render("── ") + bold.Render(title) + faint.Render(" "+strings.Repeat("─", max(p.width-lipgloss.Width(title)-4, 0)))
}

// figures are how the chosen row fares and has fared.
func (p *page) figures(r row) []string {
	c := p.courses[r.key]
	if c == nil {
		c = &course{}
	}
	half := p.width / 2
	width := max(half-30, 8)
	figure := func(name string, h history, least float64, now string) string {
		return fit(" "+fit(name, 9)+good.Render(h.spark(width, least))+" "+now, half)
	}
	state := string(r.state)
	if r.reason != "" {
		state += ": " + plain(r.reason)
	}
	if r.pid != 0 {
		state += fmt.Sprintf("   pid %d", r.pid)
	}
	if r.lag > 0 {
		state += fmt.Sprintf("   event loop %.1f ms", r.lag)
	}
	return []string{
		figure("cpu", c.cpu, 10, fmt.Sprintf("%.1f%%", r.cpu)) + figure("requests", c.requests, 1, unit.Rate(r.perMinute)+"/min"),
		figure("memory", c.memory, 1, unit.Bytes(r.memory)) + figure("latency", c.latency, 1, fmt.Sprintf("p50 %.1f p99 %.1f ms", r.p50, r.p99)),
		fit(" "+fit("state", 9)+tone(r.state).Render(fit(state, p.width-10)), p.width),
	}
}

func (p *page) paneTitle(r row) string {
	switch {
	case p.text != nil:
		return "about " + r.app
	case p.errorsOnly:
		return "errors"
	case p.back > 0:
		return fmt.Sprintf("output, %d lines up", p.back)
	}
	return "output"
}

func (p *page) pane() []string {
	height := p.paneHeight()
	var lines []string
	if p.text != nil {
		for _, l := range p.text[min(p.top, len(p.text)):min(p.top+height, len(p.text))] {
			lines = append(lines, fit(" "+plain(l), p.width))
		}
		return lines
	}
	end := max(len(p.lines)-p.back, 0)
	for _, l := range p.lines[max(end-height, 0):end] {
		head := l.Time.Local().Format(time.TimeOnly)
		if l.Time.IsZero() {
			head = strings.Repeat(" ", len(time.TimeOnly))
		}
		text := fit(plain(l.Text), p.width-len(head)-5)
		if l.Stream == "err" {
			text = wrong.Render(text)
		}
		lines = append(lines, " "+faint.Render(head)+fit(right(fmt.Sprint(l.Slot), 3), 3)+" "+text)
	}
	return lines
}

// foot is what happened last, else what keys there are.
func (p *page) foot() string {
	switch {
	case p.away != nil && p.seen:
		return wrong.Render(fit(" "+p.absence(), p.width))
	case p.words != "" && p.bad:
		return wrong.Render(fit(" "+plain(p.words), p.width))
	case p.words != "":
		return warn.Render(fit(" "+plain(p.words), p.width))
	}
	var keys []string
	for _, h := range help {
		keys = append(keys, bold.Render(h.key)+" "+faint.Render(h.what))
	}
	return fit(" "+strings.Join(keys, "  "), p.width)
}
