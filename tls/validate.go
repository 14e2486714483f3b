package tls

import (
	"crypto/x509"
	"fmt"
	"net/mail"
	"net/url"
	"os"
	"strings"
)

// Complaint is something in a Config that cannot be.
type Complaint struct {
	// Key is the key in its TOML table; What is wrong with it, Hint what to do.
	Key, What, Hint string
}

// ValidateIssuer returns what is wrong with issuer for names of their own, beside c.
func ValidateIssuer(c Config, issuer string) []Complaint {
	var all []Complaint
	for _, complaint := range ValidateConfig(Config{Issuer: issuer, Email: c.Email}) {
		if complaint.Key == "issuer" || complaint.Key == "email" && c.Email == "" {
			all = append(all, complaint)
		}
	}
	return all
}

// ValidateConfig returns everything that is wrong with c as far as can be seen
// without talking to a CA.
func ValidateConfig(c Config) []Complaint {
	var all []Complaint
	complain := func(key, hint, format string, args ...any) {
		all = append(all, Complaint{key, fmt.Sprintf(format, args...), hint})
	}
	if c.issuer() != internalCA {
		c.checkIssuer("issuer", c.issuer(), complain)
	}
	switch c.Fallback {
	case "", none:
	case c.issuer():
		complain("fallback", `name another CA, or "none"`, "%s is the issuer already", c.Fallback)
	case internalCA:
		complain("fallback", `name a public CA, or "none"`, "no browser trusts the internal CA, so it cannot stand in for another")
	default:
		c.checkIssuer("fallback", c.Fallback, complain)
		if c.issuer() == internalCA || c.Staging {
			complain("fallback", "remove fallback", "only a CA that issues for use has one that stands in for it")
		}
	}
	if c.Email != "" {
		if a, err := mail.ParseAddress(c.Email); err != nil || a.Address != c.Email {
			complain("email", `use the bare address, such as "ops@example.com"`, "%q is not an e-mail address", c.Email)
		}
	}
	if c.CARoot != "" {
		text, err := os.ReadFile(c.CARoot)
		switch {
		case err != nil:
			complain("ca_root", "name a PEM file that this user can read", "cannot read the file: %v", err)
		case !x509.NewCertPool().AppendCertsFromPEM(text):
			complain("ca_root", "name a file with at least one BEGIN CERTIFICATE block", "%s holds no certificate in PEM form", c.CARoot)
		}
	}
	if c.Staging && c.issuer() != LetsEncrypt {
		complain("staging", "name the directory of its staging side as issuer", "only letsencrypt has a staging side that is known here")
	}
	if c.EAB != (EAB{}) {
		c.EAB.check(complain)
	}
	if strings.ContainsAny(c.Profile, " \t\n") {
		complain("profile", `write it as the CA does, such as "shortlived"`, "%q is no name of a profile", c.Profile)
	}
	c.checkStorage(complain)
	c.DNS.Check(Internal, func(key, hint, format string, args ...any) { complain("dns."+key, hint, format, args...) })
	return all
}

// checkIssuer looks at a CA that key names.
func (c Config) checkIssuer(key, issuer string, complain func(key, hint, format string, args ...any)) {
	switch issuer {
	case LetsEncrypt:
	case ZeroSSL:
		if c.Email == "" && (c.EAB == (EAB{}) || key != "issuer") {
			complain("email", "set email to the address of your ZeroSSL account, or of a new one", "zerossl issues nothing without an e-mail address")
		}
	default:
		other := `"internal"`
		if key == "fallback" {
			other = `"none"`
		}
		hint := `use "letsencrypt", "zerossl", ` + other + ` or the URL of an ACME directory such as "https://ca.example.com/acme/directory"`
		u, err := url.Parse(issuer)
		switch {
		case err != nil || !strings.Contains(issuer, "://"):
			complain(key, hint, "unknown issuer %q", issuer)
		case u.Host == "":
			complain(key, hint, "the URL %q names no host", issuer)
		case u.Scheme != "https" && !(u.Scheme == "http" && Internal(u.Hostname())):
			complain(key, "use https; http is good enough only for private addresses", "the ACME directory %q cannot be trusted over %s", issuer, u.Scheme)
		}
	}
}
