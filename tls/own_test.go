package tls

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"roost/internal/testca"
)

// files are a pair in a folder of its own.
type files struct {
	t *testing.T
	Own
}

func newFiles(t *testing.T, names ...string) files {
	dir := t.TempDir()
	return files{t, Own{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"), Names: names}}
}

func (f files) write(cert, key []byte) {
	f.t.Helper()
	for file, text := range map[string][]byte{f.Cert: cert, f.Key: key} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			f.t.Fatal(err)
		}
	}
}

// serial is which certificate name is served, checked by a real client.
func serial(t *testing.T, address, name string, pool *x509.CertPool) string {
	t.Helper()
	state, err := dial(address, &tls.Config{ServerName: name, RootCAs: pool})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return state.PeerCertificates[0].SerialNumber.String()
}

// quickly has files looked at often.
func quickly(c *Certs) { c.looks = 5 * time.Millisecond }

func TestACertificateOfOnesOwnIsServedAndReadAgainWhenItChanges(t *testing.T) {
	checkLeaks(t)
	signer := testca.New(t, "Root")
	f := newFiles(t, "own.example.com", "*.own.example.com", "192.0.2.7", "own.localhost")
	f.write(signer.Site(nil, f.Names...))
	c := running(t, Options{}, quickly)
	address := serving(t, c)
	c.Want(Want{Names: append(f.Names, "other.localhost"), Own: []Own{f.Own}})
	// At once, without Settle, and without a CA that could be reached.
	first := serial(t, address, "own.example.com", signer.Pool)
	for _, name := range []string{"a.own.example.com", "own.localhost"} {
		if got := serial(t, address, name, signer.Pool); got != first {
			t.Errorf("%s has another certificate", name)
		}
	}
	settle(t, c)
	if serial(t, address, "other.localhost", roots(t, c)) == first {
		t.Error("another site has the certificate too")
	}
	if s := status(c, "own.example.com"); s.State != Valid || s.Issuer != "file" || s.KeyType != "ecdsa-p256" || s.Expires.IsZero() || !s.Renews.IsZero() || s.Error != "" {
		t.Errorf("status: %+v", s)
	}
	var refusal *Failure
	if err := c.Renew(t.Context(), "own.example.com"); !errors.As(err, &refusal) || !strings.Contains(refusal.Text, "is read from "+f.Cert) || refusal.Hint == "" {
		t.Errorf("renewed by hand: %v", err)
	}
	changed := func(what, than string) (now string) {
		t.Helper()
		eventually(t, what, func() bool { now = serial(t, address, "own.example.com", signer.Pool); return now != than })
		return now
	}
	// Written over, as some do; clients never meet anything but the one or the other.
	f.write(signer.Site(nil, f.Names...))
	second := changed("the second pair is served", first)
	// Renamed over, as others do.
	next := newFiles(t)
	next.write(signer.Site(nil, f.Names...))
	os.Rename(next.Cert, f.Cert)
	os.Rename(next.Key, f.Key)
	third := changed("the third pair is served", second)
	// Symbolic links that move, as certbot's.
	moved := newFiles(t)
	moved.write(signer.Site(nil, f.Names...))
	for from, to := range map[string]string{f.Cert: moved.Cert, f.Key: moved.Key} {
		os.Remove(from)
		if err := os.Symlink(to, from); err != nil {
			t.Fatal(err)
		}
	}
	changed("the fourth pair is served", third)
	if s := status(c, "own.example.com"); s.State != Valid || s.Error != "" {
		t.Errorf("status: %+v", s)
	}
}

// broken are pairs that cannot be, and what is said of each.
func broken(t *testing.T, signer *testca.CA) map[string]struct {
	cert, key []byte
	at, says  string
} {
	const name = "own.example.com"
	type bad = struct {
		cert, key []byte
		at, says  string
	}
	cert, key := signer.Site(nil, name)
	other, otherKey := signer.Site(nil, name)
	late, lateKey := signer.Site(func(as *x509.Certificate) { as.NotAfter = time.Now().Add(-time.Hour) }, name)
	early, earlyKey := signer.Site(func(as *x509.Certificate) { as.NotBefore = time.Now().Add(30 * time.Minute) }, name)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	leaf, rest := pem.Decode(cert)
	block, _ := pem.Decode(key)
	return map[string]bad{
		"mismatched":      {other, key, "key", "is not that of the certificate in"},
		"of another kind": {cert, testca.KeyPEM(t, rsaKey), "key", "is not that of the certificate in"},
		"expired":         {late, lateKey, "cert", "expired on 20"},
		"not yet valid":   {early, earlyKey, "cert", "is not valid before 20"},
		"empty":           {nil, key, "cert", "holds no certificate in PEM form"},
		"cut off":         {cert[:100], key, "cert", "holds no certificate in PEM form"},
		"nonsense inside": {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("nonsense")}), key, "cert", "cannot read the certificate in"},
		"leaf last":       {append(append([]byte{}, rest...), pem.EncodeToMemory(leaf)...), key, "cert", "the first certificate in"},
		"swapped":         {key, cert, "cert", "holds no certificate in PEM form"},
		"no key":          {cert, nil, "key", "holds no private key in PEM form"},
		"bad key":         {cert, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("nonsense")}), "key", "cannot read the key in"},
		"encrypted key":   {cert, pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: block.Bytes}), "key", "is encrypted, and nobody is there to say the password"},
		"encrypted key of old": {cert, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: block.Bytes,
			Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-256-CBC,00"}}), "key", "is encrypted"},
		"other's key": {cert, otherKey, "key", "is not that of the certificate in"},
	}
}

func TestAPairThatCannotBeIsRefusedWithTheReason(t *testing.T) {
	signer := testca.New(t, "Root")
	for name, bad := range broken(t, signer) {
		f := newFiles(t)
		f.write(bad.cert, bad.key)
		got := ValidateOwn(f.Cert, f.Key)
		if len(got) != 1 || got[0].Key != bad.at || !strings.Contains(got[0].What, bad.says) || got[0].Hint == "" {
			t.Errorf("%s: %q, want %s: %s", name, got, bad.at, bad.says)
		}
	}
	f := newFiles(t)
	f.write(signer.Site(nil, "own.example.com"))
	for _, test := range []struct{ cert, key, at, says string }{
		{f.Cert, f.Key, "", ""},
		{"", "", "", ""},
		{f.Cert, "", "cert", "cert is set without key"},
		{"", f.Key, "key", "key is set without cert"},
		{f.Cert + "x", f.Key, "cert", "no such file"},
		{f.Cert, f.Key + "x", "key", "no such file"},
		{filepath.Dir(f.Cert), f.Key, "cert", "is not a file"},
		{"/dev/zero", f.Key, "cert", "is not a file"},
	} {
		got := ValidateOwn(test.cert, test.key)
		if len(got) == 0 && test.at == "" {
			continue
		}
		if len(got) != 1 || got[0].Key != test.at || !strings.Contains(got[0].What, test.says) || got[0].Hint == "" {
			t.Errorf("%s, %s: %q", test.cert, test.key, got)
		}
	}
}

func TestAPairThatCannotBeLeavesTheOneBeforeServing(t *testing.T) {
	signer := testca.New(t, "Root")
	f := newFiles(t, "own.example.com")
	f.write(signer.Site(nil, f.Names...))
	log := &testLog{t: t}
	c := running(t, Options{Log: slogTo(log)}, quickly)
	address := serving(t, c)
	c.Want(Want{Names: f.Names, Own: []Own{f.Own}})
	now := serial(t, address, "own.example.com", signer.Pool)
	for name, bad := range broken(t, signer) {
		f.write(bad.cert, bad.key)
		eventually(t, name+" is told in status", func() bool {
			s := status(c, "own.example.com")
			return s.State == Failing && strings.Contains(s.Error, bad.says) && strings.Contains(s.Error, "what was there before is served") && s.Hint != ""
		})
		if !strings.Contains(log.String(), bad.says) {
			t.Errorf("%s: not in the log", name)
		}
		if got := serial(t, address, "own.example.com", signer.Pool); got != now {
			t.Errorf("%s is served", name)
		}
	}
	os.Remove(f.Key)
	eventually(t, "a key that is gone is told", func() bool { return strings.Contains(status(c, "own.example.com").Error, "no such file") })
	f.write(signer.Site(nil, f.Names...))
	eventually(t, "a good pair is served", func() bool { return serial(t, address, "own.example.com", signer.Pool) != now })
	eventually(t, "and the trouble forgotten", func() bool { return status(c, "own.example.com").State == Valid })
}

func TestClientsNeverMeetHalfAPair(t *testing.T) {
	signer := testca.New(t, "Root")
	f := newFiles(t, "own.example.com")
	f.write(signer.Site(nil, f.Names...))
	c := running(t, Options{}, quickly)
	address := serving(t, c)
	c.Want(Want{Names: f.Names, Own: []Own{f.Own}})
	done := make(chan struct{})
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if _, err := dial(address, &tls.Config{ServerName: "own.example.com", RootCAs: signer.Pool}); err != nil {
					t.Errorf("a client: %v", err)
					return
				}
			}
		})
	}
	was := serial(t, address, "own.example.com", signer.Pool)
	for range 5 {
		cert, key := signer.Site(nil, f.Names...)
		// In pieces, each of which is looked at more than once.
		looked := func() {
			for range 2 {
				c.reload(time.Now())
			}
		}
		for _, half := range [][]byte{cert[:len(cert)/3], cert[:len(cert)/3*2], cert} {
			os.WriteFile(f.Cert, half, 0o600)
			looked()
		}
		if serial(t, address, "own.example.com", signer.Pool) != was {
			t.Error("the certificate is served without its key")
		}
		os.WriteFile(f.Key, key[:len(key)/2], 0o600)
		looked()
		os.WriteFile(f.Key, key, 0o600)
		eventually(t, "the next pair is served", func() bool { return serial(t, address, "own.example.com", signer.Pool) != was })
		was = serial(t, address, "own.example.com", signer.Pool)
	}
	close(done)
	clients.Wait()
}

func TestAtStartAnExpiredPairIsServedForWantOfAnotherAndNoneIsNone(t *testing.T) {
	signer := testca.New(t, "Root")
	late, missing, elsewhere := newFiles(t, "late.example.com"), newFiles(t, "missing.example.com"), newFiles(t, "elsewhere.example.com")
	late.write(signer.Site(func(as *x509.Certificate) { as.NotAfter = time.Now().Add(-time.Hour) }, late.Names...))
	elsewhere.write(signer.Site(nil, "www.example.org", "192.0.2.1"))
	c := running(t, Options{}, quickly)
	address := serving(t, c)
	c.Want(Want{Names: []string{"late.example.com", "missing.example.com", "elsewhere.example.com"}, Own: []Own{late.Own, missing.Own, elsewhere.Own}})
	settle(t, c) // what broke by itself stands in nobody's way
	if _, err := dial(address, &tls.Config{ServerName: "late.example.com", RootCAs: signer.Pool}); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("late: %v", err)
	}
	if _, err := dial(address, &tls.Config{ServerName: "missing.example.com", RootCAs: signer.Pool}); err == nil || !strings.Contains(err.Error(), "internal error") {
		t.Errorf("missing: %v", err)
	}
	for name, says := range map[string]string{
		"late.example.com":      "expired on",
		"missing.example.com":   "no such file",
		"elsewhere.example.com": "is not for elsewhere.example.com but for www.example.org, 192.0.2.1",
	} {
		if s := status(c, name); s.State != Failing || !strings.Contains(s.Error, says) {
			t.Errorf("%s: %+v", name, s)
		}
	}
	if note := NoteOwn(elsewhere.Own); !strings.Contains(note, "is not for elsewhere.example.com but for") {
		t.Errorf("note: %q", note)
	}
	late.write(signer.Site(nil, late.Names...))
	missing.write(signer.Site(nil, missing.Names...))
	for _, name := range []string{"late.example.com", "missing.example.com"} {
		eventually(t, name+" has its certificate", func() bool { return status(c, name).State == Valid })
		serial(t, address, name, signer.Pool)
	}
	if note := NoteOwn(late.Own); note != "" {
		t.Errorf("note: %q", note)
	}
}

func TestAPairExpiresWhileItIsServed(t *testing.T) {
	signer := testca.New(t, "Root")
	f := newFiles(t, "own.example.com")
	f.write(signer.Site(nil, f.Names...))
	p := newPair(f.Cert, f.Key, time.Now())
	if cert, err := p.state(); cert == nil || err != nil {
		t.Fatal(cert, err)
	}
	later := time.Now().Add(48 * time.Hour)
	if !p.look(later) {
		t.Error("nothing to say when it has expired")
	}
	if cert, err := p.state(); cert == nil || err == nil || !strings.Contains(err.Error(), "expired on") {
		t.Error(cert, err)
	}
	if p.look(later) {
		t.Error("says so again")
	}
	// One from a later time on is taken when that has come.
	f.write(signer.Site(func(as *x509.Certificate) { as.NotBefore, as.NotAfter = later.Add(time.Hour), later.Add(9*time.Hour) }, f.Names...))
	before, _ := p.state()
	p.look(later)
	p.look(later)
	if cert, err := p.state(); cert != before || !strings.Contains(err.Error(), "is not valid before") {
		t.Error(cert, err)
	}
	if !p.look(later.Add(2 * time.Hour)) {
		t.Error("not taken when its time has come")
	}
	if cert, err := p.state(); cert == before || err != nil {
		t.Error(cert, err)
	}
}

func TestACertificateOfOnesOwnWinsOverTheCA(t *testing.T) {
	t.Parallel()
	b := newBox(t, Options{}, true, true, func(c *Certs) { c.backoff = soon; quickly(c) })
	ca := newACME(t, acmeOptions{httpPort: b.httpPort, tlsPort: b.httpsPort})
	signer := testca.New(t, "Root")
	f := newFiles(t, "wins.example.com", "*.wins.example.com")
	f.write(signer.Site(nil, f.Names...))
	w := Want{Config: Config{Issuer: ca.directory, CARoot: ca.root}, Names: []string{"wins.example.com", "*.wins.example.com", "ca.example.com"}, Own: []Own{f.Own}}
	b.Want(w)
	b.valid(t, "ca.example.com")
	if n := ca.orders.Load(); n != 1 {
		t.Errorf("%d orders, want that for the other name alone", n)
	}
	own := serial(t, b.https, "wins.example.com", signer.Pool)
	serial(t, b.https, "any.wins.example.com", signer.Pool)
	// Without it the CA is asked; until it has issued, the old one is served.
	w.Own, w.Names = nil, []string{"wins.example.com", "ca.example.com"}
	ca.down.Store(true)
	b.Want(w)
	eventually(t, "the CA is asked", func() bool { return status(b.Certs, "wins.example.com").State == Failing })
	if serial(t, b.https, "wins.example.com", signer.Pool) != own {
		t.Error("another certificate while the CA is down")
	}
	ca.down.Store(false)
	b.valid(t, "wins.example.com")
	serial(t, b.https, "wins.example.com", ca.pool)
	// And back: it is served at once, and the CA's is not renewed any more.
	w.Own = []Own{f.Own}
	b.Want(w)
	if serial(t, b.https, "wins.example.com", signer.Pool) != own {
		t.Error("not the certificate of one's own")
	}
	eventually(t, "the CA's is forgotten", func() bool { return len(b.cache.AllMatchingCertificates("wins.example.com")) == 0 })
	if n := ca.orders.Load(); n != 2 {
		t.Errorf("%d orders", n)
	}
}
