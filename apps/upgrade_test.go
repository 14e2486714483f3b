package apps

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

func echoSocket(w http.ResponseWriter, r *http.Request) {
	u := websocket.Upgrader{EnableCompression: true, CheckOrigin: func(*http.Request) bool { return true }, Subprotocols: []string{"chat"}}
	c, err := u.Upgrade(w, r, http.Header{"X-Instance": {"1"}})
	if err != nil {
		return
	}
	defer c.Close()
	for {
		kind, text, err := c.ReadMessage()
		if err != nil {
			return
		}
		c.WriteMessage(kind, append([]byte("echo "), text...))
	}
}

func dialSocket(t *testing.T, url string) *websocket.Conn {
	t.Helper()
	c, res, err := (&websocket.Dialer{Subprotocols: []string{"chat"}}).Dial("ws"+strings.TrimPrefix(url, "http"), http.Header{"Origin": {"http://example.com"}})
	if err != nil {
		t.Fatalf("%v, %v", err, res)
	}
	t.Cleanup(func() { c.Close() })
	if res.Header.Get("X-Instance") != "1" || c.Subprotocol() != "chat" {
		t.Errorf("%v", res.Header)
	}
	return c
}

func TestWebSocketsPassBothWaysAndCountAsInFlight(t *testing.T) {
	e := runInstance(t, echoSocket)
	s := listenHost(t, poolOf(e))
	c := dialSocket(t, s.URL+"/socket?x=1")
	for _, size := range []int{0, 1, 125, 70_000, 1 << 20} {
		text := strings.Repeat("w", size)
		if err := c.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if _, got, err := c.ReadMessage(); err != nil || string(got) != "echo "+text {
			t.Fatalf("%d bytes come back as %d, %v", size, len(got), err)
		}
	}
	if e.InFlight() != 1 || e.Requests() != 1 {
		t.Errorf("%d in flight of %d", e.InFlight(), e.Requests())
	}
	c.Close()
	eventually(t, "not in flight", func() bool { return e.InFlight() == 0 })
}

func TestWebSocketsOutliveRetireAndEndWithClose(t *testing.T) {
	e := runInstance(t, echoSocket)
	p := poolOf(e)
	s := listenHost(t, p)
	c := dialSocket(t, s.URL)
	p.publish(nil)
	e.retire()
	if err := c.WriteMessage(websocket.TextMessage, []byte("still")); err != nil {
		t.Fatal(err)
	}
	if _, got, err := c.ReadMessage(); err != nil || string(got) != "echo still" {
		t.Fatalf("%q, %v", got, err)
	}
	within(t, "drained, for nobody waits for a websocket", e.drained())
	if e.InFlight() != 1 {
		t.Errorf("%d in flight, want the websocket", e.InFlight())
	}
	e.close()
	eventually(t, "nothing in flight", func() bool { return e.InFlight() == 0 })
	if _, _, err := c.ReadMessage(); err == nil {
		t.Error("the client's side stays open")
	}
}

func TestTheClientsCloseReachesTheInstanceAndTheOtherWayRound(t *testing.T) {
	gone := make(chan error, 1)
	e := rawInstance(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		h, _ := readHead(r)
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n\r\nhello")
		if strings.HasPrefix(h, "GET /close ") {
			io.CopyN(io.Discard, r, int64(len("at once"))) // unread, it would make the close a reset
			return
		}
		_, err := io.ReadAll(r)
		gone <- err
	})
	s := listenHost(t, poolOf(e))
	for _, path := range []string{"/close", "/"} {
		c, r := dialRaw(t, s)
		sendRaw(t, c, "GET %s HTTP/1.1\nHost: h\nConnection: Upgrade\nUpgrade: websocket\n\nat once", path)
		if h, err := readHead(r); !strings.HasPrefix(h, "HTTP/1.1 101 ") {
			t.Fatalf("%q, %v", h, err)
		}
		hello := make([]byte, 5)
		if _, err := io.ReadFull(r, hello); err != nil || string(hello) != "hello" {
			t.Fatalf("%q, %v", hello, err)
		}
		if path == "/close" {
			if rest, err := io.ReadAll(r); len(rest) != 0 || err != nil && !strings.Contains(err.Error(), "reset") {
				t.Errorf("%q, %v", rest, err)
			}
		}
		c.Close()
		if path == "/" {
			within(t, "the instance sees the end", gone)
		}
	}
	eventually(t, "nothing in flight", func() bool { return e.InFlight() == 0 })
}

// What an instance says before it goes arrives, also when the client is talking.
func TestTheLastWordsOfAnInstanceArrive(t *testing.T) {
	words := strings.Repeat("bye ", 50_000)
	e := rawInstance(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		readHead(r)
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"+words)
		c.(*net.UnixConn).CloseRead() // the client's words meet a broken pipe
		c.(*net.UnixConn).CloseWrite()
	})
	s := listenHost(t, poolOf(e))
	c, r := dialRaw(t, s)
	sendRaw(t, c, "GET / HTTP/1.1\nHost: h\nConnection: Upgrade\nUpgrade: websocket\n\n")
	readHead(r)
	go func() {
		for range 100 {
			c.Write(make([]byte, 1000))
		}
	}()
	if got, err := io.ReadAll(r); string(got) != words {
		t.Errorf("%d bytes of %d, %v", len(got), len(words), err)
	}
	c.Close()
	eventually(t, "nothing in flight", func() bool { return e.InFlight() == 0 })
}

func TestCloseEndsATunnelWhoseClientStaysSilent(t *testing.T) {
	e := rawInstance(t, func(c net.Conn) {
		readHead(bufio.NewReader(c))
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
	})
	s := listenHost(t, poolOf(e))
	c, r := dialRaw(t, s)
	sendRaw(t, c, "GET / HTTP/1.1\nHost: h\nConnection: Upgrade\nUpgrade: websocket\n\n")
	readHead(r)
	if rest, err := io.ReadAll(r); len(rest) != 0 || err != nil {
		t.Errorf("%q, %v", rest, err)
	}
	if e.InFlight() != 1 {
		t.Errorf("%d in flight", e.InFlight())
	}
	begin := time.Now()
	e.close()
	eventually(t, "nothing in flight", func() bool { return e.InFlight() == 0 })
	if d := time.Since(begin); d > lastWords/2 {
		t.Errorf("after %v", d)
	}
}

func TestAnInstanceThatSwitchesUnaskedIsABadGateway(t *testing.T) {
	e := rawInstance(t, func(c net.Conn) {
		readHead(bufio.NewReader(c))
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n")
	})
	s := listenHost(t, poolOf(e))
	for _, fields := range []string{"", "Connection: Upgrade\nUpgrade: h2c\n", "Connection: Upgrade\nUpgrade: websocket\n"} {
		c, r := dialRaw(t, s)
		sendRaw(t, c, "GET / HTTP/1.1\nHost: h\n%s\n", fields)
		if h, err := readHead(r); !strings.HasPrefix(h, "HTTP/1.1 502 ") {
			t.Errorf("%q: %q, %v", fields, h, err)
		}
	}
}

func TestARefusedUpgradeIsAnOrdinaryAnswer(t *testing.T) {
	e := runInstance(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, r.Header.Get("Upgrade"))
	})
	s := listenHost(t, poolOf(e))
	_, res, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(s.URL, "http"), nil)
	if err == nil || res.StatusCode != http.StatusForbidden {
		t.Fatalf("%v, %v", err, res)
	}
	if text, _ := io.ReadAll(res.Body); string(text) != "websocket" {
		t.Errorf("%q", text)
	}
}
