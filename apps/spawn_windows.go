package apps

import (
	"errors"

	"roost/apps/node"
)

// Windows passes neither sockets nor a message channel to programs: Node gets
// a private port there, as others do, and nothing is told by a message.

func (p *program) prepareListen(*setup, socketDir) error {
	return &Complaint{"listen_fds", "listen_fds does not exist on Windows", "remove it and listen on PORT"}
}

func (p *program) prepareNode(*setup, socketDir) error   { return errors.ErrUnsupported }
func (p *program) prepareNotify(*setup, socketDir) error { return nil }

func (p *program) Retire() <-chan struct{} {
	p.drainedOnce.Do(func() { close(p.drained) })
	return p.drained
}

type channel struct{}

func (c *channel) shutdown() bool { return false }
func (c *channel) leave()         {}
func (c *channel) lag() node.Lag  { return node.Lag{} }
