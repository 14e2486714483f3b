//go:build unix

package static

import (
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"roost/internal/httplint"
)

// inChild runs the calling test again in a process of its own, and returns
// true there. As root it can be run as nobody, to whom permissions apply.
func inChild(t *testing.T, nobody bool) bool {
	t.Helper()
	const mark = "ROOST_TEST_CHILD"
	if os.Getenv(mark) == t.Name() {
		return true
	}
	c := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	if _, err := os.Stat(c.Path); err != nil {
		if c.Path, err = os.Executable(); err != nil {
			t.Fatal(err)
		}
	}
	home := t.TempDir()
	check(t, os.Chmod(home, 0o777))
	check(t, os.Chmod(filepath.Dir(home), 0o755))
	c.Dir = home
	c.Env = append(os.Environ(), mark+"="+t.Name(), "TMPDIR="+home)
	if nobody && os.Getuid() == 0 {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	out, err := c.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()+" ") {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

// When open files run out, what needs one is put off, and nothing is taken for gone.
func TestNoMoreOpenFiles(t *testing.T) {
	t.Parallel()
	if !inChild(t, false) {
		return
	}
	s := newSite(t, Config{}, files{"hot": "hot", "cold": "cold", "dir/cold": "cold too", "late": "late"}).run()
	s.shows("/hot", 200, "hot")
	s.shows("/late", 200, "late")
	ask := func(path string) *httptest.ResponseRecorder {
		return httplint.Record(t, s, httptest.NewRequest("GET", path, nil))
	}
	check(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 100, Max: 100}))
	var taken []*os.File
	take := func() { // all that there are, once more after others have given some back
		for {
			f, err := os.Open(os.DevNull)
			if err != nil {
				return
			}
			taken = append(taken, f)
		}
	}
	take()
	refused := func(path string) {
		t.Helper()
		w := ask(path)
		if w.Code != 503 || w.Header().Get("Retry-After") == "" || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s without a file to open: %d %v", path, w.Code, w.Header())
		}
	}
	refused("/cold")
	refused("/dir/cold")
	check(t, os.Rename(s.path("dir"), s.path("moved"))) // has all read again, which cannot be done
	within(t, 2*time.Second, "reading fails", func() bool {
		take()
		return strings.Contains(s.logs.String(), "cannot read folder for now")
	})
	if w := ask("/hot"); w.Code != 200 || w.Body.String() != "hot" {
		t.Errorf("what is in memory: %d %q", w.Code, w.Body)
	}
	refused("/cold")
	for _, f := range taken {
		f.Close()
	}
	s.shows("/cold", 200, "cold")
	s.shows("/moved/cold", 200, "cold too")
	s.shows("/dir/cold", 404, "")
	s.shows("/hot", 200, "hot")
}

// Permissions that are taken and given back are followed like changes of content.
func TestPermissionsAreFollowed(t *testing.T) {
	t.Parallel()
	if !inChild(t, true) {
		return
	}
	eachMode(t, files{"f": "f", "closed": "c", "dir/g": "g", "dir/sub/h": "h", "shut/i": "i"}, func(t *testing.T, s *site) {
		mode := func(name string, mode os.FileMode) { check(t, os.Chmod(s.path(name), mode)) }
		t.Cleanup(func() { // so that it can be removed
			for _, name := range []string{"", "dir", "shut"} {
				_ = os.Chmod(s.path(name), 0o755)
			}
		})
		s.shows("/f", 200, "f")
		s.shows("/dir/sub/h", 200, "h")
		mode("f", 0)
		mode("dir", 0)
		mode("shut", 0o300) // may be entered, not read
		s.shows("/f", 403, "")
		s.shows("/dir/g", 404, "")
		s.shows("/dir/sub/h", 404, "")
		s.shows("/shut/i", 404, "")
		s.shows("/closed", 200, "c")
		if log := s.logs.String(); !strings.Contains(log, "cannot read folder") || !strings.Contains(log, "permission denied") {
			t.Errorf("not said: %s", log)
		}
		mode("f", 0o644)
		mode("dir", 0o755)
		mode("shut", 0o755)
		s.shows("/f", 200, "f")
		s.shows("/dir/g", 200, "g")
		s.shows("/dir/sub/h", 200, "h")
		s.shows("/shut/i", 200, "i")
		write(t, s.root, files{"dir/sub/h": "h2"}) // and is watched again
		s.shows("/dir/sub/h", 200, "h2")
		mode("", 0)
		s.shows("/closed", 404, "")
		mode("", 0o755)
		s.shows("/closed", 200, "c")
	})
}

// A file that was rewritten with the size and the time that it had, as rsync
// --times and restored backups do, is another file all the same.
func TestSameSizeAndTimeIsNotTheSameFile(t *testing.T) {
	t.Parallel()
	eachMode(t, files{"f": "11", "g": "11", "big": strings.Repeat("1", maxInMemory+1)}, func(t *testing.T, s *site) {
		old := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
		set := func(name, content string) {
			write(t, s.root, files{name: content})
			check(t, os.Chtimes(s.path(name), old, old))
		}
		for _, c := range []string{"2", "3"} {
			set("f", c+c)
			set("g.new", c+c)
			check(t, os.Rename(s.path("g.new"), s.path("g")))
			set("big", strings.Repeat(c, maxInMemory+1))
			s.shows("/f", 200, c+c)
			s.shows("/g", 200, c+c)
			s.shows("/big", 200, strings.Repeat(c, maxInMemory+1))
			if got := s.get("/f").Header.Get("Last-Modified"); got != "Thu, 02 Jan 2020 03:04:05 GMT" {
				t.Error(got)
			}
		}
	})
}

// What is no file is not opened: a pipe would hold the request until somebody
// writes to it.
func TestPipesSocketsAndDevicesAreNotServed(t *testing.T) {
	t.Parallel()
	eachMode(t, files{"f": "f", "g": "g", "null": "->/dev/null", "zero": "->/dev/zero", "tty": "->/dev/tty"}, func(t *testing.T, s *site) {
		s.shows("/f", 200, "f")
		check(t, syscall.Mkfifo(s.path("pipe"), 0o666))
		l, err := net.Listen("unix", s.path("s"))
		check(t, err)
		defer l.Close()
		for _, name := range []string{"f", "g"} { // one in memory, one not
			check(t, os.Remove(s.path(name)))
			check(t, syscall.Mkfifo(s.path(name), 0o666))
			if a := s.get("/" + name); a.StatusCode != 404 && a.body != name {
				t.Errorf("%s: %s", name, brief(a))
			}
			s.shows("/"+name, 404, "")
		}
		// Another name of a file elsewhere is a file here: whoever may make one may as well copy it.
		write(t, filepath.Dir(s.root), files{"outside": "o"})
		check(t, os.Link(s.path("../outside"), s.path("hard")))
		s.shows("/hard", 200, "o")
		write(t, s.root, files{"last": "l"})
		s.shows("/last", 200, "l")
		for _, path := range []string{"/pipe", "/s", "/null", "/zero", "/tty"} {
			if a := s.get(path); a.StatusCode != 404 {
				t.Errorf("%s: %s", path, brief(a))
			}
		}
	})
}

// What is no file may feel that it is opened. A socket cannot be: so it is told by its kind if nobody tries.
func TestRulesAreLookedForInFilesOnly(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{}, files{"index.html": "i"})
	l, err := net.Listen("unix", s.path("s"))
	check(t, err)
	defer l.Close()
	write(t, s.root, files{"_headers": "->s"})
	check(t, os.Rename(s.path("s"), s.path("_redirects")))
	write(t, s.root, files{"s": "->_redirects"})
	want := s.root + "/_redirects: cannot be read: not a regular file\n" + s.root + "/_headers: cannot be read: not a regular file"
	if notes := strings.Join(Notes(s.config), "\n"); notes != want {
		t.Errorf("the notes are %s", notes)
	}
}
