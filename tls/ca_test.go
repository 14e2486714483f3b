package tls

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func openCA(t *testing.T, dir string) *authority {
	t.Helper()
	return newAuthority(filepath.Join(dir, "ca"), slog.New(slog.NewTextHandler(&testLog{t: t}, nil)))
}

// verify signs a certificate for name and checks it as a client with the root would.
func verify(t *testing.T, a *authority, name, as string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := a.leaf(name, key.Public())
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(chain[0])
	if err != nil {
		t.Fatal(err)
	}
	intermediate, err := x509.ParseCertificate(chain[1])
	if err != nil {
		t.Fatal(err)
	}
	text, err := a.rootPEM()
	if err != nil {
		t.Fatal(err)
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	between.AddCert(intermediate)
	if _, err := leaf.Verify(x509.VerifyOptions{DNSName: as, Roots: roots, Intermediates: between}); err != nil {
		t.Errorf("certificate for %s, as %s: %v", name, as, err)
	}
	return leaf
}

func TestTheInternalCAsChainVerifiesWithItsRoot(t *testing.T) {
	a := openCA(t, t.TempDir())
	for name, as := range map[string]string{
		"localhost": "localhost", "docs.localhost": "docs.localhost", "*.shop.internal": "a.shop.internal",
		"127.0.0.1": "127.0.0.1", "::1": "::1", "example.com": "example.com",
	} {
		leaf := verify(t, a, name, as)
		if life := time.Until(leaf.NotAfter); life < 6*24*time.Hour || life > 8*24*time.Hour {
			t.Errorf("%s: lives for %v, want a week", name, life)
		}
	}
	host, _ := os.Hostname()
	if cn := a.root.cert.Subject.CommonName; !strings.HasPrefix("Roost Internal CA "+host, cn) {
		t.Errorf("root's name = %q", cn)
	}
	if years := time.Until(a.root.cert.NotAfter).Hours() / 24 / 365; years < 9.9 || years > 10.1 {
		t.Errorf("root lives for %.1f years, want 10", years)
	}
}

func TestTheRootStaysTheSameWhenOpenedAgain(t *testing.T) {
	dir := t.TempDir()
	first, err := openCA(t, dir).rootPEM()
	if err != nil {
		t.Fatal(err)
	}
	again := openCA(t, dir)
	second, err := again.rootPEM()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Error("another root after opening again")
	}
	if public, err := os.ReadFile(again.rootCopy()); err != nil || !bytes.Equal(public, first) {
		t.Errorf("root.crt = %q, %v, want the root", public, err)
	}
	verify(t, again, "localhost", "localhost")
}

func TestFilesOfTheCAAreClosedToOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // there are no such permissions
	}
	dir := t.TempDir()
	verify(t, openCA(t, dir), "localhost", "localhost")
	var files int
	err := filepath.WalkDir(filepath.Join(dir, "ca"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: permissions %v", path, info.Mode())
		}
		files++
		return nil
	})
	if err != nil || files != 4 { // the folder, root.pem, root.crt, intermediate.pem
		t.Errorf("%d files, %v", files, err)
	}
}

func TestADamagedRootIsLoudAndLeftAlone(t *testing.T) {
	other := func(t *testing.T) []byte {
		a := openCA(t, t.TempDir())
		if err := a.ready(); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(a.rootFile())
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for what, damage := range map[string]func(t *testing.T, text []byte) []byte{
		"empty":              func(*testing.T, []byte) []byte { return nil },
		"rubbish":            func(*testing.T, []byte) []byte { return []byte("not a certificate") },
		"cut off in the key": func(_ *testing.T, text []byte) []byte { return text[:len(text)-60] },
		"a flipped bit": func(_ *testing.T, text []byte) []byte {
			text = bytes.Clone(text)
			at := bytes.Index(text, []byte("\n")) + 200
			text[at] ^= 1
			return text
		},
		"another root's key": func(t *testing.T, text []byte) []byte {
			key := other(t)
			const mark = "-----BEGIN PRIVATE KEY"
			return append(bytes.Clone(text[:bytes.Index(text, []byte(mark))]), key[bytes.Index(key, []byte(mark)):]...)
		},
	} {
		t.Run(what, func(t *testing.T) {
			dir := t.TempDir()
			a := openCA(t, dir)
			if err := a.ready(); err != nil {
				t.Fatal(err)
			}
			good, err := os.ReadFile(a.rootFile())
			if err != nil {
				t.Fatal(err)
			}
			bad := damage(t, good)
			if err := os.WriteFile(a.rootFile(), bad, 0o600); err != nil {
				t.Fatal(err)
			}
			a = openCA(t, dir)
			_, err = a.rootPEM()
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range []string{a.rootFile(), "left as it is", "backup", "roost ca install"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
			if now, err := os.ReadFile(a.rootFile()); err != nil || !bytes.Equal(now, bad) {
				t.Errorf("the damaged file has changed: %v", err)
			}
			if err := os.WriteFile(a.rootFile(), good, 0o600); err != nil {
				t.Fatal(err)
			}
			verify(t, a, "localhost", "localhost") // restored: no restart needed
		})
	}
}

func TestAMissingRootIsNotMadeAgainBesideItsIntermediate(t *testing.T) {
	a := openCA(t, t.TempDir())
	if err := a.ready(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(a.rootFile()); err != nil {
		t.Fatal(err)
	}
	if err := openCA(t, filepath.Dir(a.dir)).ready(); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("error = %v, want that the root is missing", err)
	}
}

func TestADamagedIntermediateIsReplacedAndKept(t *testing.T) {
	dir := t.TempDir()
	a := openCA(t, dir)
	root, err := a.rootPEM()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(a.intermediateFile(), []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	a = openCA(t, dir)
	verify(t, a, "localhost", "localhost")
	if again, _ := a.rootPEM(); !bytes.Equal(root, again) {
		t.Error("another root")
	}
	kept, _ := filepath.Glob(a.intermediateFile() + ".corrupt-*")
	if len(kept) != 1 {
		t.Fatalf("kept files: %v, want one", kept)
	}
	if text, _ := os.ReadFile(kept[0]); string(text) != "rubbish" {
		t.Errorf("kept: %q", text)
	}
}

func TestAnAgingIntermediateIsReplacedByTheRoot(t *testing.T) {
	dir := t.TempDir()
	a := openCA(t, dir)
	if err := a.ready(); err != nil {
		t.Fatal(err)
	}
	old, err := newIdentity(&x509.Certificate{
		Subject:   pkix.Name{CommonName: "old"},
		NotBefore: time.Now().Add(-340 * 24 * time.Hour), NotAfter: time.Now().Add(25 * 24 * time.Hour), MaxPathLenZero: true,
	}, a.root)
	if err != nil {
		t.Fatal(err)
	}
	if err := writeIdentity(a.intermediateFile(), old); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(a.rootFile())
	if err != nil {
		t.Fatal(err)
	}

	// Without the root's key the old one is used on.
	if err := os.WriteFile(a.rootFile(), certificatePEM(a.root.cert.Raw), 0o600); err != nil {
		t.Fatal(err)
	}
	a = openCA(t, dir)
	if leaf := verify(t, a, "localhost", "localhost"); !bytes.Equal(leaf.AuthorityKeyId, old.cert.SubjectKeyId) {
		t.Error("not signed by the old intermediate")
	}

	// With the key back, another one is made.
	if err := os.WriteFile(a.rootFile(), text, 0o600); err != nil {
		t.Fatal(err)
	}
	a = openCA(t, dir)
	leaf := verify(t, a, "localhost", "localhost")
	if bytes.Equal(leaf.AuthorityKeyId, old.cert.SubjectKeyId) {
		t.Error("still signed by the old intermediate")
	}
}

func TestALeafNeverOutlivesItsIntermediate(t *testing.T) {
	a := openCA(t, t.TempDir())
	if err := a.ready(); err != nil {
		t.Fatal(err)
	}
	a.life = 3 * intermediateLife
	if leaf := verify(t, a, "localhost", "localhost"); leaf.NotAfter.After(a.intermediate.cert.NotAfter) {
		t.Errorf("leaf until %v, intermediate until %v", leaf.NotAfter, a.intermediate.cert.NotAfter)
	}
}

func TestARootNearItsEndIsUsedToTheLastAndWarnedAbout(t *testing.T) {
	a := openCA(t, t.TempDir())
	log := &testLog{t: t}
	a.log = slogTo(log)
	if err := os.MkdirAll(a.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	store := func(until time.Time) {
		root, err := newIdentity(&x509.Certificate{
			Subject: pkix.Name{CommonName: "old"}, NotBefore: time.Now().Add(-rootLife), NotAfter: until, MaxPathLen: 1,
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := writeIdentity(a.rootFile(), root); err != nil {
			t.Fatal(err)
		}
	}
	store(time.Now().Add(48 * time.Hour))
	first := verify(t, a, "localhost", "localhost")
	second := verify(t, a, "localhost", "localhost")
	if !bytes.Equal(first.AuthorityKeyId, second.AuthorityKeyId) {
		t.Error("another intermediate for each leaf")
	}
	if !strings.Contains(log.String(), "ends soon") {
		t.Error("no warning")
	}
	store(time.Now().Add(-time.Minute))
	if err := openCA(t, filepath.Dir(a.dir)).ready(); err == nil || !strings.Contains(err.Error(), "it ended on") {
		t.Errorf("after its end: %v", err)
	}
}

// rootPEM is the root's certificate.
func (a *authority) rootPEM() ([]byte, error) {
	ca, err := a.tell()
	return []byte(ca.Certificate), err
}
