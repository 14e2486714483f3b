package tls

import (
	"crypto/tls"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"roost/internal/testdns"
	"roost/internal/testport"
	"roost/internal/unit"
	"roost/tls/dns01"
)

const tsig = "c2VjcmV0IGtleSBvZiB0aGUgbmFtZSBzZXJ2ZXI="

// zoned is a box, a CA that finds the names of a zone by its name server, and
// a Config that has them change that zone.
func zoned(t *testing.T, zone string) (*box, *acmeCA, *testdns.Server, Config) {
	t.Helper()
	server := testdns.Start(t, zone, "roost", tsig)
	b := newBox(t, Options{}, true, true, func(c *Certs) { c.backoff = soon })
	ca := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort, dns: server.Addr})
	secret := filepath.Join(t.TempDir(), "tsig.key")
	writeFile(t, secret, tsig)
	return b, ca, server, Config{Issuer: ca.directory, CARoot: ca.root, DNS: dns01.Config{
		Provider: dns01.RFC2136, Server: server.Addr, KeyName: "roost", SecretFile: secret, Resolver: server.Addr,
	}}
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// failing waits until status says all these words of name.
func failing(t *testing.T, b *box, name string, words ...string) {
	t.Helper()
	eventually(t, name+" fails with "+strings.Join(words, " "), func() bool {
		s := status(b.Certs, name)
		for _, word := range words {
			if s.State != Failing || !strings.Contains(s.Error, word) {
				return false
			}
		}
		return true
	})
	if s := status(b.Certs, name); strings.Contains(s.Error, "order=") || strings.Contains(s.Error, tsig) {
		t.Errorf("status: %s", s.Error)
	}
}

func TestAWildcardIsProvedByTheDNSAndOthersAsBefore(t *testing.T) {
	t.Parallel()
	b, ca, server, config := zoned(t, "wild.example.com")
	b.Want(Want{Config: config, Names: []string{"*.wild.example.com", "wild.example.com"}})
	settle(t, b.Certs)
	for _, name := range []string{"*.wild.example.com", "wild.example.com"} {
		if s := b.valid(t, name); s.Issuer != ca.directory || s.Error != "" {
			t.Errorf("status: %+v", s)
		}
	}
	for _, name := range []string{"wild.example.com", "shop.wild.example.com"} {
		if _, err := dial(b.https, &tls.Config{ServerName: name, RootCAs: ca.pool}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// One record, set and removed: the other name went by HTTP or TLS.
	eventually(t, "the record is removed", func() bool { return server.Updates() == 2 })
	if left := server.TXT("_acme-challenge.wild.example.com"); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
	if text, err := json.Marshal(b.want.Config); err != nil || strings.Contains(string(text), tsig) {
		t.Errorf("the config as it is stored: %s, %v", text, err)
	}
}

func TestAllNamesCanBeProvedByTheDNS(t *testing.T) {
	t.Parallel()
	server := testdns.Start(t, "all.example.com", "roost", tsig)
	// Nothing listens, and no CA could come by.
	c := running(t, Options{}, func(c *Certs) { c.backoff = soon })
	ca := newACME(t, acmeOptions{httpPort: 1, tlsPort: 1, dns: server.Addr})
	secret := filepath.Join(t.TempDir(), "tsig.key")
	writeFile(t, secret, tsig)
	c.Want(Want{Config: Config{Issuer: ca.directory, CARoot: ca.root, DNS: dns01.Config{
		Provider: dns01.RFC2136, Server: server.Addr, KeyName: "roost", SecretFile: secret, Resolver: server.Addr, All: true,
	}}, Names: []string{"all.example.com"}})
	(&box{Certs: c}).valid(t, "all.example.com")
}

func TestAWildcardIsRenewedByTheDNS(t *testing.T) {
	t.Parallel()
	server := testdns.Start(t, "renewal.example.com", "roost", tsig)
	b := newBox(t, Options{}, true, true, func(c *Certs) { c.backoff, c.check = soon, 100*time.Millisecond })
	ca := newACME(t, acmeOptions{httpPort: 1, tlsPort: 1, dns: server.Addr, life: 6})
	secret := filepath.Join(t.TempDir(), "tsig.key")
	writeFile(t, secret, tsig)
	b.Want(Want{Config: Config{Issuer: ca.directory, CARoot: ca.root, DNS: dns01.Config{
		Provider: dns01.RFC2136, Server: server.Addr, KeyName: "roost", SecretFile: secret, Resolver: server.Addr,
	}}, Names: []string{"*.renewal.example.com"}})
	first := b.valid(t, "*.renewal.example.com")
	for deadline := time.Now().Add(30 * time.Second); !status(b.Certs, "*.renewal.example.com").Expires.After(first.Expires); {
		if time.Now().After(deadline) {
			t.Fatalf("not renewed: %+v", status(b.Certs, "*.renewal.example.com"))
		}
		<-time.After(20 * time.Millisecond)
	}
}

func TestAWrongKeyIsToldInStatusAndACorrectedOneTaken(t *testing.T) {
	t.Parallel()
	b, _, server, config := zoned(t, "key.example.com")
	writeFile(t, config.DNS.SecretFile, "b3RoZXI=")
	b.Want(Want{Config: config, Names: []string{"*.key.example.com"}})
	settle(t, b.Certs)
	failing(t, b, "*.key.example.com", "cannot set the TXT record _acme-challenge.key.example.com through rfc2136", `another secret for the key "roost"`)
	if n := server.Updates(); n != 0 {
		t.Errorf("%d updates", n)
	}
	writeFile(t, config.DNS.SecretFile, tsig) // nothing else is said to anybody
	if s := b.valid(t, "*.key.example.com"); s.Error != "" {
		t.Errorf("status: %+v", s)
	}
}

func TestANameServerThatIsDownIsToldInStatusAndTriedAgain(t *testing.T) {
	t.Parallel()
	b, _, _, config := zoned(t, "down.example.com")
	right := config
	gone := testport.Address(t)
	config.DNS.Server = gone
	b.Want(Want{Config: config, Names: []string{"*.down.example.com"}})
	failing(t, b, "*.down.example.com", "cannot reach the name server", "refused")
	config.DNS.Resolver = gone
	b.Want(Want{Config: config, Names: []string{"*.down.example.com"}})
	failing(t, b, "*.down.example.com", "cannot find the DNS zone of down.example.com")
	b.Want(Want{Config: right, Names: []string{"*.down.example.com"}})
	b.valid(t, "*.down.example.com")
}

func TestARecordThatIsNotSeenInTimeIsToldInStatusAndTriedAgain(t *testing.T) {
	t.Parallel()
	b, ca, server, config := zoned(t, "late.example.com")
	config.DNS.Propagation = unit.Duration(time.Second)
	server.Hide(true)
	b.Want(Want{Config: config, Names: []string{"*.late.example.com"}})
	failing(t, b, "*.late.example.com", "the TXT record _acme-challenge.late.example.com was set, and cannot be seen after 1s")
	server.Hide(false)
	b.valid(t, "*.late.example.com")
	if ca.orders.Load() < 2 {
		t.Error("it was not ordered again")
	}
	if left := server.TXT("_acme-challenge.late.example.com"); len(left) > 0 {
		eventually(t, "all records are removed", func() bool { return len(server.TXT("_acme-challenge.late.example.com")) == 0 })
	}
}

func TestAWildcardIsIssuedOnceThereIsAProvider(t *testing.T) {
	t.Parallel()
	b, _, _, config := zoned(t, "soon.example.com")
	without := config
	without.DNS = dns01.Config{}
	b.Want(Want{Config: without, Names: []string{"*.soon.example.com"}})
	settle(t, b.Certs)
	failing(t, b, "*.soon.example.com", "set dns in [tls]")
	b.Want(Want{Config: config, Names: []string{"*.soon.example.com"}})
	b.valid(t, "*.soon.example.com")
}
