package tls

import (
	"fmt"
	"sync"
	"time"
)

// limit is how often something may happen.
type limit struct {
	most   int
	within time.Duration
}

// Let's Encrypt's limits (https://letsencrypt.org/docs/rate-limits/) of what a
// box might do without noticing; it tells of all others with a time to wait.
var (
	failedChallenges = limit{5, time.Hour}          // of a name
	newOrders        = limit{300, 3 * time.Hour}    // of an account
	sameCertificates = limit{5, 7 * 24 * time.Hour} // of a name: for when something here is so wrong that each is soon replaced
)

// longest is how long a CA is believed that says when to ask again.
const longest = 7 * 24 * time.Hour

// limits remember what CAs have refused and were asked, so that none is asked
// sooner or more often than it wants. They are for the life of the process.
type limits struct {
	mu     sync.Mutex
	names  map[[2]string]*record // by CA and name
	many   int                   // names from which on they are looked through for what no limit asks for any more
	orders map[string]window     // by CA
}

// record is what is known of a CA and a name. Limits.mu guards it.
type record struct {
	until            time.Time // when the CA wants to be asked again
	err              error     // what it said last
	failed, obtained window
}

// window are the times at which something happened, oldest first.
type window []time.Time

// free is when more of w may happen; the zero Time is now.
func (w window) free(l limit, more int, now time.Time) time.Time {
	for len(w) > 0 && now.Sub(w[0]) >= l.within {
		w = w[1:]
	}
	excess := len(w) + more - l.most
	if excess <= 0 || len(w) == 0 {
		return time.Time{}
	}
	return w[min(excess, len(w))-1].Add(l.within)
}

// past reports whether nothing of w counts any more.
func (w window) past(l limit, now time.Time) bool {
	return len(w) == 0 || now.Sub(w[len(w)-1]) >= l.within
}

// add notes n more, and forgets what no limit asks for.
func (w window) add(l limit, n int, now time.Time) window {
	for range n {
		w = append(w, now)
	}
	return w[max(0, len(w)-l.most):]
}

// admit lets ca be asked for name, once, and else says why not and until when.
// counted says that it is Let's Encrypt's real side, and challenges how many
// an attempt may fail.
func (l *limits) admit(ca, name string, counted bool, challenges int) (until time.Time, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	r := l.names[[2]string{ca, name}]
	switch {
	case r == nil:
		r = &record{}
	case now.Before(r.until):
		return r.until, r.err
	}
	if !counted {
		return time.Time{}, nil
	}
	if until = r.failed.free(failedChallenges, challenges, now); !until.IsZero() {
		if err = r.err; err == nil {
			err = fmt.Errorf("%d failed challenges of %s within an hour are as many as it takes", failedChallenges.most, name)
		}
		return until, err
	}
	if until = r.obtained.free(sameCertificates, 1, now); !until.IsZero() {
		return until, fmt.Errorf("%d certificates for %s within a week are as many as it issues: see that the clock of this box is right, and what asks for them", sameCertificates.most, name)
	}
	if until = l.orders[ca].free(newOrders, 1, now); !until.IsZero() {
		return until, fmt.Errorf("%d orders within 3 hours are as many as it takes; %s has to wait", newOrders.most, name)
	}
	if l.orders == nil {
		l.orders = map[string]window{}
	}
	l.orders[ca] = l.orders[ca].add(newOrders, 1, now)
	return time.Time{}, nil
}

// fewNames are not worth looking through.
const fewNames = 1024

// tidy forgets names of which nothing holds any more: with certificates on
// demand there are always others. It looks at all when they have doubled.
// The caller holds l.mu.
func (l *limits) tidy(now time.Time) {
	if len(l.names) < max(l.many, fewNames) {
		return
	}
	for key, r := range l.names {
		if !now.Before(r.until) && r.failed.past(failedChallenges, now) && r.obtained.past(sameCertificates, now) {
			delete(l.names, key)
		}
	}
	l.many = 2 * len(l.names)
}

// note remembers what became of asking ca for name: err is nil when it issued,
// failed counts challenges, and after is what it said of when to ask again.
func (l *limits) note(ca, name string, counted bool, err error, failed int, after time.Duration) (until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if l.names == nil {
		l.names = map[[2]string]*record{}
	}
	r := l.names[[2]string{ca, name}]
	if r == nil {
		l.tidy(now)
		r = &record{}
		l.names[[2]string{ca, name}] = r
	}
	r.until, r.err = time.Time{}, err
	if after > 0 && err != nil {
		r.until = now.Add(min(after, longest))
	}
	if counted {
		r.failed = r.failed.add(failedChallenges, failed, now)
		if err == nil {
			r.obtained = r.obtained.add(sameCertificates, 1, now)
		}
	}
	return r.until
}
