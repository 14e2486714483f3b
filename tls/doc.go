// Package tls gives the box its certificates and does its handshakes. No other
// package imports crypto/tls.
//
// Certs has the face of everything that runs here (Run, Want, Settle, Status).
// Public names get their certificates from an ACME CA (RFC 8555) in the
// background, private ones from the internal CA at once:
//
//	Want ──> entries, one a name ──> keeper (a goroutine until the name has its certificate)
//	             │                      │ load from storage, else order; retries
//	             │                      v
//	             │                 certmagic (one cache, one Config for each kind of issuer; renews)
//	             v                      │
//	         table (immutable) <────────┘ collected by Run's loop
//	             ^
//	             └── handshakes, without a lock; what is missing and private is minted on the spot
//
// Listener does the handshakes, so that net/http only ever sees connections
// that have finished theirs, divided by ALPN.
package tls
