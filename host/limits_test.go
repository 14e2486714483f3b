package host

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"roost/internal/httplint"
)

// limited is a host that loses patience soon, with one site that reads the
// body and answers its length, or /big with 24 MiB.
func limited(t *testing.T, l Listen) *box {
	b := newBox(t)
	b.settled(Config{Host: l, Sites: []Site{{Domains: []string{"localhost"}, RedirectHTTPS: no(), Target: Target{Root: b.folder(nil)}}}})
	b.front.router.Store(newRouter(Config{Sites: []Site{{RedirectHTTPS: no(), AccessLog: no(), Target: Target{App: "x"}}}}, handlerTargets{handler: asApp(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		switch {
		case err != nil:
			http.Error(w, "cannot read the body", http.StatusBadRequest)
		case r.URL.Path == "/big":
			w.Header().Set("Content-Length", fmt.Sprint(24<<20))
			w.Write(make([]byte, 24<<20))
		case r.URL.Path == "/quiet": // longer than every limit
			w.(http.Flusher).Flush()
			<-time.After(2 * time.Second)
			io.WriteString(w, "late")
		default:
			fmt.Fprint(w, n)
		}
	})}))
	return b
}

// lines are the two ways to speak HTTP/1 to the box.
func (b *box) lines() map[string]func() net.Conn {
	return map[string]func() net.Conn{
		"plain": func() net.Conn { return b.dial("http") },
		"TLS":   func() net.Conn { return b.dialTLS("localhost", "http/1.1") },
	}
}

// closes says how long it takes until the box closes c, and what it said.
func closes(t *testing.T, c net.Conn, within time.Duration) (said string, took time.Duration) {
	t.Helper()
	begun := time.Now()
	c.SetReadDeadline(begun.Add(within))
	var all bytes.Buffer
	_, err := io.Copy(&all, c)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("still open after %v", within)
	}
	return all.String(), time.Since(begun)
}

func TestASlowHeadIsCut(t *testing.T) {
	t.Parallel()
	b := limited(t, Listen{HeaderTimeout: milliseconds(300)})
	for name, dial := range b.lines() {
		c := dial()
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
		if said, took := closes(t, c, 30*time.Second); said != "" || took < 200*time.Millisecond {
			t.Errorf("%s: %q after %v", name, said, took)
		}
	}
}

func TestAnIdleConnectionIsCut(t *testing.T) {
	t.Parallel()
	b := limited(t, Listen{IdleTimeout: milliseconds(300)})
	for name, dial := range b.lines() {
		c := dial()
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
		if said, took := closes(t, c, 30*time.Second); !strings.HasSuffix(said, "\r\n\r\n0") || took < 200*time.Millisecond {
			t.Errorf("%s: %q after %v", name, said, took)
		}
	}
}

func TestABodyThatStopsIsCut(t *testing.T) {
	t.Parallel()
	b := limited(t, Listen{ProgressTimeout: milliseconds(400)})
	for name, dial := range b.lines() {
		c := dial()
		io.WriteString(c, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhal")
		if said, took := closes(t, c, 30*time.Second); !strings.HasPrefix(said, "HTTP/1.1 400 ") || took < 300*time.Millisecond {
			t.Errorf("%s: %q after %v", name, said, took)
		}
	}
}

func TestABodyThatComesSlowlyIsNotCut(t *testing.T) {
	t.Parallel()
	b := limited(t, Listen{ProgressTimeout: milliseconds(2000), HeaderTimeout: milliseconds(2000)})
	var sending sync.WaitGroup
	for name, dial := range b.lines() {
		c := dial()
		sending.Go(func() {
			io.WriteString(c, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n")
			for range 10 { // three seconds in all
				<-time.After(300 * time.Millisecond)
				io.WriteString(c, "x")
			}
			c.SetReadDeadline(time.Now().Add(30 * time.Second))
			line, _ := bufio.NewReader(c).ReadString('\n')
			if line != "HTTP/1.1 200 OK\r\n" {
				t.Errorf("%s: %q", name, line)
			}
		})
	}
	sending.Wait()
}

func TestAnAnswerThatIsQuietIsNotCut(t *testing.T) {
	t.Parallel()
	b := limited(t, Listen{ProgressTimeout: milliseconds(1000), HeaderTimeout: milliseconds(1000), IdleTimeout: milliseconds(1000)})
	var asking sync.WaitGroup
	for _, test := range []struct {
		url   string
		http2 bool
	}{{"http://localhost/quiet", false}, {"https://localhost/quiet", false}, {"https://localhost/quiet", true}} {
		c := b.client(test.http2)
		asking.Go(func() {
			res, err := c.Get(test.url)
			if err != nil {
				t.Errorf("%s: %v", test.url, err)
				return
			}
			defer res.Body.Close()
			if body, err := io.ReadAll(res.Body); string(body) != "late" {
				t.Errorf("%s over %s: %q, %v", test.url, res.Proto, body, err)
			}
		})
	}
	asking.Wait()
}

// buffer bounds what c's system takes before it is read.
func buffer(c net.Conn, bytes int) {
	if t, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = t.NetConn()
	}
	c.(*net.TCPConn).SetReadBuffer(bytes)
}

func TestAReaderWhoTakesNothingIsCut(t *testing.T) {
	t.Parallel()
	b := limited(t, Listen{ProgressTimeout: milliseconds(400)})
	for name, dial := range b.lines() {
		c := dial()
		buffer(c, 4<<10)
		io.WriteString(c, "GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n")
		begun := time.Now()
		until(t, name+": nothing in flight any more", func() bool {
			s := b.front.router.Load().fallback.routes[0].app.snapshot()
			return s.InFlight == 0 && s.Requests > 0
		})
		if took := time.Since(begun); took < 300*time.Millisecond {
			t.Errorf("%s: cut after %v", name, took)
		}
		c.Close()
		b.front.router.Load().fallback.routes[0].app.classes[1].Store(0)
	}
}

// TestAReaderWhoTakesLittleIsNotCut reads so slowly that the system's buffers
// stay full, in which no write ends within the timeout, and then to the end.
func TestAReaderWhoTakesLittleIsNotCut(t *testing.T) {
	t.Parallel()
	b := limited(t, Listen{ProgressTimeout: milliseconds(4000)})
	var reading sync.WaitGroup
	for name, dial := range b.lines() {
		c := dial()
		reading.Go(func() {
			buffer(c, 128<<10)
			io.WriteString(c, "GET /big HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
			// At once what the system makes known of room, for a busy machine may
			// be late for the next; a read of TLS gives no more than a record.
			total, buf := 0, make([]byte, 80<<10)
			for begun := time.Now(); time.Since(begun) < 6*time.Second; {
				<-time.After(250 * time.Millisecond)
				n, err := io.ReadFull(c, buf)
				if total += n; err != nil {
					t.Errorf("%s: cut after %v and %d bytes: %v", name, time.Since(begun), total, err)
					return
				}
			}
			c.SetReadDeadline(time.Now().Add(90 * time.Second))
			n, err := io.Copy(io.Discard, struct{ io.Reader }{c})
			if total += int(n); err != nil || total < 24<<20 {
				t.Errorf("%s: %d bytes, %v", name, total, err)
			}
		})
	}
	reading.Wait()
}

// TestAFileIsWholeHoweverSlowly sends a file by sendfile to a reader so slow
// that the send is interrupted many times.
func TestAFileIsWholeHoweverSlowly(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	dir := b.folder(nil)
	want := make([]byte, 24<<20)
	rand.Read(want)
	if err := os.WriteFile(filepath.Join(dir, "file"), want, 0o644); err != nil {
		t.Fatal(err)
	}
	b.settled(Config{Host: Listen{ProgressTimeout: milliseconds(4000)}, Sites: []Site{{Domains: []string{"localhost"}, RedirectHTTPS: no(), Target: Target{Root: dir}}}})
	c := b.dial("http")
	buffer(c, 128<<10)
	io.WriteString(c, "GET /file HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
	res, err := httplint.Read(t, bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	for begun := time.Now(); time.Since(begun) < 6*time.Second; {
		<-time.After(250 * time.Millisecond)
		if _, err := io.CopyN(&got, res.Body, 80<<10); err != nil { // at once what the system makes known of room: a busy machine may be late for the next
			t.Fatalf("after %d bytes: %v", got.Len(), err)
		}
	}
	if _, err := io.Copy(&got, res.Body); err != nil || !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%d bytes, %v, equal %v", got.Len(), err, bytes.Equal(got.Bytes(), want))
	}
}

// stream opens an HTTP/2 connection and sends one request, then answers
// nothing but settings and pings.
type stream struct {
	conn   net.Conn
	framer *http2.Framer
}

func (b *box) openStream(window uint32, method, path string, end bool, fields ...string) *stream {
	b.t.Helper()
	c := b.dialTLS("localhost", "h2")
	io.WriteString(c, http2.ClientPreface)
	f := http2.NewFramer(c, c)
	f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: window})
	var head bytes.Buffer
	e := hpack.NewEncoder(&head)
	for _, h := range [][2]string{{":method", method}, {":scheme", "https"}, {":authority", "localhost"}, {":path", path}} {
		e.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]})
	}
	for i := 0; i < len(fields); i += 2 {
		e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: head.Bytes(), EndHeaders: true, EndStream: end})
	return &stream{c, f}
}

// reset reads until the stream is reset and says how much data came.
func (s *stream) reset(t *testing.T) (data int, took time.Duration) {
	t.Helper()
	begun := time.Now()
	s.conn.SetReadDeadline(begun.Add(30 * time.Second))
	for {
		frame, err := s.framer.ReadFrame()
		if err != nil {
			t.Fatalf("no reset: %v", err)
		}
		switch frame := frame.(type) {
		case *http2.DataFrame:
			data += len(frame.Data())
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				s.framer.WriteSettingsAck()
			}
		case *http2.PingFrame:
			if !frame.IsAck() {
				s.framer.WritePing(true, frame.Data)
			}
		case *http2.RSTStreamFrame:
			return data, time.Since(begun)
		}
	}
}

func TestAStreamWhoseWindowStaysShutIsCut(t *testing.T) {
	t.Parallel()
	b := limited(t, Listen{ProgressTimeout: milliseconds(400)})
	for _, window := range []uint32{0, 1000} {
		s := b.openStream(window, "GET", "/big", true)
		if data, took := s.reset(t); data != int(window) || took < 300*time.Millisecond {
			t.Errorf("window %d: %d bytes, reset after %v", window, data, took)
		}
	}
	// A small answer is buffered until the handler has returned: cut as well.
	if data, took := b.openStream(0, "GET", "/", true).reset(t); data != 0 || took < 300*time.Millisecond {
		t.Errorf("small: %d bytes, reset after %v", data, took)
	}
}

func TestAStreamWhoseBodyStopsIsCut(t *testing.T) {
	t.Parallel()
	b := limited(t, Listen{ProgressTimeout: milliseconds(400)})
	s := b.openStream(65535, "POST", "/", false)
	s.framer.WriteData(1, false, []byte("half"))
	if _, took := s.reset(t); took < 300*time.Millisecond {
		t.Errorf("reset after %v", took)
	}
}

func TestHTTP2HasLimits(t *testing.T) {
	t.Parallel()
	b := limited(t, Listen{})
	s := b.openStream(65535, "GET", "/", true)
	s.conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	for {
		frame, err := s.framer.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		if settings, ok := frame.(*http2.SettingsFrame); ok && !settings.IsAck() {
			streams, _ := settings.Value(http2.SettingMaxConcurrentStreams)
			header, _ := settings.Value(http2.SettingMaxHeaderListSize)
			if streams != 128 || header < 16<<10 || header > 17<<10 {
				t.Errorf("%d streams, %d bytes of header", streams, header)
			}
			break
		}
	}
	c := b.client(true)
	r, _ := http.NewRequest("GET", "https://localhost/", nil)
	for i := range 100 {
		r.Header.Set(fmt.Sprintf("X-%d", i), "1")
	}
	res, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 431 || res.ProtoMajor != 2 {
		t.Errorf("100 fields over %s: %d", res.Proto, res.StatusCode)
	}
}

func TestFieldsOfHTTP1AreRefusedOverHTTP2(t *testing.T) {
	t.Parallel()
	b := limited(t, Listen{})
	for _, test := range []struct {
		name, value string
		status      string
	}{
		{"x-a", "b", "200"}, {"te", "trailers", "200"},
		{"te", "gzip", "400"}, {"connection", "x-a", "400"}, {"transfer-encoding", "chunked", "400"}, {"upgrade", "h2c", "400"}, {"keep-alive", "5", "400"}, {"proxy-connection", "close", "400"},
	} {
		s := b.openStream(65535, "GET", "/", true, test.name, test.value)
		s.conn.SetReadDeadline(time.Now().Add(30 * time.Second))
		status := ""
		fields := hpack.NewDecoder(4096, func(f hpack.HeaderField) {
			if f.Name == ":status" {
				status = f.Value
			}
		})
		for status == "" {
			frame, err := s.framer.ReadFrame()
			if err != nil {
				t.Fatalf("%s: %v", test.name, err)
			}
			switch frame := frame.(type) {
			case *http2.HeadersFrame:
				fields.Write(frame.HeaderBlockFragment())
			case *http2.RSTStreamFrame:
				status = "reset"
			}
		}
		if status != test.status && !(test.status == "400" && status == "reset") {
			t.Errorf("%s: %s: %s, want %s", test.name, test.value, status, test.status)
		}
	}
}

// TestTenThousandConnectionsAreAllowed where a process may have 2^20 files, as that of the service.
func TestTenThousandConnectionsAreAllowed(t *testing.T) {
	for _, c := range []struct{ files, all, client int }{
		{1 << 20, 32768, 8192},
		{20000, 10000, 2500},
		{1024, 512, 128},
		{100, 50, 100},
	} {
		if l := (Listen{}).connectionLimits(c.files); l.all != c.all || l.client != c.client {
			t.Errorf("with %d files %d connections, %d of one client", c.files, l.all, l.client)
		}
	}
}
