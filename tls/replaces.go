package tls

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3/acme"
)

// replacing is the context of an order whose certificate replaces old (RFC 9773,
// section 5), unless that is nil: Let's Encrypt counts no such order. certmagic
// tells only issuers of its own type, by a key that it does not export.
type replacing struct {
	context.Context
	old *x509.Certificate
}

// Value implements context.Context.
func (r replacing) Value(key any) any {
	if r.old != nil && fmt.Sprintf("%T %v", key, key) == "certmagic.ctxKey ari_replaces" {
		return r.old
	}
	return r.Context.Value(key)
}

// stored is the certificate for name that a's CA has issued before; nil when there is none.
func (a *acmeIssuer) stored(ctx context.Context, name string) *x509.Certificate {
	text, err := a.c.storage.Load(ctx, certmagic.StorageKeys.SiteCert(a.IssuerKey(), name))
	block, _ := pem.Decode(text)
	if err != nil || block == nil {
		return nil
	}
	cert, _ := x509.ParseCertificate(block.Bytes)
	return cert
}

// unordered reports whether a CA refused to take an order, which it does not
// count. Some stumble over what an order replaces, and say that they have failed
// themselves.
func unordered(err error) bool {
	var problem acme.Problem
	return errors.As(err, &problem) && strings.Contains(err.Error(), "creating new order: ") &&
		problem.Status != http.StatusTooManyRequests && problem.Status <= http.StatusInternalServerError
}
