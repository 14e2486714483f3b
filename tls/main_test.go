package tls

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"roost/internal/httplint"
)

// known are goroutines of other modules that outlive what started them.
var known = []goleak.Option{
	// Ends up to 5 s after its lock was released, when it sees that the file is gone.
	goleak.IgnoreAnyFunction("github.com/caddyserver/certmagic.keepLockfileFresh"),
	// One for each CA and account, for the life of the process.
	goleak.IgnoreAnyFunction("github.com/caddyserver/certmagic.(*RingBufferRateLimiter).loop"),
	// Pebble's validation authority cannot be stopped.
	goleak.IgnoreAnyFunction("github.com/letsencrypt/pebble/v2/va.VAImpl.processTasks"),
}

func TestMain(m *testing.M) {
	os.Setenv("PEBBLE_VA_NOSLEEP", "1")
	os.Setenv("PEBBLE_WFE_NONCEREJECT", "5")                                                        // RFC 8555, section 6.5: a client must bear with it; acmez tries ten times
	goleak.VerifyTestMain(httplint.Main{M: m, Options: []httplint.Option{httplint.Apps}}, known...) // answers are those of handlers of the tests
}

// checkLeaks makes the test fail when goroutines are left after it and all its clean-ups.
func checkLeaks(t *testing.T) {
	t.Helper()
	already := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, append([]goleak.Option{already}, known...)...) })
}

// running returns Certs that run until the test ends.
func running(t *testing.T, o Options, edit func(*Certs)) *Certs {
	t.Helper()
	c, _ := runningUntil(t, o, edit)
	return c
}

// runningUntil is running, with a function to end it sooner.
func runningUntil(t *testing.T, o Options, edit func(*Certs)) (*Certs, func()) {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.Log == nil {
		o.Log = slogTo(&testLog{t: t})
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	c.around = finding(errors.New("tests ask no resolver"), nil)
	if edit != nil {
		edit(c)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return c, stop
}

// testLog writes to the test's log as long as the test runs.
type testLog struct {
	t    *testing.T
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *testLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(line)
	if l.t.Context().Err() == nil {
		l.t.Logf("%s", bytes.TrimSpace(line))
	}
	return len(line), nil
}

func (l *testLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func slogTo(l *testLog) *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func settle(t *testing.T, c *Certs) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := c.Settle(ctx); err != nil {
		t.Fatal(err)
	}
}

// eventually waits until ok, and fails with what it says when that takes too long.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("still not so after 30 s: %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// status returns what c says of name.
func status(c *Certs, name string) Certificate {
	for _, s := range c.Status() {
		if s.Name == name {
			return s
		}
	}
	return Certificate{}
}

// roots is a pool of the internal CA's root alone.
func roots(t *testing.T, c *Certs) *x509.CertPool {
	t.Helper()
	ca, err := c.CA()
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(ca.Certificate)) {
		t.Fatalf("not a certificate: %s", ca.Certificate)
	}
	return pool
}

// serving runs a Listener with c's ServerConfig on a loopback port and says
// "hello" on each connection.
func serving(t *testing.T, c *Certs) string {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listening(t, Listen(inner, c.ServerConfig(), ListenOptions{Log: c.log}))
}

func listening(t *testing.T, l *Listener) string {
	t.Helper()
	var ended sync.WaitGroup
	ended.Go(func() {
		if err := l.Run(t.Context()); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	for _, f := range []net.Listener{l.HTTP1(), l.HTTP2()} {
		ended.Go(func() {
			for {
				conn, err := f.Accept()
				if err != nil {
					return
				}
				fmt.Fprint(conn, "hello")
				conn.Close()
			}
		})
	}
	t.Cleanup(ended.Wait)
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// dial does a handshake and reads the greeting, so that a refusal in TLS 1.3 is seen too.
func dial(address string, config *tls.Config) (tls.ConnectionState, error) {
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 10 * time.Second}, "tcp", address, config)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	state := conn.ConnectionState()
	if _, err := io.ReadFull(conn, make([]byte, 5)); err != nil {
		return state, err
	}
	return state, nil
}

// unique is a name of this run: certmagic remembers failed renewals by name, for the process.
func unique(label string) string { return fmt.Sprintf("%s-%x.example.com", label, rand.Uint64()) }

// nolog is for tests that would write too much.
var nolog = slog.New(slog.DiscardHandler)
