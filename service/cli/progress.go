package cli

import (
	"fmt"
	"sync"
	"time"
)

// patience is how long a change may take before people are told what it is at.
const patience = 300 * time.Millisecond

// progress shows the news about a change that takes its time: on a terminal
// one line that is overwritten, elsewhere a line for each.
type progress struct {
	c      *console
	mu     sync.Mutex
	text   string // the latest news
	shown  string // what stands on the screen
	asking bool   // patience is over
	ended  bool
}

// follow calls change with a function that takes news, and shows them.
func (c *console) follow(change func(news func(string)) error) error {
	p := &progress{c: c}
	timer := time.AfterFunc(patience, p.ask)
	defer p.end()
	defer timer.Stop()
	return change(p.news)
}

func (p *progress) ask() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asking = true
	p.show()
}

func (p *progress) news(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text = text
	p.show()
}

// show is called with the lock held.
func (p *progress) show() {
	if !p.asking || p.ended || p.text == "" || p.text == p.shown {
		return
	}
	p.shown = p.text
	if !p.c.live {
		p.c.say("%s", p.text)
		return
	}
	line := []rune("roost: " + p.text)
	if most := p.c.width - 1; len(line) > most {
		line = append(line[:most-1], '…')
	}
	fmt.Fprintf(p.c.err, "\r\x1b[K%s", string(line))
}

// end wipes the line away: what came of it is told by others.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	if p.c.live && p.shown != "" {
		fmt.Fprint(p.c.err, "\r\x1b[K")
	}
}
