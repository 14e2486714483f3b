package apps

import (
	"errors"
	"fmt"
	"syscall"
)

// Signal sends sig to the instance in the slot with that id, or to all
// instances when id is negative. Only the program itself gets it, not its children.
func (a *App) Signal(id int, sig syscall.Signal) error {
	return a.ask(func() error { return a.signal(id, sig) })
}

func (a *App) signal(id int, sig syscall.Signal) error {
	var errs []error
	found, sent := false, false
	for n := range a.slots {
		s := &a.slots[n]
		if id >= 0 && s.id != id {
			continue
		}
		found = true
		for _, inst := range append([]*instance{s.cur, s.next}, s.leaving...) {
			if inst != nil && inst.proc.PID() != 0 {
				sent = true
				if err := inst.proc.Signal(sig); err != nil {
					errs = append(errs, fmt.Errorf("cannot signal instance %d: %w", s.id, err))
				}
			}
		}
	}
	switch {
	case !found && id >= 0:
		return fmt.Errorf("no instance has the id %d", id)
	case !sent:
		return errors.New("no process runs")
	}
	return errors.Join(errs...)
}
