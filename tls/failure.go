package tls

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/mholt/acmez/v3/acme"
)

// Failure is why a certificate cannot be had, in words.
type Failure struct {
	// Text is what happened, in the CA's words where it said something.
	Text string
	// Hint is what a person can do; empty when there is nothing but to wait.
	Hint string
}

// Error returns Text.
func (f *Failure) Error() string { return f.Text }

// hintOf is the hint of an error, empty when it has none.
func hintOf(err error) string {
	var f *Failure
	if errors.As(err, &f) {
		return f.Hint
	}
	return ""
}

// refusal is what an ACME CA says in a problem document (RFC 8555, section 6.7).
func refusal(issuer, name string, problem acme.Problem) *Failure {
	text := problem.Detail
	for _, sub := range problem.Subproblems {
		text += "; " + sub.Detail
	}
	kind := kind(problem)
	f := &Failure{Text: fmt.Sprintf("%s says: %s (%s)", issuer, text, kind)}
	switch kind {
	case "rateLimited":
		f.Hint = "the CA issues nothing for " + name + " for a while: wait until the time that it names; what is there is served meanwhile"
	case "connection", "tls", "unauthorized", "incorrectResponse":
		f.Hint = "see that the DNS records of " + name + " lead to this box, and that ports 80 and 443 of it can be reached from the Internet"
	case "dns":
		f.Hint = "see that " + name + " has an A or AAAA record that leads to this box, and that its name servers answer"
	case "caa":
		f.Hint = "allow the CA in the CAA record of " + name + ", or choose another: issuer in [tls]"
	case "externalAccountRequired":
		f.Hint = "this CA issues to registered accounts only (RFC 8555, section 7.3.4)"
	case "rejectedIdentifier", "unsupportedIdentifier":
		f.Hint = "this CA does not issue for such a name: choose another, or the internal one: issuer in [tls]"
	}
	return f
}

// unreachable is the hint of an error on the way to the CA; empty for any other.
func unreachable(issuer string, err error) string {
	var network *net.OpError
	var resolver *net.DNSError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "see that the clock of this box is right: it says " + time.Now().Format(time.DateTime+" MST") + ", and the certificate that " + issuer + " itself shows is not for that time"
	case errors.As(err, &network), errors.As(err, &resolver):
		return "see that this box reaches " + issuer + ": its resolver, its way out, a firewall between"
	}
	return ""
}
