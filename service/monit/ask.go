package monit

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"roost/service/control"
)

// look is how everything stands, or why it cannot be told.
type look struct {
	status control.Status
	apps   []control.App
	err    error
}

// tick says that it is time to look again.
type tick struct{}

// done is what became of a command: words, or an error.
type done struct {
	what string
	err  error
}

// described is a description that was asked for.
type described struct {
	app  string
	text string
	err  error
}

func (p *page) look() tea.Msg {
	ctx, cancel := context.WithTimeout(p.ctx, 10*time.Second)
	defer cancel()
	var l look
	if l.status, l.err = p.daemon.Status(ctx); l.err == nil {
		l.apps, l.err = p.daemon.Apps(ctx, false)
	}
	return l
}

func later() tea.Cmd {
	return tea.Tick(interval, func(time.Time) tea.Msg { return tick{} })
}

// act has the daemon do a verb to the chosen row.
func (p *page) act(verb string, r row) tea.Cmd {
	p.say("%s %s …", verb, r.name())
	return func() tea.Msg {
		_, err := p.daemon.Act(p.ctx, control.ActRequest{Verb: verb, Targets: []string{r.target}}, nil)
		return done{verb + " " + r.name(), err}
	}
}

func (p *page) scale(change string, r row) tea.Cmd {
	p.say("scale %s %s …", r.app, change)
	return func() tea.Msg {
		_, err := p.daemon.Scale(p.ctx, control.ScaleRequest{App: r.app, Change: change}, nil)
		return done{"scale " + r.app + " " + change, err}
	}
}

func (p *page) tell(r row) tea.Cmd {
	return func() tea.Msg {
		a, err := p.daemon.App(p.ctx, r.app)
		if err != nil {
			return described{app: r.app, err: err}
		}
		return described{app: r.app, text: p.describe(a)}
	}
}

// name is how words call a row.
func (r row) name() string {
	if r.id < 0 {
		return r.app
	}
	return r.app + " (id " + r.target + ")"
}
