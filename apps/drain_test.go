package apps

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"roost/apps/upstream"
	"roost/internal/httplint"
)

func TestAnEndpointIsDrainedWhenItsLastRequestHasEnded(t *testing.T) {
	e := newEndpoint("unix", "/a")
	if first, second := e.acquire(), e.acquire(); !first || !second {
		t.Fatal("refused")
	}
	e.release()
	e.retire()
	select {
	case <-e.drained():
		t.Fatal("drained with a request in flight")
	default:
	}
	if e.acquire() || e.InFlight() != 1 {
		t.Errorf("a retired endpoint takes a request; %d in flight", e.InFlight())
	}
	e.release()
	within(t, "drained", e.drained())
	e.retire()
	e.close()
	if e.acquire() || e.InFlight() != 0 {
		t.Errorf("%d in flight", e.InFlight())
	}
}

func TestAnIdleEndpointIsDrainedAtOnce(t *testing.T) {
	e := newEndpoint("unix", "/a")
	e.retire()
	within(t, "drained", e.drained())
}

// Whoever picks from an old snapshot while the endpoint is retired is either
// waited for or refused.
func TestNoRequestIsInFlightAfterADrain(t *testing.T) {
	for range 200 {
		e := newEndpoint("unix", "/a")
		var over atomic.Bool
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for e.acquire() {
					if over.Load() {
						t.Error("a request after the drain")
					}
					e.release()
				}
			})
		}
		e.retire()
		within(t, "drained", e.drained())
		over.Store(true)
		wg.Wait()
	}
}

func TestRetireClosesIdleConnections(t *testing.T) {
	closed := make(chan struct{}, 10)
	s := httptest.NewUnstartedServer(answerName("a"))
	s.Config.ConnState = connClosed(closed)
	s.Listener.Close()
	s.Listener = listenUnix(t)
	s.Start()
	t.Cleanup(s.Close)
	e := endpointOf(t, s.Listener)
	ask(t, listenHost(t, poolOf(e)), "GET", "/", nil)
	e.retire()
	within(t, "the idle connection closes", closed)
}

func TestCloseCutsWhatIsInFlight(t *testing.T) {
	asked := make(chan struct{}, 2)
	slow := runInstance(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	})
	p := poolOf(slow)
	s := listenHost(t, p)
	got := make(chan string, 2)
	for _, method := range []string{"GET", "POST"} {
		go func() {
			status, text := ask(t, s, method, "/", nil)
			if method == "POST" {
				text = "" // a page
			}
			got <- fmt.Sprint(method, status, text)
		}()
	}
	within(t, "asked", asked)
	within(t, "asked", asked)
	p.publish([]*endpoint{runInstance(t, answerName("other"))})
	slow.retire()
	slow.close()
	within(t, "drained", slow.drained())
	answers := map[string]bool{within(t, "answer", got): true, within(t, "answer", got): true}
	if !answers["GET200other"] || !answers["POST502"] {
		t.Errorf("%v", answers)
	}
	if a, err := slow.upstream.Do(t.Context(), &upstream.Request{Head: []byte("GET / HTTP/1.1\r\nHost: h\r\n\r\n")}); err == nil {
		a.Close()
		t.Error("a closed endpoint is asked")
	}
}

// A rolling reload under load: new instances come, old ones are drained and
// end, and no request fails, whatever its method.
func TestARollingReloadUnderLoadFailsNoRequest(t *testing.T) {
	start := func(n int) (*endpoint, *httptest.Server) {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			fmt.Fprint(w, len(body))
		}))
		s.Listener.Close()
		s.Listener = listenUnix(t)
		s.Start()
		t.Cleanup(s.Close)
		return endpointOf(t, s.Listener), s
	}
	p := newPool(poolOptions{})
	host := listenHost(t, p)
	host.Client().Transport.(*http.Transport).MaxIdleConnsPerHost = 16

	var ready [2]*endpoint
	var running [2]*httptest.Server
	for i := range ready {
		ready[i], running[i] = start(i)
	}
	p.publish(ready[:])

	var asked, failed atomic.Int32
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			body := bytes.Repeat([]byte("x"), i*10_000)
			for {
				select {
				case <-stop:
					return
				default:
				}
				method := []string{"POST", "GET", "PATCH"}[i%3]
				r, _ := http.NewRequest(method, host.URL, bytes.NewReader(body))
				res, err := httplint.Client(t, host).Do(r)
				if err != nil {
					failed.Add(1)
					t.Error(err)
					return
				}
				text, err := io.ReadAll(res.Body)
				res.Body.Close()
				if res.StatusCode != 200 || err != nil || string(text) != fmt.Sprint(len(body)) {
					failed.Add(1)
					t.Errorf("%s: %d %q %v", method, res.StatusCode, text, err)
				}
				asked.Add(1)
			}
		})
	}
	for round := range 20 {
		i := round % 2
		before := asked.Load()
		eventually(t, "requests pass", func() bool { return asked.Load() > before+20 || failed.Load() > 0 })
		e, s := start(round)
		old, oldServer := ready[i], running[i]
		ready[i], running[i] = e, s
		p.publish(ready[:])
		old.retire()
		within(t, "drained", old.drained())
		oldServer.Close()
		old.close()
	}
	close(stop)
	wg.Wait()
	t.Logf("%d requests, %d failed", asked.Load(), failed.Load())
}

func TestRequestsAMinuteAreThoseOfTheLastSixtySeconds(t *testing.T) {
	var m minuteRate
	at := time.Unix(1_800_000_000, 0)
	for i := range 120 {
		m.add(at.Add(time.Duration(i) * time.Second))
		m.add(at.Add(time.Duration(i) * time.Second))
	}
	last := at.Add(119 * time.Second)
	for after, want := range map[int]uint64{0: 120, 1: 118, 30: 60, 59: 2, 60: 0, 1000: 0} {
		if n := m.sum(last.Add(time.Duration(after) * time.Second)); n != want {
			t.Errorf("%d s later %d, want %d", after, n, want)
		}
	}
}

func TestNothingIsLeftRunning(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Run("requests", func(t *testing.T) {
		e := runInstance(t, echoSocket)
		s := listenHost(t, poolOf(e, deadInstance(t)))
		dialSocket(t, s.URL).Close()
		c := dialSocket(t, s.URL)
		defer c.Close()
		ask(t, s, "POST", "/", bytes.NewReader(make([]byte, 100_000)))
		e.retire()
		e.close()
		within(t, "drained", e.drained())
		b := testBook(t.TempDir(), "web", 0, 0, nil)
		fmt.Fprintln(b.writer(0, "out"), "line")
		_, _, stop := b.follow()
		defer stop()
		if err := b.close(); err != nil {
			t.Error(err)
		}
	})
	goleak.VerifyNone(t, before)
}
