package monit

import (
	tea "charm.land/bubbletea/v2"

	"roost/service/control"
)

// help is what the keys do, in the order of the last line.
var help = []struct{ key, what string }{
	{"↑↓", "choose"}, {"r", "restart"}, {"l", "reload"}, {"s", "stop"}, {"+-", "scale"}, {"d", "describe"}, {"e", "errors"}, {"q", "quit"},
}

func (p *page) key(key string) tea.Cmd {
	if verb := p.confirm; verb != "" {
		p.confirm = ""
		p.say("")
		if r, ok := p.row(); ok && (key == "y" || key == "Y") {
			return p.act(verb, r)
		}
		return nil
	}
	switch key {
	case "q", "ctrl+c":
		return tea.Quit
	case "esc":
		if p.text == nil {
			return tea.Quit
		}
		p.text = nil
		return nil
	case "pgup", "ctrl+b":
		p.scroll(p.paneHeight() - 1)
		return nil
	case "pgdown", "ctrl+f", "space":
		p.scroll(1 - p.paneHeight())
		return nil
	case "home", "g":
		p.scroll(len(p.lines) + len(p.text))
		return nil
	case "end", "G":
		p.scroll(-len(p.lines) - len(p.text))
		return nil
	}
	r, ok := p.row()
	if !ok {
		return nil
	}
	switch key {
	case "up", "k":
		return p.choose(p.chosen - 1)
	case "down", "j", "tab":
		return p.choose(p.chosen + 1)
	case "r":
		return p.act(control.VerbRestart, r)
	case "l":
		return p.act(control.VerbReload, r)
	case "s":
		if !r.runs() {
			return p.act(control.VerbStart, r)
		}
		p.confirm = control.VerbStop
		p.say("stop %s? y / n", r.name())
	case "+", "=":
		return p.scale("+1", r)
	case "-":
		return p.scale("-1", r)
	case "d", "enter":
		if p.text != nil {
			p.text = nil
			return nil
		}
		return p.tell(r)
	case "e":
		p.errorsOnly = !p.errorsOnly
		return p.tune(r)
	}
	return nil
}

func (p *page) choose(n int) tea.Cmd {
	p.chosen = max(min(n, len(p.rows)-1), 0)
	p.text = nil
	return p.follow()
}

// scroll moves the pane up by n lines, down when n is negative.
func (p *page) scroll(n int) {
	if p.text != nil {
		p.top = max(min(p.top-n, len(p.text)-p.paneHeight()), 0)
		return
	}
	p.back = max(min(p.back+n, len(p.lines)-p.paneHeight()), 0)
}
