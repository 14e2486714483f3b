package upstream

import (
	"context"
	"sync"
	"time"
)

// listenDelay is how long a request takes until its context is listened to, at
// least, and at most twice that: most are answered sooner, and to listen costs
// more than many of them.
const listenDelay = 50 * time.Millisecond

// listeners are connections whose request has a context that is to be
// listened to. The Client's mutex guards it.
type listeners struct {
	conns []*conn
	timer *time.Timer
	armed bool
}

// listener is what listeners know of a connection.
type listener struct {
	ctx  context.Context // nil: it is not on the list
	at   int             // on the list
	seen bool            // the timer has met it once
	stop func() bool     // ends listening; nil: nobody listens
}

// add has k be cut when ctx ends.
func (l *listeners) add(mu *sync.Mutex, k *conn, ctx context.Context) {
	if ctx.Done() == nil {
		return
	}
	k.listener = listener{ctx: ctx, at: len(l.conns)}
	l.conns = append(l.conns, k)
	switch {
	case l.armed:
		return
	case l.timer == nil:
		l.timer = time.AfterFunc(listenDelay, func() {
			mu.Lock()
			defer mu.Unlock()
			l.listen()
		})
	default:
		l.timer.Reset(listenDelay)
	}
	l.armed = true
}

// remove undoes add, and tells whether k was not cut.
func (l *listeners) remove(k *conn) bool {
	l.drop(k)
	stop := k.listener.stop
	k.listener.stop = nil
	return stop == nil || stop()
}

// drop takes k from the list.
func (l *listeners) drop(k *conn) {
	if k.listener.ctx == nil {
		return
	}
	last := len(l.conns) - 1
	moved := l.conns[last]
	l.conns[k.listener.at], moved.listener.at = moved, k.listener.at
	l.conns[last], l.conns = nil, l.conns[:last]
	k.listener.ctx = nil
}

// listen begins to listen for those that were there the last time.
func (l *listeners) listen() {
	for i := len(l.conns) - 1; i >= 0; i-- { // who takes the place of one that goes has been met
		k := l.conns[i]
		if !k.listener.seen {
			k.listener.seen = true
			continue
		}
		k.listener.stop = context.AfterFunc(k.listener.ctx, k.cutter)
		l.drop(k)
	}
	if l.armed = len(l.conns) > 0; l.armed {
		l.timer.Reset(listenDelay)
	}
}
