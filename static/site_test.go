package static

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"roost/internal/httplint"
)

// site is a folder served over TCP.
type site struct {
	*Folder
	t    *testing.T
	root string
	url  string
	addr string
	logs *logs
	asks http.RoundTripper
}

// files are names and contents; a name that ends in a slash is a folder, a
// content that begins with "->" a symbolic link.
type files map[string]string

func newSite(t *testing.T, c Config, all files) *site {
	t.Helper()
	if c.Root == "" {
		c.Root = filepath.Join(t.TempDir(), "public")
		write(t, c.Root, files{"/": ""})
	}
	write(t, c.Root, all)
	age(t, c.Root, all)
	logs := &logs{}
	f, err := Open(c, Options{Log: slog.New(slog.NewTextHandler(logs, nil))})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(f)
	s := &site{Folder: f, t: t, root: c.Root, url: h.URL, addr: h.Listener.Addr().String(), logs: logs, asks: &httplint.Transport{T: t, Base: plainTransport}}
	t.Cleanup(func() {
		h.Close()
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(logs)
		}
	})
	return s
}

// run keeps the site up to date until the test ends.
func (s *site) run() *site {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	s.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Error(err)
		}
	})
	return s
}

func write(t *testing.T, root string, all files) {
	t.Helper()
	for name, content := range all {
		file := filepath.Join(root, name)
		check(t, os.MkdirAll(filepath.Dir(file), 0o755))
		to, link := strings.CutPrefix(content, "->")
		switch {
		case strings.HasSuffix(name, "/"):
			check(t, os.MkdirAll(file, 0o755))
		case link:
			check(t, os.Symlink(to, file))
		default:
			check(t, os.WriteFile(file, []byte(content), 0o644))
		}
	}
}

// age makes files a minute old, so that nobody waits for them to be whole.
func age(t *testing.T, root string, all files) {
	t.Helper()
	then := time.Now().Add(-time.Minute)
	for name, content := range all {
		if !strings.HasSuffix(name, "/") && !strings.HasPrefix(content, "->") {
			check(t, os.Chtimes(filepath.Join(root, name), then, then))
		}
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// tableOf is a table of files at the top of a folder, of one byte each.
func tableOf(paths ...string) *table {
	e := emptyTable.edit()
	e.put(&directory{path: "/"})
	for _, path := range paths {
		e.set(path, newAsset(path, path[1:], stamp{size: 1}))
	}
	return e.done()
}

// answer is a response read to its end.
type answer struct {
	*http.Response
	body string
}

// get asks with fields "Name: value".
func (s *site) get(path string, fields ...string) answer { return s.ask("GET", path, fields...) }

// getMaybe is get for an answer that may be broken off.
func (s *site) getMaybe(path string, fields ...string) (a answer, whole bool) {
	s.t.Helper()
	res, err := s.asks.RoundTrip(s.request("GET", path, fields))
	if err != nil {
		return a, false // before its head had left
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return answer{res, string(body)}, err == nil
}

func (s *site) ask(method, path string, fields ...string) answer {
	s.t.Helper()
	return s.do(s.request(method, path, fields))
}

func (s *site) request(method, path string, fields []string) *http.Request {
	s.t.Helper()
	r, err := http.NewRequest(method, s.url+path, nil)
	check(s.t, err)
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		r.Header.Add(name, value)
	}
	return r
}

// plainTransport asks for what it is told to, and gives the bytes that it gets.
var plainTransport = &http.Transport{DisableCompression: true}

func (s *site) do(r *http.Request) answer {
	s.t.Helper()
	res, err := s.asks.RoundTrip(r)
	check(s.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	check(s.t, err)
	return answer{res, string(body)}
}

// raw sends a request target as it is.
func (s *site) raw(target string, fields ...string) answer {
	s.t.Helper()
	c, err := net.Dial("tcp", s.addr)
	check(s.t, err)
	defer c.Close()
	check(s.t, c.SetDeadline(time.Now().Add(30*time.Second)))
	_, err = io.WriteString(c, "GET "+target+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"+strings.Join(append(fields, ""), "\r\n")+"\r\n")
	check(s.t, err)
	res, err := httplint.Read(s.t, bufio.NewReader(c), nil)
	check(s.t, err)
	body, err := io.ReadAll(res.Body)
	check(s.t, err)
	return answer{res, string(body)}
}

// within polls until what holds, for as long as the package promises, and much longer on a slow box.
func within(t *testing.T, promise time.Duration, what string, holds func() bool) {
	t.Helper()
	begun := time.Now()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		if time.Since(begun) > promise+30*time.Second {
			t.Fatalf("not within %v: %s", promise, what)
		}
		<-tick.C
	}
	if took := time.Since(begun); took > promise {
		t.Logf("%s: took %v, more than %v", what, took, promise)
	}
}

// shows waits for path to answer with status and body.
func (s *site) shows(path string, status int, body string) {
	s.t.Helper()
	var a answer
	within(s.t, time.Second, path+" shows "+body, func() bool {
		a = s.get(path)
		return a.StatusCode == status && (status != 200 || a.body == body)
	})
}

type logs struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
