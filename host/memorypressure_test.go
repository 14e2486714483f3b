package host

import (
	"io"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// holding is a site of a folder, of which holdBelow has /hold/ lead to an app.
func holding(root string) Site {
	return Site{RedirectHTTPS: no(), AccessLog: no(), Target: Target{Root: root}, Routes: []Route{{Path: "/hold/", Target: Target{Root: root}}}}
}

// holdBelow answers below /hold/ once it may, or the client is gone.
func holdBelow(h *Host, may <-chan bool) {
	d := *h.front.router.Load().fallback
	d.routes = slices.Clone(d.routes)
	i := slices.IndexFunc(d.routes, func(r route) bool { return r.prefix == "/hold" })
	d.routes[i].folder, d.routes[i].app = nil, newFigures()
	d.routes[i].target = asApp(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-may:
		case <-r.Context().Done():
		}
		io.WriteString(w, "held")
	})
	h.front.router.Store(&router{fallback: &d})
}

const holdRequest = "GET /hold/it HTTP/1.1\r\nHost: localhost\r\n\r\n"

func TestIdleConnectionsOfTheExpressLaneMakeRoomWhereMemoryRunsOut(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.settled(Config{Sites: []Site{holding(b.folder(map[string]string{"index.html": "held"}))}})
	let := make(chan bool)
	holdBelow(b.Host, let)
	const stay = 10
	var short atomic.Int32 // looks that find too little
	b.conns.pressure.Store(&pressure{from: stay, every: time.Millisecond, left: func() (left, of uint64) {
		for n := short.Load(); n > 0; n = short.Load() {
			if short.CompareAndSwap(n, n-1) {
				return 1, 1 << 30
			}
		}
		return 1 << 30, 1 << 30
	}})
	count := func() int { n := b.Status().Connections; return n["http"] + n["https"] }
	ask := func(c net.Conn) {
		t.Helper()
		if err := say(c, "/"); err != nil {
			t.Fatal(err)
		}
		until(t, "all but one are idle", func() bool { return b.busy() == 1 }) // in this order
	}
	busy := b.dial("http")
	io.WriteString(busy, holdRequest)
	var idle []net.Conn
	for i := range 24 {
		c := b.dial
		if i%2 == 1 {
			c = func(string) net.Conn { return b.dialTLS("localhost", "http/1.1") }
		}
		idle = append(idle, c("http"))
		ask(idle[i])
	}
	for _, l := range b.servers.Load().lanes() {
		if l.Answered() != 12 {
			t.Errorf("the lane has answered %d: this shows nothing of it", l.Answered())
		}
	}
	short.Store(1)
	until(t, "a quarter is closed", func() bool { return count() == 19 })
	for i, c := range idle[:6] {
		if !isClosed(c) {
			t.Errorf("%d is open", i)
		}
	}
	for i := len(idle) - 1; i >= 6; i-- { // those are open, and the first is the last now
		ask(idle[i])
	}
	short.Store(100)
	until(t, "as many are closed as may be", func() bool { return count() == stay && short.Load() == 0 })
	for i := 6; i < 6+stay-1; i++ {
		ask(idle[i])
	}
	close(let)
	_ = busy.SetDeadline(time.Now().Add(30 * time.Second))
	if err := heard(busy); err != nil {
		t.Errorf("the one that was busy: %v", err)
	}
}

func TestWhatIsTooLittleMemory(t *testing.T) {
	for _, c := range []struct {
		left, of uint64
		short    bool
	}{
		{0, 0, false}, // unknown
		{30 << 20, 512 << 20, false},
		{25 << 20, 512 << 20, true},
		{130 << 20, 64 << 30, false},
		{127 << 20, 64 << 30, true},
		{0, 1 << 30, true},
	} {
		if got := short(c.left, c.of); got != c.short {
			t.Errorf("%d of %d: %v", c.left, c.of, got)
		}
	}
	if left, of := memoryLeft(); left == 0 || left > of {
		t.Errorf("this machine has %d of %d left", left, of)
	}
}
