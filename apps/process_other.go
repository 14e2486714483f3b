//go:build !linux

package apps

// awaitExit returns when the process has exited. It has been reaped then, and
// only its process group, as long as one is left of that, keeps its number.
func (p *program) awaitExit() { p.cmd.Wait() }
