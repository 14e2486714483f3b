package host

import (
	"io"
	"net/http"
	"sync"
	"time"
)

// stall cuts one stream of HTTP/2 or HTTP/3 whose peer gives or takes nothing for the
// timeout while we wait for it, as one can by never opening a window (RFC
// 9113 section 10.5). The stream's own deadlines would also count the time in
// which nobody waits, a quiet event stream say.
type stall struct {
	timeout time.Duration // 0: off
	cut     func()

	mu    sync.Mutex
	timer *time.Timer
	done  bool // the request is over, its ResponseWriter must not be touched
}

// begin starts the clock; end stops it.
func (s *stall) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer == nil {
		s.timer = time.AfterFunc(s.timeout, s.fire)
	} else {
		s.timer.Reset(s.timeout)
	}
}

func (s *stall) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil {
		s.timer.Stop()
	}
}

func (s *stall) fire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.done {
		s.cut()
	}
}

// finish stops the clock for good.
func (s *stall) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done = true
	if s.timer != nil {
		s.timer.Stop()
	}
}

var longAgo = time.Unix(1, 0)

// watchStream sets up both directions of a request over HTTP/2 or HTTP/3.
func (x *exchange) watchStream(timeout time.Duration) {
	control := http.NewResponseController(x.ResponseWriter)
	x.out.timeout = timeout
	x.out.cut = func() { control.SetWriteDeadline(longAgo) }
	if x.request.ContentLength != 0 {
		x.in.timeout = timeout
		x.in.cut = func() { control.SetReadDeadline(longAgo) }
		x.request.Body = &watchedBody{x.request.Body, &x.in}
	}
}

// unwatchStream ends both. What is still buffered of the answer gets a
// deadline, for net/http sends it only when the handler has returned.
func (x *exchange) unwatchStream() {
	if x.out.timeout > 0 && x.bytes > 0 {
		http.NewResponseController(x.ResponseWriter).SetWriteDeadline(time.Now().Add(x.out.timeout))
	}
	x.out.finish()
	x.in.finish()
}

type watchedBody struct {
	io.ReadCloser
	stall *stall
}

func (b *watchedBody) Read(p []byte) (int, error) {
	b.stall.begin()
	defer b.stall.end()
	return b.ReadCloser.Read(p)
}
