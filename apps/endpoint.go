package apps

import (
	"sync"
	"sync/atomic"
	"time"

	"roost/apps/upstream"
)

// retired is the bit of endpoint.word that refuses new requests; the bits
// below it count the requests in flight. Both live in one word, so that a
// request is counted either before a drain has begun, and is waited for, or
// not at all.
const retired = 1 << 63

// endpoint is the private address of one instance, with the connections kept
// to it. It belongs to one instance from its first to its last request and is
// never revived: a new instance gets a new endpoint.
type endpoint struct {
	network, address string
	slot             int // of the instance; set before requests come
	upstream         *upstream.Client
	dialTimeout      time.Duration // a seam: defaultDialTimeout

	word    atomic.Uint64
	tunnels atomic.Int64 // upgraded connections; a drain does not wait for them
	gone    chan struct{}
	endOnce sync.Once

	requests atomic.Uint64
	minute   minuteRate
	health   health
}

// newEndpoint makes the endpoint of an instance that listens on "unix" and a
// path, or on "tcp" and host:port. Nothing is dialled before a request needs it.
func newEndpoint(network, address string) *endpoint {
	e := &endpoint{network: network, address: address, dialTimeout: defaultDialTimeout, gone: make(chan struct{})}
	e.upstream = upstream.New(e.dial)
	return e
}

func (e *endpoint) String() string {
	if e.network == "unix" {
		return "unix:" + e.address
	}
	return e.address
}

// acquire counts a request in flight, unless the endpoint is retired. Every
// acquire that returns true wants one release.
func (e *endpoint) acquire() bool {
	if e.word.Add(1)&retired == 0 {
		return true
	}
	e.release()
	return false
}

func (e *endpoint) release() {
	if e.word.Add(^uint64(0)) == retired {
		e.end()
	}
}

func (e *endpoint) end() {
	e.endOnce.Do(func() {
		e.upstream.CloseIdle()
		close(e.gone)
	})
}

// answered counts a request that the instance has answered.
func (e *endpoint) answered(now time.Time) {
	e.requests.Add(1)
	e.minute.add(now)
}

// upgrade makes a request in flight an upgraded connection. It may last for
// days, so a drain does not wait for it: the program is asked to stop with it
// open, and may say goodbye in its own words. Every upgrade wants one hangup.
func (e *endpoint) upgrade() {
	e.tunnels.Add(1)
	e.release()
}

func (e *endpoint) hangup() { e.tunnels.Add(-1) }

// busy is what the least busy endpoint has least of, and whether it is retired.
func (e *endpoint) busy() (n uint64, out bool) {
	word := e.word.Load()
	return word&^retired + uint64(e.tunnels.Load()), word&retired != 0
}

// InFlight is how many requests and upgraded connections are being answered.
func (e *endpoint) InFlight() int {
	n, _ := e.busy()
	return int(n)
}

// Requests is how many requests have been answered.
func (e *endpoint) Requests() uint64 { return e.requests.Load() }

// PerMinute is how many requests have been answered in the last 60 seconds.
func (e *endpoint) PerMinute() float64 { return float64(e.minute.sum(time.Now())) }

// retire lets no new request in and closes the idle connections: Node 18 does
// not end while one is open. What is in flight goes on; see drained and close.
func (e *endpoint) retire() {
	if e.word.Or(retired)&^retired == 0 {
		e.end()
	}
	e.upstream.CloseIdle()
}

// drained is closed when, after retire, no request is in flight any more.
func (e *endpoint) drained() <-chan struct{} { return e.gone }

// close retires the endpoint and cuts what is left: requests in flight fail
// (and go to another instance where they may), upgraded connections end.
func (e *endpoint) close() {
	e.retire()
	e.upstream.Close()
}
