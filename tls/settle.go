package tls

import (
	"context"
	"errors"
	"fmt"
)

// Settle waits until the last Want is as far as it can be without an ACME CA:
// the storage can be written, private names have their certificates, and those
// of public names that are in the storage are served.
func (c *Certs) Settle(ctx context.Context) error {
	for {
		c.mu.Lock()
		settled, err := c.settled()
		moved := c.moved
		c.mu.Unlock()
		if settled {
			return err
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return fmt.Errorf("cannot settle certificates: %w", context.Cause(ctx))
		}
	}
}

// settled is the condition of Settle. The caller holds c.mu.
func (c *Certs) settled() (bool, error) {
	switch {
	case c.ended:
		return true, errors.New("cannot settle certificates: they have stopped")
	case c.applied != c.asked:
		return false, nil
	case c.trouble != nil:
		return true, c.trouble
	}
	for _, e := range c.entries {
		switch {
		case e.refused, e.own != nil:
		case e.internal && e.err != nil && (e.cert == nil || e.old):
			return true, fmt.Errorf("cannot make a certificate for %s: %w", e.name, e.err)
		case !e.shown, e.internal && (e.cert == nil || e.old):
			return false, nil
		}
	}
	return c.searched(), nil
}
