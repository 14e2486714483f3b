package tls

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// client is a client that trusts c's internal CA.
func client(t *testing.T, c *Certs, name string) *tls.Config {
	t.Helper()
	return &tls.Config{ServerName: name, RootCAs: roots(t, c)}
}

func TestPrivateNamesHaveCertificatesAtOnce(t *testing.T) {
	checkLeaks(t)
	c := running(t, Options{}, nil)
	address := serving(t, c)
	c.Want(Want{Names: []string{"LocalHost", "docs.localhost", "*.shop.internal", "127.0.0.1", "mybox"}})
	// Before anything is stored: the mint fills in.
	if _, err := dial(address, client(t, c, "localhost")); err != nil {
		t.Errorf("right after Want: %v", err)
	}
	settle(t, c)
	for _, name := range []string{"localhost", "docs.localhost", "a.shop.internal", "127.0.0.1", "mybox"} {
		state, err := dial(address, client(t, c, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if state.Version != tls.VersionTLS13 {
			t.Errorf("%s: TLS version %x", name, state.Version)
		}
	}
	list := c.Status()
	if len(list) != 5 {
		t.Fatalf("status: %+v", list)
	}
	for _, s := range list {
		if s.State != Valid || s.Issuer != "internal" || s.KeyType != "ecdsa-p256" || s.Error != "" {
			t.Errorf("status: %+v", s)
		}
		if s.NotBefore.After(time.Now()) || s.Expires.Before(time.Now()) || s.Renews.Before(s.NotBefore) || s.Renews.After(s.Expires) {
			t.Errorf("status: %+v", s)
		}
	}
}

func TestAStoredCertificateIsServedAgainAfterARestart(t *testing.T) {
	o := Options{Dir: t.TempDir()}
	var hashes []string
	for range 2 {
		c, stop := runningUntil(t, o, nil)
		c.Want(Want{Names: []string{"localhost"}})
		settle(t, c)
		c.mu.Lock()
		hashes = append(hashes, c.entries["localhost"].hash)
		c.mu.Unlock()
		stop()
	}
	if hashes[0] != hashes[1] || hashes[0] == "" {
		t.Errorf("another certificate after the restart: %q", hashes)
	}
}

func TestLocksOfAKilledProcessHoldNothingUp(t *testing.T) {
	o := Options{Dir: t.TempDir()}
	lock := filepath.Join(o.Dir, "locks", "issue_cert_localhost.lock")
	if err := os.MkdirAll(filepath.Dir(lock), 0o700); err != nil {
		t.Fatal(err)
	}
	now := time.Now().Format(time.RFC3339Nano)
	if err := os.WriteFile(lock, []byte(`{"created":"`+now+`","updated":"`+now+`"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	c := running(t, o, nil)
	c.Want(Want{Names: []string{"localhost"}})
	settle(t, c)
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestWhatServerNamesAreAnswered(t *testing.T) {
	checkLeaks(t)
	// No HTTP or HTTPS port: the public name waits for ever.
	c := running(t, Options{}, nil)
	address := serving(t, c)
	const refused = "unrecognized name"
	tests := []struct {
		sni        string // "": none
		named, any string // the name served, or the alert: wanted names alone, and with AnyName
	}{
		{"localhost", "localhost", "localhost"},
		{"LOCALHOST", "localhost", "localhost"},
		{"docs.localhost", "docs.localhost", "docs.localhost"},
		{"other.localhost", refused, "other.localhost"},
		{"a.b.localhost", refused, "a.b.localhost"},
		{"a.shop.internal", "*.shop.internal", "*.shop.internal"},
		{"shop.internal", refused, "shop.internal"},
		{"a.b.shop.internal", refused, "a.b.shop.internal"},
		{"a.lan", "a.lan", "a.lan"}, // "*.lan" is wanted, but browsers refuse it: the very name
		{"mybox", refused, "mybox"},
		{"", refused, "127.0.0.1"},
		{"www.example.com", "internal error", "internal error"}, // wanted, public, not there yet
		{"a.www.example.com", refused, refused},
		{"example.com", refused, refused},
		{"unknown.example.org", refused, refused},
		{"a_b-c.localhost", refused, "a_b-c.localhost"},
		{"-bad-.localhost", refused, refused},
		{"b%d.localhost", refused, refused},
	}
	names := []string{"localhost", "docs.localhost", "*.shop.internal", "*.lan", "www.example.com"}
	for _, any := range []bool{false, true} {
		c.Want(Want{Names: names, AnyName: any})
		settle(t, c)
		for _, tt := range tests {
			want := tt.named
			if any {
				want = tt.any
			}
			pool := roots(t, c)
			state, err := dial(address, &tls.Config{
				ServerName:         tt.sni,
				InsecureSkipVerify: true, // verified below, for the name that it should have
				VerifyConnection: func(state tls.ConnectionState) error {
					if want == refused || want == "internal error" {
						return nil
					}
					between := x509.NewCertPool()
					for _, cert := range state.PeerCertificates[1:] {
						between.AddCert(cert)
					}
					name := strings.Replace(want, "*", "a", 1)
					_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{DNSName: name, Roots: pool, Intermediates: between})
					return err
				},
			})
			var got string
			switch {
			case err != nil:
				got = strings.TrimPrefix(err.Error(), "remote error: tls: ")
			default:
				leaf := state.PeerCertificates[0]
				got = strings.Join(leaf.DNSNames, ",")
				for _, ip := range leaf.IPAddresses {
					got += ip.String()
				}
			}
			if got != want {
				t.Errorf("SNI %q, any %v: %s, want %s", tt.sni, any, got, want)
			}
		}
	}
	if s := status(c, "www.example.com"); s.State != Waiting || s.Error != "" || s.Retry.IsZero() {
		t.Errorf("a public name before the host listens: %+v", s)
	}
}

func TestAWantedAddressIsServedToClientsWithoutServerName(t *testing.T) {
	c := running(t, Options{}, nil)
	address := serving(t, c)
	c.Want(Want{Names: []string{"127.0.0.1"}})
	settle(t, c)
	for range 2 {
		state, err := dial(address, client(t, c, "127.0.0.1")) // crypto/tls sends no server name for addresses
		if err != nil {
			t.Fatal(err)
		}
		if n := len(state.PeerCertificates[0].DNSNames); n != 0 {
			t.Errorf("%d DNS names in the certificate of an address", n)
		}
	}
}

func TestTheMintIsBounded(t *testing.T) {
	ca := openCA(t, t.TempDir())
	m := &mint{ca: ca}
	first, err := m.certificate("a.localhost")
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := m.certificate("a.localhost"); again != first {
		t.Error("minted twice for the same name")
	}
	for i := range mostMinted + 10 {
		if _, err := m.certificate(strings.Repeat("x", i%60+1) + string(rune('a'+i%26)) + strings.Repeat("y", i/60) + ".localhost"); err != nil {
			t.Fatal(err)
		}
	}
	if len(m.certs) > mostMinted {
		t.Errorf("%d minted certificates in memory, at most %d are wanted", len(m.certs), mostMinted)
	}
}

func TestAMintedCertificateIsReplacedInTime(t *testing.T) {
	ca := openCA(t, t.TempDir())
	ca.life, ca.back = time.Hour, 50*time.Hour // old already
	m := &mint{ca: ca}
	first, err := m.certificate("a.localhost")
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := m.certificate("a.localhost"); again == first {
		t.Error("one that is due was served again")
	}
}

func TestADroppedNameIsNoLongerServedNorRenewed(t *testing.T) {
	c := running(t, Options{}, nil)
	address := serving(t, c)
	c.Want(Want{Names: []string{"localhost", "docs.localhost"}})
	settle(t, c)
	c.Want(Want{Names: []string{"localhost"}})
	settle(t, c)
	if _, err := dial(address, client(t, c, "docs.localhost")); err == nil {
		t.Error("still served")
	}
	if left := c.cache.AllMatchingCertificates("docs.localhost"); len(left) != 0 {
		t.Errorf("still in the cache: %v", left[0].Names)
	}
	if list := c.Status(); len(list) != 1 {
		t.Errorf("status: %+v", list)
	}
}

func TestCertificatesOfTheInternalCAAreRenewed(t *testing.T) {
	t.Parallel()
	c := running(t, Options{}, func(c *Certs) {
		c.ca.life, c.ca.back = 3*time.Second, 0
		c.check = 50 * time.Millisecond
	})
	c.Want(Want{Names: []string{"renewed.localhost"}})
	settle(t, c)
	first := status(c, "renewed.localhost").Expires
	eventually(t, "another certificate is served", func() bool {
		p, _ := c.table.Load().find("renewed.localhost")
		return p.cert != nil && p.cert.Leaf.NotAfter.After(first)
	})
	if s := status(c, "renewed.localhost"); s.State != Valid {
		t.Errorf("status: %+v", s)
	}
}

func TestAnExpiredCertificateInTheStorageIsReplaced(t *testing.T) {
	t.Parallel()
	o := Options{Dir: t.TempDir()}
	c, stop := runningUntil(t, o, func(c *Certs) {
		c.ca.life, c.ca.back = time.Second, 0
		c.check = time.Millisecond // else it would be renewed right away
	})
	c.Want(Want{Names: []string{"expired.localhost"}})
	settle(t, c)
	stop()
	ends := status(c, "expired.localhost").Expires.Add(time.Second) // certmagic counts the whole last second
	eventually(t, "it has expired", func() bool { return time.Now().After(ends) })

	c = running(t, o, nil)
	address := serving(t, c)
	c.Want(Want{Names: []string{"expired.localhost"}})
	settle(t, c)
	if _, err := dial(address, client(t, c, "expired.localhost")); err != nil {
		t.Errorf("right after the start: %v", err)
	}
	eventually(t, "the stored one is renewed", func() bool { return status(c, "expired.localhost").Expires.After(time.Now()) })
}

func TestADamagedCertificateInTheStorageIsReplacedAndKept(t *testing.T) {
	o := Options{Dir: t.TempDir()}
	c, stop := runningUntil(t, o, nil)
	c.Want(Want{Names: []string{"localhost"}})
	settle(t, c)
	stop()
	for _, file := range []string{"localhost.key", "localhost.json", "localhost.crt"} {
		path := filepath.Join(o.Dir, "certificates", "internal", "localhost", file)
		if _, err := os.Stat(path); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		c, stop := runningUntil(t, o, nil)
		c.Want(Want{Names: []string{"localhost"}})
		settle(t, c)
		if s := status(c, "localhost"); s.State != Valid {
			t.Errorf("%s damaged: %+v", file, s)
		}
		stop()
	}
	kept, err := os.ReadDir(filepath.Join(o.Dir, "corrupt"))
	if len(kept) != 3 {
		t.Errorf("kept: %v, %v", kept, err)
	}
}

func TestPrivateNamesAreServedEvenWhenNothingCanBeStored(t *testing.T) {
	c := running(t, Options{}, func(c *Certs) {
		if err := c.ca.ready(); err != nil {
			t.Fatal(err)
		}
		// A file where certmagic wants a folder: as final as a full disk, for root too.
		if err := os.WriteFile(filepath.Join(c.o.Dir, "certificates"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		c.backoff = func(int) time.Duration { return 20 * time.Millisecond }
	})
	address := serving(t, c)
	c.Want(Want{Names: []string{"localhost"}})
	if err := c.Settle(t.Context()); err == nil || !strings.Contains(err.Error(), "localhost") {
		t.Errorf("Settle: %v, want the reason", err)
	}
	if _, err := dial(address, client(t, c, "localhost")); err != nil {
		t.Error(err)
	}
	if s := status(c, "localhost"); s.State != Failing || s.Error == "" || s.Retry.IsZero() {
		t.Errorf("status: %+v", s)
	}
	// And when it can, it is.
	if err := os.Remove(filepath.Join(c.o.Dir, "certificates")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the certificate is stored", func() bool { return status(c, "localhost").State == Valid })
	if s := status(c, "localhost"); s.Error != "" {
		t.Errorf("status: %+v", s)
	}
}

func TestADamagedRootFailsSettleAndSaysSo(t *testing.T) {
	o := Options{Dir: t.TempDir()}
	if err := os.MkdirAll(filepath.Join(o.Dir, "ca"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(o.Dir, "ca", "root.pem"), []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	log := &testLog{t: t}
	o.Log = slogTo(log)
	c := running(t, o, nil)
	for _, w := range []Want{{Names: []string{"localhost"}}, {AnyName: true}} {
		c.Want(w)
		if err := c.Settle(t.Context()); err == nil || !strings.Contains(err.Error(), "left as it is") {
			t.Errorf("%+v: Settle: %v", w, err)
		}
	}
	if !strings.Contains(log.String(), "level=ERROR") {
		t.Error("nothing in the log")
	}
	// Public names have nothing to do with it.
	c.Want(Want{Names: []string{"example.com"}})
	settle(t, c)
}

func TestSettleEndsWithItsContextAndWithRun(t *testing.T) {
	c, err := New(Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	c.Want(Want{Names: []string{"localhost"}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Settle(ctx); err == nil {
		t.Error("settled without running")
	}
	r, stop := runningUntil(t, Options{}, nil)
	stop()
	if err := r.Settle(t.Context()); err == nil || !strings.Contains(err.Error(), "stopped") {
		t.Errorf("Settle after Run: %v", err)
	}
	if err := r.Run(t.Context()); err == nil {
		t.Error("ran twice")
	}
}

func TestNamesThatCannotHaveACertificateAreToldAndHoldNothingUp(t *testing.T) {
	c := running(t, Options{}, nil)
	c.Want(Want{Names: []string{"no good", "*.example.com", "localhost"}})
	settle(t, c)
	for name, part := range map[string]string{"no good": "neither a domain name", "*.example.com": "set dns in [tls]"} {
		if s := status(c, name); s.State != Failing || !strings.Contains(s.Error, part) {
			t.Errorf("status: %+v, want %q", s, part)
		}
	}
	// The internal CA needs no challenge.
	c.Want(Want{Config: Config{Issuer: "internal"}, Names: []string{"*.example.com", "example.com"}})
	settle(t, c)
	for _, s := range c.Status() {
		if s.State != Valid || s.Issuer != "internal" {
			t.Errorf("status: %+v", s)
		}
	}
}

func TestTheFolderIsClosedToOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // there are no such permissions
	}
	dir := filepath.Join(t.TempDir(), "a", "tls")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Options{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(dir); info.Mode().Perm() != 0o700 {
		t.Errorf("permissions %v", info.Mode())
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Options{Dir: filepath.Join(file, "tls")}); err == nil {
		t.Error("a folder below a file")
	}
}

func TestWaitsGrowAndDiffer(t *testing.T) {
	for try, want := range map[int]time.Duration{1: time.Minute, 2: 2 * time.Minute, 5: 16 * time.Minute, 10: 6 * time.Hour, 1000: 6 * time.Hour} {
		var least, most time.Duration
		for i := range 100 {
			wait := backoff(try)
			if i == 0 {
				least, most = wait, wait
			}
			least, most = min(least, wait), max(most, wait)
		}
		if least < want-want/10 || most > want+want/10 || least == most {
			t.Errorf("try %d: from %v to %v, want about %v", try, least, most, want)
		}
	}
}

func TestCleaningTakesWhatHasLongEnded(t *testing.T) {
	c := running(t, Options{}, nil)
	c.Want(Want{Names: []string{"localhost", "old.localhost"}})
	settle(t, c)
	old, err := newIdentity(&x509.Certificate{NotBefore: time.Now().Add(-90 * 24 * time.Hour), NotAfter: time.Now().Add(-15 * 24 * time.Hour)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	file := func(name string) string { return filepath.Join(c.o.Dir, "certificates", "internal", name, name+".crt") }
	if err := os.WriteFile(file("old.localhost"), certificatePEM(old.cert.Raw), 0o600); err != nil {
		t.Fatal(err)
	}
	c.clean(t.Context())
	if _, err := os.Stat(file("old.localhost")); err == nil {
		t.Error("the old certificate is still there")
	}
	if _, err := os.Stat(file("localhost")); err != nil {
		t.Error(err)
	}
}
