package static

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// BenchmarkSmallFile asks for a file of 1 KB over one kept connection, in turn
// of this package and of http.FileServer, and reports how many times faster
// the first is; the client's own work is in both.
func BenchmarkSmallFile(b *testing.B) {
	root := b.TempDir()
	if err := os.WriteFile(filepath.Join(root, "file.css"), []byte(strings.Repeat("x", 1024)), 0o644); err != nil {
		b.Fatal(err)
	}
	f, err := Open(Config{Root: root}, Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	ours, theirs := dial(b, f), dial(b, http.FileServer(http.Dir(root)))
	var spent [2]time.Duration
	for b.Loop() {
		for i, c := range []*client{ours, theirs} {
			begun := time.Now()
			for range 50 {
				c.ask(b)
			}
			spent[i] += time.Since(begun)
		}
	}
	requests := float64(b.N * 50)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(spent[0].Nanoseconds())/requests, "ns/request")
	b.ReportMetric(float64(spent[1].Nanoseconds())/requests, "FileServer-ns/request")
	b.ReportMetric(float64(spent[1])/float64(spent[0]), "times-faster")
}

// BenchmarkHandler is the same without connections: the handlers alone.
func BenchmarkHandler(b *testing.B) {
	root := b.TempDir()
	if err := os.WriteFile(filepath.Join(root, "file.css"), []byte(strings.Repeat("x", 1024)), 0o644); err != nil {
		b.Fatal(err)
	}
	f, err := Open(Config{Root: root}, Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	for name, h := range map[string]http.Handler{"roost": f, "FileServer": http.FileServer(http.Dir(root))} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest("GET", "/file.css", nil)
			w := &discard{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				h.ServeHTTP(w, r)
			}
		})
	}
}

type client struct {
	conn net.Conn
	in   *bufio.Reader
	out  []byte
}

func dial(b *testing.B, h http.Handler) *client {
	s := httptest.NewServer(h)
	b.Cleanup(s.Close)
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	return &client{c, bufio.NewReader(c), []byte("GET /file.css HTTP/1.1\r\nHost: x\r\n\r\n")}
}

func (c *client) ask(b *testing.B) {
	if _, err := c.conn.Write(c.out); err != nil {
		b.Fatal(err)
	}
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			b.Fatal(err)
		}
		if len(line) == 2 {
			break
		}
	}
	if _, err := c.in.Discard(1024); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkLargeFolder reads a folder of 100,000 files, again without a change,
// and puts one change into the table.
func BenchmarkLargeFolder(b *testing.B) {
	root := memoryDir(b)
	growTree(b, root, 100_000)
	f, err := Open(Config{Root: root}, Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	t := f.table.Load()
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := f.scanner(t.root, nil).scan(context.Background()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read-again", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if now, err := f.scanner(t.root, t).scan(context.Background()); err != nil || !now.same(t) {
				b.Fatal(err)
			}
		}
	})
	b.Run("change", func(b *testing.B) {
		const path = "/part-03/section-033/new"
		b.ReportAllocs()
		for b.Loop() {
			e := t.edit()
			e.set(path, newAsset(path, path[1:], stamp{}))
			e.done()
		}
	})
	b.Run("find", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if t.asset("/part-03/section-033/page-033333.txt") == nil {
				b.Fatal("not found")
			}
		}
	})
}

// BenchmarkLargeFile sends 16 MB over one connection.
func BenchmarkLargeFile(b *testing.B) {
	const size = 16 << 20
	root := b.TempDir()
	if err := os.WriteFile(filepath.Join(root, "big"), make([]byte, size), 0o644); err != nil {
		b.Fatal(err)
	}
	f, err := Open(Config{Root: root}, Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	for name, h := range map[string]http.Handler{"roost": f, "FileServer": http.FileServer(http.Dir(root))} {
		b.Run(name, func(b *testing.B) {
			s := httptest.NewServer(h)
			defer s.Close()
			b.SetBytes(size)
			for b.Loop() {
				res, err := s.Client().Get(s.URL + "/big")
				if err != nil {
					b.Fatal(err)
				}
				if n, err := io.Copy(io.Discard, res.Body); n != size || err != nil {
					b.Fatal(n, err)
				}
				res.Body.Close()
			}
		})
	}
}
