package tls

import (
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"
)

// entry is one wanted name and what is known of its certificate. Its first
// fields never change; the rest belongs to Certs.mu. Another issuer makes
// another entry.
type entry struct {
	name     string
	internal bool
	config   Config  // with the issuer of this name
	by       proof   // to a public CA
	from     source  // which
	refused  bool    // no CA could issue it; err says why, and nothing is tried
	own      *pair   // its files; nil: a CA is asked
	demand   *demand // what it is for; nil: it is listed. Follows what is wanted

	cancel context.CancelFunc // ends the keeper; nil when none was started
	nudge  chan struct{}      // ends the keeper's wait; holds one

	issuer   string           // for Status: who issued cert, or else the first to be asked
	looked   bool             // the storage has been searched
	shown    bool             // and handshakes see what was found
	cert     *tls.Certificate // nil when there is none
	hash     string           // certmagic's, of cert
	old      bool             // cert is from the issuer before
	err      error            // of the last attempt
	tried    time.Time
	renewing bool // because a person asks for it: who asks is told of a failure
	retry    time.Time
	tries    int  // in a row that failed, of one that is not listed
	expiring bool // told to end soon without being renewed

	orders, failures uint64 // attempts, and those of them that failed
}

func newEntry(name string, config Config, issuers map[string]string) *entry {
	e := &entry{name: name, nudge: make(chan struct{}, 1)}
	if name, err := canonical(name); err != nil {
		e.refused, e.err = true, err
	} else {
		e.name = name
	}
	config = config.from(issuers[e.name])
	e.config = config
	e.internal = config.issuer() == internalCA || Internal(e.name)
	e.issuer = config.name()
	if e.internal {
		e.issuer = internalCA
	}
	wild := strings.HasPrefix(e.name, "*.")
	if _, err := netip.ParseAddr(e.name); err == nil {
		e.by = byAddress
	} else if config.DNS.Provider != "" && (wild || config.DNS.All) {
		e.by = byDNS
	}
	e.from = config.source(e.by)
	if wild && !e.internal && e.by != byDNS && !e.refused {
		e.refused, e.err = true, errors.New("a wildcard is proved to a CA by the DNS alone (RFC 8555, section 8.4): set dns in [tls], name each domain, or use the internal issuer")
	}
	return e
}

// stop ends the keeper. The caller holds Certs.mu.
func (e *entry) stop() {
	if e.cancel != nil {
		e.cancel()
	}
}

// hurry makes a keeper that waits after a failure try now, for something was
// changed and it may work; but not so often that a CA would mind.
func (e *entry) hurry() {
	if e.err == nil || time.Since(e.tried) < time.Minute {
		return
	}
	select {
	case e.nudge <- struct{}{}:
	default:
	}
}

// backoff is how long to wait after the try-th failure in a row: from a minute
// to six hours, doubling. Let's Encrypt allows five failed validations an hour
// for a name; certmagic makes all but the first on its staging CA.
func backoff(try int) time.Duration {
	wait := time.Minute << min(try-1, 10)
	return jitter(min(wait, 6*time.Hour))
}

// jitter moves d by up to a tenth, so that many names do not move in step.
func jitter(d time.Duration) time.Duration {
	return d - d/10 + rand.N(d/5+1)
}
