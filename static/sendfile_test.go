package static

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"roost/internal/httplint"
)

// fileConn notes what its ReadFrom is given: net/http calls it on the
// connection itself, and a *net.TCPConn that is given a file uses sendfile(2).
type fileConn struct {
	*net.TCPConn
	seen *seen
}

type seen struct {
	mu    sync.Mutex
	files []int64 // lengths still to be sent, of those that were files
	other int
}

func (c fileConn) ReadFrom(r io.Reader) (int64, error) {
	c.seen.mu.Lock()
	limited, ok := r.(*io.LimitedReader)
	if ok {
		_, ok = limited.R.(*os.File)
	}
	if ok {
		c.seen.files = append(c.seen.files, limited.N)
	} else {
		c.seen.other++
	}
	c.seen.mu.Unlock()
	return c.TCPConn.ReadFrom(r)
}

type fileListener struct {
	*net.TCPListener
	seen *seen
}

func (l fileListener) Accept() (net.Conn, error) {
	c, err := l.AcceptTCP()
	if err != nil {
		return nil, err
	}
	return fileConn{c, l.seen}, nil
}

func TestLargeFilesAreSentByTheKernel(t *testing.T) {
	t.Parallel()
	const size = 4 << 20
	root := t.TempDir()
	write(t, root, files{"big": strings.Repeat("0123456789abcdef", size/16), "small": "s"})
	f, err := Open(Config{Root: root}, Options{})
	check(t, err)
	defer f.Close()
	var saw seen
	h := httptest.NewUnstartedServer(f)
	h.Listener = fileListener{h.Listener.(*net.TCPListener), &saw}
	h.Start()
	defer h.Close()
	s := &site{t: t, url: h.URL, asks: &httplint.Transport{T: t}}
	// net/http sends the first 512 bytes with the head; what is withheld goes alone.
	for _, c := range []struct {
		fields []string
		length int
		want   []int64
	}{
		{nil, size, []int64{size - 512}},
		{[]string{"Range: bytes=1000000-"}, size - 1000000, []int64{size - 1000000 - 512}},
		{[]string{"Range: bytes=0-1999999,2500000-3999999"}, 3500000, []int64{2000000, 1500000}},
	} {
		saw.files, saw.other = nil, 0
		a := s.get("/big", c.fields...)
		if len(a.body) < c.length {
			t.Fatalf("%v: %s, %d bytes", c.fields, a.Status, len(a.body))
		}
		saw.mu.Lock()
		var sent int64
		for i, n := range saw.files {
			sent += n
			if i >= len(c.want) || n > c.want[i] || n < c.want[i]-512-withheld {
				t.Errorf("%v: the connection was given files of %v bytes, want %v", c.fields, saw.files, c.want)
				break
			}
		}
		if sent == 0 || saw.other > 0 {
			t.Errorf("%v: the connection was given %v bytes of files and %d other things", c.fields, saw.files, saw.other)
		}
		saw.mu.Unlock()
	}
}

// What happens to a file while it is sent decides whether the answer may look complete.
func TestFileThatChangesWhileItIsSentBreaksTheAnswerOff(t *testing.T) {
	t.Parallel()
	const size = 16 << 20 // more than the sockets on the way hold
	big := strings.Repeat("x", size)
	for what, c := range map[string]struct {
		deed  func(file string) error
		whole bool
	}{
		"cut short":                {func(file string) error { return os.Truncate(file, 1000) }, false},
		"cut by a byte":            {func(file string) error { return os.Truncate(file, size-1) }, false},
		"written anew":             {func(file string) error { return os.WriteFile(file, bytes.Repeat([]byte("y"), size), 0o644) }, false},
		"written anew, and longer": {func(file string) error { return os.WriteFile(file, bytes.Repeat([]byte("y"), size+1), 0o644) }, false},
		"changed in one place": {func(file string) error {
			f, err := os.OpenFile(file, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.WriteAt([]byte("y"), size/2)
			return err
		}, false},
		"added to": {func(file string) error {
			f, err := os.OpenFile(file, os.O_WRONLY|os.O_APPEND, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.WriteString("a line")
			return err
		}, true},
		"replaced": {func(file string) error {
			if err := os.WriteFile(file+".new", bytes.Repeat([]byte("y"), size), 0o644); err != nil {
				return err
			}
			return os.Rename(file+".new", file)
		}, true},
		"removed":              {os.Remove, true},
		"closed to its reader": {func(file string) error { return os.Chmod(file, 0) }, true},
	} {
		for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
			t.Run(what+" over "+protocol, func(t *testing.T) {
				t.Parallel()
				s := newSite(t, Config{}, files{"big": big})
				h := httptest.NewUnstartedServer(s.Folder)
				h.EnableHTTP2 = protocol == "HTTP/2.0"
				h.StartTLS()
				defer h.Close()
				res, err := httplint.Client(t, h).Get(h.URL + "/big")
				check(t, err)
				defer res.Body.Close()
				if res.Proto != protocol || res.ContentLength != size {
					t.Errorf("%s, %d bytes", res.Proto, res.ContentLength)
				}
				check(t, c.deed(s.path("big")))
				body := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead))
				_, err = body.ReadFrom(res.Body)
				switch {
				case c.whole && (err != nil || body.Len() != size || bytes.Count(body.Bytes(), []byte("x")) != size):
					t.Errorf("%d bytes of what was there: %v", body.Len(), err)
				case !c.whole && err == nil:
					t.Errorf("%d of %d bytes without an error", body.Len(), size)
				}
			})
		}
	}
}

func TestLargeFilesOverHTTP2(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{}, files{"big": strings.Repeat("0123456789abcdef", 1<<16), "a": "small"})
	h := httptest.NewUnstartedServer(s.Folder)
	h.EnableHTTP2 = true
	h.StartTLS()
	defer h.Close()
	for path, want := range map[string]string{"/big": strings.Repeat("0123456789abcdef", 1<<16), "/a": "small"} {
		res, err := httplint.Client(t, h).Get(h.URL + path)
		check(t, err)
		body, err := io.ReadAll(res.Body)
		check(t, err)
		res.Body.Close()
		if res.ProtoMajor != 2 || string(body) != want || res.Header.Get("Etag") == "" {
			t.Errorf("%s: %s, %d bytes", path, res.Proto, len(body))
		}
	}
}

func TestHitAllocatesNothing(t *testing.T) {
	s := newSite(t, Config{}, files{"dir/a.css": "body{}"})
	w := &discard{header: http.Header{}}
	r := httptest.NewRequest("GET", "/dir/a.css", nil)
	s.ServeHTTP(w, r)
	if n := testing.AllocsPerRun(100, func() {
		clear(w.header)
		s.ServeHTTP(w, r)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
	r.Header.Set("If-None-Match", w.header.Get("Etag"))
	if n := testing.AllocsPerRun(100, func() {
		clear(w.header)
		s.ServeHTTP(w, r)
	}); n > 0 || w.status != 304 {
		t.Errorf("%v allocations for %d", n, w.status)
	}
}

type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }

// kernelSent asks for path and returns how many bytes of files the connection was given to send.
func kernelSent(t *testing.T, all files, path string, fields ...string) (sent int64) {
	t.Helper()
	root := t.TempDir()
	write(t, root, all)
	f, err := Open(Config{Root: root}, Options{})
	check(t, err)
	defer f.Close()
	var saw seen
	h := httptest.NewUnstartedServer(f)
	h.Listener = fileListener{h.Listener.(*net.TCPListener), &saw}
	h.Start()
	defer h.Close()
	s := &site{t: t, url: h.URL, asks: &httplint.Transport{T: t, Base: plainTransport}}
	if a := s.get(path, fields...); a.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", path, a.Status)
	}
	saw.mu.Lock()
	defer saw.mu.Unlock()
	for _, n := range saw.files {
		sent += n
	}
	return sent
}

// between does a deed between two parts of an answer.
type between struct {
	*httptest.ResponseRecorder
	deed func()
}

func (w between) WriteString(s string) (int, error) {
	if strings.HasPrefix(s, "\r\n--") && !strings.HasSuffix(s, "--\r\n") {
		w.deed()
	}
	return w.ResponseRecorder.WriteString(s)
}

// All the parts of an answer are of the state that its validators are of.
func TestPartsAreOfOneState(t *testing.T) {
	const size = maxInMemory * 2
	s := newSite(t, Config{}, files{"big": strings.Repeat("x", size)})
	r := httptest.NewRequest("GET", "/big", nil)
	r.Header.Set("Range", "bytes=0-999,5000-5999")
	w := between{httptest.NewRecorder(), func() { write(t, s.root, files{"big": strings.Repeat("y", size)}) }}
	defer func() {
		if gone := recover(); gone != http.ErrAbortHandler {
			t.Errorf("%v: it has %d x and %d y", gone, strings.Count(w.Body.String(), "xx"), strings.Count(w.Body.String(), "yy"))
		}
	}()
	s.ServeHTTP(w, r)
}
