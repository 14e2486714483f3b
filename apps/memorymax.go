package apps

import (
	"errors"
	"fmt"

	"roost/internal/unit"
)

// limit has the kernel hold the instance, which start starts in its control
// group, to memory_max. Where it cannot, the instance runs without, and Status
// says so.
func (p *program) limit(start func() error) error {
	most := int64(p.wanted.MemoryMax)
	if most == 0 {
		p.problem("")
		return start()
	}
	why := p.group.limitMemory(most)
	err := start()
	if why == nil && err == nil && !p.group.holds() {
		why = errNoGroup
	}
	if why != nil {
		p.problem(fmt.Sprintf("memory_max does not hold: %v", why))
	} else {
		p.problem("")
	}
	return err
}

var errNoGroup = errors.New("the system refuses a control group")

// starved says that memory ran out, when that has ended the program.
func (p *program) starved() string {
	switch own, box := p.group.outOfMemory(); {
	case own:
		return fmt.Sprintf("was killed: it used more than memory_max (%s)", unit.Bytes(uint64(p.wanted.MemoryMax)))
	case box:
		return "was killed: the box ran out of memory"
	}
	return ""
}

// setProblem notes what is not as declared although instances run, and tells
// it once.
func (a *App) setProblem(what string) {
	before := a.problem.Swap(&what)
	if what != "" && (before == nil || *before != what) {
		a.log.Warn("not as declared", "problem", what)
	}
}
