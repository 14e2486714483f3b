package tls

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/caddyserver/certmagic"
)

// ErrUnknown says that there is to be no certificate for a name; errors of Renew wrap it.
var ErrUnknown = errors.New("no certificate is wanted")

// ErrSoon says that a name may not be asked for again yet, or is being asked
// for already; errors of Renew wrap it.
var ErrSoon = errors.New("it is too soon")

var errEnded = errors.New("cannot renew certificates: they do not run")

// gap is the least time between a failed attempt and the next one that a person
// asks for. CAs count failures: Let's Encrypt five an hour for a name.
const gap = time.Minute

// Renew gets a new certificate for a wanted name now, whatever the age of what
// it has, and waits until handshakes see it, or until ctx ends; the order goes
// on then. On failure, which Status tells as well, what was there is served
// on. The error is a *Failure when the CA gave a reason.
func (c *Certs) Renew(ctx context.Context, name string) error {
	if short, err := canonical(name); err == nil {
		name = short
	}
	e, err := c.begin(name)
	if err != nil {
		return err
	}
	result := make(chan error, 1)
	job := func(own context.Context) {
		err := c.renew(own, e)
		c.finish(e)
		result <- err
	}
	jobs := c.jobs
	for {
		select {
		case jobs <- job:
			jobs = nil // from here on it ends by itself
		case err := <-result:
			return err
		case <-c.over:
			return errEnded
		case <-ctx.Done():
			if jobs != nil {
				c.finish(e)
			}
			return context.Cause(ctx)
		}
	}
}

// finish undoes begin.
func (c *Certs) finish(e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e.renewing = false
}

// begin marks the entry of name as being renewed.
func (c *Certs) begin(name string) (*entry, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entry(name)
	ago := time.Duration(0)
	if e != nil {
		ago = time.Since(e.tried)
	}
	switch {
	case !c.running:
		return nil, errEnded
	case e == nil:
		return nil, fmt.Errorf("%w for %s", ErrUnknown, name)
	case e.refused:
		return nil, e.err
	case e.own != nil:
		return nil, &Failure{"the certificate of " + name + " is read from " + e.own.files[0] + ", and no CA is asked", "renew it where it was got, and put it there: it is read again when the file changes"}
	case e.renewing:
		return nil, fmt.Errorf("%s is being renewed: %w", name, ErrSoon)
	case !e.internal && e.err != nil && !e.tried.IsZero() && ago < gap:
		return nil, fmt.Errorf("%s was tried %d s ago, and CAs count failures: %w to ask again: %w", name, int(ago.Seconds()), ErrSoon, e.err)
	}
	e.renewing = true
	return e, nil
}

// renew orders a certificate for e's name and has it served.
func (c *Certs) renew(ctx context.Context, e *entry) error {
	i := c.internal
	var err error
	if !e.internal {
		if i, err = c.public(e); err != nil {
			return err
		}
	}
	var cert certmagic.Certificate
	if err = c.order(ctx, i, e.name, 0, true); err == nil {
		cert, err = c.load(ctx, i, e.name)
	}
	switch {
	case ctx.Err() != nil:
		return errEnded
	case err != nil:
		until, held := heldUntil(err)
		if err = i.stalled(err); !errors.As(err, new(stalled)) {
			err = c.explain(ctx, i, e, err)
		}
		err = fmt.Errorf("cannot renew: %w", err)
		if held {
			return fmt.Errorf("no CA is to be asked for %s before %s: %w to ask again: %w", e.name, until.Format(time.RFC3339), ErrSoon, err)
		}
		c.mu.Lock()
		c.fell(e, "certificate not renewed", err)
		c.mu.Unlock()
		return err
	}
	c.take(e, i, cert)
	c.forget(e.name) // it may have got a certificate of its own meanwhile
	select {
	case e.nudge <- struct{}{}: // a keeper that waits after a failure is done
	default:
	}
	for {
		c.mu.Lock()
		seen, moved := e.hash == cert.Hash() || c.entry(e.name) != e, c.moved
		c.mu.Unlock()
		if seen {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return errEnded
		}
	}
}
