package dns01

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/shlex"
	"github.com/libdns/libdns"
)

// limit is how long a provider may take for one change.
const limit = time.Minute

// ttl of the records, which live for a minute or two. Some servers want no less.
const ttl = time.Minute

// The changes there are, by the words that hooks are given.
const (
	present = "present"
	cleanup = "cleanup"
)

// record is a TXT record. Names are absolute, in ASCII, without a final dot.
type record struct{ zone, name, value string }

// changer is what a provider has to be able to do.
type changer interface {
	// change makes or, with cleanup, removes a record. Removing what is not
	// there is no error, and others of the same name stay. ctx has a deadline.
	change(ctx context.Context, verb string, r record) error
}

// Error is why a record could not be set or removed: all that there is to say
// to people, whatever is wrapped around it on the way.
type Error struct {
	Verb, Name, Provider string
	Err                  error
}

func (e *Error) Error() string {
	verb := map[string]string{present: "set", cleanup: "remove"}[e.Verb]
	return fmt.Sprintf("cannot %s the TXT record %s through %s: %v", verb, e.Name, e.Provider, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Provider is what ACME needs of a provider in the sense of libdns. It may be
// used by several goroutines.
type Provider struct {
	name  string
	limit time.Duration
	changer
}

var (
	_ libdns.RecordAppender = (*Provider)(nil)
	_ libdns.RecordDeleter  = (*Provider)(nil)
)

// New returns the provider of a Config that Check finds nothing wrong with. It
// talks to nobody and reads no secret yet.
func New(c Config) (*Provider, error) {
	p := &Provider{name: c.Provider, limit: limit}
	switch c.Provider {
	case RFC2136:
		p.changer = update{server: withPort(c.Server), key: c.KeyName, secret: c.secret}
	case ACMEDNS:
		p.changer = acmeDNS{url: strings.TrimSuffix(c.URL, "/") + "/update", secret: c.secret}
	case Exec:
		words, err := shlex.Split(c.Command)
		if err != nil || len(words) == 0 {
			return nil, fmt.Errorf("cannot split the command into words: %q", c.Command)
		}
		p.changer = hook{words}
	case Webhook:
		w := webhook{url: c.URL, secret: c.secret}
		if c.SecretFile == "" && c.SecretEnv == "" {
			w.secret = nil
		}
		p.changer = w
	default:
		return nil, fmt.Errorf("unknown DNS provider %q", c.Provider)
	}
	return p, nil
}

// AppendRecords implements libdns.RecordAppender; an error is an *Error.
func (p *Provider) AppendRecords(ctx context.Context, zone string, list []libdns.Record) ([]libdns.Record, error) {
	return p.each(ctx, present, zone, list)
}

// DeleteRecords implements libdns.RecordDeleter; an error is an *Error.
func (p *Provider) DeleteRecords(ctx context.Context, zone string, list []libdns.Record) ([]libdns.Record, error) {
	return p.each(ctx, cleanup, zone, list)
}

func (p *Provider) each(ctx context.Context, verb, zone string, list []libdns.Record) (done []libdns.Record, err error) {
	for _, item := range list {
		rr := item.RR()
		r := record{
			zone:  strings.TrimSuffix(zone, "."),
			name:  strings.TrimSuffix(libdns.AbsoluteName(rr.Name, zone), "."),
			value: rr.Data,
		}
		if err := p.bounded(ctx, verb, r); err != nil {
			return done, &Error{verb, r.name, p.name, err}
		}
		done = append(done, item)
	}
	return done, nil
}

// bounded is one change, within the time it may take.
func (p *Provider) bounded(ctx context.Context, verb string, r record) error {
	own, cancel := context.WithTimeout(ctx, p.limit)
	defer cancel()
	err := p.change(own, verb, r)
	if end, _ := own.Deadline(); err != nil && !time.Now().Before(end) && ctx.Err() == nil {
		return fmt.Errorf("no answer within %v: %w", p.limit, err)
	}
	return err
}
