// Package express is the short lane for requests of HTTP/1.1: one goroutine a
// connection, one read and one write a request. It reads heads strictly, has a
// handler answer those that ask for something and bring nothing, and hands the
// connection on, with the bytes that it has read and not answered, where a
// request is anything else or is not right:
//
//	connection ─ Framing ─ request ─┬─ handler ─ Answer ─ write
//	     ↑                          │                      │
//	     └──────────────────────────┼──────────────────────┘
//	                                └─ hand on: net/http, for good
//
// What is wrong with a message is known in one place, http1.Framing, which the guard
// of the full lane follows messages by as well: the lane refuses nothing
// itself. What becomes of a request is up to the handler, the same in both lanes.
package express
