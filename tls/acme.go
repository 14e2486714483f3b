package tls

import (
	"crypto/x509"
	"fmt"
	"maps"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
)

// The issuers with names of their own.
const (
	LetsEncrypt = "letsencrypt"
	ZeroSSL     = "zerossl"
	internalCA  = "internal"
	// staging is what Let's Encrypt is called with Config.Staging.
	staging = "letsencrypt-staging"
)

// proof is how a name is proved to a public CA. Each has an issuance of its
// own, for an issuer of certmagic uses no other challenge when it has a solver
// for the DNS, and asks for one profile.
type proof int

const (
	byPorts   proof = iota // by the challenges over HTTP and TLS
	byDNS                  // by a record in the DNS
	byAddress              // as byPorts, an address (RFC 8738)
)

// source is what tells issuances apart: the CAs that are asked in turn, by
// Config.name (fallback is empty when there is one), and how names are proved.
type source struct {
	issuer, fallback string
	by               proof
}

// directories are the ACME directories (RFC 8555, section 7.1.1) of the CAs with names.
var directories = map[string]string{
	LetsEncrypt: certmagic.LetsEncryptProductionCA,
	ZeroSSL:     certmagic.ZeroSSLProductionCA,
	staging:     certmagic.LetsEncryptStagingCA,
}

// issuance is one way to get certificates. It never changes: another Config or
// other ports make another one.
type issuance struct {
	config              Config
	rootAt              time.Time // when the file of config.CARoot was written
	httpPort, httpsPort int
	storage             storage
	issuers             []certmagic.Issuer // asked in this order
	// acme is the first issuer when that is an ACME CA, else nil: it answers the challenges.
	acme *certmagic.ACMEIssuer
	// obtain loads and orders, and is only used by keepers: its errors come
	// back to us, and it never uses the network to load.
	obtain *certmagic.Config
	// renew is what the cache renews and staples with.
	renew *certmagic.Config
	// falls are what the attempts that are under way have met so far, by name.
	falls sync.Map
}

// public returns the issuance for e's name, which is public, as wanted now and
// for the ports that are bound now.
func (c *Certs) public(e *entry) (*issuance, error) {
	var httpPort, httpsPort int
	if e.by != byDNS {
		// Not under c.mu: these are the host's functions, and may take its locks.
		httpPort, httpsPort = port(c.o.HTTPPort), port(c.o.HTTPSPort)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	issuer := c.want.Issuers[e.name]
	if e.demand != nil {
		issuer = e.demand.Issuer
	}
	config := c.want.Config.from(issuer)
	at := config.source(e.by) // e may be of what was wanted before
	var rootAt time.Time
	if info, err := os.Stat(config.CARoot); err == nil {
		rootAt = info.ModTime()
	}
	stored, err := c.storageOf(config)
	if err != nil {
		return nil, err
	}
	if now := c.sources()[at]; now != nil && now.config == config && now.storage == stored && now.rootAt.Equal(rootAt) && now.httpPort == httpPort && now.httpsPort == httpsPort {
		return now, nil
	}
	next := &issuance{config: config, rootAt: rootAt, httpPort: httpPort, httpsPort: httpsPort, storage: stored}
	next.renew, next.obtain = c.magic(stored), c.magic(stored)
	turns := []Config{config}
	if second, ok := config.second(e.by); ok {
		turns = append(turns, second)
	}
	for _, config := range turns {
		template, err := c.template(config, stored)
		if err != nil {
			return nil, err
		}
		template.AltHTTPPort, template.DisableHTTPChallenge = httpPort, httpPort == 0
		template.AltTLSALPNPort, template.DisableTLSALPNChallenge = httpsPort, httpsPort == 0
		template.Profile = config.profile(e.by)
		if e.by == byDNS {
			if template.DNS01Solver, err = c.dnsSolver(config.DNS); err != nil {
				return nil, err
			}
		}
		next.issuers = append(next.issuers, &acmeIssuer{certmagic.NewACMEIssuer(next.renew, template), c, next, config.name(), config.EAB})
	}
	next.acme = next.issuers[0].(*acmeIssuer).ACMEIssuer
	next.renew.Issuers, next.obtain.Issuers = next.issuers, next.issuers
	next.obtain.OCSP.DisableStapling = true
	all := maps.Clone(c.sources())
	if all == nil {
		all = map[source]*issuance{}
	}
	all[at] = next
	c.acme.Store(&all)
	return next, nil
}

// sources are the issuances of public names; the map never changes.
func (c *Certs) sources() map[source]*issuance {
	if all := c.acme.Load(); all != nil {
		return *all
	}
	return nil
}

// private returns the issuance of the internal CA.
func (c *Certs) private() *issuance {
	i := &issuance{storage: c.storage, issuers: []certmagic.Issuer{c.ca}, renew: c.magic(c.storage), obtain: c.magic(c.storage)}
	i.renew.Issuers, i.obtain.Issuers = i.issuers, i.issuers
	i.renew.DisableARI, i.obtain.DisableARI = true, true
	i.obtain.DisableStorageCheck = true // an order costs nothing: saving its result is the check
	return i
}

// magic returns a certmagic.Config without issuers.
func (c *Certs) magic(stored storage) *certmagic.Config {
	return certmagic.New(c.cache, certmagic.Config{
		Storage:            stored,
		Logger:             zapTo(c.log, false),
		KeySource:          certmagic.StandardKeyGenerator{KeyType: certmagic.P256},
		RenewalWindowRatio: certmagic.DefaultRenewalWindowRatio,
		Issuers:            []certmagic.Issuer{},
		OnEvent:            c.event,
		OCSP:               certmagic.OCSPConfig{HTTPProxy: http.ProxyFromEnvironment}, // else its client has no time limit, and renewals wait behind it
		ShouldEmitFunc:     func(event string) bool { return event != "tls_get_certificate" },
	})
}

// template returns what config says of an ACME issuer.
func (c *Certs) template(config Config, stored storage) (certmagic.ACMEIssuer, error) {
	t := certmagic.ACMEIssuer{
		CA:     config.directory(),
		Email:  config.Email,
		Agreed: true, // who writes an issuer into the config agrees to its terms
		Logger: zapTo(c.log, false),
	}
	if d, ok := c.directories[config.name()]; ok {
		t.CA = d
	}
	switch {
	case config.EAB != (EAB{}):
		t.NewAccountFunc = c.bind(config.EAB, stored)
	case config.issuer() == ZeroSSL:
		t.NewAccountFunc = c.zerossl
	}
	if config.PreferredChain != "" {
		t.PreferredChains.RootCommonName = []string{config.PreferredChain}
	}
	if config.CARoot != "" {
		roots, err := readRoots(config.CARoot)
		if err != nil {
			return t, err
		}
		t.TrustedRoots = roots
	}
	return t, nil
}

// readRoots are the roots of the system and those in a file.
func readRoots(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("cannot read the roots to trust the CA by: %w", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("cannot use %s: it holds no certificate in PEM form", file)
	}
	return roots, nil
}

// issuer is Issuer with its default.
func (c Config) issuer() string {
	if c.Issuer == "" {
		return LetsEncrypt
	}
	return c.Issuer
}

// name is what people are told of the issuer.
func (c Config) name() string {
	if c.Staging {
		return staging
	}
	return c.issuer()
}

// profile is what the CA is asked for.
func (c Config) profile(by proof) string {
	if c.Profile == "" && by == byAddress && c.issuer() == LetsEncrypt {
		return "shortlived"
	}
	return c.Profile
}

// directory is the URL of the ACME directory.
func (c Config) directory() string {
	if d, ok := directories[c.name()]; ok {
		return d
	}
	return c.Issuer
}

func ports(http, https int) string {
	switch {
	case https == 0:
		return fmt.Sprint(http)
	case http == 0:
		return fmt.Sprint(https)
	}
	return fmt.Sprintf("%d and %d", http, https)
}

func port(f func() int) int {
	if f == nil {
		return 0
	}
	return f()
}
