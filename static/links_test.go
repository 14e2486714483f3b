//go:build !windows

package static

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"roost/internal/httplint"
)

func TestLinksAreFollowedInsideTheFolder(t *testing.T) {
	top := t.TempDir()
	real := filepath.Join(top, "real")
	write(t, top, files{"secret": "SECRET", "outside/secret": "SECRET", "alias": "->real"})
	write(t, real, files{
		"a.txt": "a", "dir/b.txt": "b", "dir/index.html": "index", "dir/deep/c.txt": "c",
		"rel": "->a.txt", "dir/up": "->../a.txt", "chain1": "->chain2", "chain2": "->dir/chain3", "dir/chain3": "->deep/../b.txt",
		"linked": "->dir", "through": "->linked/deep", "mid/x": "->../linked/deep/c.txt",
		"abs": "->" + filepath.Join(real, "a.txt"), "absdir": "->" + filepath.Join(real, "dir"),
		"absalias":      "->" + filepath.Join(top, "alias", "dir", "b.txt"),
		".well-known/x": "wk", "wk": "->.well-known/x", "top404": "->dir/",

		"out1": "->../secret", "out2": "->" + filepath.Join(top, "secret"), "out3": "->../outside", "out4": "->dir/../../secret",
		"out5": "->/etc/passwd", "out6": "->" + real + "/../secret", "out7": "->../real/a.txt", "out8": "->" + real + "ity",
		"self": "->self", "ping": "->pong", "pong": "->ping", "dangling": "->none",
		"here": "->.", "dir/parent": "->..", "dir/deep/back": "->../../dir", "cross1/x": "->../cross2", "cross2/x": "->../cross1",
	})
	check(t, syscall.Mkfifo(filepath.Join(real, "pipe"), 0o644))
	write(t, real, files{"topipe": "->pipe", "null": "->/dev/null"})
	for _, root := range []string{real, filepath.Join(top, "alias")} {
		s := newSite(t, Config{Root: root}, nil)
		for path, want := range map[string]string{
			"/rel": "a", "/dir/up": "a", "/chain1": "b", "/linked/b.txt": "b", "/linked/": "index", "/linked/deep/c.txt": "c",
			"/through/c.txt": "c", "/mid/x": "c", "/abs": "a", "/absdir/b.txt": "b", "/wk": "wk", "/top404/b.txt": "b",
		} {
			if a := s.get(path); a.StatusCode != 200 || a.body != want {
				t.Errorf("%s: %s, want %s", path, brief(a), want)
			}
		}
		want := 404
		if root != real {
			want = 200 // an absolute link may spell the root as the config does
		}
		if a := s.get("/absalias"); a.StatusCode != want {
			t.Errorf("absalias: %s", brief(a))
		}
		if a := s.get("/linked"); brief(a) != "308 /linked/" {
			t.Errorf("/linked: %s", brief(a))
		}
		for _, path := range []string{
			"/out1", "/out1/", "/out2", "/out3/secret", "/out4", "/out5", "/out6", "/out7", "/out8", "/self", "/self/", "/ping", "/dangling",
			"/here/a.txt", "/dir/parent/a.txt", "/dir/deep/back/b.txt", "/pipe", "/topipe", "/null", "/a.txt/../out1", "/cross1/x/x/x/x/",
		} {
			if a := s.raw(path); a.StatusCode != 404 || strings.Contains(a.body, "SECRET") {
				t.Errorf("%s: %s", path, brief(a))
			}
		}
		if log := s.logs.String(); !strings.Contains(log, "out1") || !strings.Contains(log, "leads out of the folder") {
			t.Errorf("refused links are not said: %s", log)
		}
	}
}

func TestManyLinksAreBounded(t *testing.T) {
	t.Parallel()
	// Each folder links twice to the next: 2^30 paths for 30 folders.
	all := files{}
	for i := range 30 {
		d := "d" + string(rune('a'+i))
		n := "../d" + string(rune('a'+i+1))
		all[d+"/l"], all[d+"/r"], all[d+"/f"] = "->"+n, "->"+n, "x"
	}
	root := t.TempDir()
	write(t, root, all)
	s := newSite(t, Config{Root: root}, nil)
	if n := s.table.Load().seen; n > maxLinked+100 {
		t.Errorf("%d entries", n)
	}
	for i := range 30 { // the folders themselves are there
		if a := s.get("/d" + string(rune('a'+i)) + "/f"); a.body != "x" {
			t.Errorf("folder %d: %s", i, brief(a))
		}
	}
	if a := s.get("/da/l/l/f"); a.body != "x" {
		t.Errorf("%s", brief(a))
	}
}

func TestFileThatBecomesALinkOutsideIsNotServed(t *testing.T) {
	top := t.TempDir()
	write(t, top, files{"secret": "SECRET", "dir/secret": "SECRET", "public/secret": "public", "public/dir/secret": "public", "public/pipe": "x"})
	s := newSite(t, Config{Root: filepath.Join(top, "public")}, nil) // the table stays as it is
	check(t, os.Remove(filepath.Join(s.root, "secret")))
	check(t, os.RemoveAll(filepath.Join(s.root, "dir")))
	check(t, os.Remove(filepath.Join(s.root, "pipe")))
	write(t, s.root, files{"secret": "->../secret", "dir": "->../dir"})
	check(t, syscall.Mkfifo(filepath.Join(s.root, "pipe"), 0o644))
	for _, path := range []string{"/secret", "/dir/secret", "/pipe"} {
		if a := s.get(path); a.StatusCode < 400 || strings.Contains(a.body, "SECRET") {
			t.Errorf("%s: %s", path, brief(a))
		}
	}
}

// Folders and files turn into links to outside and back while they are asked
// for, once under a table that says they are there, so that it is the opening
// that meets the links, and once under one that follows.
func TestSwappingLinksNeverLeadOutside(t *testing.T) {
	for name, follows := range map[string]bool{"opening": false, "reading the folder": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			top := t.TempDir()
			big := strings.Repeat("p", maxInMemory+1)
			secret := strings.Repeat("S", maxInMemory+1)
			write(t, top, files{
				"out/f": secret, "out/g": "SECRET", "public/d/f": big, "public/d/g": "public",
				"public/file": big, "link": "->../out", "flink": "->../out/f", "sfile": big, "orig": big,
			})
			s := newSite(t, Config{Root: filepath.Join(top, "public"), Serving: Serving{Memory: 1}}, nil) // all is opened each time
			if follows {
				s.run()
			}
			stop, swapped := make(chan struct{}), make(chan error, 1)
			go func() { swapped <- swapLinks(top, follows, stop) }()
			var ok, not atomic.Int64
			var asking sync.WaitGroup
			for range 3 {
				asking.Go(func() {
					for n := range 1000 {
						path := []string{"/d/f", "/d/g", "/file"}[n%3]
						w := httplint.Record(t, s, httptest.NewRequest("GET", path, nil))
						body := w.Body.String()
						switch {
						case strings.Contains(body, "SSS") || strings.Contains(body, "SECRET"):
							t.Errorf("%s leads outside: %d", path, w.Code)
							return
						case w.Code == 200 && body != big && body != "public":
							t.Errorf("%s: %.20q", path, body)
							return
						case w.Code == 200:
							ok.Add(1)
						default:
							not.Add(1)
						}
					}
				})
			}
			asking.Wait()
			close(stop)
			check(t, <-swapped)
			if t.Logf("%d answers with content, %d without", ok.Load(), not.Load()); !follows && (ok.Load() < 50 || not.Load() < 50) {
				t.Error("so few of one kind show little")
			}
			if follows {
				s.shows("/d/g", 200, "public")
			}
		})
	}
}

// swapLinks goes on until stop, and leaves all as it was.
func swapLinks(top string, slowly bool, stop chan struct{}) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		for _, step := range [][2]string{
			{"public/d", "spare"}, {"link", "public/d"}, {"public/d", "link"}, {"spare", "public/d"},
			{"flink", "public/file"}, {"public/file", "flink"}, {"sfile", "public/file"},
		} {
			if err := os.Rename(filepath.Join(top, step[0]), filepath.Join(top, step[1])); err != nil {
				return err
			}
			if slowly {
				<-tick.C
			}
		}
		if err := os.Link(filepath.Join(top, "orig"), filepath.Join(top, "sfile")); err != nil {
			return err
		}
		select {
		case <-stop:
			return nil
		default:
		}
	}
}
