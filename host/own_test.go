package host

import (
	"crypto/tls"
	"crypto/x509"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"roost/internal/testca"
)

func TestASiteBringsItsCertificate(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	ca := testca.New(t, "Root")
	dir := b.folder(map[string]string{"index.html": "hello"})
	ca.Write(dir, nil, "own.example.com")
	file := filepath.Join(dir, "roost.toml")
	c, problems := Check(file, []byte(`
[[site]]
domains = ["own.example.com"]
root = "."
cert = "cert.pem"
key = "key.pem"
`), "")
	if len(problems) > 0 {
		t.Fatal(Problems(problems))
	}
	b.settled(c)
	serial := func() string {
		t.Helper()
		conn, err := tls.Dial("tcp", b.address("https"), &tls.Config{ServerName: "own.example.com", RootCAs: ca.Pool})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	first := serial()
	// A bad one is a problem of the status, and the site goes on.
	ca.Write(dir, func(as *x509.Certificate) { as.NotAfter = time.Now().Add(-time.Minute) }, "own.example.com")
	until(t, "the problem is told", func() bool {
		return slices.ContainsFunc(b.Status().Problems, func(p string) bool {
			return strings.Contains(p, "certificate for own.example.com") && strings.Contains(p, "expired on")
		})
	})
	if serial() != first {
		t.Error("the expired one is served")
	}
	ca.Write(dir, nil, "own.example.com")
	until(t, "the next one is served", func() bool { return serial() != first })
	until(t, "no problem is left", func() bool { return len(b.Status().Problems) == 0 })
}

func TestACertificateThatCannotBeUsedHasItsLine(t *testing.T) {
	ca := testca.New(t, "Root")
	dir := folderWith(t, "public/", "a/", "b/")
	ca.Write(filepath.Join(dir, "a"), nil, "a.example.com", "192.0.2.1")
	ca.Write(filepath.Join(dir, "b"), nil, "b.example.com")
	c, problems := Check(filepath.Join(dir, "roost.toml"), []byte(`[[site]]
domains = ["a.example.com", "other.example.com"]
root = "public"
cert = "a/cert.pem"
key = "b/key.pem"

[[site]]
domains = ["b.example.com"]
root = "public"
cert = "b/cert.pem"

[[site]]
root = "public"
cert = "b/cert.pem"
key = "b/key.pem"

[[site]]
domains = ["c.example.com"]
root = "public"
cert = "c/cert.pem"
key = "c/key.pem"

[[site]]
domains = ["a.example.com"]
cert = "a/cert.pem"
key = "a/key.pem"
  [[site.route]]
  path = "/more/"
  root = "public"
`), "")
	want := []string{
		`roost.toml:5: site a.example.com: the key in b/key.pem is not that of the certificate in a/cert.pem: name the two files that were made together`,
		`roost.toml:10: site b.example.com: cert is set without key: set key to the PEM file of its private key`,
		`roost.toml:14: site *: a certificate of one's own is for domains, and the site lists none: list them in domains`,
		`roost.toml:20: site c.example.com: cannot read the file: open c/cert.pem: no such file or directory: name a PEM file that this user can read`,
		`roost.toml:24: site a.example.com: another site has another certificate for a.example.com: a/cert.pem: a domain has one certificate: name the same files, or leave them out of one of the sites`,
	}
	got := problemLines(dir, problems)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	// A name that is not covered is no problem, but people are told.
	c.Sites = c.Sites[4:]
	c.Sites[0].Domains = append(c.Sites[0].Domains, "other.example.com")
	notes := strings.Join(Notes(c), "\n")
	if !strings.Contains(notes, "cert.pem is not for other.example.com but for a.example.com, 192.0.2.1: clients will refuse it") {
		t.Errorf("notes: %s", notes)
	}
}
