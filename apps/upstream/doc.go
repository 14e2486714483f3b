// Package upstream asks an instance over HTTP/1.1, on connections that it
// keeps. A request costs its goroutine a look whether the connection is still
// good, a write and a read; nothing runs beside it but what sends a body that
// does not go with the head, because the answer may come first.
//
//	Do ─ take or dial ─ look, write head ─ read head of the answer ─ Answer
//	                         └ sender: body ─ trailer        Next … Close ─ keep or close
package upstream
