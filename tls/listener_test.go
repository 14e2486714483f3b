package tls

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/mholt/acmez/v3"

	"roost/internal/httplint"
)

// listenTest is a Listener on a loopback port for localhost, not yet running.
func listenTest(t *testing.T, o ListenOptions) (*Listener, *tls.Config) {
	t.Helper()
	c := running(t, Options{}, nil)
	c.Want(Want{Names: []string{"localhost"}})
	settle(t, c)
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.Log = c.log
	return Listen(inner, c.ServerConfig(), o), client(t, c, "localhost")
}

func TestConnectionsComeOutByWhatTheyAgreedOn(t *testing.T) {
	checkLeaks(t)
	l, config := listenTest(t, ListenOptions{})
	accepted := make(chan string, 1)
	var ended sync.WaitGroup
	ended.Go(func() { l.Run(t.Context()) })
	for name, f := range map[string]net.Listener{"http1": l.HTTP1(), "http2": l.HTTP2()} {
		ended.Go(func() {
			for {
				conn, err := f.Accept()
				if err != nil {
					return
				}
				if _, ok := conn.(*tls.Conn); !ok {
					t.Errorf("%s: a %T", name, conn)
				}
				if s := State(conn); s == nil || !s.HandshakeComplete || s.ServerName != "localhost" {
					t.Errorf("%s: state %+v", name, s)
				}
				accepted <- name
				conn.Close()
			}
		})
	}
	for _, tt := range []struct {
		protos     []string
		want, face string
	}{
		{nil, "", "http1"},
		{[]string{"http/1.1"}, "http/1.1", "http1"},
		{[]string{"h2"}, "h2", "http2"},
		{[]string{"http/1.1", "h2"}, "h2", "http2"},
		{[]string{acmez.ACMETLS1Protocol, "h2"}, "h2", "http2"},
	} {
		config := config.Clone()
		config.NextProtos = tt.protos
		conn, err := tls.Dial("tcp", l.Addr().String(), config)
		if err != nil {
			t.Fatalf("%q: %v", tt.protos, err)
		}
		if got := conn.ConnectionState().NegotiatedProtocol; got != tt.want {
			t.Errorf("%q: agreed on %q, want %q", tt.protos, got, tt.want)
		}
		if face := <-accepted; face != tt.face {
			t.Errorf("%q: came out of %s, want %s", tt.protos, face, tt.face)
		}
		conn.Close()
	}
	for _, protos := range [][]string{{acmez.ACMETLS1Protocol, "other"}, {acmez.ACMETLS1Protocol}, {"smtp"}} {
		config := config.Clone()
		config.NextProtos = protos
		if _, err := dial(l.Addr().String(), config); err == nil {
			t.Errorf("%q: let in", protos)
		}
	}
	if State(tcpConn(t)) != nil {
		t.Error("a state without TLS")
	}
	select {
	case face := <-accepted:
		t.Errorf("%s has got a connection that is for nobody", face)
	default:
	}
	l.Close()
	ended.Wait()
}

// tcpConn is a connection without TLS.
func tcpConn(t *testing.T) net.Conn {
	one, other := net.Pipe()
	t.Cleanup(func() { one.Close(); other.Close() })
	return one
}

func TestNetHTTPServesBothFaces(t *testing.T) {
	checkLeaks(t)
	l, config := listenTest(t, ListenOptions{})
	server := &http.Server{
		Handler:  http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto+" "+r.TLS.ServerName) }),
		ErrorLog: log.New(io.Discard, "", 0),
	}
	var ended sync.WaitGroup
	ended.Go(func() { l.Run(t.Context()) })
	for _, f := range []net.Listener{l.HTTP1(), l.HTTP2()} {
		ended.Go(func() { server.Serve(f) })
	}
	for _, h2 := range []bool{false, true} {
		transport := &httplint.Transport{T: t, Base: &http.Transport{TLSClientConfig: config.Clone(), ForceAttemptHTTP2: h2}}
		response, err := (&http.Client{Transport: transport}).Get("https://" + l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		want := "HTTP/1.1 localhost"
		if h2 {
			want = "HTTP/2.0 localhost"
		}
		if string(body) != want {
			t.Errorf("answer %q, want %q", body, want)
		}
		transport.CloseIdleConnections()
	}
	server.Close()
	l.Close()
	ended.Wait()
}

func TestOldProtocolsAndCiphersAreRefused(t *testing.T) {
	l, config := listenTest(t, ListenOptions{})
	address := listening(t, l)
	old := config.Clone()
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	if _, err := dial(address, old); err == nil {
		t.Error("TLS 1.1 was let in")
	}
	weak := config.Clone()
	weak.MaxVersion, weak.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_128_GCM_SHA256}
	if _, err := dial(address, weak); err == nil {
		t.Error("a weak cipher suite was agreed on")
	}
	fine := config.Clone()
	fine.MaxVersion = tls.VersionTLS12
	if _, err := dial(address, fine); err != nil {
		t.Errorf("TLS 1.2: %v", err)
	}
}

func TestSessionsAreResumed(t *testing.T) {
	l, config := listenTest(t, ListenOptions{})
	address := listening(t, l)
	config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	for i := range 3 {
		state, err := dial(address, config)
		if err != nil {
			t.Fatal(err)
		}
		if state.DidResume != (i > 0) {
			t.Errorf("connection %d: resumed = %v", i, state.DidResume)
		}
	}
}

func TestAClientThatNeverFinishesItsHandshakeHoldsUpNobody(t *testing.T) {
	checkLeaks(t)
	l, config := listenTest(t, ListenOptions{})
	address := listening(t, l)
	hello := clientHello(t)
	for i := range 20 {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.Write(hello[:i*len(hello)/20]) // from nothing to nearly all of it
	}
	start := time.Now()
	for range 10 {
		if _, err := dial(address, config); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("ten handshakes beside slow ones took %v", took)
	}
}

// clientHello is the first message of a handshake.
func clientHello(t *testing.T) []byte {
	t.Helper()
	one, other := net.Pipe()
	defer other.Close()
	go func() {
		tls.Client(one, &tls.Config{ServerName: "localhost"}).Handshake()
		one.Close()
	}()
	buf := make([]byte, 4096)
	n, err := other.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return buf[:n]
}

func TestAHandshakeHasAnEnd(t *testing.T) {
	l, _ := listenTest(t, ListenOptions{Timeout: 100 * time.Millisecond})
	address := listening(t, l)
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
		t.Errorf("read: %v, want that the connection was closed", err)
	}
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

func TestNoMoreHandshakesAtATimeThanAllowed(t *testing.T) {
	checkLeaks(t)
	const limit = 3
	l, config := listenTest(t, ListenOptions{Handshakes: limit})
	var now, most atomic.Int32
	gate := make(chan struct{})
	inside := l.config.GetCertificate
	l.config.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		n := now.Add(1)
		defer now.Add(-1)
		for was := most.Load(); n > was && !most.CompareAndSwap(was, n); was = most.Load() {
		}
		<-gate
		return inside(hello)
	}
	address := listening(t, l)
	var clients sync.WaitGroup
	for range 4 * limit {
		clients.Go(func() {
			if _, err := dial(address, config); err != nil {
				t.Error(err)
			}
		})
	}
	eventually(t, "as many as allowed are in their handshake", func() bool { return now.Load() == limit })
	close(gate)
	clients.Wait()
	if most.Load() > limit {
		t.Errorf("%d handshakes at a time, want at most %d", most.Load(), limit)
	}
}

func TestSilentConnectionsMakeRoomWhenAllPlacesAreTaken(t *testing.T) {
	l, config := listenTest(t, ListenOptions{Handshakes: 3, Timeout: time.Hour})
	l.patient = 50 * time.Millisecond
	address := listening(t, l)
	for range 3 {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	for range 5 {
		if _, err := dial(address, config); err != nil {
			t.Error(err)
		}
	}
}

// flaky is a listener that fails a few times before it accepts.
type flaky struct {
	net.Listener
	fail  error
	times atomic.Int32
}

func (f *flaky) Accept() (net.Conn, error) {
	if f.times.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: f.fail}
	}
	return f.Listener.Accept()
}

func TestTooManyOpenFilesPass(t *testing.T) {
	for _, trouble := range []error{syscall.EMFILE, syscall.ENOMEM, syscall.ECONNABORTED, syscall.ENETDOWN} {
		l, config := listenTest(t, ListenOptions{})
		f := &flaky{Listener: l.inner, fail: trouble}
		f.times.Store(3)
		l.inner = f
		told := &testLog{t: t}
		l.o.Log = slogTo(told)
		if _, err := dial(listening(t, l), config); err != nil {
			t.Error(err)
		}
		if n := strings.Count(told.String(), "level=WARN"); n != 1 {
			t.Errorf("warned %d times, want once", n)
		}
	}
}

func TestAnErrorThatStaysEndsRun(t *testing.T) {
	l, _ := listenTest(t, ListenOptions{})
	f := &flaky{Listener: l.inner, fail: syscall.EBADF}
	f.times.Store(1)
	l.inner = f
	if err := l.Run(t.Context()); !errors.Is(err, syscall.EBADF) {
		t.Errorf("Run: %v", err)
	}
	if _, err := l.HTTP1().Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: %v", err)
	}
}

func TestCloseEndsEverything(t *testing.T) {
	checkLeaks(t)
	l, config := listenTest(t, ListenOptions{})
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { ended <- l.Run(ctx) }()
	address := l.Addr().String()

	half, err := net.Dial("tcp", address) // in its handshake
	if err != nil {
		t.Fatal(err)
	}
	defer half.Close()
	half.Write(clientHello(t)[:50])
	idle, err := tls.Dial("tcp", address, config) // done, but nobody accepts it
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	taken, err := tls.Dial("tcp", address, func() *tls.Config { c := config.Clone(); c.NextProtos = []string{"h2"}; return c }())
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	mine, err := l.HTTP2().Accept()
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "one is in its handshake", func() bool { l.mu.Lock(); defer l.mu.Unlock(); return l.pending.Len() == 1 })

	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Errorf("Close again: %v", err)
	}
	for _, f := range []net.Listener{l.HTTP1(), l.HTTP2()} {
		if _, err := f.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept: %v", err)
		}
		if f.Addr().String() != address {
			t.Errorf("address %v", f.Addr())
		}
	}
	for what, conn := range map[string]net.Conn{"half": half, "idle": idle} {
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := conn.Read(make([]byte, 1)); err == nil || isTimeout(err) {
			t.Errorf("%s: read: %v, want that it was closed", what, err)
		}
	}
	// What was handed out lives on.
	go mine.Write([]byte("x"))
	if n, err := taken.Read(make([]byte, 1)); n != 1 {
		t.Errorf("a connection handed out: %v", err)
	}
	mine.Close()
}

func TestAClosedFaceLeavesTheOtherOpen(t *testing.T) {
	l, config := listenTest(t, ListenOptions{})
	address := listening(t, l)
	l.HTTP2().Close()
	if _, err := dial(address, config); err != nil {
		t.Errorf("HTTP/1.1: %v", err)
	}
	h2 := config.Clone()
	h2.NextProtos = []string{"h2"}
	if _, err := dial(address, h2); err == nil {
		t.Error("h2 was let in")
	}
}

func TestRubbishInsteadOfAHandshakeIsClosed(t *testing.T) {
	l, _ := listenTest(t, ListenOptions{})
	address := listening(t, l)
	for _, text := range []string{"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "\x16\x03\x01\xff\xff", strings.Repeat("\x00", 1000)} {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		conn.Write([]byte(text))
		conn.(*net.TCPConn).CloseWrite()
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		answer, err := io.ReadAll(conn)
		if isTimeout(err) || bytes.Contains(answer, []byte("hello")) {
			t.Errorf("%.10q: %q, %v", text, answer, err)
		}
		conn.Close()
	}
}
