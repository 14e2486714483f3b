package host

import (
	"context"
	"errors"
	"slices"
	"sync"

	"roost/apps"
	"roost/tls"
)

// change is what one Want changed: what Settle waits for.
type change struct {
	apps      []*program
	folders   []*folder
	listeners []string   // kinds
	certs     *tls.Certs // nil: nothing of them
}

// settle waits for all parts at once and joins what they say.
func (c change) settle(ctx context.Context, h *Host) error {
	var waits []func() error
	for _, p := range c.apps {
		waits = append(waits, func() error { return p.settle(ctx) })
	}
	for _, f := range c.folders {
		waits = append(waits, func() error {
			select {
			case <-f.tried:
				return f.problem()
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		})
	}
	if c.certs != nil {
		waits = append(waits, func() error { return c.certs.Settle(ctx) })
	}
	errs := make([]error, len(waits), len(waits)+len(c.listeners))
	var all sync.WaitGroup
	for i, wait := range waits {
		all.Go(func() { errs[i] = wait() })
	}
	all.Wait()
	v := h.look()
	for _, kind := range c.listeners {
		if e := v.failed[kind]; e != nil {
			errs = append(errs, e)
		}
	}
	var said []error
	for _, err := range errs {
		if err != nil {
			said = append(said, err)
		}
	}
	slices.SortStableFunc(said, func(a, b error) int { return rank(a) - rank(b) }) // causes first
	if len(said) == 1 {
		return said[0]
	}
	return errors.Join(said...)
}

// rank puts the failures of apps that only wait for others behind.
func rank(err error) int {
	if f, ok := err.(*apps.Failure); ok && f.Waits {
		return 1
	}
	return 0
}
