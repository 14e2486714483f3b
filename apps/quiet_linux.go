package apps

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"time"
)

const (
	// quietTime is for how long the processes of a program must sit still.
	quietTime = 150 * time.Millisecond
	// quietStep is how often they are looked at; the kernel counts their time in steps of 10 ms.
	quietStep = 25 * time.Millisecond
)

// awaitQuiet waits until all processes of the program have used no CPU for
// quietTime, because they wait for something that is to happen; false when ctx
// ends first. One that waits for a CPU or a disk is not quiet, so a busy box
// does not look like an idle program.
func (p *program) awaitQuiet(ctx context.Context) bool {
	if c := p.node.Load(); c != nil {
		select {
		case <-c.hello: // before that Node has not loaded the script
		case <-ctx.Done():
			return false
		}
	}
	tick := time.NewTicker(quietStep)
	defer tick.Stop()
	var before activity
	for since := time.Now(); ; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
		var now activity
		now.add(p.PID(), 0)
		if now.busy || now != before {
			before, since = now, time.Now()
		} else if time.Since(since) >= quietTime {
			return true
		}
	}
}

// activity is what a tree of processes has done so far.
type activity struct {
	spent     time.Duration
	processes int
	busy      bool // one of them is on a CPU, or waits for one or for a disk
}

// add adds a process and what its main thread has started, so many levels down.
func (a *activity) add(pid, depth int) {
	var buf [1024]byte
	line := buf[:readSmall(fmt.Sprintf("/proc/%d/stat", pid), buf[:])]
	p, ok := parseStat(line, 1)
	if !ok {
		a.busy = true // it has ended: what follows is another sign's
		return
	}
	a.spent += p.spent
	a.processes++
	state := line[bytes.LastIndexByte(line, ')')+2]
	a.busy = a.busy || state == 'R' || state == 'D'
	if depth > 16 {
		return
	}
	children := buf[:readSmall(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid), buf[:])]
	for _, field := range bytes.Fields(bytes.Clone(children)) {
		if child, err := strconv.Atoi(string(field)); err == nil {
			a.add(child, depth+1)
		}
	}
}
