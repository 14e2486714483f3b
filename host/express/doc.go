// Package express is the short lane for requests of HTTP/1.1: one goroutine a
// connection, one read and one write a request. It reads heads strictly, has a
// handler answer them, and hands the connection on, with the bytes that it has
// read and not answered, where a request is not plain or not right, or where
// the handler wants it so:
//
//	connection ─ Framing ─ request ─┬─ handler ─ Answer ─ write
//	     ↑ └─────── body, watch ────│────┘                 │
//	     └──────────────────────────┼──────────────────────┘
//	                                └─ hand on: net/http, for good
//
// While a request is answered, the reading side of the connection is lent to
// those who read its body, and then to the watch that waits for the client to go.
//
// What is wrong with a message is known in one place, http1.Framing, which the guard
// of the full lane follows messages by as well: the lane refuses nothing
// itself. What becomes of a request is up to the handler, the same in both lanes.
package express
