// Package host joins folders, apps and certificates behind the box's
// listeners. Config says as plain data what is wanted; Host makes it so: Want,
// Settle, Status. A request takes this way:
//
//	listener ─ connections (how many) ─ [TLS] ─ express lane ─────────────────────────────────┐
//	                                                 └ guard (framing, deadlines) ─ net/http ─┤
//	packets ── QUIC, TLS ── quic-go (HTTP/3) ─────────────────────────────────────────────────┤
//	                                                                                          v
//	front: client address ─ clean path ─ router and rules of the site ─ redirect, refusal
//	        ─ what protects the route ─ folder or app; around it access log, figures, error pages
//
// Everything a request reads is an immutable snapshot: one request sees all of
// the old Config or all of the new.
package host
