//go:build !windows

package static

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"roost/internal/httplint"
)

func TestLinksAreFollowedInsideTheFolder(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
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

// Folders and files turn into links and back while they are asked for, once
// under a table that says they are there, so that it is the opening that meets
// the links, and once under one that follows.
func TestSwappingLinksNeverLeadsWhereTheyMayNot(t *testing.T) {
	t.Parallel()
	const may = "where files lie"
	for mode, whose := range map[string][]string{
		linksInside: {may, "inside"}, linksNone: {may}, linksFollow: {may, "inside", "outside"},
	} {
		for name, follows := range map[string]bool{"opening": false, "reading the folder": true} {
			t.Run(mode+" "+name, func(t *testing.T) {
				t.Parallel()
				top := t.TempDir()
				big := func(whose string) string { return whose + strings.Repeat("x", maxInMemory) }
				all := files{}
				for whose, dir := range map[string]string{may: "public/d", "inside": "public/in", "outside": "out", "hidden": "public/.hid"} {
					all[dir+"/f"], all[dir+"/g"] = big(whose), whose
				}
				all["public/file"] = big(may)
				write(t, top, all)
				past := time.Now().Add(-time.Hour) // so that none is waited for
				for name := range all {
					check(t, os.Chtimes(filepath.Join(top, name), past, past))
				}
				write(t, top, files{
					"links/0": "->in", "links/1": "->../out", "links/2": "->.hid",
					"flinks/0": "->in/f", "flinks/1": "->" + top + "/out/f", "flinks/2": "->.hid/f",
				})
				s := newSite(t, Config{Root: filepath.Join(top, "public"), Serving: Serving{Symlinks: mode, Memory: 1}}, nil) // all is opened each time
				if follows {
					s.run()
				}
				stop, swapped := make(chan struct{}), make(chan error, 1)
				go func() { swapped <- swapLinks(top, follows, stop) }()
				var ok, not atomic.Int64
				var asking sync.WaitGroup
				begun := time.Now()
				for range 3 {
					asking.Go(func() {
						few := func() bool { return !follows && (ok.Load() < 20 || not.Load() < 20) }
						for n := 0; n < 150 || few() && time.Since(begun) < 30*time.Second; n++ {
							path := []string{"/d/f", "/d/g", "/file"}[n%3]
							w := httplint.Record(t, s, httptest.NewRequest("GET", path, nil))
							got := strings.TrimRight(w.Body.String(), "x")
							switch {
							case w.Code == 200 && !slices.Contains(whose, got):
								t.Errorf("%s leads to %q", path, got)
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
				if t.Logf("%d answers with content, %d without", ok.Load(), not.Load()); !follows && (ok.Load() < 20 || not.Load() < 20) {
					t.Error("so few of one kind show little")
				}
				if follows {
					s.shows("/d/g", 200, may)
				}
			})
		}
	}
}

// swapLinks goes on until stop, and leaves all as it was.
func swapLinks(top string, slowly bool, stop chan struct{}) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		for _, n := range []string{"0", "1", "2"} {
			for _, step := range [][2]string{
				{"public/d", "spare"}, {"links/" + n, "public/d"}, {"public/d", "links/" + n}, {"spare", "public/d"},
				{"public/file", "file"}, {"flinks/" + n, "public/file"}, {"public/file", "flinks/" + n}, {"file", "public/file"},
			} {
				if err := os.Rename(filepath.Join(top, step[0]), filepath.Join(top, step[1])); err != nil {
					return err
				}
				if slowly {
					<-tick.C
				}
			}
		}
		select {
		case <-stop:
			return nil
		default:
		}
	}
}

// A link that takes a file's place in one move, and the other way round, is no moment without the file.
func TestALinkThatTakesTheNameOfAFileIsNotFelt(t *testing.T) {
	t.Parallel()
	for mode, to := range map[string]string{linksInside: "dir/other", linksFollow: "../other"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			top := t.TempDir()
			body := strings.Repeat("x", maxInMemory+1)
			write(t, top, files{"public/f": body, "public/dir/other": body, "other": body})
			s := newSite(t, Config{Root: filepath.Join(top, "public"), Serving: Serving{Symlinks: mode}}, nil) // its table stays as it is
			for n := range 20 {
				if n%2 == 0 {
					write(t, top, files{"next": "->" + to})
				} else {
					write(t, top, files{"next": body})
					past := time.Now().Add(-time.Hour)
					check(t, os.Chtimes(filepath.Join(top, "next"), past, past))
				}
				check(t, os.Rename(filepath.Join(top, "next"), s.path("f")))
				if a := s.get("/f"); a.StatusCode != 200 || a.body != body {
					t.Fatalf("move %d: %d", n, a.StatusCode)
				}
			}
		})
	}
}

func TestNoLinkIsServedWhereNoneIsToBeFollowed(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	past := time.Now().Add(-time.Minute)
	write(t, top, files{"alias": "->real", "out/f": "SECRET", "real/f": "f", "real/dir/f": "f", "real/dir/index.html": "index", "real/a.css": "a"})
	check(t, os.Chtimes(filepath.Join(top, "real/a.css"), past, past))
	write(t, top, files{"out/_redirects": "/old /new 301", "out/_headers": "/*\n  X-Rule: yes", "out/404.html": "SECRET", "out/a.css.br": "SECRET"})
	write(t, filepath.Join(top, "real"), files{
		"file": "->f", "abs": "->" + filepath.Join(top, "real", "f"), "linked": "->dir", "dir/deep": "->../dir", "out": "->../out/f", "outdir": "->../out",
		"chain": "->file", "sub/index.html": "->../dir/index.html", "a.css.br": "->../out/a.css.br", "404.html": "->../out/404.html", "405.html": "->f",
		"_redirects": "->../out/_redirects", "_headers": "->../out/_headers", "dangling": "->none",
	})
	s := newSite(t, Config{Root: filepath.Join(top, "alias"), Serving: Serving{Symlinks: "none", Browse: true}}, nil)
	linked := []string{"/file", "/abs", "/linked", "/linked/", "/linked/f", "/dir/deep/f", "/out", "/outdir/f", "/chain", "/dangling", "/a.css.br", "/404", "/old"}
	refused := func() {
		t.Helper()
		for _, path := range linked {
			if a := s.get(path, "Accept: text/html"); a.StatusCode != 404 || strings.Contains(a.body, "SECRET") || a.Header.Get("X-Rule") != "" {
				t.Errorf("%s: %s", path, brief(a))
			}
		}
		if a := s.get("/a.css", "Accept-Encoding: br"); a.StatusCode != 200 || a.Header.Get("Content-Encoding") == "br" && strings.Contains(a.body, "SECRET") {
			t.Errorf("a.css: %s", brief(a))
		}
		if a := s.ask("POST", "/f"); a.StatusCode != 405 || a.body == "f" {
			t.Errorf("405: %s", brief(a))
		}
		for path, names := range map[string]string{"/": "a.css dir f sub", "/sub/": ""} {
			a := s.get(path, "Accept: application/json")
			var l Listing
			check(t, json.Unmarshal([]byte(a.body), &l))
			var got []string
			for _, e := range l.Entries {
				got = append(got, e.Name)
			}
			slices.Sort(got)
			if strings.Join(got, " ") != names {
				t.Errorf("%s lists %v", path, got)
			}
		}
	}
	refused()
	if a := s.get("/f"); a.body != "f" {
		t.Errorf("the folder behind a link itself: %s", brief(a))
	}
	if log := s.logs.String(); !strings.Contains(log, "_redirects") || !strings.Contains(log, "it is a symbolic link") {
		t.Errorf("nothing is said of the rules: %s", log)
	}
	if log := s.logs.String(); strings.Contains(log, "cannot follow link") {
		t.Errorf("links that nobody wants followed are told of: %s", log)
	}
	notes := strings.Join(Notes(s.config), "\n")
	if !strings.Contains(notes, filepath.Join("alias", "_headers")+": cannot be read: it is a symbolic link") {
		t.Errorf("notes: %s", notes)
	}
	s.run()
	write(t, s.root, files{"new.txt": "new"})
	s.shows("/new.txt", 200, "new")
	check(t, os.Remove(s.path("new.txt")))
	s.shows("/new.txt", 404, "")
	refused()
	write(t, s.root, files{"new.txt": "new"})
	s.shows("/new.txt", 200, "new")
	check(t, os.Remove(s.path("new.txt"))) // what was a file becomes a link, and the other way round
	check(t, os.Symlink("f", s.path("new.txt")))
	s.shows("/new.txt", 404, "")
	check(t, os.RemoveAll(s.path("dir")))
	check(t, os.Symlink("../out", s.path("dir")))
	s.shows("/dir/f", 404, "")
	check(t, os.Remove(s.path("dir")))
	write(t, s.root, files{"dir/f": "again"})
	s.shows("/dir/f", 200, "again")
	write(t, top, files{"second/f": "second", "next": "->second"})
	check(t, os.Rename(filepath.Join(top, "next"), filepath.Join(top, "alias")))
	s.shows("/f", 200, "second")
}

// Nor is the very file that lay there before a link led to it.
func TestAFolderThatMovesBehindALinkIsNotServedWhereNoneIsToBeFollowed(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string]int{linksNone: 404, linksInside: 200} {
		s := newSite(t, Config{Serving: Serving{Symlinks: mode}}, files{"d/f": "f"}) // its table stays as it is
		check(t, os.Rename(s.path("d"), s.path("moved")))
		check(t, os.Symlink("moved", s.path("d")))
		if a := s.get("/d/f"); a.StatusCode != want {
			t.Errorf("%s: %s", mode, brief(a))
		}
	}
}

func TestLinksOutAreFollowedWhereTheyAreToBe(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	write(t, top, files{
		"shared/uploads/a.txt": "a", "shared/uploads/deep/b.txt": "b", "shared/uploads/.secret": "HIDDEN", "shared/uploads/.git/config": "HIDDEN",
		"shared/.private/c.txt": "c", "shared/more/d.txt": "d", "shared/uploads/more": "->../more", "shared/index/index.html": "index",
		"shared/back": "->../public/f", "shared/hide": "->../public/.hidden", "shared/up": "->..", "shared/hop": "->" + top + "/alias/more",
		"alias": "->shared", "public/f": "f", "public/.hidden": "HIDDEN", "public/.data/x": "HIDDEN", "rules": "/old /new 301",
		"public/in/deep/g": "g", "home": "->public",
	})
	write(t, filepath.Join(top, "public"), files{
		"uploads": "->../shared/uploads", "abs": "->" + top + "/shared/uploads", "alias": "->" + top + "/alias/uploads/deep", "file": "->../shared/uploads/a.txt",
		"private": "->../shared/.private", "secretfile": "->../shared/uploads/.secret", "page": "->../shared/index", "back": "->../shared/back", "hop": "->../shared/hop",
		"through": "->../home/in/deep", "own": "->" + top + "/home/in", "up": "->../shared/../public/in", "_redirects": "->../rules",
		"hidden": "->../shared/hide", "data": "->" + top + "/home/.data", "top": "->..", "root": "->/", "outer": "->../shared", "self": "->../public/self", "dangling": "->../shared/none",
		"null": "->/dev/null", "inhidden": "->.hidden", "slash": "->../shared/uploads/a.txt/",
	})
	pipe := filepath.Join(top, "shared", "pipe")
	check(t, syscall.Mkfifo(pipe, 0o644))
	write(t, top, files{"public/pipe": "->" + pipe})
	for _, root := range []string{"public", "home"} {
		s := newSite(t, Config{Root: filepath.Join(top, root), Serving: Serving{Symlinks: "follow", Browse: true}}, nil)
		for path, want := range map[string]string{
			"/f": "f", "/uploads/a.txt": "a", "/uploads/deep/b.txt": "b", "/uploads/more/d.txt": "d", "/abs/a.txt": "a", "/alias/b.txt": "b", "/file": "a", "/private/c.txt": "c",
			"/secretfile": "HIDDEN", "/page/": "index", "/back": "f", "/hop/d.txt": "d", "/through/g": "g", "/own/deep/g": "g", "/up/deep/g": "g",
			"/outer/uploads/a.txt": "a", "/outer/more/d.txt": "d",
		} {
			if a := s.get(path); a.StatusCode != 200 || a.body != want {
				t.Errorf("%s: %s, want %s", path, brief(a), want)
			}
		}
		for _, path := range []string{
			"/uploads/.secret", "/uploads/.git/config", "/hidden", "/data/x", "/top/rules", "/root/etc/passwd", "/outer/up/rules", "/outer/hide", "/self", "/self/x", "/dangling", "/dangling/x",
			"/null", "/pipe", "/outer/pipe", "/inhidden", "/slash", "/uploads/../../rules", "/uploads/%2e%2e/more/d.txt",
		} {
			if a := s.raw(path); a.StatusCode != 404 || strings.Contains(a.body, "HIDDEN") {
				t.Errorf("%s: %s", path, brief(a))
			}
		}
		if a := s.get("/old"); brief(a) != "301 /new" {
			t.Errorf("rules outside: %s", brief(a))
		}
		if a := s.get("/uploads/"); a.StatusCode != 200 || !strings.Contains(a.body, "a.txt") || strings.Contains(a.body, "secret") {
			t.Errorf("%s", brief(a))
		}
	}
}

func TestChangesOutsideShowWithinASecond(t *testing.T) {
	t.Parallel()
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			top := t.TempDir()
			big := strings.Repeat("b", maxInMemory+1)
			write(t, top, files{
				"releases/1/shared/f": "one", "releases/1/shared/sub/g": "g", "releases/2/shared/f": "two", "current": "->releases/1",
				"single/file": "single", "public/index.html": "i", "public/shared": "->../current/shared", "public/one": "->../single/file",
				"public/.at": "->in", "public/in/x": "x", "public/else/x": "else", "public/at": "->.at", "public/later": "->../later/f",
				"public/big": "->../single/big", "single/big": big, "rules": "/old /new 301", "public/_redirects": "->../rules",
			})
			s := newSite(t, Config{Root: filepath.Join(top, "public"), Serving: Serving{Symlinks: "follow"}}, nil)
			s.watcher = mode
			s.run()
			s.shows("/shared/f", 200, "one")
			s.shows("/at/x", 200, "x")
			s.shows("/big", 200, big)
			write(t, top, files{"releases/1/shared/f": "ONE", "single/file": "SINGLE", "releases/1/shared/sub/h": "h", "single/big": "small"})
			s.shows("/shared/f", 200, "ONE")
			s.shows("/shared/sub/h", 200, "h")
			s.shows("/one", 200, "SINGLE")
			s.shows("/big", 200, "small")
			write(t, top, files{"releases/1/shared/new/deep/n": "n", "later/f": "later"})
			s.shows("/shared/new/deep/n", 200, "n")
			s.shows("/later", 200, "later")
			write(t, top, files{"releases/1/shared/new/deep/m": "m"})
			s.shows("/shared/new/deep/m", 200, "m")
			write(t, top, files{"next": "->releases/2"})
			check(t, os.Rename(filepath.Join(top, "next"), filepath.Join(top, "current"))) // on the way, outside
			s.shows("/shared/f", 200, "two")
			s.shows("/shared/sub/g", 404, "")
			write(t, top, files{"releases/2/shared/f": "TWO"})
			s.shows("/shared/f", 200, "TWO")
			check(t, os.Rename(filepath.Join(top, "releases"), filepath.Join(top, "kept")))
			s.shows("/shared/f", 404, "")
			write(t, top, files{"releases/2/shared/f": "anew"})
			s.shows("/shared/f", 200, "anew")
			write(t, top, files{"releases/2/shared/f": "ANEW"})
			s.shows("/shared/f", 200, "ANEW")
			write(t, top, files{"next": "->else"})
			check(t, os.Rename(filepath.Join(top, "next"), s.path(".at"))) // on the way, under a hidden name
			s.shows("/at/x", 200, "else")
			s.shows("/old", 301, "")
			write(t, top, files{"rules": "/old2 /new 301"})
			s.shows("/old2", 301, "")
			s.shows("/old", 404, "")
			check(t, os.RemoveAll(filepath.Join(top, "single")))
			s.shows("/one", 404, "")
		})
	}
}

// A large folder outside is served whole: the bound of what lies behind links is for what they multiply.
func TestLinksMultiplyOnlyWhatIsThereAnyway(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	write(t, top, files{"out/a": "a", "out/sub/b": "b", "public/one": "->../out", "public/in/c": "c"})
	for _, step := range []struct {
		more   files
		linked int
	}{{nil, 0}, {files{"public/two": "->../out"}, 3}, {files{"public/three": "->in"}, 4}} {
		write(t, top, step.more)
		s := newSite(t, Config{Root: filepath.Join(top, "public"), Serving: Serving{Symlinks: "follow"}}, nil)
		again := s.scanner(s.table.Load().root, nil)
		if _, err := again.scan(t.Context()); err != nil || again.linked != step.linked {
			t.Errorf("with %v: %d, %v", step.more, again.linked, err)
		}
	}
}

func TestAnotherWayToTheSameIsNoEndOfReading(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	write(t, top, files{"out/f": "f", "current": "->out", "next": "->out", "public/l": "->../current"})
	s := newSite(t, Config{Root: filepath.Join(top, "public"), Serving: Serving{Symlinks: "follow"}}, nil).run()
	s.shows("/l/f", 200, "f")
	check(t, os.Rename(filepath.Join(top, "next"), filepath.Join(top, "current")))
	within(t, time.Second, "the table knows the way", func() bool {
		table := s.table.Load()
		_, err := table.ways.changed(table.root)
		return err == nil
	})
}

// What changes beside links, or in folders that they lead to, is read alone; only where links come by is all read again.
func TestChangesBesideLinksCostWhatTheyChange(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	write(t, top, files{
		"out/f": "f", "public/out": "->../out", "public/real/g": "g", "public/linked": "->real", "public/again": "->linked",
		"public/dir/h": "h", "public/one": "->dir/h", "public/gone": "g",
		"lone": "lonely", "public/alone": "->../lone", "public/hop": "->dir/.hop", "public/dir/.hop": "->../at", "public/at": "g",
	})
	s := newSite(t, Config{Root: filepath.Join(top, "public"), Serving: Serving{Symlinks: "follow"}}, nil)
	var readings atomic.Int64
	s.watcher = func(root string) (*watcher, error) {
		readings.Add(1)
		return newWatcher(root)
	}
	s.run()
	write(t, s.root, files{"first": "1"})
	s.shows("/first", 200, "1")
	before, begun := readings.Load(), time.Now()
	write(t, s.root, files{"first": "2"})
	s.shows("/first", 200, "2")
	write(t, s.root, files{"real/g": "G", "linked/new": "n"})
	for _, dir := range []string{"/real", "/linked", "/again"} {
		s.shows(dir+"/g", 200, "G")
		s.shows(dir+"/new", 200, "n")
	}
	write(t, top, files{"out/f": "F"})
	s.shows("/out/f", 200, "F")
	write(t, top, files{"out/new": "N"})
	s.shows("/out/new", 200, "N")
	check(t, os.Remove(filepath.Join(top, "out/f")))
	s.shows("/out/f", 404, "")
	check(t, os.Remove(s.path("gone")))
	s.shows("/gone", 404, "")
	write(t, s.root, files{"dir/sub/deep/x": "x"})
	s.shows("/dir/sub/deep/x", 200, "x")
	write(t, s.root, files{"dir/h": "H"}) // the file that a link leads to
	s.shows("/one", 200, "H")
	s.shows("/dir/h", 200, "H")
	for _, content := range []string{"L", "LO", "LON"} { // likewise, where nobody tells of it, nor asks for it
		write(t, top, files{"lone": content})
		within(t, time.Second, "the table has it", func() bool { return s.table.Load().asset("/alone").stamp.size == int64(len(content)) })
	}
	write(t, s.root, files{"at": "at"}) // likewise, by way of a hidden name
	s.shows("/hop", 200, "at")
	within(t, time.Second, "the table is as the folder is", s.agrees)
	if n, due := readings.Load()-before, 1+int64(time.Since(begun)/checkEvery); n > due {
		t.Errorf("all was read %d times", n)
	}
	write(t, s.root, files{"other": "other", "next": "->other"})
	check(t, os.Rename(s.path("next"), s.path("one"))) // the link itself
	s.shows("/one", 200, "other")
	check(t, os.Remove(s.path("other")))
	s.shows("/one", 404, "")
	write(t, s.root, files{"real/deep/y": "y"}) // a folder below one that links lead to
	s.shows("/linked/deep/y", 200, "y")
	s.shows("/real/deep/y", 200, "y")
	write(t, s.root, files{"real/deep/y": "Y"})
	s.shows("/again/deep/y", 200, "Y")
}
