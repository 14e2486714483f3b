package tls

import (
	"fmt"
	"time"
)

// The kinds of Event.
const (
	EventObtained = "obtained" // a name has its first certificate by this issuer
	EventRenewed  = "renewed"  // it has another
	EventFailed   = "failed"   // an attempt to get either failed; Reason says why
	EventExpiring = "expiring" // it ends soon and is not renewed; Reason says when
)

// Event is something that happened to the certificate of a wanted name.
type Event struct {
	Kind, Name, Issuer, Reason string
}

// tell hands on an event. The caller holds c.mu.
func (c *Certs) tell(e *entry, kind, reason string) {
	if c.o.Tell != nil {
		c.o.Tell(Event{Kind: kind, Name: e.name, Issuer: e.issuer, Reason: reason})
	}
}

// fell notes a failed attempt, and logs what is not known yet: a reason stays
// the same for many attempts. The caller holds c.mu.
func (c *Certs) fell(e *entry, message string, err error) {
	known := e.err != nil && e.err.Error() == err.Error()
	e.err, e.tried = err, time.Now()
	e.orders++
	e.failures++
	if !known {
		details := []any{"name", e.name, "issuer", e.issuer, "error", err}
		if !e.retry.IsZero() {
			details = append(details, "retry", e.retry.Format(time.RFC3339))
		}
		c.log.Warn(message, details...)
	}
	c.tell(e, EventFailed, err.Error())
	c.stir()
}

// got notes that an order has succeeded. The caller holds c.mu.
func (c *Certs) got(e *entry, renewal bool) {
	e.orders++
	kind := EventObtained
	if renewal {
		kind, e.err = EventRenewed, nil
	}
	c.log.Info("certificate obtained", "name", e.name, "issuer", e.issuer, "renewal", renewal)
	c.tell(e, kind, "")
}

// look finds certificates that end soon and are not being renewed, and tells
// of each once. Only Run's loop calls it.
func (c *Certs) look() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	for e := range c.every {
		s := e.status()
		expiring := s.expiring(now) && !e.noLonger()
		if expiring && !e.expiring {
			reason := s.problem(now)
			c.log.Warn("certificate expires soon and is not renewed", "name", e.name, "issuer", e.issuer, "expires", s.Expires.Format(time.RFC3339), "reason", reason)
			c.tell(e, EventExpiring, reason)
		}
		e.expiring = expiring
	}
}

// ahead is when people are told of a certificate that ends and is not renewed.
const ahead = 14 * 24 * time.Hour

// expiring reports whether the certificate ends soon, for its age, and is not
// being renewed: the last attempt failed, or the time for it, a third of its life, is half over.
func (s Certificate) expiring(now time.Time) bool {
	left := s.Expires.Sub(now)
	if s.Expires.IsZero() || left >= ahead {
		return false
	}
	return s.Error != "" || left < s.Expires.Sub(s.NotBefore)/6
}

// problem is what is wrong with the certificate and what to do about it, for
// people; empty when nothing is.
func (s Certificate) problem(now time.Time) string {
	what := ""
	switch {
	case s.Error == "" && now.Before(s.NotBefore):
		return fmt.Sprintf("the certificate for %s is not valid before %s, and the clock of this box says %s: see that it is right", s.Name, s.NotBefore.UTC().Format(time.DateTime), now.UTC().Format(time.DateTime))
	case s.Error == "" && !s.expiring(now):
		return ""
	case s.Expires.IsZero():
		what = "no certificate for " + s.Name
	case !now.Before(s.Expires):
		what = fmt.Sprintf("the certificate for %s has expired, on %s", s.Name, s.Expires.Format(time.DateOnly))
	case s.expiring(now):
		what = fmt.Sprintf("the certificate for %s expires in %s, on %s", s.Name, span(s.Expires.Sub(now)), s.Expires.Format(time.DateOnly))
	default:
		what = "certificate for " + s.Name
	}
	hint := s.Hint
	switch {
	case s.Error != "":
		what += ": " + s.Error
	case s.Renews.IsZero():
		what += ", and nothing here renews it"
		hint = "write its successor into the same files; it is served as soon as it is there"
	default:
		what += fmt.Sprintf(", and has not been renewed, though it was due on %s", s.Renews.Format(time.DateOnly))
	}
	if hint == "" && s.expiring(now) && !s.Renews.IsZero() {
		hint = "try now and see what the CA says: roost tls renew " + s.Name
	}
	if hint != "" {
		what += ": " + hint
	}
	return what
}

// span writes a length of time for people, in days where there are some.
func span(d time.Duration) string {
	switch days := int(d / (24 * time.Hour)); {
	case days > 1:
		return fmt.Sprintf("%d days", days)
	case d >= time.Hour:
		return fmt.Sprintf("%d h", int(d/time.Hour))
	}
	return fmt.Sprintf("%d min", int(d/time.Minute))
}
