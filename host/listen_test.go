package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"roost/internal/httplint"
	"roost/internal/testport"
)

func TestATakenPortIsNamedAndTriedAgain(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", testport.Address(t)) // and is free later
	if err != nil {
		t.Fatal(err)
	}
	b := newBox(t)
	site := Site{Target: Target{Root: b.folder(map[string]string{"index.html": "x"})}, RedirectHTTPS: no()}
	c := Config{Host: Listen{HTTP: taken.Addr().String()}, Sites: []Site{site}}
	err = b.want(c)
	var failure *ListenError
	if !errors.As(err, &failure) || failure.Kind != "http" {
		t.Fatalf("Settle: %v", err)
	}
	if runtime.GOOS == "linux" {
		if want := fmt.Sprintf("(pid %d)", os.Getpid()); !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "host.test") {
			t.Errorf("%q does not name the process %s", err, want)
		}
	}
	if !strings.Contains(failure.Hint(), "set http in [host]") {
		t.Errorf("hint %q", failure.Hint())
	}
	s := b.Status()
	if l := s.Listeners[0]; l.Bound || l.Error == "" || len(s.Problems) != 1 || !s.Listeners[1].Bound {
		t.Errorf("%+v", s)
	}
	// A change of something else does not answer for it.
	c.Sites = append(c.Sites, Site{Domains: []string{"b.localhost"}, Target: site.Target})
	if err := b.want(c); err != nil {
		t.Errorf("a change elsewhere: %v", err)
	}
	taken.Close()
	until(t, "bound once the port is free", func() bool { return b.Status().Listeners[0].Bound })
	if res, body := b.get(b.client(false), "http://x.example/"); body != "x" {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}

func TestAListenerMovesWithoutAGap(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	one, two := testport.Address(t), testport.Address(t)
	c := Config{Host: Listen{HTTP: one, HTTPS: "off"}, Sites: []Site{{Target: Target{Root: b.folder(map[string]string{"index.html": "x"})}}}}
	b.settled(c)
	slow := b.dial("http") // keeps its connection over the move
	c.Host.HTTP = two
	b.settled(c)
	if _, err := net.Dial("tcp", one); err == nil {
		t.Error("the old address still answers")
	}
	fmt.Fprintf(slow, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	if said, _ := closes(t, slow, 30*time.Second); !strings.HasPrefix(said, "HTTP/1.1 200 OK") {
		t.Errorf("the old connection: %q", said)
	}
	// Two addresses that cannot be bound at once: http and https change places.
	c.Host = Listen{HTTP: one, HTTPS: two}
	b.settled(c)
	if b.address("http") != one || b.address("https") != two {
		t.Errorf("%+v", b.Status().Listeners)
	}
	c.Host = Listen{HTTP: two, HTTPS: one}
	b.settled(c)
	if b.address("http") != two || b.address("https") != one {
		t.Errorf("%+v", b.Status().Listeners)
	}
}

// TestAnAddressThatCannotBeHadLeavesTheOld is what lets a change be undone
// without anyone noticing.
func TestAnAddressThatCannotBeHadLeavesTheOld(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	c := Config{Host: Listen{HTTPS: "off"}, Sites: []Site{{Target: Target{Root: b.folder(map[string]string{"index.html": "x"})}}}}
	b.settled(c)
	address := b.address("http")
	for range 2 {
		changed := c.Clone()
		changed.Host.HTTP = taken.Addr().String()
		var failure *ListenError
		if err := b.want(changed); !errors.As(err, &failure) {
			t.Errorf("Settle: %v", err)
		}
		if l := b.Status().Listeners[0]; !l.Bound || l.Address != address || l.Error == "" {
			t.Errorf("%+v", l)
		}
		if res, body := b.get(b.client(false), "http://x.example/"); body != "x" {
			t.Errorf("%d %s", res.StatusCode, body)
		}
		b.settled(c) // as the edit does then
		if l := b.Status().Listeners[0]; !l.Bound || l.Address != address || l.Error != "" {
			t.Errorf("%+v", l)
		}
	}
}

// TestChangesAreNotFelt changes timeouts, folders and routes under requests.
func TestChangesAreNotFelt(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	config := func(i int) Config {
		root := b.folder(map[string]string{"index.html": "x"})
		return Config{Host: Listen{IdleTimeout: milliseconds(60000 + i)}, Sites: []Site{{Domains: []string{"localhost"}, RedirectHTTPS: no(), Target: Target{Root: root}}}}
	}
	b.settled(config(0))
	stop := make(chan bool)
	var asking sync.WaitGroup
	var answered atomic.Int64
	for _, ask := range []struct {
		url          string
		http2, fresh bool
	}{{"http://localhost/", false, false}, {"http://localhost/", false, true}, {"https://localhost/", false, false}, {"https://localhost/", true, false}} {
		c := b.client(ask.http2)
		c.Transport.(*httplint.Transport).Base.(*http.Transport).DisableKeepAlives = ask.fresh
		asking.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				res, err := c.Get(ask.url)
				if err != nil {
					t.Errorf("%+v: %v", ask, err)
					return
				}
				res.Body.Close()
				if res.StatusCode != 200 {
					t.Errorf("%+v: %d", ask, res.StatusCode)
					return
				}
				answered.Add(1)
			}
		})
	}
	for i := range 10 {
		before := answered.Load()
		b.settled(config(i + 1))
		until(t, "requests go on", func() bool { return answered.Load() > before+20 || t.Failed() })
	}
	close(stop)
	asking.Wait()
	t.Logf("%d requests over 10 changes", answered.Load())
}

func TestAMissingFolderIsServedOnceItIsThere(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	root := b.dir + "/later"
	good := Site{Domains: []string{"good.localhost"}, Target: Target{Root: b.folder(map[string]string{"index.html": "good"})}}
	c := Config{Sites: []Site{good, {Domains: []string{"late.localhost"}, Target: Target{Root: root}}}}
	if err := b.want(c); err == nil || !strings.Contains(err.Error(), root) {
		t.Errorf("Settle: %v", err)
	}
	client := b.client(true)
	if res, body := b.get(client, "https://good.localhost/"); body != "good" {
		t.Errorf("the other site: %d", res.StatusCode)
	}
	if res, _ := b.get(client, "https://late.localhost/"); res.StatusCode != 503 {
		t.Errorf("the missing folder: %d", res.StatusCode)
	}
	if s := b.Status(); len(s.Problems) != 1 || s.Sites[1].Targets[0].Problem == "" {
		t.Errorf("%+v", s)
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(root+"/index.html", []byte("late"), 0o644); err != nil {
		t.Fatal(err)
	}
	until(t, "served", func() bool { _, body := b.get(client, "https://late.localhost/"); return body == "late" })
	if s := b.Status(); len(s.Problems) != 0 {
		t.Errorf("%v", s.Problems)
	}
}

func TestSettleGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	ctx, cancel := context.WithCancelCause(context.Background())
	reason := errors.New("enough")
	cancel(reason)
	h, err := New(Options{RunDir: b.dir + "/r", LogDir: b.dir + "/l", TLSDir: b.dir + "/t"})
	if err != nil {
		t.Fatal(err)
	}
	h.Want(Config{}) // nobody runs it
	if err := h.Settle(ctx); !errors.Is(err, reason) {
		t.Errorf("%v", err)
	}
}

// TestTheSecondDefaultIsForThoseWhoMayNotBindTheFirst has a fake at the
// system: whoever runs the tests may bind port 80, or may not.
func TestTheSecondDefaultIsForThoseWhoMayNotBindTheFirst(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, wanted string
		fails        map[string]error
		bound, error string
	}{
		{"the first", "", nil, ":80", ""},
		{"the second", "", map[string]error{":80": os.ErrPermission}, ":8080", ""},
		{"neither", "", map[string]error{":80": os.ErrPermission, ":8080": os.ErrPermission}, "", "cannot listen on :8080 for http: this user may not bind that port"},
		{"taken is not forbidden", "", map[string]error{":80": errors.New("taken")}, "", "cannot listen on :80 for http: taken"},
		{"an address of one's own has no second", ":81", map[string]error{":81": os.ErrPermission}, "", "cannot listen on :81 for http: this user may not bind that port"},
	} {
		bound := ""
		l := &listening{doors: map[string]*door{}, bind: func(address string) (net.Listener, error) {
			if err := test.fails[address]; err != nil {
				return nil, err
			}
			bound = address
			return net.Listen("tcp", "127.0.0.1:0")
		}}
		d, err := l.open(t.Context(), "http", test.wanted)
		if d != nil {
			d.tcp.Close()
		}
		if bound != test.bound || (test.error != "") != (err != nil) || err != nil && err.Error() != test.error {
			t.Errorf("%s: bound %q, %v", test.name, bound, err)
		}
	}
}
