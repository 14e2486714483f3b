package tls

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"

	"roost/internal/testredis"
)

// leaf is the certificate that is served for a wanted name.
func (b *box) leaf(t *testing.T, name string) *x509.Certificate {
	t.Helper()
	b.valid(t, name)
	p, _ := b.table.Load().find(name)
	return p.cert.Leaf
}

func TestTheCAIsAskedForTheProfileThatIsWanted(t *testing.T) {
	t.Parallel()
	b := newBox(t, Options{}, true, true, func(c *Certs) { c.backoff = soon })
	ca := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort, shortlived: true})
	config := Config{Issuer: ca.directory, CARoot: ca.root, Profile: "shortlived"}
	b.Want(Want{Config: config, Names: []string{"short.example.com"}})
	if leaf := b.leaf(t, "short.example.com"); leaf.NotAfter.Sub(leaf.NotBefore).Round(time.Hour) != 160*time.Hour {
		t.Errorf("from %v to %v", leaf.NotBefore, leaf.NotAfter)
	}
	config.Profile = "none-such"
	b.Want(Want{Config: config, Names: []string{"none-such.example.com"}})
	failing(t, b, "none-such.example.com", "none-such", "profile")
}

// 0.0.0.0 leads to the box itself, and no rule calls it private.
const public = "0.0.0.0"

func TestAnAddressGetsACertificateOfAShortLife(t *testing.T) {
	for name, on := range map[string][2]bool{"by HTTP": {true, false}, "by TLS": {false, true}} {
		t.Run(name, func(t *testing.T) {
			directory := map[string]string{}
			b := newBox(t, Options{}, on[0], on[1], func(c *Certs) { c.backoff, c.directories = soon, directory })
			ca := newACME(t, acmeOptions{httpPort: max(b.httpPort, 1), tlsPort: max(b.httpsPort, 1), shortlived: true})
			directory[LetsEncrypt] = ca.directory // nobody looks before Want
			b.Want(Want{Config: Config{CARoot: ca.root}, Names: []string{public}})
			leaf := b.leaf(t, public)
			// Asked for none, this CA takes any.
			if got := b.sources()[source{LetsEncrypt, "", byAddress}].acme.Profile; got != "shortlived" {
				t.Errorf("the CA was asked for %q", got)
			}
			if len(leaf.IPAddresses) != 1 || leaf.IPAddresses[0].String() != public || len(leaf.DNSNames) != 0 {
				t.Errorf("it is for %v and %v", leaf.IPAddresses, leaf.DNSNames)
			}
			if leaf.NotAfter.Sub(leaf.NotBefore).Round(time.Hour) != 160*time.Hour {
				t.Errorf("from %v to %v", leaf.NotBefore, leaf.NotAfter)
			}
		})
	}
}

func TestAnAccountIsBoundToThatOfTheCustomer(t *testing.T) {
	t.Parallel()
	const id, key = "kid-2", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
	b := newBox(t, Options{}, true, true, func(c *Certs) { c.backoff = soon })
	ca := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort, eab: [2]string{id, key}})
	file := filepath.Join(t.TempDir(), "hmac")
	config := Config{Issuer: ca.directory, CARoot: ca.root}
	b.Want(Want{Config: config, Names: []string{"bound.example.com"}})
	failing(t, b, "bound.example.com", "says: ", "xternal")
	writeFile(t, file, "b3RoZXI")
	config.EAB = EAB{KeyID: id, HMACFile: file}
	b.Want(Want{Config: config, Names: []string{"bound.example.com"}})
	settle(t, b.Certs)
	failing(t, b, "bound.example.com", "says: ", "verification")
	writeFile(t, file, key+"=\n") // nothing else is said to anybody
	b.valid(t, "bound.example.com")
}

func TestAnAccountThatWasMadeWithoutABindingIsMadeAnew(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"files", "redis"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			const id, key = "kid-4", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
			name := unique("rebound")
			b := newBox(t, Options{}, true, true, hasty)
			ca := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort, eab: [2]string{id, key}, eabOptional: true})
			file := filepath.Join(t.TempDir(), "hmac")
			writeFile(t, file, key)
			config := Config{Issuer: ca.directory, CARoot: ca.root}
			if where == "redis" {
				config = sharedBy(t, ca, testredis.Start(t))
			}
			config.Email = "bound@example.com"
			want := func(accounts, bound int32) {
				t.Helper()
				b.Want(Want{Config: config, Names: []string{name}})
				settle(t, b.Certs)
				b.valid(t, name)
				if err := b.Renew(t.Context(), name); err != nil {
					t.Fatal(err)
				}
				if ca.accounts.Load() != accounts || ca.bound.Load() != bound {
					t.Errorf("%d accounts, %d of them bound; want %d and %d", ca.accounts.Load(), ca.bound.Load(), accounts, bound)
				}
			}
			want(1, 0)
			config.EAB = EAB{KeyID: id, HMACFile: file}
			want(2, 1)
			config.Profile = "default" // something else changes: the account stays
			want(2, 1)
			config.EAB = EAB{}
			want(2, 1)
		})
	}
}

func TestTheChainLeadsToTheRootThatIsPreferred(t *testing.T) {
	t.Parallel()
	const name = "chain.example.com"
	told := &testLog{t: t}
	b := newBox(t, Options{Log: slogTo(told)}, true, true, func(c *Certs) { c.backoff = soon })
	ca := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort, alternates: 1})
	leads := func(preferred string, root *x509.Certificate) {
		t.Helper()
		b.Want(Want{Config: Config{Issuer: ca.directory, CARoot: ca.root, PreferredChain: preferred}, Names: []string{name}})
		settle(t, b.Certs)
		b.valid(t, name)
		if err := b.Renew(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		pool := x509.NewCertPool()
		pool.AddCert(root)
		if _, err := dial(b.https, &tls.Config{ServerName: name, RootCAs: pool}); err != nil {
			t.Errorf("preferring %q: %v", preferred, err)
		}
	}
	leads("", ca.roots[0])
	leads(ca.roots[1].Subject.CommonName, ca.roots[1])
	if strings.Contains(told.String(), "no chain to the root") {
		t.Error("a chain that was found is missed")
	}
	leads("Nobody's Root", ca.roots[0])
	if !strings.Contains(told.String(), `level=WARN msg="the CA offers no chain to the root that is preferred`) {
		t.Error("nobody is told that there is no such chain")
	}
}

func TestTheStagingSideIsAnIssuerOfItsOwn(t *testing.T) {
	t.Parallel()
	if got := (Config{Staging: true}).directory(); got != certmagic.LetsEncryptStagingCA {
		t.Errorf("directory: %s", got)
	}
	directory := map[string]string{}
	b := newBox(t, Options{}, true, true, func(c *Certs) { c.backoff, c.directories = soon, directory })
	trial := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort})
	proper := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort})
	directory[staging], directory[LetsEncrypt] = trial.directory, proper.directory
	b.Want(Want{Config: Config{CARoot: trial.root, Staging: true}, Names: []string{"staging.example.com"}})
	if s := b.valid(t, "staging.example.com"); s.Issuer != "letsencrypt-staging" || proper.orders.Load() != 0 {
		t.Errorf("status: %+v", s)
	}
	b.Want(Want{Config: Config{CARoot: proper.root}, Names: []string{"staging.example.com"}})
	settle(t, b.Certs)
	if s := b.valid(t, "staging.example.com"); s.Issuer != LetsEncrypt || proper.orders.Load() == 0 {
		t.Errorf("status: %+v, %d orders", s, proper.orders.Load())
	}
}

// at is a connection that came in at an address.
type at struct {
	net.Conn
	addr net.Addr
}

func (a at) LocalAddr() net.Addr { return a.addr }

func TestAPublicAddressIsServedBehindATranslationOfAddresses(t *testing.T) {
	t.Parallel()
	c := running(t, Options{}, nil)
	one, other := &tls.Certificate{Leaf: &x509.Certificate{}}, &tls.Certificate{Leaf: &x509.Certificate{}}
	publish := func(names map[string]*tls.Certificate) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.entries, c.want.AnyName = map[string]*entry{}, true
		for name, cert := range names {
			e := newEntry(name, Config{}, nil)
			e.cert = cert
			c.entries[name] = e
		}
		c.publish()
	}
	served := func(local, name string) *tls.Certificate {
		cert, err := c.certificate(&tls.ClientHelloInfo{ServerName: name, Conn: at{addr: &net.TCPAddr{IP: net.ParseIP(local)}}})
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	publish(map[string]*tls.Certificate{"203.0.113.5": one})
	for local, want := range map[string]bool{"203.0.113.5": true, "10.0.0.7": true, "100.64.1.1": true, "127.0.0.1": false, "203.0.113.6": false} {
		if got := served(local, "") == one; got != want {
			t.Errorf("at %s: %v", local, got)
		}
	}
	if served("10.0.0.7", "box.local") == one {
		t.Error("a name was answered with the certificate of the address")
	}
	publish(map[string]*tls.Certificate{"203.0.113.5": one, "203.0.113.6": other})
	if got := served("10.0.0.7", ""); got == one || got == other {
		t.Error("which of two it is cannot be known")
	}
}

func TestNamesHaveIssuersOfTheirOwn(t *testing.T) {
	t.Parallel()
	b := newBox(t, Options{}, true, true, func(c *Certs) { c.backoff = soon })
	one := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort})
	two := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort})
	root := filepath.Join(t.TempDir(), "roots.pem")
	both, err := os.ReadFile(one.root)
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(two.root)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, root, string(both)+string(other))
	want := Want{
		Config:  Config{Issuer: one.directory, CARoot: root},
		Names:   []string{"one.issuers.example.com", "two.issuers.example.com", "vpn.issuers.example.com"},
		Issuers: map[string]string{"TWO.issuers.example.com.": two.directory, "vpn.issuers.example.com": "internal"},
	}
	b.Want(want)
	settle(t, b.Certs)
	issued := func(name, issuer string, config *tls.Config) {
		t.Helper()
		config.ServerName = name
		eventually(t, name+" is from "+issuer, func() bool {
			s := status(b.Certs, name)
			_, err := dial(b.https, config)
			return s.State == Valid && s.Issuer == issuer && err == nil
		})
	}
	issued("one.issuers.example.com", one.directory, &tls.Config{RootCAs: one.pool})
	issued("two.issuers.example.com", two.directory, &tls.Config{RootCAs: two.pool})
	issued("vpn.issuers.example.com", "internal", client(t, b.Certs, ""))
	if one.orders.Load() != 1 || two.orders.Load() != 1 {
		t.Errorf("%d and %d orders", one.orders.Load(), two.orders.Load())
	}
	// Each is renewed where it was got.
	for name, ca := range map[string]*acmeCA{"one.issuers.example.com": one, "two.issuers.example.com": two} {
		config, err := b.configFor(certmagic.Certificate{Names: []string{name}})
		if err != nil || config.Issuers[0].(*acmeIssuer).CA != ca.directory {
			t.Errorf("%s: %v, %v", name, config.Issuers[0].(*acmeIssuer).CA, err)
		}
	}
	// A name may move to another, and the rest stays.
	want.Issuers = map[string]string{"one.issuers.example.com": two.directory}
	b.Want(want)
	settle(t, b.Certs)
	issued("one.issuers.example.com", two.directory, &tls.Config{RootCAs: two.pool})
	issued("two.issuers.example.com", one.directory, &tls.Config{RootCAs: one.pool})
}
