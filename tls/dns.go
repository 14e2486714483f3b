package tls

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3/acme"

	"roost/tls/dns01"
)

// propagation is how long a record may take to be seen when the Config does not say.
const propagation = 2 * time.Minute

// dnsSolver answers the DNS challenge (RFC 8555, section 8.4): certmagic finds
// the zone, has a provider set the record, waits until it can be seen, and has
// it removed. What fails on the way is said in words for people.
type dnsSolver struct {
	*certmagic.DNS01Solver
	patience time.Duration
}

// unproven is why a name was not proved by the DNS, whatever is wrapped around it.
type unproven struct{ error }

func (u unproven) Unwrap() error { return u.error }

func (c *Certs) dnsSolver(config dns01.Config) (dnsSolver, error) {
	provider, err := dns01.New(config)
	if err != nil {
		return dnsSolver{}, err
	}
	s := dnsSolver{&certmagic.DNS01Solver{}, config.Propagation.Or(propagation)}
	s.DNSManager = certmagic.DNSManager{DNSProvider: provider, PropagationTimeout: s.patience, Logger: zapTo(c.log, false)}
	if config.Resolver != "" {
		s.Resolvers = []string{config.Resolver}
	}
	return s, nil
}

// Present implements acmez.Solver.
func (s dnsSolver) Present(ctx context.Context, challenge acme.Challenge) error {
	err := s.DNS01Solver.Present(ctx, challenge)
	var refused *dns01.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		return unproven{refused}
	}
	return unproven{fmt.Errorf("cannot find the DNS zone of %s: %w", challenge.Identifier.Value, err)}
}

// Wait implements acmez.Waiter.
func (s dnsSolver) Wait(ctx context.Context, challenge acme.Challenge) error {
	start := time.Now()
	err := s.DNS01Solver.Wait(ctx, challenge)
	switch {
	case err == nil:
		return nil
	case ctx.Err() == nil && time.Since(start) >= s.patience:
		return unproven{fmt.Errorf("the TXT record %s was set, and cannot be seen after %v: see whether the zone's name servers have it, or allow for more propagation", challenge.DNS01TXTRecordName(), s.patience)}
	}
	return unproven{fmt.Errorf("cannot look for the TXT record %s that was set: %w", challenge.DNS01TXTRecordName(), err)}
}
