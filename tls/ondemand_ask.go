package tls

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// demand is one Demand at work: it says which names may have a certificate.
type demand struct {
	Demand
	b     bounds
	quota *quota
	put   func(ctx context.Context, name string) (status int, err error) // the question
	count *demandFigures

	exact, below map[string]bool // of Allow
	asking       singleflight.Group

	mu     sync.Mutex // guards all below
	yes    recent[string, time.Time]
	no     recent[string, ruling]
	silent error // why the last question had no answer; nil when it had one
	since  time.Time
}

// ruling is an answer that is not yes. It holds until a time.
type ruling struct {
	err   error // why nobody could tell; nil: no
	until time.Time
}

func (c *Certs) newDemand(want Demand) *demand {
	d := &demand{
		Demand: want, b: c.demanded.bounds, quota: newQuota(want.OnDemand), count: &c.demanded.figures,
		exact: map[string]bool{}, below: map[string]bool{},
		yes: recent[string, time.Time]{most: c.demanded.most}, no: recent[string, ruling]{most: c.demanded.most},
	}
	for _, name := range want.Allow {
		name, err := canonical(name)
		if base, wild := strings.CutPrefix(name, "*."); wild {
			d.below[base] = true
		} else if err == nil {
			d.exact[name] = true
		}
	}
	switch {
	case want.Ask == "":
	case want.App == "":
		d.put = c.askURL(want.Ask)
	default:
		d.put = func(ctx context.Context, name string) (int, error) {
			if c.o.AskApp == nil {
				return 0, errors.New("there are no apps")
			}
			return c.o.AskApp(ctx, want.App, question(want.Ask, name), name)
		}
	}
	return d
}

// lists reports whether name is in Allow.
func (d *demand) lists(name string) bool {
	if d.exact[name] {
		return true
	}
	for len(d.below) > 0 {
		_, rest, ok := strings.Cut(name, ".")
		if !ok {
			break
		}
		if d.below[rest] {
			return true
		}
		name = rest
	}
	return false
}

// refused is the answer about name that is still good and is not yes.
func (d *demand) refused(name string) (ruling, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	v, ok := d.no.get(name)
	return v, ok && time.Now().Before(v.until)
}

// known is the answer about name that needs no question; ok is false when there is none.
func (d *demand) known(name string) (yes bool, err error, ok bool) {
	if d.lists(name) {
		return true, nil, true
	}
	if d.put == nil {
		return false, nil, true
	}
	if v, ok := d.refused(name); ok {
		return false, v.err, true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	until, ok := d.yes.get(name)
	ok = ok && time.Now().Before(until)
	return ok, nil, ok
}

// allows reports whether name may have a certificate, asking if need be: once
// for all that want to know at the time. The error says why nobody could tell.
func (d *demand) allows(ctx context.Context, name string) (bool, error) {
	yes, err, ok := d.known(name)
	if ok {
		return yes, err
	}
	answer, err, _ := d.asking.Do(name, func() (any, error) {
		yes, err := d.ask(ctx, name)
		if ctx.Err() == nil {
			d.remember(name, yes, err)
		}
		return yes, err
	})
	yes, _ = answer.(bool)
	return yes, err
}

func (d *demand) ask(ctx context.Context, name string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, d.b.askTime)
	defer cancel()
	d.count.asked.Add(1)
	status, err := d.put(ctx, name)
	whom := d.Ask
	if d.App != "" {
		whom = "app " + d.App + " at " + whom
	} else if u, err := url.Parse(whom); err == nil {
		u.RawQuery = "" // a secret may be in it
		whom = u.Redacted()
	}
	switch {
	case ctx.Err() != nil && context.Cause(ctx) == context.DeadlineExceeded:
		err = fmt.Errorf("%s did not answer within %v", whom, d.b.askTime)
	case err != nil:
		err = fmt.Errorf("cannot ask %s: %w", whom, bare(err))
	case status == http.StatusOK:
		return true, nil
	case status >= 300 && status < 400:
		err = fmt.Errorf("%s answered %d: redirects are not followed", whom, status)
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests, status < 200, status >= 500:
		err = fmt.Errorf("%s answered %d", whom, status)
	}
	if err != nil {
		d.count.undecided.Add(1)
	}
	return false, err
}

// bare is an error of net/http without the URL that it repeats, which has the query.
func bare(err error) error {
	var of *url.Error
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

func (d *demand) remember(name string, yes bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	d.silent, d.since = err, now
	switch {
	case yes:
		d.yes.put(name, now.Add(d.b.yes))
	case err != nil:
		d.no.put(name, ruling{err, now.Add(d.b.undecided)})
	default:
		d.no.put(name, ruling{nil, now.Add(d.b.no)})
		d.yes.put(name, time.Time{})
	}
}

// question is the URL, or the path, that asks about name.
func question(ask, name string) string {
	ask, _, _ = strings.Cut(ask, "#")
	mark := "?"
	if strings.Contains(ask, "?") {
		mark = "&"
	}
	return ask + mark + "domain=" + name // a host name has nothing to escape
}

// askURL asks a service. Redirects are not followed: who is asked says so itself.
func (c *Certs) askURL(ask string) func(context.Context, string) (int, error) {
	return func(ctx context.Context, name string) (int, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, question(ask, name), nil)
		if err != nil {
			return 0, err
		}
		r.Header.Set("User-Agent", "roost")
		answer, err := c.demanded.asker.Do(r)
		if err != nil {
			return 0, err
		}
		defer answer.Body.Close()
		if answer.ContentLength >= 0 && answer.ContentLength <= mostAnswer {
			io.CopyN(io.Discard, answer.Body, mostAnswer) // so that the connection can be used again
		}
		return answer.StatusCode, nil
	}
}

const mostAnswer = 4 << 10

func newAsker() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, DisableCompression: true,
			MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 16 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
