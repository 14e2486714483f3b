package upstream

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const patience = 30 * time.Second

// instance is a program that serves each connection by itself.
func instance(t testing.TB, serve func(c net.Conn, r *bufio.Reader)) (c *Client, dials *atomic.Int32) {
	t.Helper()
	dir, err := os.MkdirTemp("", "roost") // short: it is the path of a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer nc.Close()
				serve(nc, bufio.NewReader(nc))
			}()
		}
	}()
	dials = new(atomic.Int32)
	c = New(func(ctx context.Context) (net.Conn, error) {
		dials.Add(1)
		var d net.Dialer
		nc, err := d.DialContext(ctx, "unix", l.Addr().String())
		if err == nil && plain(t) {
			nc = struct{ net.Conn }{nc} // no socket that anybody could see
		}
		return nc, err
	})
	t.Cleanup(c.Close)
	return c, dials
}

func plain(t testing.TB) bool { return strings.HasSuffix(t.Name(), "/plain") }

// bothWays runs a test on sockets and in the plain way of other systems.
func bothWays(t *testing.T, test func(t *testing.T)) {
	t.Parallel()
	t.Run("socket", test)
	t.Run("plain", test)
}

// skipHead reads a head, and tells whether there was one.
func skipHead(r *bufio.Reader) bool {
	for {
		line, err := r.ReadString('\n')
		if err != nil || line == "\r\n" {
			return err == nil
		}
	}
}

var get = &Request{Head: []byte("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), Repeatable: true}
var post = &Request{Head: []byte("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx")}

// do asks and returns the status and the content.
func do(ctx context.Context, c *Client, q *Request) (status int, content string, err error) {
	a, err := c.Do(ctx, q)
	if err != nil {
		return 0, "", err
	}
	defer a.Close()
	status = a.Head.Status
	for {
		p, _, err := a.Next(forever)
		content += string(p)
		if err == io.EOF {
			return status, content, nil
		}
		if err != nil {
			return status, content, err
		}
	}
}

func TestConnectionsAreKeptAndTheLastOneIsUsedFirst(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		hold := make(chan struct{})
		c, dials := instance(t, func(nc net.Conn, r *bufio.Reader) {
			for n := 0; skipHead(r); n++ {
				if n == 0 {
					<-hold
				}
				io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			}
		})
		both := make(chan error, 2)
		for range 2 {
			go func() {
				_, _, err := do(t.Context(), c, get)
				both <- err
			}()
		}
		eventually(t, "two are open", func() bool { return dials.Load() == 2 })
		close(hold)
		for range 2 {
			if err := <-both; err != nil {
				t.Fatal(err)
			}
		}
		last := c.idle[1]
		for range 10 {
			if status, text, err := do(t.Context(), c, get); status != 200 || text != "ok" || err != nil {
				t.Fatalf("%d %q %v", status, text, err)
			}
		}
		if dials.Load() != 2 || len(c.idle) != 2 || c.idle[1] != last {
			t.Errorf("%d connections, %d idle", dials.Load(), len(c.idle))
		}
	})
}

// What comes on a kept connection that nobody has asked for is never taken for
// an answer: the next request goes elsewhere, whatever its method.
func TestAKeptConnectionOnWhichSomethingCameIsNotUsed(t *testing.T) {
	for name, late := range map[string]string{"closed": "", "bytes": "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong"} {
		t.Run(name, func(t *testing.T) {
			bothWays(t, func(t *testing.T) {
				answered, said := make(chan struct{}), make(chan struct{}, 100)
				c, dials := instance(t, func(nc net.Conn, r *bufio.Reader) {
					skipHead(r)
					io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nright")
					<-answered
					if late == "" {
						nc.Close()
					} else {
						io.WriteString(nc, late)
					}
					said <- struct{}{}
					skipHead(r)
				})
				for n := range 5 {
					if status, text, err := do(t.Context(), c, post); status != 200 || text != "right" || err != nil {
						t.Fatalf("%d %q %v", status, text, err)
					}
					if len(c.idle) != 1 || int(dials.Load()) != n+1 {
						t.Fatalf("%d connections, %d idle", dials.Load(), len(c.idle))
					}
					answered <- struct{}{}
					<-said
					if ended := c.idle[0].watch.ended; plain(t) {
						eventually(t, "it is noticed", func() bool { return len(ended) == 1 })
					}
				}
			})
		})
	}
}

func TestIdleConnectionsAreClosedAfterAWhile(t *testing.T) {
	closed := make(chan struct{})
	c, _ := instance(t, func(nc net.Conn, r *bufio.Reader) {
		skipHead(r)
		io.WriteString(nc, "HTTP/1.1 204 No Content\r\n\r\n")
		skipHead(r)
		close(closed)
	})
	if _, _, err := do(t.Context(), c, get); err != nil {
		t.Fatal(err)
	}
	for range idleTicks - 1 {
		c.tick()
	}
	if len(c.idle) != 1 {
		t.Fatal("closed too early")
	}
	c.tick()
	select {
	case <-closed:
	case <-time.After(patience):
		t.Error("it stays open")
	}
	if len(c.idle) != 0 || c.ticking || len(c.open) != 0 {
		t.Errorf("%d idle of %d, ticking %v", len(c.idle), len(c.open), c.ticking)
	}
}

func TestTheEndOfTheContextEndsAWait(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		hungUp := make(chan struct{})
		c, _ := instance(t, func(nc net.Conn, r *bufio.Reader) {
			defer close(hungUp)
			for _, answer := range []string{"ok", "o"} {
				skipHead(r)
				io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"+answer)
			}
			skipHead(r)
		})
		if _, text, err := do(t.Context(), c, get); text != "ok" || err != nil {
			t.Fatal(text, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		a, err := c.Do(ctx, get)
		if err != nil {
			t.Fatal(err)
		}
		if p, _, err := a.Next(forever); string(p) != "o" || err != nil {
			t.Fatalf("%q, %v", p, err)
		}
		time.AfterFunc(time.Millisecond, cancel)
		if p, _, err := a.Next(forever); len(p) > 0 || err == nil {
			t.Errorf("%q, %v", p, err)
		}
		a.Close()
		<-hungUp
		if len(c.idle) != 0 {
			t.Error("the connection is kept")
		}
	})
}

func TestCloseEndsWhatIsInUseAndLetsNothingIn(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		asked := make(chan struct{})
		c, _ := instance(t, func(nc net.Conn, r *bufio.Reader) {
			if skipHead(r) {
				close(asked)
				skipHead(r)
			}
		})
		failed := make(chan error, 1)
		go func() {
			_, _, err := do(t.Context(), c, get)
			failed <- err
		}()
		<-asked
		c.Close()
		var e *Error
		if err := <-failed; !errors.As(err, &e) || !e.Sent || e.Heard {
			t.Errorf("%v", err)
		}
		if _, _, err := do(t.Context(), c, get); err != ErrClosed {
			t.Errorf("%v", err)
		}
	})
}

// text is a body that is read once, with a trailer; it ends when it is let.
type text struct {
	pieces <-chan string
	given  bool
}

func (b *text) Reader() io.Reader {
	if b.given {
		return nil
	}
	b.given = true
	return b
}

func (b *text) Read(p []byte) (int, error) {
	piece, ok := <-b.pieces
	if !ok {
		return 0, io.EOF
	}
	return copy(p, piece), nil
}

func (*text) AppendTrailer(to []byte) []byte { return append(to, "A: b\r\n"...) }

func TestABodyIsSentWhileTheAnswerComes(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		c, dials := instance(t, func(nc net.Conn, r *bufio.Reader) {
			for skipHead(r) {
				io.WriteString(nc, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
				for {
					line, err := r.ReadString('\n')
					if err != nil {
						return
					}
					fmt.Fprintf(nc, "%x\r\n%s\r\n", len(line), line)
					if line == "\r\n" { // no piece is empty
						break
					}
				}
				io.WriteString(nc, "0\r\n\r\n")
			}
		})
		for range 3 {
			pieces := make(chan string)
			q := &Request{Head: []byte("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"), Body: &text{pieces: pieces}, Chunked: true}
			a, err := c.Do(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			got, sent := "", strings.Repeat("y", 0x123)
			next := func() {
				p, _, err := a.Next(forever)
				if got += string(p); err != nil {
					t.Fatalf("%q, %v", got, err)
				}
			}
			for _, piece := range []string{"x", sent} {
				pieces <- piece
				for n := len(got); len(got) < n+len(piece); {
					next()
				}
			}
			close(pieces)
			for err == nil {
				var p []byte
				p, _, err = a.Next(forever)
				got += string(p)
			}
			if want := "1\r\nx\r\n123\r\n" + sent + "\r\n0\r\nA: b\r\n\r\n"; got != want || err != io.EOF {
				t.Errorf("%q, %v", got, err)
			}
			eventually(t, "the sender has ended", a.sender.sent.Load)
			a.Close()
		}
		if dials.Load() != 1 {
			t.Errorf("%d connections", dials.Load())
		}
	})
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, patience)
		}
		<-time.After(time.Millisecond)
	}
}

// A connection on which more came than the answer is at an end: what follows
// could be the rest of it.
func TestAConnectionWithMoreThanTheAnswerIsNotKept(t *testing.T) {
	for name, answer := range map[string]string{
		"counted": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"chunked": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		"empty":   "HTTP/1.1 204 No Content\r\n\r\n",
		"cached":  "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			bothWays(t, func(t *testing.T) {
				c, dials := instance(t, func(nc net.Conn, r *bufio.Reader) {
					for skipHead(r) {
						io.WriteString(nc, answer+"HT")
					}
				})
				for n := range 3 {
					if _, text, err := do(t.Context(), c, post); text != "ok" && text != "" || err != nil {
						t.Fatalf("%q, %v", text, err)
					}
					if int(dials.Load()) != n+1 || len(c.idle) != 0 {
						t.Errorf("%d connections for %d requests, %d idle", dials.Load(), n+1, len(c.idle))
					}
				}
			})
		})
	}
}

// A kept connection that ends when a request has been sent may have ended for
// it, or before it.
func TestWhatAKeptConnectionTookIsSentAgainOnlyWhereThatDoesNoHarm(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		for _, q := range []*Request{get, post} {
			asked := make(chan struct{}, 100)
			c, dials := instance(t, func(nc net.Conn, r *bufio.Reader) {
				if skipHead(r) {
					asked <- struct{}{}
					io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
				}
				if skipHead(r) {
					asked <- struct{}{}
				}
			})
			if _, text, err := do(t.Context(), c, get); text != "ok" || err != nil {
				t.Fatalf("%q, %v", text, err)
			}
			_, text, err := do(t.Context(), c, q)
			var e *Error
			switch {
			case q.Repeatable:
				if text != "ok" || err != nil || len(asked) != 3 || dials.Load() != 2 {
					t.Errorf("%q, %v, asked %d times on %d connections", text, err, len(asked), dials.Load())
				}
			case !errors.As(err, &e) || !e.Sent || e.Heard || len(asked) != 2 || dials.Load() != 1:
				t.Errorf("%q, %v, asked %d times on %d connections", text, err, len(asked), dials.Load())
			}
		}
	})
}

// An instance may answer before it has the body; what it still gets of that
// must not be the beginning of the next request.
func TestAConnectionThatOwesABodyIsNotKept(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		c, dials := instance(t, func(nc net.Conn, r *bufio.Reader) {
			for skipHead(r) {
				io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			}
		})
		pieces := make(chan string)
		defer close(pieces)
		q := &Request{Head: []byte("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n"), Body: &text{pieces: pieces}}
		if _, text, err := do(t.Context(), c, q); text != "ok" || err != nil {
			t.Fatalf("%q, %v", text, err)
		}
		if _, text, err := do(t.Context(), c, post); text != "ok" || err != nil || dials.Load() != 2 {
			t.Errorf("%q, %v, %d connections", text, err, dials.Load())
		}
	})
}
