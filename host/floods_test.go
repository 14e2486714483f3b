package host

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// flooder is an HTTP/2 connection that keeps no manners: it reads nothing
// unless told to, and writes what it likes.
type flooder struct {
	*http2.Framer
	conn net.Conn
	head bytes.Buffer
	enc  *hpack.Encoder
}

func (b *box) flooder(settings ...http2.Setting) *flooder {
	b.t.Helper()
	f := &flooder{conn: b.dialTLS("localhost", "h2")}
	f.conn.SetDeadline(time.Now().Add(60 * time.Second))
	f.Framer = http2.NewFramer(f.conn, f.conn)
	f.AllowIllegalWrites = true
	f.enc = hpack.NewEncoder(&f.head)
	io.WriteString(f.conn, http2.ClientPreface)
	f.WriteSettings(settings...)
	return f
}

// block encodes a request's head.
func (f *flooder) block(path string, more ...string) []byte {
	f.head.Reset()
	fields := append([]string{":method", "GET", ":scheme", "https", ":authority", "localhost", ":path", path}, more...)
	for i := 0; i < len(fields); i += 2 {
		f.enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return f.head.Bytes()
}

func (f *flooder) get(stream uint32, path string, more ...string) error {
	return f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: f.block(path, more...), EndHeaders: true, EndStream: true})
}

// ends reads until the box has closed the connection.
func (f *flooder) ends(t *testing.T) {
	t.Helper()
	if _, err := io.Copy(io.Discard, f.conn); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection is still open")
	}
}

// heapNow is what is in use of heap and stacks.
func heapNow() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapInuse + stats.StackInuse)
}

// TestFloodsOfHTTP2AreBounded is about known attacks. While each is under way
// memory is bounded and others are answered.
func TestFloodsOfHTTP2AreBounded(t *testing.T) {
	const room = 80 << 20 // bytes that a flood may have the box keep: 32 KiB for each of the 2,560 streams that the largest has
	b := newBox(t)
	root := b.folder(map[string]string{"index.html": "hello", "large.bin": strings.Repeat("x", 16<<20), "small.bin": strings.Repeat("x", 200<<10)})
	b.settled(Config{
		Host:  Listen{ProgressTimeout: milliseconds(4000)},
		Sites: []Site{{Domains: []string{"localhost"}, AccessLog: no(), Target: Target{Root: root}, Routes: []Route{{Path: "/hold/", Target: Target{Root: root}}}}},
	})
	held := map[string]*struct{ running, most atomic.Int64 }{"/hold/reset": {}, "/hold/made": {}, "/hold/heads": {}} // requests of each flood, as the last of one begin late
	hold := func(w http.ResponseWriter, r *http.Request) {
		at := held[r.URL.Path]
		n := at.running.Add(1)
		defer at.running.Add(-1)
		for m := at.most.Load(); n > m && !at.most.CompareAndSwap(m, n); m = at.most.Load() {
		}
		<-r.Context().Done()
	}
	ended := func(t *testing.T, path string) {
		t.Helper()
		until(t, "all have ended", func() bool { return held[path].running.Load() == 0 })
	}
	d := *b.front.router.Load().exact["localhost"]
	d.routes = append([]route{}, d.routes...)
	d.routes[0].target = http.HandlerFunc(hold)
	b.front.router.Store(&router{exact: map[string]*domain{"localhost": &d}})
	others := b.client(true)
	answered := func(when string) {
		t.Helper()
		if res, body := b.get(others, "https://localhost/"); res.StatusCode != 200 || body != "hello" {
			t.Errorf("%s: %d %q", when, res.StatusCode, body)
		}
	}
	answered("before")
	b.get(others, "https://localhost/small.bin") // in memory from now on

	for _, flood := range []struct {
		name  string
		begin func(t *testing.T) (after func())
	}{
		{"streams that are reset at once", func(t *testing.T) func() {
			f := b.flooder()
			go io.Copy(io.Discard, f.conn)
			for i := range uint32(20000) {
				if f.get(2*i+1, "/hold/reset") != nil || f.WriteRSTStream(2*i+1, http2.ErrCodeCancel) != nil {
					break // had enough: ENHANCE_YOUR_CALM
				}
			}
			return func() {
				if n := held["/hold/reset"].most.Load(); n > maxStreams {
					t.Errorf("%d requests at a time", n)
				}
				f.conn.Close()
				ended(t, "/hold/reset")
			}
		}},
		{"streams that the box is made to reset", func(t *testing.T) func() { // MadeYouReset
			f := b.flooder()
			go io.Copy(io.Discard, f.conn)
			for i := range uint32(20000) {
				if f.get(2*i+1, "/hold/made") != nil || f.WriteWindowUpdate(2*i+1, 0) != nil {
					break
				}
			}
			return func() {
				if n := held["/hold/made"].most.Load(); n > maxStreams {
					t.Errorf("%d requests at a time", n)
				}
				f.conn.Close()
				ended(t, "/hold/made")
			}
		}},
		{"a head that never ends", func(t *testing.T) func() {
			f := b.flooder()
			f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: f.block("/"), EndStream: true})
			sent, part := 0, make([]byte, 16<<10)
			for i := range part { // literal fields without indexing, of one octet each
				part[i] = [5]byte{0x00, 1, 'x', 1, 'y'}[i%5]
			}
			part = part[:len(part)-len(part)%5]
			for sent < 64<<20 && f.WriteContinuation(1, false, part) == nil {
				sent += len(part)
			}
			if sent >= 64<<20 {
				t.Errorf("%d bytes were taken", sent)
			}
			return func() { f.ends(t) }
		}},
		{"settings", func(t *testing.T) func() {
			f := b.flooder()
			f.conn.SetWriteDeadline(time.Now().Add(3 * time.Second))
			for range 100000 {
				if f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1000}) != nil {
					break
				}
			}
			return func() { f.conn.Close() }
		}},
		{"pings", func(t *testing.T) func() {
			f := b.flooder()
			f.conn.SetWriteDeadline(time.Now().Add(3 * time.Second))
			for range 100000 {
				if f.WritePing(false, [8]byte{}) != nil {
					break
				}
			}
			return func() { f.conn.Close() }
		}},
		{"heads that unpack to much", func(t *testing.T) func() {
			var all []*flooder
			for range 3 {
				// No answer can be sent, so each request would keep its head.
				f := b.flooder(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
				all = append(all, f)
				go io.Copy(io.Discard, f.conn)
				f.get(1, "/hold/heads", "x", strings.Repeat("y", 3<<10)) // in the table from now on
				for i := range uint32(200) {
					block := append([]byte{}, f.block("/hold/heads")...)
					block = append(block, bytes.Repeat([]byte{0x80 | 62}, 8000)...) // that field, 8,000 times: 24 MB
					if f.WriteHeaders(http2.HeadersFrameParam{StreamID: 2*i + 3, BlockFragment: block, EndHeaders: true, EndStream: true}) != nil {
						break
					}
				}
			}
			return func() {
				for _, f := range all {
					f.conn.Close()
				}
				ended(t, "/hold/heads")
			}
		}},
		{"windows that stay shut", func(t *testing.T) func() {
			begun := b.begun()
			var all []*flooder
			for i := range 20 {
				f := b.flooder(http2.Setting{ID: http2.SettingInitialWindowSize, Val: uint32(i % 2 * 1000)})
				all = append(all, f)
			}
			for _, f := range all {
				for s := range uint32(maxStreams) {
					if err := f.get(2*s+1, []string{"/large.bin", "/small.bin"}[s%2]); err != nil {
						t.Fatal(err)
					}
				}
			}
			until(t, "most have begun to be answered", func() bool { return b.begun()-begun >= 20*maxStreams*9/10 }) // the first of them may have been reset on a busy machine
			return func() {
				until(t, "all have been reset", func() bool { return b.busy() == 0 })
				for _, f := range all {
					f.conn.Close()
				}
			}
		}},
		{"readers above TLS who read nothing", func(t *testing.T) func() {
			begun := b.begun()
			var all []net.Conn
			for range 100 {
				all = append(all, b.dialTLS("localhost", "http/1.1"))
			}
			for _, c := range all {
				fmt.Fprint(c, "GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n")
			}
			until(t, "most have begun to be answered", func() bool { return b.begun()-begun >= 90 })
			return func() {
				until(t, "all have been cut", func() bool { return b.busy() == 0 })
				for _, c := range all {
					c.Close()
				}
			}
		}},
	} {
		t.Run(flood.name, func(t *testing.T) {
			before := heapNow()
			after := flood.begin(t)
			answered("during")
			if grown := heapNow() - before; grown > room {
				t.Errorf("%d MiB of memory", grown>>20)
			} else {
				t.Logf("%d KiB of memory", grown>>10)
			}
			after()
			answered("after")
		})
	}
	until(t, "the floods' connections are gone", func() bool { return b.Status().Connections["https"] <= 1 })
}

// begun is how many requests for localhost have been answered, or are being.
func (b *box) begun() uint64 {
	f := b.front.router.Load().exact["localhost"].routes[0].site.figures.snapshot()
	return f.Requests + uint64(f.InFlight)
}

// ask sends a request, in as many frames as its head needs, and returns the
// status of the answer, or how the stream or the connection ended, and how
// much came.
func (f *flooder) ask(block []byte) (status string, data int) {
	for first := true; first || len(block) > 0; first = false {
		part := block[:min(len(block), 16<<10)]
		block = block[len(part):]
		var err error
		if first {
			err = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: part, EndHeaders: len(block) == 0, EndStream: true})
		} else {
			err = f.WriteContinuation(1, len(block) == 0, part)
		}
		if err != nil {
			break // the box has heard enough
		}
	}
	fields := hpack.NewDecoder(4096, func(field hpack.HeaderField) {
		if field.Name == ":status" {
			status = field.Value
		}
	})
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			return status + "closed", data
		}
		ended := false
		switch frame := frame.(type) {
		case *http2.HeadersFrame:
			fields.Write(frame.HeaderBlockFragment())
			ended = frame.StreamEnded()
		case *http2.DataFrame:
			data += len(frame.Data())
			ended = frame.StreamEnded()
		case *http2.RSTStreamFrame:
			return status + "reset", data
		case *http2.GoAwayFrame:
			if frame.ErrCode != http2.ErrCodeNo {
				return status + "closed", data
			}
		}
		if ended {
			return status, data
		}
	}
}

// TestHeadersAndRangesTooManyAreRefusedOverHTTP2 is TestHTTP3HasLimits for HTTP/2.
func TestHeadersAndRangesTooManyAreRefusedOverHTTP2(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.settled(Config{Sites: []Site{{Domains: []string{"localhost"}, Target: Target{Root: b.folder(map[string]string{"index.html": strings.Repeat("hello", 4000)})}}}})
	many := func(n int) []string {
		var ranges []string
		for i := range n {
			ranges = append(ranges, fmt.Sprintf("%d-%d", 2*i, 2*i))
		}
		return []string{"range", "bytes=" + strings.Join(ranges, ",")}
	}
	lines := func(n int) (fields []string) {
		for i := range n {
			fields = append(fields, fmt.Sprintf("x-%d", i), "1")
		}
		return fields
	}
	for name, test := range map[string]struct {
		path   string
		fields []string
		status string
	}{
		"good":          {"/", nil, "200"},
		"5,000 fields":  {"/", lines(5000), "431 closed"},
		"120 fields":    {"/", lines(120), "431"},
		"64 KiB target": {"/" + strings.Repeat("x", 64<<10), nil, "431 closed"},
		"9 KiB target":  {"/" + strings.Repeat("x", 9<<10), nil, "414"},
		"10,000 ranges": {"/", many(10000), "431 closed"},
		"1,000 ranges":  {"/", many(1000), "200 416"},
		"10 ranges":     {"/", many(10), "206"},
	} {
		f := b.flooder()
		status, data := f.ask(f.block(test.path, test.fields...))
		if !strings.Contains(test.status, status) || data > 25000 {
			t.Errorf("%s: %s with %d bytes, want %s", name, status, data, test.status)
		}
	}
	if res, _ := b.get(b.client(true), "https://localhost/"); res.StatusCode != 200 {
		t.Errorf("after all of them: %d", res.StatusCode)
	}
}
