//go:build unix

package express

import (
	"io"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
)

// TestRequestsThatWaitHoldNoBuffers looks at what is held of requests whose
// answer is awaited, and of streams on which nothing happens: what was read and
// what is written has buffers only meanwhile.
func TestRequestsThatWaitHoldNoBuffers(t *testing.T) {
	var waiting atomic.Int64
	over := make(chan struct{})
	r := newRoad(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stream" {
			_, _ = io.WriteString(w, "data: x\n\n")
			_ = http.NewResponseController(w).Flush()
		}
		waiting.Add(1)
		<-over
	}, nil)
	held := func() int64 {
		for range 3 { // of a pool it takes two until nothing is left; stacks shrink
			runtime.GC()
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc + m.StackInuse)
	}
	const each = 200
	begin := func(path string) {
		n := waiting.Load()
		for range each {
			_, _ = io.WriteString(r.dial(), ask(path))
		}
		until(t, "all wait", func() bool { return waiting.Load() == n+each })
	}
	begin("/")
	for _, path := range []string{"/", "/stream"} {
		before := held()
		begin(path)
		got := (held() - before) / each
		t.Logf("%s: %d bytes each", path, got)
		if got > 18_000 { // the smaller buffer has 4 KiB, the larger 16; stacks have 4 or 8
			t.Errorf("%s: a request that waits holds %d bytes", path, got)
		}
	}
	close(over)
}
