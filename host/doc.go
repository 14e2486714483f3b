// Package host joins folders, apps and certificates behind the box's
// listeners. Config says as plain data what is wanted; Host makes it so: Want,
// Settle, Status. A request takes this way:
//
//	listener ─ guard (framing, deadlines) ─ [TLS] ─ net/http
//	        ─ limits ─ router ─ figures, access log ─ redirect ─ folder or app
//
// Everything a request reads is an immutable snapshot: one request sees all of
// the old Config or all of the new.
package host
