package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"roost/internal/httplint"
)

// slowSite has routes whose answers take half a second at least: from memory,
// from the disk, of an app; and one that is not bounded.
func slowSite(b *box) (c Config, sizes map[string]int) {
	const rate = 128 << 10
	sizes = map[string]int{"/memory/f": 192 << 10, "/disk/f": 512 << 10, "/app/f": 192 << 10, "/open/f": 512 << 10}
	files := map[string]string{}
	for path, size := range sizes {
		files[path] = strings.Repeat("x", size)
	}
	root := b.folder(files)
	route := func(name string, bandwidth *Bandwidth) Route {
		return Route{Path: "/" + name + "/", Target: Target{Root: filepath.Join(root, name), Protection: Protection{Bandwidth: bandwidth}}}
	}
	return Config{Sites: []Site{{RedirectHTTPS: no(), Target: Target{Root: root, Protection: Protection{Bandwidth: &Bandwidth{Rate: 1 << 10}}}, Routes: []Route{
		route("memory", &Bandwidth{Rate: rate}), route("disk", &Bandwidth{Rate: rate, After: 320 << 10}), route("app", &Bandwidth{Rate: rate}), route("open", &Bandwidth{Switch: Switch{Off: true}}),
	}}}}, sizes
}

func TestAnAnswerIsAsFastAsItsBandwidthAllows(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	c, sizes := slowSite(b)
	c.Host.HTTP3 = true
	b.settled(c)
	b.route("/app", asApp(func(w http.ResponseWriter, _ *http.Request) {
		for range sizes["/app/f"] / 1024 {
			io.WriteString(w, strings.Repeat("x", 1024))
		}
	}).ServeHTTP)
	var asking sync.WaitGroup
	for what, ask := range map[string]struct {
		*http.Client
		base string
	}{
		"HTTP": {b.client(false), "http://localhost"}, "TLS": {b.client(false), "https://localhost"},
		"HTTP/2": {b.client(true), "https://localhost"}, "HTTP/3": {b.client3(), "https://localhost"},
	} {
		for path, size := range sizes {
			asking.Go(func() {
				begun := time.Now()
				res, err := ask.Get(ask.base + path)
				if err != nil {
					t.Errorf("%s %s: %v", what, path, err)
					return
				}
				body, err := io.ReadAll(res.Body)
				res.Body.Close()
				if err != nil || string(body) != strings.Repeat("x", size) {
					t.Errorf("%s %s: %d bytes, %v", what, path, len(body), err)
				}
				if took := time.Since(begun); path != "/open/f" && took < 450*time.Millisecond {
					t.Errorf("%s %s: all of it after %v", what, path, took)
				}
			})
		}
	}
	asking.Wait()
}

// TestSlownessOnPurposeIsNoStall has answers wait for longer than a peer may
// stand still.
func TestSlownessOnPurposeIsNoStall(t *testing.T) {
	t.Run("of a connection", func(t *testing.T) {
		t.Parallel()
		b := newBox(t)
		const size = 2<<10 + 1500
		root := b.folder(map[string]string{"f": strings.Repeat("x", size)})
		b.settled(Config{Host: Listen{ProgressTimeout: milliseconds(100)}, Sites: []Site{{RedirectHTTPS: no(), Target: Target{Root: root, Protection: Protection{Bandwidth: &Bandwidth{Rate: 2 << 10}}}}}})
		var asking sync.WaitGroup
		for _, url := range []string{"http://localhost/f", "https://localhost/f"} {
			client := b.client(false)
			asking.Go(func() {
				if res, body := b.get(client, url); res.StatusCode != 200 || len(body) != size {
					t.Errorf("%s: %d, %d bytes", url, res.StatusCode, len(body))
				}
			})
		}
		asking.Wait()
	})
	t.Run("of a stream", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := &sink{}
			x := w.exchange(t.Context(), &Bandwidth{Rate: 1 << 10, After: 2 << 10})
			x.out.timeout, x.out.cut = 100*time.Millisecond, func() { t.Error("cut while it waited") }
			begun := time.Now()
			n, err := io.WriteString(x, strings.Repeat("x", 5<<10))
			atOnce := w.moments[begun]
			m, failed := x.ReadFrom(strings.NewReader(strings.Repeat("y", 4<<10)))
			if took := time.Since(begun); n != 5<<10 || m != 4<<10 || err != nil || failed != nil || took < 5900*time.Millisecond || took > 7100*time.Millisecond {
				t.Errorf("%d and %d bytes, %v, %v, in %v", n, m, err, failed, took)
			}
			if atOnce != 3<<10 { // what goes first, and a second's
				t.Errorf("%d bytes at once", atOnce)
			}
			if w.text.String() != strings.Repeat("x", 5<<10)+strings.Repeat("y", 4<<10) {
				t.Error("other bytes than were written")
			}
		})
	})
}

// sink is a client that takes all at once, and notes when it came.
type sink struct {
	head    http.Header
	text    strings.Builder
	moments map[time.Time]int
}

// exchange is one whose answer goes to w.
func (w *sink) exchange(ctx context.Context, bandwidth *Bandwidth) *exchange {
	w.head, w.moments = http.Header{}, map[time.Time]int{}
	return &exchange{ResponseWriter: w, request: httptest.NewRequestWithContext(ctx, "GET", "/", nil), pace: newPace(bandwidth, nil)}
}

func (w *sink) Header() http.Header { return w.head }
func (w *sink) WriteHeader(int)     {}
func (w *sink) Write(p []byte) (int, error) {
	w.moments[time.Now()] += len(p)
	return w.text.Write(p)
}

func TestNobodyIsWaitedForWhoHasGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, leave := context.WithCancel(t.Context())
		x := new(sink).exchange(ctx, &Bandwidth{Rate: 1 << 10})
		begun := time.Now()
		time.AfterFunc(100*time.Millisecond, leave)
		n, err := x.ReadFrom(strings.NewReader(strings.Repeat("x", 64<<10)))
		if took := time.Since(begun); n != 1<<10 || !errors.Is(err, context.Canceled) || took > 100*time.Millisecond {
			t.Errorf("%d bytes, %v, after %v", n, err, took)
		}
	})
}

// TestAtTheEndAnswersAreSentAsFastAsCanBe: at their pace these would need a
// minute, and the host waits ten seconds.
func TestAtTheEndAnswersAreSentAsFastAsCanBe(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	const size = 64 << 10
	root := b.folder(map[string]string{"f": strings.Repeat("x", size)})
	b.settled(Config{Host: Listen{HTTP3: true}, Sites: []Site{{RedirectHTTPS: no(), Target: Target{Root: root, Protection: Protection{Bandwidth: &Bandwidth{Rate: 1 << 10}}}}}})
	var begun []*http.Response
	for _, ask := range []struct {
		*http.Client
		url string
	}{{b.client(false), "http://localhost/f"}, {b.client(true), "https://localhost/f"}, {b.client3(), "https://localhost/f"}} {
		res, err := ask.Get(ask.url)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		begun = append(begun, res)
	}
	ended := make(chan bool)
	go func() { b.stop(); close(ended) }()
	for _, res := range begun {
		if body, err := io.ReadAll(res.Body); err != nil || len(body) != size {
			t.Errorf("%s: %d bytes, %v", res.Proto, len(body), err)
		}
	}
	<-ended
}

// TestEventsAndUpgradedConnectionsHaveNoPace: what they send here would need a
// minute at the pace of their site.
func TestEventsAndUpgradedConnectionsHaveNoPace(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	const size = 64 << 10
	b.settled(Config{Sites: []Site{{RedirectHTTPS: no(), Target: Target{Root: b.folder(nil)}}}})
	slow := Config{Sites: []Site{{RedirectHTTPS: no(), Target: Target{App: "x", Protection: Protection{Bandwidth: &Bandwidth{Rate: 1 << 10}}}}}}
	b.front.router.Store(newRouter(slow, handlerTargets{handler: asApp(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			w.Header().Set("Content-Type", "text/event-stream")
			io.WriteString(w, "data: "+strings.Repeat("x", size-8)+"\n\n")
			return
		}
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		fmt.Fprintf(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n%s", strings.Repeat("x", size))
	})}))
	if _, body := b.get(b.client(true), "https://localhost/"); len(body) != size {
		t.Errorf("%d bytes of events", len(body))
	}
	c := b.dial("http")
	c.SetDeadline(time.Now().Add(30 * time.Second))
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
	if all, err := io.ReadAll(c); err != nil || !strings.HasSuffix(string(all), "\r\n\r\n"+strings.Repeat("x", size)) {
		t.Errorf("%d bytes above an upgraded connection, %v", len(all), err)
	}
}

// TestNoSpellingOfAPathIsFaster asks an app for what it may take for another
// route's path.
func TestNoSpellingOfAPathIsFaster(t *testing.T) {
	slow, slower := &Bandwidth{Rate: 2 << 10}, &Bandwidth{Rate: 1 << 10}
	r := newRouter(Config{Sites: []Site{{Target: Target{App: "x"}, Routes: []Route{
		{Path: "/slow/", Target: Target{App: "x", Protection: Protection{Bandwidth: slow}}},
		{Path: "/slower/", Target: Target{App: "x", Protection: Protection{Bandwidth: slower}}},
	}}}}, handlerTargets{handler: asApp(func(w http.ResponseWriter, _ *http.Request) {
		if p := exchangeOf(w).pace; p != nil {
			fmt.Fprint(w, float64(p.bucket.Limit()))
		}
	})})
	f := &front{unknown: newFigures(), access: newAccessLog("", nil), httpsPort: func() int { return 0 }}
	f.router.Store(r)
	for path, want := range map[string]string{"/": "", "/slow/x": "2048", "/SLOW/x": "2048", "/slow;a/x": "2048", "/slower/x": "1024", "/Slower/x": "1024", "/slow/..;/slower/x": "1024"} {
		w := httplint.Record(t, f, httptest.NewRequest("GET", path, nil))
		if got := w.Body.String(); got != want {
			t.Errorf("%s: %q bytes a second, want %q", path, got, want)
		}
	}
}
