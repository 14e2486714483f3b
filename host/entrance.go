package host

import (
	"context"
	"net"
	"net/http"

	"roost/host/express"
)

// entrance is where servers take connections of one kind.
type entrance struct {
	relay *relay                          // to net/http
	wrap  func(net.Conn, []byte) net.Conn // what net/http sees of a connection; nil: itself
	lane  *express.Lane                   // nil: all go to net/http
}

// take takes a connection, and tells whether it did.
func (e *entrance) take(c net.Conn) bool {
	if e.lane != nil {
		return e.lane.Start(c)
	}
	return e.full(c, nil)
}

// full is take for the full lane; before was read already.
func (e *entrance) full(c net.Conn, before []byte) bool {
	if e.wrap != nil {
		c = e.wrap(c, before)
	}
	return e.relay.give(c)
}

// close has no more taken.
func (e *entrance) close() {
	if e.lane != nil {
		e.lane.Retire()
	}
	e.relay.Close()
}

// give gives a connection to the servers of the moment, and closes it when they
// take none any more.
func give(c net.Conn, current func() *servers, to func(*servers) bool) {
	for {
		s := current()
		if to(s) {
			return
		}
		if current() == s { // shutting down
			c.Close()
			return
		}
	}
}

// newLane makes an express lane that hands on through the entrance of which it is.
func (s *servers) newLane(handler http.Handler, of func(*servers) *entrance) *express.Lane {
	return express.New(express.Options{
		Handler: handler,
		Context: linkExpress,
		HandOn: func(c net.Conn, read []byte) {
			give(c, s.current, func(now *servers) bool { return of(now).full(c, read) })
		},
		Header:   s.timeouts.header,
		Idle:     s.timeouts.idle,
		Progress: s.timeouts.progress,
		Open:     func(n int64) { s.open.Add(n) },
		Log:      s.log,
	})
}

// lanes are the express lanes there are.
func (s *servers) lanes() (all []*express.Lane) {
	for _, e := range []*entrance{s.plain, s.http1} {
		if e.lane != nil {
			all = append(all, e.lane)
		}
	}
	return all
}

// linkExpress is linkConn for the express lane.
func linkExpress(ctx context.Context, c net.Conn) context.Context {
	l := &link{express: true}
	l.carries(c)
	return context.WithValue(context.WithValue(ctx, http.LocalAddrContextKey, c.LocalAddr()), linkKey{}, l)
}

// handOn has the full lane answer a request of the express lane, where it is
// in that, if it brings something that no app gets, or if nothing would tell
// an app's instance that the client has gone.
func handOn(w http.ResponseWriter, r *http.Request, app bool) bool {
	a, ok := w.(*express.Answer)
	if !ok || app && a.Watch() || !app && r.ContentLength == 0 {
		return false
	}
	a.HandOn()
	return true
}
