// Package http1 knows what messages of HTTP/1.1 are like on the wire (RFC 9112):
// where they begin and end, and which of them are refused. All that reads such
// messages without net/http follows them by it, so that no two of them disagree.
package http1
