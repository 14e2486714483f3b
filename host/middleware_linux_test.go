package host

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTheBodyDoesNotPassThroughMiddleware counts system calls, as
// TestALargeFileGoesBySendfile does, and takes a connection over.
func TestTheBodyDoesNotPassThroughMiddleware(t *testing.T) {
	const size = 64 << 20
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, make([]byte, size), 0o644); err != nil {
		t.Fatal(err)
	}
	b := behind(t, asApp(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hijack" {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\n\r\nours")
			conn.Close()
			return
		}
		file, err := os.Open(name)
		if err != nil {
			t.Error(err)
			return
		}
		defer file.Close()
		w.(http.Flusher).Flush()
		io.Copy(w, file)
	}), passing("outer"))
	c := b.dial("http")
	c.SetDeadline(time.Now().Add(30 * time.Second))
	before := writeCalls(t)
	io.WriteString(c, "GET /file HTTP/1.0\r\nHost: localhost\r\n\r\n") // 1.0: no chunks, which sendfile could not write
	n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{c}, make([]byte, 1<<20))
	if err != nil || n < size {
		t.Fatalf("%d bytes, %v", n, err)
	}
	if calls := writeCalls(t) - before; calls > size/(64<<10)/2 {
		t.Errorf("%d writes for %d MiB: not by sendfile", calls, size>>20)
	}
	c = b.dial("http")
	c.SetDeadline(time.Now().Add(30 * time.Second))
	io.WriteString(c, "GET /hijack HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	said, err := io.ReadAll(bufio.NewReader(c))
	if err != nil || !strings.HasSuffix(string(said), "\r\n\r\nours") {
		t.Errorf("taken over: %q, %v", said, err)
	}
}
