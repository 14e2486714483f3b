package host

import (
	"bytes"
	"io"
	"net"
	"runtime"
	"testing"
	"time"
)

// TestAnIdleConnectionHoldsLittle keeps connections on which something was
// asked, over plain HTTP, and looks at what they hold, the client's ends too: of
// 10,000 it is to be less than 100 MB.
func TestAnIdleConnectionHoldsLittle(t *testing.T) {
	const connections = 600
	most := 10_000 // bytes for each
	if raced {
		most = 16_000
	}
	b := newBox(t)
	b.filesIn(nil)
	used := func() int {
		var m runtime.MemStats
		for range 3 { // stacks shrink by half each time
			runtime.GC()
		}
		runtime.ReadMemStats(&m)
		return int(m.HeapInuse + m.StackInuse)
	}
	answer := make([]byte, 4096)
	ask := func(c net.Conn) {
		if _, err := io.WriteString(c, "GET /a.txt HTTP/1.1\r\nHost: localhost\r\nUser-Agent: somebody\r\nAccept: */*\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		for n := 0; !bytes.HasSuffix(answer[:n], []byte("\r\n\r\nhello")); {
			k, err := c.Read(answer[n:])
			if err != nil {
				t.Fatalf("%q %v", answer[:n], err)
			}
			n += k
		}
	}
	first := b.dial("http")
	ask(first)
	before := used()
	all := make([]net.Conn, connections)
	for i := range all {
		all[i] = b.dial("http")
		_ = all[i].SetDeadline(time.Now().Add(time.Minute))
		ask(all[i])
	}
	until(t, "all wait", func() bool { return b.servers.Load().open.Load() == connections+1 })
	after := used()
	t.Logf("%d bytes for each of %d connections", (after-before)/connections, connections)
	if (after-before)/connections > most {
		t.Errorf("%d bytes for each connection, want at most %d", (after-before)/connections, most)
	}
	runtime.KeepAlive(all)
}
