// Package service is the resident program: it holds the one Config that says
// what is wanted, keeps it on disk, makes a host of it, and takes changes over
// the control socket.
//
//	        control socket (HTTP/JSON, one user)
//	                      │
//	api ── targets ──► editor ── Want/Settle ──► host ──► sites, apps, certificates
//	                      │
//	                    store   state.json: saved before a change is acknowledged
//
// Every change from anywhere goes through Edit, one at a time. A change that
// was acknowledged is on disk; one that failed left everything as it was.
package service
