// Package dns01 answers the DNS challenge of ACME (RFC 8555, section 8.4): it
// has a TXT record set and removed again, by one of four providers that between
// them reach every name server there is.
//
//	rfc2136   a dynamic update, signed (RFC 2136, RFC 8945): BIND, Knot, PowerDNS
//	acme-dns  a small name server for nothing but these records (github.com/joohoi/acme-dns)
//	exec      a command of the user's
//	webhook   an HTTP endpoint of the user's
//
// Secrets are never in a Config, only where they are: in a file or in the
// environment. They are read anew for each change, so that a corrected one is
// used by the next attempt.
package dns01
