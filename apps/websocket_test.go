//go:build unix

package apps

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"roost/internal/testport"
)

func TestARestartDoesNotWaitForOpenWebSockets(t *testing.T) {
	needNode(t)
	a := live(t)
	w := a.node("app.js", `
		const server = require('node:http').createServer((req, res) => res.end('plain'))
		server.on('upgrade', (req, socket) => {
			socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello\n')
			process.on('SIGINT', () => socket.end('bye\n', () => process.exit()))
		})
		server.listen(process.env.PORT)`, 1)
	w.Port, w.Serves = testport.Free(t), true
	w.KillTimeout = unitOf(10 * time.Minute) // waiting for a websocket would take half of it
	a.want(w)
	host := httptest.NewServer(a.App)
	defer host.Close()
	for _, address := range []string{host.Listener.Addr().String(), fmt.Sprint("127.0.0.1:", w.Port)} {
		socket := openSocket(t, address)
		w = next(w)
		w.Replace = true
		a.want(w)
		if rest, err := io.ReadAll(socket); string(rest) != "bye\n" || err != nil {
			t.Errorf("by %s the old program said %q at its end, %v", address, rest, err)
		}
	}
	a.answers("/", "plain")
}

// openSocket opens a websocket and reads the greeting.
func openSocket(t *testing.T, address string) io.Reader {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(time.Minute))
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	r := bufio.NewReader(c)
	for line := ""; line != "hello\n"; {
		if line, err = r.ReadString('\n'); err != nil {
			t.Fatalf("%q, %v", line, err)
		}
		if strings.HasPrefix(line, "HTTP/1.1") && !strings.Contains(line, "101") {
			t.Fatal(line)
		}
	}
	return r
}
