package host

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"roost/internal/httplint"
)

// keeper is a connection that a client keeps.
type keeper struct {
	net.Conn
	in *bufio.Reader
	t  *testing.T
}

// ask asks for a file and returns the answer and its body.
func (k keeper) ask(path string) (*http.Response, string) {
	k.t.Helper()
	return k.send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

// send sends a request and returns the answer and its body.
func (k keeper) send(request string) (*http.Response, string) {
	k.t.Helper()
	return k.sendRest(request, 0)
}

// sendRest is send where some bytes of the request were sent before.
func (k keeper) sendRest(request string, from int) (*http.Response, string) {
	k.t.Helper()
	if _, err := io.WriteString(k, request[from:]); err != nil {
		k.t.Fatal(err)
	}
	asked, err := http.ReadRequest(bufio.NewReader(strings.NewReader(request)))
	if err != nil {
		k.t.Fatal(err)
	}
	res, err := httplint.Read(k.t, k.in, asked)
	if err != nil {
		k.t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		k.t.Fatal(err)
	}
	return res, string(body)
}

// keep opens connections to a box: one of each kind of listener.
func (b *box) keep() map[string]keeper {
	all := map[string]keeper{}
	for kind, c := range map[string]net.Conn{"plain": b.dial("http"), "TLS": b.dialTLS("localhost", "http/1.1")} {
		_ = c.SetDeadline(time.Now().Add(30 * time.Second))
		all[kind] = keeper{c, bufio.NewReader(c), b.t}
	}
	return all
}

func (b *box) filesIn(express *bool) {
	b.settled(Config{Host: Listen{Express: express}, Sites: []Site{{
		Domains: []string{"localhost"}, RedirectHTTPS: no(), Target: Target{Root: b.folder(map[string]string{"a.txt": "hello"})},
	}}})
}

func TestAKeptConnectionIsToldThatTheHostEnds(t *testing.T) {
	t.Parallel()
	for name, express := range map[string]*bool{"express": nil, "full": no()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			b.options.Grace = time.Minute // the test ends when the last connection has been told, or not at all
			b.filesIn(express)
			all := b.keep()
			for kind, k := range all {
				if res, body := k.ask("/a.txt"); body != "hello" || res.Close {
					t.Errorf("%s: %v %q", kind, res, body)
				}
			}
			unasked := b.dial("http")
			_ = unasked.SetDeadline(time.Now().Add(30 * time.Second))
			until(t, "the host has three connections", func() bool { return b.servers.Load().open.Load() == 3 })
			stopped := make(chan bool)
			go func() {
				b.stop()
				close(stopped)
			}()
			until(t, "the host ends", b.front.ends)
			for kind, k := range all {
				if res, body := k.ask("/a.txt"); body != "hello" || !res.Close {
					t.Errorf("%s, while the host ends: %v %q", kind, res.Header, body)
				}
				if rest, err := io.ReadAll(k.in); len(rest) > 0 || err != nil {
					t.Errorf("%s: then %q, %v", kind, rest, err)
				}
				_ = k.Close()
			}
			if n, err := unasked.Read(make([]byte, 1)); n > 0 || err != io.EOF {
				t.Errorf("a connection on which nothing was asked: %v", err)
			}
			<-stopped
		})
	}
}

func TestAKeptConnectionIsClosedAfterTheGrace(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.filesIn(nil)
	all := b.keep()
	for _, k := range all {
		k.ask("/a.txt")
	}
	b.stop()
	for kind, k := range all {
		if rest, err := io.ReadAll(k.in); len(rest) > 0 || err != nil {
			t.Errorf("%s: %q, %v", kind, rest, err)
		}
	}
}

func TestTheLaneIsSwitchedWithoutClosingConnections(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.filesIn(nil)
	before := b.keep()
	for _, k := range before {
		k.ask("/a.txt")
	}
	if n := b.answered(); n != 2 {
		t.Errorf("the express lane has answered %d of 2 requests", n)
	}
	b.filesIn(no())
	if n := len(b.servers.Load().lanes()); n != 0 {
		t.Errorf("%d express lanes", n)
	}
	after := b.keep()
	for _, all := range []map[string]keeper{before, after} {
		for kind, k := range all {
			if res, body := k.ask("/a.txt"); res.StatusCode != 200 || body != "hello" || res.Close {
				t.Errorf("%s: %v %q", kind, res, body)
			}
		}
	}
	b.filesIn(nil)
	for kind, k := range b.keep() {
		if _, body := k.ask("/a.txt"); body != "hello" {
			t.Errorf("%s: %q", kind, body)
		}
	}
	if n := b.answered(); n != 2 {
		t.Errorf("the express lane has answered %d of 2 requests", n)
	}
}

// upload is a request that brings something, and what the app makes of it.
const (
	upload   = "POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nabcd"
	uploaded = "4 <nil>"
)

// TestAKeptConnectionToAnAppIsToldThatTheHostEnds has some requests under way when
// the host ends, others come after, and none lost.
func TestAKeptConnectionToAnAppIsToldThatTheHostEnds(t *testing.T) {
	t.Parallel()
	for name, express := range map[string]*bool{"express": nil, "full": no()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			b.options.Grace = time.Minute
			c := Config{Host: Listen{Express: express}, Sites: []Site{{Domains: []string{"localhost"}, RedirectHTTPS: no(), Target: Target{App: "web"}}}}
			testApp(t, &c, "web", "one", 2)
			b.settled(c)
			gets, posts, begun := b.keep(), b.keep(), b.keep()
			for kind := range gets {
				if res, body := gets[kind].ask("/x"); !strings.HasPrefix(body, "one /x ") || res.Close {
					t.Errorf("%s: %v %q", kind, res.Header, body)
				}
				if res, body := posts[kind].send(upload); body != uploaded || res.Close {
					t.Errorf("%s: %v %q", kind, res.Header, body)
				}
				if _, err := io.WriteString(begun[kind], upload[:len(upload)-2]); err != nil {
					t.Fatal(err)
				}
			}
			until(t, "requests are under way", func() bool { return b.Status().Apps[0].Figures.InFlight == int64(len(begun)) })
			if n := b.answered(); express == nil && n != uint64(2*len(gets)) {
				t.Errorf("the express lane has answered %d requests", n)
			}
			stopped := make(chan bool)
			go func() {
				b.stop()
				close(stopped)
			}()
			until(t, "the host ends", b.front.ends)
			for kind := range gets {
				if res, body := gets[kind].ask("/x"); !strings.HasPrefix(body, "one /x ") || !res.Close {
					t.Errorf("%s, while the host ends: %v %q", kind, res.Header, body)
				}
				if res, body := posts[kind].send(upload); body != uploaded || !res.Close {
					t.Errorf("%s, while the host ends: %v %q", kind, res.Header, body)
				}
				if _, body := begun[kind].sendRest(upload, len(upload)-2); body != uploaded {
					t.Errorf("%s, under way when the host ends: %q", kind, body)
				}
				if res, body := begun[kind].send(upload); body != uploaded || !res.Close {
					t.Errorf("%s, after one that was under way: %v %q", kind, res.Header, body)
				}
				for _, k := range []keeper{gets[kind], posts[kind], begun[kind]} {
					if rest, err := io.ReadAll(k.in); len(rest) > 0 || err != nil {
						t.Errorf("%s: then %q, %v", kind, rest, err)
					}
					_ = k.Close()
				}
			}
			<-stopped
		})
	}
}
