package static

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"

	"roost/internal/httplint"
)

func TestMemoryStaysWithinItsLimit(t *testing.T) {
	t.Parallel()
	all := files{}
	for i := range 100 {
		all[fmt.Sprintf("f%02d", i)] = strings.Repeat(string(rune('A'+i%26)), 10_000)
	}
	const limit = 100_000
	s := newSite(t, Config{Serving: Serving{Memory: limit}}, all).run()
	var asking sync.WaitGroup
	for worker := range 4 {
		asking.Go(func() {
			for i := range 300 {
				n := (i*7 + worker*13) % 100
				w := httplint.Record(t, s, httptest.NewRequest("GET", fmt.Sprintf("/f%02d", n), nil))
				if want := all[fmt.Sprintf("f%02d", n)]; w.Code != 200 || w.Body.String() != want {
					t.Errorf("f%02d: %d %.10s", n, w.Code, w.Body)
				}
				if i == 150 {
					write(t, s.root, files{"new": "x"})
				}
			}
		})
	}
	asking.Wait()
	if used, sum := s.held(); used != sum || used > limit || used < limit-11_000 {
		t.Errorf("%d used, %d in the table, limit %d", used, sum, limit)
	}
	for name := range all {
		write(t, s.root, files{name: "changed"})
	}
	for name := range all {
		s.shows("/"+name, 200, "changed")
	}
	if used, sum := s.held(); used != sum || used > 101*(overhead+10) {
		t.Errorf("after the change: %d used, %d in the table", used, sum)
	}
}

// held is what memory counts, and what there is of all files in the table.
func (s *site) held() (used, sum int64) {
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	for a := range s.table.Load().all() {
		c := a.contents()
		for _, v := range []*variant{c.identity.Load(), c.coded[br].Load(), c.coded[zstd].Load(), c.coded[gzip].Load()} {
			if v != nil && v.body != nil {
				sum += v.size + overhead
			}
		}
	}
	return s.memory.used.Load(), sum
}

func TestWhatIsAskedForStaysInMemory(t *testing.T) {
	all := files{"hot": strings.Repeat("h", 1000)}
	for i := range 50 {
		all[fmt.Sprint(i)] = strings.Repeat("c", 1000)
	}
	s := newSite(t, Config{Serving: Serving{Memory: 10 * (1000 + overhead)}}, all)
	s.get("/hot")
	tag := s.get("/hot").Header.Get("Etag")
	for i := range 50 {
		s.get("/" + fmt.Sprint(i))
		s.get("/hot")
	}
	if v := s.table.Load().asset("/hot").contents().identity.Load(); v.body == nil {
		t.Error("the file asked for most is not in memory")
	}
	v := s.table.Load().asset("/0").contents().identity.Load()
	if v == nil || v.body != nil {
		t.Fatal("a file asked for once pushes others out")
	}
	if a := s.get("/0"); a.body != all["0"] || a.Header.Get("Etag") != v.etag[0] {
		t.Errorf("read again: %s, before %s", a.Header.Get("Etag"), v.etag[0])
	}
	if s.get("/hot").Header.Get("Etag") != tag {
		t.Error("the tag depends on where the content is")
	}
}

func TestFilesWithoutMemory(t *testing.T) {
	s := newSite(t, Config{Serving: Serving{Memory: 1}}, files{"a": "aaa"})
	a, b := s.get("/a"), s.get("/a", "Range: bytes=1-1")
	if a.body != "aaa" || b.body != "a" || a.Header.Get("Etag") != b.Header.Get("Etag") {
		t.Errorf("%s, %s", brief(a), brief(b))
	}
}

func TestUnreadableFilesAreSaidOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{}, files{"a": "a"})
	tab := s.table.Load()
	for err, want := range map[error]int{
		&fs.PathError{Op: "openat", Path: "a", Err: syscall.EACCES}:  403,
		&fs.PathError{Op: "read", Path: "a", Err: syscall.EIO}:       500,
		&fs.PathError{Op: "openat", Path: "a", Err: syscall.EMFILE}:  503,
		&fs.PathError{Op: "openat", Path: "a", Err: syscall.ENOENT}:  404,
		&fs.PathError{Op: "openat", Path: "a", Err: syscall.ENOTDIR}: 404,
		errNotRegular: 404,
	} {
		w := httptest.NewRecorder()
		for range 3 {
			w = httptest.NewRecorder()
			r := httptest.NewRequest("GET", "/a", nil)
			s.unreadable(w, r, tab, tab.asset("/a"), err)
			httplint.Recorded(t, w, r)
		}
		if w.Code != want || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%v: %d %v", err, w.Code, w.Header())
		}
	}
	if n := strings.Count(s.logs.String(), "permission denied") + strings.Count(s.logs.String(), "cannot read file"); n < 1 || n > 3 {
		t.Errorf("said %d times: %s", n, s.logs)
	}
	var _ http.Handler = s.Folder
}

// Requests that come together each read the file, but then all send the one content that is kept.
func TestWhatComesTogetherSendsOneContent(t *testing.T) {
	all := files{}
	for i := range 20 {
		all[fmt.Sprint(i)] = strings.Repeat("x", maxInMemory)
	}
	s := newSite(t, Config{}, all)
	for name := range all {
		a, table := s.table.Load().asset("/"+name), s.table.Load()
		begin := make(chan struct{})
		var sent [8]*variant
		var asked sync.WaitGroup
		for i := range sent {
			asked.Go(func() {
				<-begin
				sent[i], _, _ = s.load(t.Context(), table, a)
			})
		}
		close(begin)
		asked.Wait()
		for _, v := range sent {
			if v != a.contents().identity.Load() {
				t.Fatal("a request sends a content of its own")
			}
		}
	}
}

// A request that began before its file left the table, or before the folder was closed, leaves nothing behind.
func TestWhatHasLeftIsNotKeptByLateRequests(t *testing.T) {
	for what, leave := range map[string]func(s *site, a *asset){
		"file":   func(s *site, a *asset) { s.memory.forget(a) },
		"folder": func(s *site, _ *asset) { s.memory.forgetAll() },
	} {
		s := newSite(t, Config{}, files{"a.js": script(2000)})
		leave(s, s.table.Load().asset("/a.js"))
		for _, accept := range []string{"identity", "gzip"} {
			if a := s.get("/a.js", "Accept-Encoding: "+accept); a.StatusCode != 200 {
				t.Fatalf("%v", a.Header)
			}
		}
		if used := s.memory.used.Load(); used != 0 || s.memory.queue.Len() != 0 {
			t.Errorf("a %s that has left: %d bytes are used", what, used)
		}
	}
}
