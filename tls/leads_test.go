package tls

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
)

// finding are surroundings with a resolver that finds these for every name.
func finding(err error, own []netip.Addr, found ...string) surroundings {
	return surroundings{
		resolve: func(context.Context, string) ([]netip.Addr, error) { return addrs(found...), err },
		own:     func() []netip.Addr { return own },
	}
}

func addrs(words ...string) (all []netip.Addr) {
	for _, w := range words {
		all = append(all, netip.MustParseAddr(w))
	}
	return all
}

func TestAFailedOrderSaysWhereTheNameLeads(t *testing.T) {
	t.Parallel()
	b := newBox(t, Options{}, true, true, func(c *Certs) {
		c.backoff = soon
		c.around = finding(nil, addrs("127.0.0.1", "203.0.113.9"), "198.51.100.7")
	})
	ca := newACME(t, acmeOptions{httpPort: 1, tlsPort: 1}) // it meets nobody
	b.Want(Want{Config: Config{Issuer: ca.directory, CARoot: ca.root}, Names: []string{"astray.example.com"}})
	eventually(t, "the failure is known", func() bool { return status(b.Certs, "astray.example.com").State == Failing })
	s := status(b.Certs, "astray.example.com")
	if !strings.Contains(s.Error, " says: ") || !strings.HasSuffix(s.Error, "; astray.example.com leads to 198.51.100.7, not to this box") || !strings.Contains(s.Hint, "DNS records") {
		t.Errorf("%s: %s", s.Error, s.Hint)
	}
}

func TestARefusalThatIsNotAboutTheAddressAsksNoResolver(t *testing.T) {
	t.Parallel()
	b := newBox(t, Options{}, true, true, func(c *Certs) {
		c.backoff = soon
		c.around = finding(nil, nil, "198.51.100.7")
	})
	ca := newACME(t, acmeOptions{httpPort: 1, tlsPort: 1})
	ca.limited.Store(true)
	b.Want(Want{Config: Config{Issuer: ca.directory, CARoot: ca.root}, Names: []string{"many.example.com"}})
	eventually(t, "the failure is known", func() bool { return status(b.Certs, "many.example.com").State == Failing })
	if s := status(b.Certs, "many.example.com"); strings.Contains(s.Error, "leads") {
		t.Errorf("%s", s.Error)
	}
}

func TestWhereANameLeadsIsToldOnlyWhenItIsKnown(t *testing.T) {
	t.Parallel()
	public, nat := addrs("127.0.0.1", "10.0.0.2", "203.0.113.9", "fe80::1"), addrs("127.0.0.1", "192.168.1.2")
	for what, test := range map[string]struct {
		around surroundings
		want   string
	}{
		"here":                     {finding(nil, public, "203.0.113.9"), "a.example leads to this box (203.0.113.9)"},
		"here, as IPv4 in IPv6":    {finding(nil, public, "::ffff:203.0.113.9"), "a.example leads to this box (203.0.113.9)"},
		"elsewhere":                {finding(nil, public, "198.51.100.7"), "a.example leads to 198.51.100.7, not to this box"},
		"both":                     {finding(nil, public, "198.51.100.7", "203.0.113.9"), "a.example leads to this box (203.0.113.9) and to 198.51.100.7, which is not"},
		"behind a router":          {finding(nil, nat, "198.51.100.7"), "a.example leads to 198.51.100.7"},
		"a kind that it has not":   {finding(nil, public, "2001:db8::7"), "a.example leads to 2001:db8::7"},
		"many":                     {finding(nil, nat, "198.51.100.1", "198.51.100.2", "198.51.100.3", "198.51.100.4", "198.51.100.5"), "a.example leads to 198.51.100.1, 198.51.100.2, 198.51.100.3, 198.51.100.4, 1 more"},
		"a private view":           {finding(nil, public, "10.0.0.2"), ""},
		"the file of hosts":        {finding(nil, public, "127.0.1.1"), ""},
		"no such name":             {finding(&net.DNSError{IsNotFound: true}, public), "a.example has no address in the DNS"},
		"no answer":                {finding(&net.DNSError{IsTimeout: true}, public), ""},
		"a resolver that is not":   {finding(errors.New("no"), public), ""},
		"an answer without a word": {finding(nil, public), ""},
	} {
		if got := test.around.leads(t.Context(), "a.example"); got != test.want {
			t.Errorf("%s: %q, want %q", what, got, test.want)
		}
	}
	// The resolver is given a bound.
	surroundings{resolve: func(ctx context.Context, _ string) ([]netip.Addr, error) {
		if _, ok := ctx.Deadline(); !ok {
			t.Error("the resolver may take for ever")
		}
		return nil, errors.New("no")
	}, own: func() []netip.Addr { return nil }}.leads(context.Background(), "a.example")
	if !strings.Contains(addresses(system.own()), "127.0.0.1") {
		t.Errorf("the box has %v", system.own())
	}
}
