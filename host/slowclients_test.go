//go:build unix

package host

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"roost/internal/httplint"
)

// filesWanted are those that this test has open: its own ends of 5,000
// connections, and what answers and asks beside them.
const filesWanted = 12000

// slowHTTPTest runs the program against a URL and returns what it said once it
// has ended: for 16 s at most, for it sees of a connection on which it reads
// nothing not even the end.
func slowHTTPTest(ctx context.Context, url string, connections int, args ...string) (string, error) {
	args = append([]string{"-c", "ulimit -n $(ulimit -Hn); exec slowhttptest \"$@\"", "sh", "-c", strconv.Itoa(connections), "-r", strconv.Itoa(connections / 4), "-l", "16", "-v", "1", "-p", "30", "-u", url}, args...)
	cmd := exec.CommandContext(ctx, "sh", args...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err := cmd.Run()
	return said.String(), err
}

// TestSlowClientsHoldUpNobody has slowhttptest come with all its attacks at
// once, while others ask as usual.
func TestSlowClientsHoldUpNobody(t *testing.T) {
	if _, err := exec.LookPath("slowhttptest"); err != nil {
		t.Fatal("slowhttptest is missing; install it: make deps")
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur < filesWanted {
		t.Fatalf("%d open files allowed, %v; raise the limit: ulimit -Hn %d, as root", limit.Cur, err, filesWanted)
	}
	b := newBox(t)
	const large = 8 << 20
	root := b.folder(map[string]string{"index.html": "hello", "large.bin": strings.Repeat("x", large)})
	b.settled(Config{
		Host:  Listen{HeaderTimeout: milliseconds(10000), IdleTimeout: milliseconds(10000), ProgressTimeout: milliseconds(10000), MaxConnections: filesWanted / 2, MaxConnectionsPerClient: filesWanted / 2},
		Sites: []Site{{RedirectHTTPS: no(), AccessLog: no(), Target: Target{Root: root}, Routes: []Route{{Path: "/read/", Target: Target{Root: root}}}}},
	})
	// A body has to be read by somebody.
	b.route("/read", func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			http.Error(w, "cannot read the body", http.StatusBadRequest)
		}
	})
	plain, secure := "http://"+b.address("http"), "https://"+b.address("https")
	quiet := memoryNow()

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var attacks sync.WaitGroup
	for name, attack := range map[string]struct {
		url         string
		connections int
		args        []string
	}{
		"slow heads":    {plain + "/", 1500, []string{"-H", "-i", "1"}},
		"and above TLS": {secure + "/", 300, []string{"-H", "-i", "1"}},
		"slow bodies":   {plain + "/read/it", 1500, []string{"-B", "-i", "60"}},
		"slow reads":    {plain + "/large.bin", 1500, []string{"-X", "-k", "1", "-n", "1", "-z", "5", "-w", "1", "-y", "512"}},
		"ranges":        {plain + "/large.bin", 200, []string{"-R", "-a", "1", "-b", "500"}},
	} {
		attacks.Go(func() {
			if said, err := slowHTTPTest(ctx, attack.url, attack.connections, attack.args...); ctx.Err() == nil && err != nil {
				t.Errorf("%s: %v\n%s", name, err, said)
			}
		})
	}
	ended := make(chan bool)
	go func() { attacks.Wait(); close(ended) }()

	// Those who ask as usual: each time on a new connection, and each answered in time.
	var answered, under atomic.Int64
	var open atomic.Int64
	var asking sync.WaitGroup
	for i := range 3 {
		asking.Go(func() {
			client := &http.Client{Timeout: 20 * time.Second, Transport: &httplint.Transport{T: t, Base: &http.Transport{
				DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: b.roots(), ServerName: "localhost"}, ForceAttemptHTTP2: i == 2,
			}}}
			for {
				select {
				case <-ended:
					return
				default:
				}
				res, err := client.Get([]string{plain, secure, secure}[i] + "/")
				if err != nil {
					t.Errorf("not answered in time: %v", err)
					return
				}
				body, err := io.ReadAll(res.Body)
				res.Body.Close()
				if res.StatusCode != 200 || string(body) != "hello" {
					t.Errorf("%d %q, %v", res.StatusCode, body, err)
				}
				answered.Add(1)
				if open.Load() > 2000 {
					under.Add(1)
				}
				<-time.After(10 * time.Millisecond) // as many others would; the machine has other things to do
			}
		})
	}
	var most memory
	var peak, measured int64
	for watching := true; watching; {
		select {
		case <-ended:
			watching = false
		case <-time.After(20 * time.Millisecond):
		}
		n := b.Status().Connections
		now := int64(n["http"] + n["https"])
		open.Store(now)
		peak = max(peak, now)
		if now > 2000 && now > measured+500 {
			measured, most = now, memoryNow()
		}
	}
	asking.Wait()
	accepted := b.Status().Accepted
	t.Logf("%d connections accepted, %d at a time, %d answers beside them, %d at more than 2,000", accepted, peak, answered.Load(), under.Load())
	if accepted < 4000 || measured == 0 || under.Load() < 20 { // all 5,000, where the machine is not busy
		t.Fatalf("of %d connections %d were open at a time, with %d answers to others: this shows nothing", accepted, peak, under.Load())
	}
	heap, resident := (most.heap-quiet.heap)/measured, (most.resident-quiet.resident)/measured
	t.Logf("each costs %d bytes of heap and stacks, %d resident", heap, resident)
	if heap > 96<<10 || resident > 256<<10 { // the tests' own race detector takes most of it
		t.Errorf("each connection costs %d bytes of heap and stacks, %d resident", heap, resident)
	}
	until(t, "all slow ones are gone", func() bool { n := b.Status().Connections; return n["http"]+n["https"] == 0 })
	if turned := b.Status().TurnedAway; turned != 0 {
		t.Errorf("%d turned away", turned)
	}
}

// memory is what this process uses.
type memory struct{ heap, resident int64 }

func memoryNow() (m memory) {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	m.heap = int64(stats.HeapInuse + stats.StackInuse)
	if text, err := os.ReadFile("/proc/self/statm"); err == nil {
		var size, resident int64
		fmt.Sscan(string(text), &size, &resident)
		m.resident = resident * int64(os.Getpagesize())
	}
	return m
}
