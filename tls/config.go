package tls

import "roost/tls/dns01"

// Config says where certificates come from. The zero value means Let's Encrypt
// for public names and the internal CA for private ones.
type Config struct {
	// Issuer is "letsencrypt", "zerossl", "internal" or the URL of an ACME directory; "letsencrypt" when empty.
	Issuer string `toml:"issuer" json:"issuer,omitempty"`
	// Fallback is the CA that is asked for a name when Issuer does not issue for it for reasons of its own: as Issuer,
	// but not "internal", or "none". When empty it is "zerossl" where Issuer is Let's Encrypt and there is an Email, else none.
	Fallback string `toml:"fallback" json:"fallback,omitempty"`
	// Email is given to the CA for its notices; optional.
	Email string `toml:"email" json:"email,omitempty"`
	// Staging orders from the CA's staging side, whose limits are wide and whose
	// certificates no browser trusts: for trying out. Let's Encrypt has one.
	Staging bool `toml:"staging" json:"staging,omitempty"`
	// Profile is the kind of certificate to ask the CA for, such as "shortlived";
	// the CA's own choice when empty, except that Let's Encrypt is asked for
	// "shortlived" where the name is an address, for it issues no other.
	Profile string `toml:"profile" json:"profile,omitempty"`
	// PreferredChain is the common name of the root that the chain of certificates is to lead to, such as "ISRG Root X1";
	// the CA's own choice when empty, or when it offers no such chain.
	PreferredChain string `toml:"preferred_chain" json:"preferred_chain,omitempty"`
	// EAB is the account at the CA that the ACME account is to belong to.
	EAB EAB `toml:"eab" json:"eab,omitzero"`
	// CARoot is a PEM file whose certificates are trusted when talking to the ACME directory (private CAs).
	CARoot string `toml:"ca_root" json:"ca_root,omitempty"`
	// Storage is where public certificates, ACME accounts and the keys of sessions are kept for all boxes that share it,
	// instead of in files of this one: the URL of a server of Redis.
	Storage StorageURL `toml:"storage" json:"storage,omitempty"`
	// StorageKeyFile holds what they are encrypted with there.
	StorageKeyFile string `toml:"storage_key_file" json:"storage_key_file,omitempty"`
	// StoragePasswordFile holds the password of the server; StoragePasswordEnv names the variable of the environment that does.
	StoragePasswordFile string `toml:"storage_password_file" json:"storage_password_file,omitempty"`
	StoragePasswordEnv  string `toml:"storage_password_env" json:"storage_password_env,omitempty"`
	// ServeRoot hands out the internal CA's root certificate over plain HTTP, at RootPath of every name.
	ServeRoot bool `toml:"serve_root" json:"serve_root,omitempty"`
	// DNS proves wildcards to the CA, which nothing else can (RFC 8555, section 8.4), and with DNS.All every public name.
	DNS dns01.Config `toml:"dns" json:"dns,omitzero"`
}

// EAB is an external account binding (RFC 8555, section 7.3.4): what a CA gives
// its customers to make ACME accounts with.
type EAB struct {
	// KeyID is the identifier, HMACFile a file with the key in base64url.
	KeyID    string `toml:"key_id" json:"key_id,omitempty"`
	HMACFile string `toml:"hmac_file" json:"hmac_file,omitempty"`
}

// Want is what the certificates should be: for which names, from where.
type Want struct {
	Config
	// Names are DNS names (a leading "*." is a wildcard) and IP addresses.
	Names []string
	// Issuers are those of names that have another than Config says.
	Issuers map[string]string
	// OnDemand are names that nobody lists.
	OnDemand []Demand
	// Own are the certificates that somebody else gets; their names are among Names.
	Own []Own
	// Clients are asked for certificates.
	Clients []Clients
	// AnyName serves a certificate of the internal CA for names and addresses that are private or missing.
	AnyName bool
}

// from is c for names with an issuer of their own: what c says of its issuer
// alone does not hold for that, and no other is asked. What is not about
// getting certificates is for no name.
func (c Config) from(issuer string) Config {
	c.ServeRoot = false
	if issuer == "" {
		return c
	}
	if issuer != c.issuer() {
		c = c.only(issuer)
	}
	c.Fallback = none
	return c
}

// only is c with another issuer.
func (c Config) only(issuer string) Config {
	c.Issuer, c.Fallback, c.Staging, c.Profile, c.PreferredChain, c.EAB = issuer, none, false, "", "", EAB{}
	return c
}

// none is the Fallback that is no CA.
const none = "none"

// fallback is Fallback with its default; empty when there is none.
func (c Config) fallback(by proof) string {
	second := c.Fallback
	if second == "" && c.issuer() == LetsEncrypt && !c.Staging && c.Email != "" {
		second = ZeroSSL
	}
	if second == none || second == ZeroSSL && by == byAddress {
		return "" // ZeroSSL has no certificates for addresses over ACME
	}
	return second
}

// second is the Config of the CA that is asked after c's.
func (c Config) second(by proof) (Config, bool) {
	second := c.fallback(by)
	return c.only(second), second != ""
}

// source is where names that are proved so come from.
func (c Config) source(by proof) source {
	return source{c.name(), c.fallback(by), by}
}
