package monit

import (
	"strings"

	"roost/apps"
)

// span is how many figures a history holds: two minutes at one a second.
const span = 120

// history is the last figures of one kind, the newest at the end.
type history []float64

func (h history) with(v float64) history {
	h = append(h, v)
	if len(h) > span {
		h = h[len(h)-span:]
	}
	return h
}

var bars = []rune("▁▂▃▄▅▆▇█")

// spark draws the newest width figures against the largest of them, or least
// when that is larger.
func (h history) spark(width int, least float64) string {
	if len(h) > width {
		h = h[len(h)-width:]
	}
	top := least
	for _, v := range h {
		top = max(top, v)
	}
	var b strings.Builder
	b.WriteString(strings.Repeat(" ", width-len(h)))
	for _, v := range h {
		i := 0
		if top > 0 {
			i = min(int(v/top*float64(len(bars))), len(bars)-1)
		}
		b.WriteRune(bars[max(i, 0)])
	}
	return b.String()
}

// course is how one row of the list has fared.
type course struct{ cpu, memory, requests, latency history }

func (c *course) note(r row) {
	c.cpu, c.memory = c.cpu.with(r.cpu), c.memory.with(float64(r.memory))
	c.requests, c.latency = c.requests.with(r.perMinute), c.latency.with(r.p50)
}

// courses are those of all rows, by key; rows that are gone are forgotten.
type courses map[string]*course

func (c courses) note(rows []row) courses {
	next := courses{}
	for _, r := range rows {
		next[r.key] = c[r.key]
		if next[r.key] == nil {
			next[r.key] = &course{}
		}
		next[r.key].note(r)
	}
	return next
}

// worst is the state of an app of which instances stand so.
func worst(states []apps.State) apps.State {
	order := []apps.State{apps.StateErrored, apps.StateBackoff, apps.StateWaiting, apps.StateStarting, apps.StateDraining, apps.StateReady, apps.StateStopped}
	for _, s := range order {
		for _, is := range states {
			if is == s {
				return s
			}
		}
	}
	return apps.StateStopped
}
