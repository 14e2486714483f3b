package apps

import "time"

// instance is one process, from its start to its exit. Its state only moves
// forward; what follows an exit is a new instance, never this one again.
//
//	starting ──ready──▶ ready ──drain──▶ draining
//	    │                 │                  │
//	    └──────exit───────┴───────exit───────┴──▶ gone (removed from its slot)
//
// It belongs to the app's loop, but for proc.
type instance struct {
	slot     int
	revision int
	kind     kind
	config   *Config // that it was started with
	state    State   // StateStarting, StateReady or StateDraining
	proc     proc
	started  time.Time
	deadline time.Time // when starting or draining must have ended
	stale    string    // why another one must take its place; empty: it need not

	// unwell: why it does not work, as its checks say; empty: nobody knows of anything
	unwell string

	// last: nothing has taken its place; the next one starts when it has gone
	last bool
	// known: the endpoint that it has been known by, the newest
	known *endpoint
}

// stands is where the instance is reached now; nil when it is not.
func (i *instance) stands() *endpoint {
	if i == nil || i.state != StateReady {
		return nil
	}
	return i.proc.Endpoint()
}
