package host

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// writeCalls is how often this process has called write(2) or a relative of it
// (proc(5), syscw).
func writeCalls(t *testing.T) (n int) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := bytes.Cut(text, []byte("syscw: "))
	if _, err := fmt.Sscan(string(rest), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestALargeFileGoesBySendfile counts system calls: 64 MiB through buffers of
// 64 KiB are a thousand writes, by sendfile(2) as many as the socket's buffer
// fills, also where its bandwidth is bounded.
func TestALargeFileGoesBySendfile(t *testing.T) {
	b := newBox(t)
	dir := b.folder(nil)
	const size = 64 << 20
	if err := os.WriteFile(filepath.Join(dir, "file"), make([]byte, size), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, bandwidth := range []*Bandwidth{nil, {Rate: 48 << 20}} {
		b.settled(Config{Sites: []Site{{Domains: []string{"localhost"}, RedirectHTTPS: no(), Target: Target{Root: dir, Protection: Protection{Bandwidth: bandwidth}}}}})
		c := b.dial("http")
		c.SetDeadline(time.Now().Add(30 * time.Second))
		before := writeCalls(t)
		io.WriteString(c, "GET /file HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
		n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{c}, make([]byte, 1<<20))
		if err != nil || n < size {
			t.Fatalf("%d bytes, %v", n, err)
		}
		if calls := writeCalls(t) - before; calls > size/(64<<10)*3/4 { // a busy machine empties the socket in smaller parts
			t.Errorf("%d writes for %d MiB at %v: not by sendfile", calls, size>>20, bandwidth)
		} else {
			t.Logf("%d writes for %d MiB at %v", calls, size>>20, bandwidth)
		}
	}
}
