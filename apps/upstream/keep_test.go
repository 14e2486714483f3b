package upstream

import (
	"bufio"
	"io"
	"net"
	"testing"
)

func TestAConnectionThatEndedWithItsAnswerIsNotKept(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		c, _ := instance(t, func(nc net.Conn, r *bufio.Reader) {
			skipHead(r)
			io.WriteString(nc, "HTTP/1.1 200 OK\r\n\r\nall")
		})
		if _, text, err := do(t.Context(), c, get); text != "all" || err != nil {
			t.Fatal(text, err)
		}
		if len(c.idle) != 0 || len(c.open) != 0 {
			t.Errorf("%d idle, %d open", len(c.idle), len(c.open))
		}
	})
}

// An instance that is to end does not end while a connection to it is open.
func TestNoConnectionIsKeptOnceTheIdleOnesAreClosed(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		c, _ := instance(t, func(nc net.Conn, r *bufio.Reader) {
			skipHead(r)
			io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			skipHead(r)
		})
		a, err := c.Do(t.Context(), get)
		if err != nil {
			t.Fatal(err)
		}
		c.CloseIdle()
		if p, _, err := a.Next(forever); string(p) != "ok" || err != nil {
			t.Errorf("%q, %v", p, err)
		}
		a.Close()
		if len(c.idle) != 0 || len(c.open) != 0 {
			t.Errorf("%d idle, %d open", len(c.idle), len(c.open))
		}
	})
}
