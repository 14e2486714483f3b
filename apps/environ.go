package apps

import "slices"

// Environ is the environment that the instance in a slot was started with, as
// KEY=value; nil when none runs there. During a reload it is that of the old one.
func (a *App) Environ(slot int) []string {
	for _, r := range a.standing.Load().rows {
		if r.Slot == slot && r.proc != nil {
			if env := r.proc.Environ(); env != nil {
				return env
			}
		}
	}
	return nil
}

func (p *program) Environ() []string {
	p.life.Lock()
	defer p.life.Unlock()
	if !p.live {
		return nil
	}
	return slices.Clone(p.cmd.Env)
}
