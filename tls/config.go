package tls

import "roost/tls/dns01"

// Config says where certificates come from. The zero value means Let's Encrypt
// for public names and the internal CA for private ones.
type Config struct {
	// Issuer is "letsencrypt", "zerossl", "internal" or the URL of an ACME directory; "letsencrypt" when empty.
	Issuer string `toml:"issuer" json:"issuer,omitempty"`
	// Email is given to the CA for its notices; optional.
	Email string `toml:"email" json:"email,omitempty"`
	// CARoot is a PEM file whose certificates are trusted when talking to the ACME directory (private CAs).
	CARoot string `toml:"ca_root" json:"ca_root,omitempty"`
	// DNS proves wildcards to the CA, which nothing else can (RFC 8555, section 8.4), and with DNS.All every public name.
	DNS dns01.Config `toml:"dns" json:"dns,omitzero"`
}

// Want is what the certificates should be: for which names, from where.
type Want struct {
	Config
	// Names are DNS names (a leading "*." is a wildcard) and IP addresses.
	Names []string
	// Own are the certificates that somebody else gets; their names are among Names.
	Own []Own
	// AnyName serves a certificate of the internal CA for names and addresses that are private or missing.
	AnyName bool
}
