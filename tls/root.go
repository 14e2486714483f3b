package tls

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// CA tells of the internal CA. Nothing in it is secret.
type CA struct {
	// Subject is the root's name, Fingerprint the SHA-256 of its certificate: 32 bytes in hex with colons, as openssl and browsers show it.
	Subject     string    `json:"subject"`
	Fingerprint string    `json:"fingerprint_sha256"`
	Expires     time.Time `json:"expires"`
	// Intermediate is what signs, and is replaced long before IntermediateExpires.
	Intermediate        string    `json:"intermediate"`
	IntermediateExpires time.Time `json:"intermediate_expires"`
	// File is where the root's certificate is, without its key; Certificate is what it holds, PEM.
	File        string `json:"file"`
	Certificate string `json:"certificate"`
}

// CA tells of the internal CA, which is made when there is none yet. It works before Run.
func (c *Certs) CA() (CA, error) { return c.ca.tell() }

func (a *authority) tell() (CA, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.open(); err != nil {
		return CA{}, err
	}
	root, intermediate := a.root.cert, a.intermediate.cert
	return CA{
		Subject: root.Subject.CommonName, Fingerprint: fingerprint(root), Expires: root.NotAfter,
		Intermediate: intermediate.Subject.CommonName, IntermediateExpires: intermediate.NotAfter,
		File: a.rootCopy(), Certificate: string(certificatePEM(root.Raw)),
	}, nil
}

func fingerprint(cert *x509.Certificate) string {
	return strings.ReplaceAll(fmt.Sprintf("% X", sha256.Sum256(cert.Raw)), " ", ":")
}

// Trusted reports whether this machine trusts a root certificate, as programs
// that ask the system do. Browsers may have a store of their own.
func Trusted(root string) bool {
	block, _ := pem.Decode([]byte(root))
	if block == nil {
		return false
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return false
	}
	_, err = cert.Verify(x509.VerifyOptions{KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	return err == nil
}

// wellKnown begins the paths of RFC 8615.
const wellKnown = "/.well-known/"

// RootPath is where the root certificate is over plain HTTP, if Config.ServeRoot says so.
const RootPath = wellKnown + "roost/ca.pem"

// download is the root certificate as an answer.
type download struct {
	text []byte
	etag []string
}

func (c *Certs) offer() error {
	ca, err := c.ca.tell()
	if err != nil {
		return err
	}
	sum := strings.ToLower(strings.ReplaceAll(ca.Fingerprint, ":", ""))
	c.root.Store(&download{text: []byte(ca.Certificate), etag: []string{`"` + sum + `"`}})
	return nil
}

// ServeHTTP answers GET and HEAD. Who fetches it has to compare the
// fingerprint: nothing proves where it comes from.
func (d *download) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "405 Method Not Allowed", http.StatusMethodNotAllowed)
		return
	}
	h.Set("Content-Type", "application/pem-certificate-chain") // RFC 8555, section 9.1
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	h["Etag"] = d.etag
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(d.text))
}
