// Package control is what crosses the control socket of a running Roost: the
// requests, the answers, the error codes, and the client that speaks them.
//
// The protocol is HTTP with JSON over a Unix socket. A question (GET) is
// answered by one JSON document. A change (POST, DELETE) is answered by JSON
// lines, flushed as they come:
//
//	{"progress":"web: 1/2 instances on revision 3"}     any number
//	{}                                                  alive, nothing new
//	{"result":{…}}  or  {"error":{"code":…,"message":…}} exactly one, last
//
// A change that was answered with a result has been saved: it survives a crash
// of the program or of the machine. One that was answered with an error left
// everything as it was.
package control
