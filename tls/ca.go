package tls

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
)

const (
	rootLife         = 10 * 365 * 24 * time.Hour
	intermediateLife = 365 * 24 * time.Hour
	leafLife         = 7 * 24 * time.Hour
	backdate         = time.Hour // for clients whose clock is behind
)

// authority is the internal CA: a root that is made once and kept for ten
// years, for people install it on their machines; an intermediate that is
// replaced every year; and leaves of a week. Keys are ECDSA P-256.
//
//	ca/root.pem          certificate and key; never replaced. The key may be taken
//	                     away (kept offline) while the intermediate is young.
//	ca/root.crt          the certificate alone, for people to copy
//	ca/intermediate.pem  certificate and key; made anew from the root when needed
type authority struct {
	dir string
	log *slog.Logger
	// life and back are those of leaves; tests shorten them.
	life, back time.Duration

	mu           sync.Mutex // guards all below and the files
	root         *identity
	intermediate *identity
}

// identity is a certificate of the CA and its key; key is nil for a root whose key is elsewhere.
type identity struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func newAuthority(dir string, log *slog.Logger) *authority {
	return &authority{dir: dir, log: log, life: leafLife, back: backdate}
}

func (a *authority) rootFile() string         { return filepath.Join(a.dir, "root.pem") }
func (a *authority) rootCopy() string         { return filepath.Join(a.dir, "root.crt") }
func (a *authority) intermediateFile() string { return filepath.Join(a.dir, "intermediate.pem") }

// ready loads the CA, or makes it when there is none yet.
func (a *authority) ready() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.open()
}

// leaf signs a certificate of pub for name, a DNS name (maybe a wildcard) or an
// address, and returns it with the intermediate, both DER.
func (a *authority) leaf(name string, pub crypto.PublicKey) ([][]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.open(); err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		NotBefore:   now.Add(-a.back),
		NotAfter:    earlier(now.Add(a.life), a.intermediate.cert.NotAfter),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip := net.ParseIP(name); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{name}
	}
	cert, err := sign(template, a.intermediate.cert, pub, a.intermediate.key)
	if err != nil {
		return nil, fmt.Errorf("cannot sign a certificate for %s: %w", name, err)
	}
	return [][]byte{cert.Raw, a.intermediate.cert.Raw}, nil
}

// Issue implements certmagic.Issuer.
func (a *authority) Issue(_ context.Context, csr *x509.CertificateRequest) (*certmagic.IssuedCertificate, error) {
	var name string
	switch {
	case len(csr.DNSNames) == 1 && len(csr.IPAddresses) == 0:
		name = csr.DNSNames[0]
	case len(csr.DNSNames) == 0 && len(csr.IPAddresses) == 1:
		name = csr.IPAddresses[0].String()
	default:
		return nil, fmt.Errorf("cannot sign a certificate for %d names, only for one", len(csr.DNSNames)+len(csr.IPAddresses))
	}
	if err := csr.CheckSignature(); err != nil {
		return nil, fmt.Errorf("cannot sign a certificate for %s: %w", name, err)
	}
	chain, err := a.leaf(name, csr.PublicKey)
	if err != nil {
		return nil, err
	}
	var text []byte
	for _, der := range chain {
		text = append(text, certificatePEM(der)...)
	}
	return &certmagic.IssuedCertificate{Certificate: text}, nil
}

// IssuerKey implements certmagic.Issuer: the name of the CA's folder in the storage.
func (a *authority) IssuerKey() string { return "internal" }

// newRoot makes the root of the CA. The caller stores it.
func newRoot() (*identity, error) {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	now := time.Now()
	return newIdentity(&x509.Certificate{
		Subject:    pkix.Name{CommonName: shorten("Roost Internal CA "+host, 64)}, // RFC 5280, appendix A: ub-common-name
		NotBefore:  now.Add(-backdate),
		NotAfter:   now.Add(rootLife),
		MaxPathLen: 1,
	}, nil)
}

// newIntermediate makes an intermediate signed by root. The caller stores it.
func newIntermediate(root *identity) (*identity, error) {
	now := time.Now()
	return newIdentity(&x509.Certificate{
		Subject:        pkix.Name{CommonName: "Roost Internal CA Intermediate " + now.UTC().Format("2006-01")},
		NotBefore:      now.Add(-backdate),
		NotAfter:       earlier(now.Add(intermediateLife), root.cert.NotAfter),
		MaxPathLenZero: true,
	}, root)
}

// newIdentity signs a CA certificate with a fresh key by parent, or by itself when parent is nil.
func newIdentity(template *x509.Certificate, parent *identity) (*identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	template.IsCA, template.BasicConstraintsValid = true, true
	if parent == nil {
		parent = &identity{cert: template, key: key}
	}
	cert, err := sign(template, parent.cert, key.Public(), parent.key)
	return &identity{cert, key}, err
}

func sign(template, parent *x509.Certificate, pub crypto.PublicKey, key crypto.Signer) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)) // RFC 5280, section 4.1.2.2: at most 20 bytes
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	der, err := x509.CreateCertificate(rand.Reader, template, parent, pub, key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func certificatePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func shorten(s string, most int) string {
	if len(s) > most {
		return s[:most]
	}
	return s
}
