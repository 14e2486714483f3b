package tls

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"sync"
	"time"
)

// mostMinted bounds the memory that clients can make mint use by asking for many names.
const mostMinted = 512

// mint makes certificates of the internal CA during a handshake, for names and
// addresses that nobody could list before (sites that answer every name of the
// box), and for wanted ones that could not be stored. They live in memory only.
type mint struct {
	ca *authority

	mu    sync.Mutex // guards all below
	key   *ecdsa.PrivateKey
	certs map[string]*tls.Certificate
}

// certificate returns the certificate for name, in canonical form.
func (m *mint) certificate(name string) (*tls.Certificate, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if cert, ok := m.certs[name]; ok && !due(cert) {
		return cert, nil
	}
	if m.key == nil {
		// One key for all that are minted: what it costs is paid once, not by each name a stranger makes up.
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, fmt.Errorf("cannot make a key: %w", err)
		}
		m.key, m.certs = key, map[string]*tls.Certificate{}
	}
	chain, err := m.ca.leaf(name, m.key.Public())
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(chain[0])
	if err != nil {
		return nil, fmt.Errorf("cannot read the certificate just made for %s: %w", name, err)
	}
	cert := &tls.Certificate{Certificate: chain, PrivateKey: m.key, Leaf: leaf}
	if len(m.certs) >= mostMinted {
		for other := range m.certs { // any: the order of a map is as good as random
			delete(m.certs, other)
			break
		}
	}
	m.certs[name] = cert
	return cert, nil
}

// due reports whether less than a third of the certificate's life is left.
func due(cert *tls.Certificate) bool {
	return time.Now().After(renewal(cert.Leaf))
}
