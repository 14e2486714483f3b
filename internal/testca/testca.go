// Package testca is a CA for tests, which signs whatever it is told to.
package testca

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// CA has a root of its own.
type CA struct {
	Root *x509.Certificate
	// Key is that of Root.
	Key crypto.Signer
	// Pool has Root alone.
	Pool *x509.CertPool

	t testing.TB
}

// New makes a CA whose root has a name.
func New(t testing.TB, name string) *CA {
	t.Helper()
	ca := &CA{Pool: x509.NewCertPool(), t: t}
	ca.Root, ca.Key = ca.Sign(&x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	ca.Pool.AddCert(ca.Root)
	return ca
}

// Sign makes a certificate of what is given of it, with a key of its own. It
// holds from yesterday to tomorrow unless other times are given.
func (ca *CA) Sign(as *x509.Certificate) (*x509.Certificate, crypto.Signer) {
	ca.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		ca.t.Fatal(err)
	}
	as.SerialNumber, _ = rand.Int(rand.Reader, big.NewInt(1<<60))
	if as.NotBefore.IsZero() {
		as.NotBefore = time.Now().Add(-24 * time.Hour)
	}
	if as.NotAfter.IsZero() {
		as.NotAfter = time.Now().Add(24 * time.Hour)
	}
	parent, signer := ca.Root, ca.Key
	if parent == nil {
		parent, signer = as, key
	}
	der, err := x509.CreateCertificate(rand.Reader, as, parent, key.Public(), signer)
	if err != nil {
		ca.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		ca.t.Fatal(err)
	}
	return cert, key
}

// Site makes a certificate for domains and IP addresses and returns it, with
// the root behind it, and its key as PEM. edit changes what is signed; it may be nil.
func (ca *CA) Site(edit func(*x509.Certificate), names ...string) (cert, key []byte) {
	ca.t.Helper()
	as := &x509.Certificate{}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			as.IPAddresses = append(as.IPAddresses, ip)
		} else {
			as.DNSNames = append(as.DNSNames, name)
		}
	}
	if edit != nil {
		edit(as)
	}
	leaf, signer := ca.Sign(as)
	cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw})
	return append(cert, ca.RootPEM()...), KeyPEM(ca.t, signer)
}

// Write stores what Site makes as cert.pem and key.pem of dir.
func (ca *CA) Write(dir string, edit func(*x509.Certificate), names ...string) {
	ca.t.Helper()
	cert, key := ca.Site(edit, names...)
	for name, text := range map[string][]byte{"cert.pem": cert, "key.pem": key} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			ca.t.Fatal(err)
		}
	}
}

// RootPEM is the root as PEM.
func (ca *CA) RootPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Root.Raw})
}

// WriteRoot stores the root as a PEM file.
func (ca *CA) WriteRoot(file string) {
	ca.t.Helper()
	if err := os.WriteFile(file, ca.RootPEM(), 0o600); err != nil {
		ca.t.Fatal(err)
	}
}

// KeyPEM is a key as PEM.
func KeyPEM(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}
