//go:build unix

package express

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"roost/internal/httplint"
)

// watched is whether the client of the road's only connection is being waited for.
func (r *road) watched() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		c.loan.mu.Lock()
		defer c.loan.mu.Unlock()
		return c.loan.lent
	}
	return false
}

func TestAClientThatGoesEndsTheContextOfItsRequest(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		sent string
		late string // sent when the request is being answered
		end  func(*net.TCPConn) error
	}{
		"at the end":                 {ask("/"), "", (*net.TCPConn).Close},
		"by half":                    {ask("/"), "", (*net.TCPConn).CloseWrite},
		"by a reset":                 {ask("/"), "", func(c *net.TCPConn) error { _ = c.SetLinger(0); return c.Close() }},
		"behind a body":              {post("/", "hello"), "", (*net.TCPConn).Close},
		"behind a body that is late": {post("/", "hello")[:len(post("/", "hello"))-2], "lo", (*net.TCPConn).Close},
		"before another request":     {ask("/") + ask("/next"), ask("/more"), (*net.TCPConn).Close},
		"in a body":                  {post("/", "hello")[:len(post("/", "hello"))-2], "l", (*net.TCPConn).Close},
	} {
		if name == "before another request" && runtime.GOOS != "linux" {
			continue // who cannot see an end behind what waits to be read
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked, gone := make(chan bool, 1), make(chan string, 1)
			r := newRoad(t, func(w http.ResponseWriter, r *http.Request) {
				if !w.(*Answer).Watch() {
					t.Error("nobody watches")
				}
				asked <- true
				n, _ := io.Copy(io.Discard, r.Body)
				<-r.Context().Done()
				gone <- fmt.Sprint(n, " ", r.Context().Err())
			}, nil)
			c := r.dial()
			_, _ = io.WriteString(c, test.sent)
			<-asked
			_, _ = io.WriteString(c, test.late)
			if err := test.end(c.(*net.TCPConn)); err != nil {
				t.Fatal(err)
			}
			select {
			case said := <-gone:
				if want := map[string]string{"behind a body": "5", "behind a body that is late": "5", "in a body": "4"}[name]; said != max(want, "0")+" context canceled" {
					t.Errorf("%s", said)
				}
			case <-time.After(30 * time.Second):
				t.Fatal("the context does not end")
			}
			until(t, "the connection is gone", func() bool { return r.open.Load() == 0 })
		})
	}
}

// TestTheWatchIsOutOfTheWayOfTheNextRequest has answers take long enough for it.
func TestTheWatchIsOutOfTheWayOfTheNextRequest(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{"nothing": "", "a body": "hello"} {
		for pipelined := range 2 {
			t.Run(fmt.Sprint(name, " ", pipelined), func(t *testing.T) {
				t.Parallel()
				on := make(chan bool)
				r := newRoad(t, func(w http.ResponseWriter, r *http.Request) {
					w.(*Answer).Watch()
					<-on
					if r.Context().Err() != nil {
						t.Error("the client is taken for gone")
					}
					count(w, r)
				}, nil)
				c := r.dial()
				in := bufio.NewReader(c)
				for range 3 {
					_, _ = io.WriteString(c, post("/", body))
					until(t, "the client is watched", r.watched)
					if pipelined > 0 {
						_, _ = io.WriteString(c, post("/next", body))
					}
					for range 1 + pipelined {
						on <- true
						asked, _ := http.NewRequest("GET", "/", nil)
						res, err := httplint.Read(t, in, asked)
						if err != nil {
							t.Fatal(err)
						}
						_, _ = io.Copy(io.Discard, res.Body)
					}
				}
				if r.HandedOn() != 0 {
					t.Error("handed on")
				}
			})
		}
	}
}

// TestTheWatchBeginsAndEndsAtAnyMoment has answers take about as long as it takes the watch to begin.
func TestTheWatchBeginsAndEndsAtAnyMoment(t *testing.T) {
	t.Parallel()
	r := newRoad(t, func(w http.ResponseWriter, r *http.Request) {
		w.(*Answer).Watch()
		_, _ = io.Copy(io.Discard, r.Body)
		<-time.After(watchDelay)
		if r.Context().Err() != nil {
			t.Error("the client is taken for gone")
		}
		echo(w, r)
	}, nil)
	var asking sync.WaitGroup
	for range 16 {
		c := r.dial()
		asking.Go(func() {
			in := bufio.NewReader(c)
			for i := range 8 {
				_, _ = io.WriteString(c, post(fmt.Sprint("/", i), "hello"))
				asked, _ := http.NewRequest("GET", "/", nil)
				res, err := httplint.Read(t, in, asked)
				if err != nil {
					t.Error(err)
					return
				}
				if body, _ := io.ReadAll(res.Body); string(body) != fmt.Sprint("/", i) {
					t.Errorf("%q for %d", body, i)
				}
			}
		})
	}
	asking.Wait()
}
