package host

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"roost/internal/httplint"
)

// held is a host whose /hold answers once it is let go.
func held(t *testing.T, l Listen) (b *box, let func()) {
	b = newBox(t)
	b.settled(Config{Host: l, Sites: []Site{{RedirectHTTPS: no(), Target: Target{Root: b.folder(nil)}}}})
	hold := make(chan bool)
	b.front.router.Store(newRouter(Config{Sites: []Site{{RedirectHTTPS: no(), AccessLog: no(), Target: Target{App: "x"}}}}, handlerTargets{handler: asApp(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hold" {
			select {
			case <-hold:
			case <-r.Context().Done():
			}
		}
		io.WriteString(w, "held")
	})}))
	return b, func() { close(hold) }
}

// say sends a request on c and, unless it is held, reads the answer.
func say(c net.Conn, path string) error {
	c.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path)
	if path == "/hold" {
		return nil
	}
	return heard(c)
}

// knock asks once, on a connection of its own.
func (b *box) knock() error {
	c, err := net.Dial("tcp", b.address("http"))
	if err != nil {
		return err
	}
	defer c.Close()
	return say(c, "/")
}

func heard(c net.Conn) error {
	res, err := httplint.Read(nil, bufio.NewReader(c), nil)
	if err != nil {
		return err
	}
	if body, err := io.ReadAll(res.Body); err != nil || string(body) != "held" {
		return fmt.Errorf("%q, %v", body, err)
	}
	return nil
}

// isClosed reports whether the box has closed c, and waits for it.
func isClosed(c net.Conn) bool {
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, err := c.Read(make([]byte, 1))
	return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}

func isOpen(c net.Conn) bool {
	c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	_, err := c.Read(make([]byte, 1))
	return errors.Is(err, os.ErrDeadlineExceeded)
}

func TestTheConnectionThatIsIdleTheLongestMakesRoom(t *testing.T) {
	t.Parallel()
	for _, limits := range []Listen{{MaxConnections: 6}, {MaxConnections: 100, MaxConnectionsPerClient: 6}} {
		b, let := held(t, limits)
		busy := b.dial("http")
		if err := say(busy, "/hold"); err != nil {
			t.Fatal(err)
		}
		until(t, "one is busy", func() bool { return b.busy() == 1 })
		var idle []net.Conn
		for i := range 5 {
			c := b.dial("http")
			if i%2 == 0 { // the others have not even sent a head
				if err := say(c, "/"); err != nil {
					t.Fatal(err)
				}
			} else {
				fmt.Fprint(c, "GET / HT")
				until(t, "it is taken", func() bool { return b.Status().Connections["http"] == i+2 })
			}
			idle = append(idle, c)
		}
		if err := say(idle[0], "/"); err != nil { // the first is now the last
			t.Fatal(err)
		}
		for i, victim := range []int{1, 2, 3} {
			c := b.dial("http")
			if err := say(c, "/"); err != nil {
				t.Fatalf("%+v: new connection %d: %v", limits, i, err)
			}
			if !isClosed(idle[victim]) || !isOpen(idle[0]) {
				t.Errorf("%+v: after new connection %d idle %d is not the one closed", limits, i, victim)
			}
		}
		if n := b.Status().Connections["http"]; n != 6 || b.Status().TurnedAway != 0 {
			t.Errorf("%d connections, %d turned away", n, b.Status().TurnedAway)
		}
		let()
		if err := heard(busy); err != nil {
			t.Errorf("the one that was busy: %v", err)
		}
	}
}

func TestWhereAllConnectionsAreBusyNewOnesAreTurnedAway(t *testing.T) {
	t.Parallel()
	for _, limits := range []Listen{{MaxConnections: 6}, {MaxConnections: 100, MaxConnectionsPerClient: 6}} {
		limits.HTTP3 = true
		b, let := held(t, limits)
		var busy []net.Conn
		for i := range 6 {
			var c net.Conn
			if i < 3 {
				c = b.dial("http")
			} else {
				c = b.dialTLS("localhost", "http/1.1")
			}
			say(c, "/hold")
			busy = append(busy, c)
		}
		until(t, "all are busy", func() bool { return b.busy() == 6 })
		for range 20 {
			if b.knock() == nil {
				t.Fatal("one too many was served")
			}
		}
		if _, err := b.client3().Get("https://localhost/"); err == nil || !strings.Contains(err.Error(), "CONNECTION_REFUSED") {
			t.Errorf("HTTP/3: %v", err)
		}
		if n := b.Status().TurnedAway; n < 21 {
			t.Errorf("%d turned away", n)
		}
		let()
		for _, c := range busy {
			if err := heard(c); err != nil {
				t.Errorf("one that was busy: %v", err)
			}
		}
		until(t, "there is room again", func() bool { return b.knock() == nil })
		if res, body := b.get(b.client3(), "https://localhost/"); body != "held" {
			t.Errorf("HTTP/3: %d %s", res.StatusCode, body)
		}
	}
}

func TestProxiesThatAreTrustedAreNotOneClient(t *testing.T) {
	t.Parallel()
	b, let := held(t, Listen{MaxConnections: 100, MaxConnectionsPerClient: 2, TrustedProxies: []string{"127.0.0.0/8"}})
	for range 5 {
		say(b.dial("http"), "/hold")
	}
	until(t, "all are busy", func() bool { return b.busy() == 5 })
	let()
}

func TestOneClientOfIPv6HasItsNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::", "2001:db8:1:2::9": "2001:db8:1:2::", "2001:db8:1:3::9": "2001:db8:1:3::",
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "fe80::1%eth0": "fe80::",
	} {
		from := &net.TCPAddr{IP: netip.MustParseAddr(address).AsSlice(), Zone: netip.MustParseAddr(address).Zone()}
		if got := clientNet(addressOf(from)); got.String() != want {
			t.Errorf("%s belongs to %s, want %s", address, got, want)
		}
	}
}

func TestMistakesInLimitsOfConnectionsAreTold(t *testing.T) {
	text := `[host]
https = "off"
http3 = true
max_connections = -1
max_connections_per_client = "ten"

[[site]]
root = "."
`
	_, problems := Parse("roost.toml", []byte(text), "")
	var said []string
	for _, p := range problems {
		said = append(said, p.String())
	}
	c, _ := Parse("roost.toml", []byte(strings.ReplaceAll(text, `"ten"`, "10")), "")
	for _, p := range Validate(c) {
		said = append(said, p.String())
	}
	c, _ = Parse("roost.toml", []byte("[host]\nmax_connections = 9999999\nmax_connections_per_client = 99999999\n"), "")
	for _, p := range Validate(c) {
		said = append(said, p.String())
	}
	for _, want := range []string{
		`roost.toml:5: max_connections_per_client wants a whole number, not the text "ten": leave out the quotes`,
		`roost.toml:3: http3 = true, and https is off: HTTP/3 is announced by https: leave that on, or http3 out`,
		`roost.toml:4: max_connections = -1: not a number of connections: want at least 1, or leave it out`,
		`roost.toml:2: max_connections = 9999999, and the system allows `,
		`roost.toml:3: max_connections_per_client = 99999999 is more than max_connections = 9999999: want fewer for one client than there are in all`,
	} {
		found := false
		for _, s := range said {
			found = found || strings.HasPrefix(s, want)
		}
		if !found {
			t.Errorf("no %s in\n%s", want, strings.Join(said, "\n"))
		}
	}
}
