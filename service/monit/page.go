package monit

import (
	"context"
	"errors"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"roost/apps"
	"roost/service/control"
)

// page is all that is shown, and what is being asked. It belongs to the
// program's loop.
type page struct {
	ctx      context.Context
	daemon   daemon
	describe func(control.App) string

	width, height int
	status        control.Status
	seen          bool  // there has been a look
	away          error // why there is none now
	rows          []row
	courses       courses
	chosen        int

	feed       *feed
	lines      []apps.Line
	back       int // lines scrolled up from the newest
	errorsOnly bool

	text    []string // the description that is shown in place of output
	top     int      // its first line on the screen
	confirm string   // the verb that waits for y
	words   string   // what happened last
	bad     bool     // ... and it failed
}

func newPage(ctx context.Context, d daemon, describe func(control.App) string) *page {
	return &page{ctx: ctx, daemon: d, describe: describe, width: 80, height: 24, courses: courses{}, feed: &feed{stop: func() {}}}
}

func (p *page) Init() tea.Cmd { return p.look }

func (p *page) say(format string, args ...any) { p.words, p.bad = fmt.Sprintf(format, args...), false }

func (p *page) complain(err error) {
	p.words, p.bad = err.Error(), true
	var e *control.Error
	if errors.As(err, &e) && e.Hint != "" {
		p.words += ": " + e.Hint
	}
}

// row is the chosen one; false when there is none.
func (p *page) row() (row, bool) {
	if p.chosen < 0 || p.chosen >= len(p.rows) {
		return row{}, false
	}
	return p.rows[p.chosen], true
}

func (p *page) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		p.width, p.height = msg.Width, msg.Height
		p.scroll(0)
	case tick:
		return p, p.look
	case look:
		return p, tea.Batch(p.looked(msg), later())
	case extra:
		return p, p.looked(look(msg))
	case output:
		return p, p.heard(msg)
	case done:
		if msg.err != nil {
			p.complain(msg.err)
		} else {
			p.say("%s: done", msg.what)
		}
		return p, p.lookAgain()
	case described:
		if msg.err != nil {
			p.complain(msg.err)
			break
		}
		p.text, p.top = strings.Split(strings.TrimRight(msg.text, "\n"), "\n"), 0
	case tea.KeyPressMsg:
		if p.confirm == "" {
			p.say("")
		}
		return p, p.key(msg.String())
	}
	return p, nil
}

// lookAgain looks once more, beside the regular looks.
func (p *page) lookAgain() tea.Cmd {
	return func() tea.Msg {
		l, _ := p.look().(look)
		return extra(l)
	}
}

// extra is a look that no later one follows.
type extra look

func (p *page) looked(l look) tea.Cmd {
	if l.err != nil {
		p.away = l.err
		return nil
	}
	was, _ := p.row()
	p.status, p.seen, p.away = l.status, true, nil
	p.rows = rowsOf(l.apps)
	p.courses = p.courses.note(p.rows)
	p.chosen = find(p.rows, was.key, was.app, p.chosen)
	return p.follow()
}

// follow has the output be that of the chosen row.
func (p *page) follow() tea.Cmd {
	r, ok := p.row()
	if !ok || r.target == p.feed.target {
		return nil
	}
	return p.tune(r)
}

func (p *page) tune(r row) tea.Cmd {
	p.feed.stop()
	p.feed = newFeed(p.ctx, p.daemon, r.target, p.errorsOnly)
	p.lines, p.back = nil, 0
	return p.feed.next
}

func (p *page) heard(o output) tea.Cmd {
	if o.feed != p.feed {
		return nil
	}
	p.lines = append(p.lines, o.lines...)
	if p.back > 0 {
		p.back += len(o.lines) // what is on the screen stays there
	}
	if n := len(p.lines) - kept; n > 0 {
		p.lines = append([]apps.Line(nil), p.lines[n:]...)
	}
	if !o.ended {
		return p.feed.next
	}
	p.feed.target = ""
	if p.away == nil {
		return p.follow()
	}
	return nil
}
