package tls

import (
	"bytes"
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"golang.org/x/crypto/ocsp"
)

const (
	responderTime = 15 * time.Second // for a responder to answer
	mostResponse  = 64 << 10         // bytes of it
	skew          = 5 * time.Minute  // by which clocks may differ
)

// mustStaple is the extension of certificates that are good with a staple only
// (RFC 7633), and its value, the feature status_request.
var (
	mustStapleID    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}
	mustStapleValue = []byte{0x30, 0x03, 0x02, 0x01, 0x05}
)

func mustStaple(leaf *x509.Certificate) bool {
	for _, e := range leaf.Extensions {
		if e.Id.Equal(mustStapleID) {
			return bytes.Contains(e.Value, mustStapleValue[2:])
		}
	}
	return false
}

// verdict is a responder's answer about a certificate, checked (RFC 6960).
type verdict struct {
	raw        []byte
	from, ends time.Time
	revoked    time.Time // zero: it is good
}

// read checks what a responder has answered about cert.
func read(raw []byte, cert *tls.Certificate, now time.Time) (*verdict, error) {
	issuer, err := issuerOf(cert)
	if err != nil {
		return nil, err
	}
	answer, err := ocsp.ParseResponseForCert(raw, cert.Leaf, issuer)
	if err != nil {
		return nil, err
	}
	v := &verdict{raw: raw, from: answer.ThisUpdate, ends: answer.NextUpdate}
	if v.ends.IsZero() { // newer information is there at any time
		v.ends = v.from.Add(24 * time.Hour)
	}
	if by := answer.Certificate; by != nil && !by.Equal(issuer) {
		if !slices.Contains(by.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) {
			return nil, errors.New("it is signed by a certificate that may not sign such (RFC 6960, section 4.2.2.2)")
		}
		v.ends = earlier(v.ends, by.NotAfter)
	}
	switch {
	case now.Add(skew).Before(v.from):
		return nil, fmt.Errorf("it is of a time that has not come: %s", v.from.Format(time.RFC3339))
	case !now.Before(v.ends):
		return nil, fmt.Errorf("it ended on %s", v.ends.Format(time.RFC3339))
	}
	switch answer.Status {
	case ocsp.Good:
		return v, nil
	case ocsp.Revoked:
		v.revoked = answer.RevokedAt
		return v, nil
	}
	return nil, errors.New("the responder does not know the certificate")
}

// issuerOf is the certificate of the CA that has signed cert, which stands behind it.
func issuerOf(cert *tls.Certificate) (*x509.Certificate, error) {
	for _, der := range cert.Certificate[1:] {
		if ca, err := x509.ParseCertificate(der); err == nil && cert.Leaf.CheckSignatureFrom(ca) == nil {
			return ca, nil
		}
	}
	return nil, errors.New("the certificate of its CA does not stand behind it")
}

// ask asks the responder that cert names.
func ask(ctx context.Context, client *http.Client, cert *tls.Certificate) (*verdict, error) {
	issuer, err := issuerOf(cert)
	if err != nil {
		return nil, err
	}
	question, err := ocsp.CreateRequest(cert.Leaf, issuer, &ocsp.RequestOptions{Hash: crypto.SHA1}) // what all responders know (RFC 5019)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, responderTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, cert.Leaf.OCSPServer[0], bytes.NewReader(question))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/ocsp-request")
	res, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, mostResponse))
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", cert.Leaf.OCSPServer[0], res.Status)
	}
	v, err := read(raw, cert, time.Now())
	if err != nil {
		return nil, fmt.Errorf("cannot use the answer of %s: %w", cert.Leaf.OCSPServer[0], err)
	}
	return v, nil
}
