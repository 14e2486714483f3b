package host

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestQuantilesAreNearTheTruth(t *testing.T) {
	var h histogram
	for i := 1; i <= 10000; i++ { // 0.1 ms to 1 s, evenly
		h.add(time.Duration(i) * 100 * time.Microsecond)
	}
	counts := make([]uint64, buckets)
	for i := range counts {
		counts[i] = h.counts[i].Load()
	}
	for q, want := range map[float64]float64{0.5: 500, 0.9: 900, 0.99: 990} {
		if got := float64(quantile(counts, q)) / float64(time.Millisecond); math.Abs(got-want) > want/5 {
			t.Errorf("p%v = %v ms, want about %v", q*100, got, want)
		}
	}
	if got := quantile(make([]uint64, buckets), 0.5); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

func TestEveryDurationHasItsBucket(t *testing.T) {
	for d := time.Microsecond; d < 10*time.Minute; d += d/50 + 1 {
		i := bucketOf(d)
		if i < len(bounds) && d > bounds[i] || i > 0 && d <= bounds[i-1] {
			t.Fatalf("%v is in bucket %d", d, i)
		}
	}
	for i, b := range bounds {
		if bucketOf(b) != i || bucketOf(b+1) != i+1 {
			t.Errorf("bound %v: buckets %d, %d", b, bucketOf(b), bucketOf(b+1))
		}
	}
}

func TestFiguresForgetWhatIsLongAgo(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	f := newFigures()
	f.now = func() time.Time { return now }
	add := func(n int, took time.Duration) {
		for range n {
			f.begin()
			f.end(now, took, 200, 10)
		}
	}
	add(100, time.Second)
	now = now.Add(55 * time.Second)
	add(10, time.Millisecond)
	if s := f.snapshot(); s.PerMinute < 100 || s.PerMinute > 110 || s.P50 < 900 {
		t.Errorf("after 55 s: %+v", s)
	}
	now = now.Add(60 * time.Second)
	if s := f.snapshot(); s.PerMinute > 10 || s.Requests != 110 || s.P50 < 900 {
		t.Errorf("after two minutes: %+v", s)
	}
	now = now.Add(5 * time.Minute)
	if s := f.snapshot(); s.PerMinute != 0 || s.P99 != 0 || s.Requests != 110 || s.Bytes != 1100 || s.Classes[1] != 110 {
		t.Errorf("after seven minutes: %+v", s)
	}
	add(1, time.Millisecond)
	if s := f.snapshot(); s.PerMinute != 1 || s.P50 > 2 {
		t.Errorf("a request later: %+v", s)
	}
}

func TestFiguresCountWhatComesAtOnce(t *testing.T) {
	f := newFigures()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				f.begin()
				f.end(time.Now(), time.Millisecond, 404, 1)
			}
		})
	}
	all.Wait()
	if s := f.snapshot(); s.Requests != 8000 || s.Classes[3] != 8000 || s.InFlight != 0 {
		t.Errorf("%+v", s)
	}
}

// fullDisk fails to write until it is given room, but for the first bytes.
type fullDisk struct {
	bytes.Buffer
	mu   sync.Mutex
	full bool
	left int
}

func (d *fullDisk) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.full {
		n := min(d.left, len(p))
		d.left -= n
		d.Buffer.Write(p[:n])
		return n, errors.New("no space left on device")
	}
	return d.Buffer.Write(p)
}

func (d *fullDisk) Close() error { return nil }

func TestAFullDiskLosesLinesAndNothingElse(t *testing.T) {
	var said bytes.Buffer
	disk := &fullDisk{full: true}
	l := newAccessLog("", slog.New(slog.NewTextHandler(&said, nil)))
	l.file = disk
	x := &exchange{request: httptest.NewRequest("GET", "/", nil), start: time.Now(), status: 200, link: &link{}, format: l.format.Load()}
	line := string(l.format.Load().append(nil, x, time.Millisecond))
	size := len(line)
	disk.left = size + size/2
	fits := uint64(accessLogBuffer / size)
	for range fits + 100 { // nobody writes yet: the buffer is full, and add does not wait
		l.add(x, time.Millisecond)
	}
	if lost := l.lost.Load(); lost != 100 {
		t.Errorf("%d lines lost, want 100", lost)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan bool)
	go func() { l.run(ctx); close(ended) }()
	until(t, "all is lost", func() bool { return l.lost.Load() == fits-1+100 })
	disk.mu.Lock()
	disk.full = false
	disk.mu.Unlock()
	l.add(x, time.Millisecond)
	cancel()
	<-ended
	if disk.String() != line+line[:size/2]+"\n"+line {
		t.Errorf("after the disk has room: %q", disk.String())
	}
	if n := strings.Count(said.String(), "level=ERROR"); n != 1 {
		t.Errorf("said %d times: %s", n, said.String())
	}
}

func TestRunLeavesNothingRunning(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Run("", runAndStop) // what the clients leave ends with it
	goleak.VerifyNone(t, before, goleak.IgnoreTopFunction("gopkg.in/natefinch/lumberjack%2ev2.(*Logger).millRun"),
		goleak.IgnoreAnyFunction("github.com/caddyserver/certmagic.keepLockfileFresh")) // wakes up every 5 s, and ends
}

func runAndStop(t *testing.T) {
	b := newBox(t)
	c := Config{Host: Listen{HTTP3: true}, Sites: []Site{{Domains: []string{"a.localhost"}, Target: Target{Root: b.folder(map[string]string{"index.html": "x"})}}, {Domains: []string{"b.localhost"}, Target: Target{App: "web"}}}}
	testApp(t, &c, "web", "one", 2)
	b.settled(c)
	for _, client := range []*http.Client{b.client(false), b.client(true), b.client3()} {
		b.get(client, "https://a.localhost/")
		b.get(client, "https://b.localhost/")
		client.CloseIdleConnections()
	}
	b.stop()
}

// BenchmarkFront is what routing, counting and logging cost a request.
func BenchmarkFront(b *testing.B) {
	f := &front{unknown: newFigures(), httpsPort: func() int { return 0 }, access: newAccessLog("", slog.New(slog.DiscardHandler))}
	f.access.file = discard{io.Discard}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go f.access.run(ctx)
	f.router.Store(newRouter(Config{Sites: []Site{{Domains: []string{"a.test"}, Target: Target{Root: "r"}}}}, silentTargets{}))
	r := httptest.NewRequest("GET", "http://a.test/index.html", nil)
	w := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		f.ServeHTTP(w, r)
	}
}

// silentTargets answer nothing.
type silentTargets struct{ fakeTargets }

func (silentTargets) folder(Target, string) http.Handler {
	return http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
}

type discard struct{ io.Writer }

func (discard) Close() error { return nil }
