package apps

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestWhatIsIgnored(t *testing.T) {
	for _, c := range []struct{ patterns, not, ignored string }{
		{"", "app.js src/app.js src/a.b", ".git .git/HEAD src/.env node_modules node_modules/x/y.js src/node_modules/z.js"},
		{"logs", "app.js logs.js node_modules/x .env", "logs logs/a.txt src/logs/b"},
		{"logs/ *.log", "log a.log.txt", "logs/x a.log src/a.log"},
		{"./logs src/gen", "x/logs gen other/src/gen", "logs logs/a src/gen src/gen/a/b"},
		{"**/*.tmp public/**", "tmp publicity", "a.tmp x/y/a.tmp public public/a public/b/c"},
		{"/srv/app/data \\.git", "x/data", "data data/x .git .git/HEAD"},
		{"src/**/*.{md,txt}", "a.md src/a.js", "src/a.md src/x/y.txt"},
	} {
		w := watching{cwd: filepath.FromSlash("/srv/app"), ignore: strings.Fields(c.patterns)}
		if c.patterns == "" {
			w.ignore = defaultIgnore
		}
		for want, names := range map[bool]string{false: c.not, true: c.ignored} {
			for _, name := range strings.Fields(names) {
				if got := w.ignores(w.cwd, filepath.Join(w.cwd, filepath.FromSlash(name))); got != want {
					t.Errorf("ignore_watch %q ignores %s: %v", c.patterns, name, got)
				}
			}
		}
	}
	w := watching{cwd: "/home/me/.config/app", ignore: defaultIgnore}
	if w.ignores(w.cwd, w.cwd+"/app.js") || w.ignores(w.cwd+"/.env", w.cwd+"/.env") {
		t.Error("what is watched by name, or lies below a dot folder, is ignored")
	}
}

func TestAnAppsOwnFilesAreKnown(t *testing.T) {
	separate := false
	a := New(Options{LogDir: "/srv/app", RunDir: "/srv/app/run"})
	w := a.watchingOf(&Wanted{Slots: []Slot{{ID: 0}, {ID: 12}}, Config: Config{Name: "web", Cwd: "/srv/app", Watch: Paths{"."},
		OutFile: "logs/out.log", ErrorFile: "/srv/app/err.txt", LogFile: "all", PIDFile: "web.pid", MergeLogs: &separate}})
	for want, names := range map[bool]string{
		true: "logs/out-0.log logs/out-12.log logs/out-0-2026-01-02T03-04-05.678.log logs/out-12-2026-01-02T03-04-05.678.log.gz" +
			" err.txt err-2026-01-02T03-04-05.678.txt all web-0.pid web-12.pid .pid-123 run/x run",
		false: "logs/out.js logs/other.log logs/out-x.log out.log err.txt.js run.js web.js other-out.log web.pid .pid",
	} {
		for _, name := range strings.Fields(names) {
			name = filepath.Join("/srv/app", name)
			if got := w.isOwn(name) || w.isOurs("/srv/app", name); got != want {
				t.Errorf("%s is its own: %v", name, got)
			}
		}
	}
}

// looking is a lookout at work in a folder.
type looking struct {
	*lookout
	t       *testing.T
	dir     string
	changes chan string
	trouble chan string
}

func lookAt(t *testing.T, change func(*watching), shape func(*lookout)) *looking {
	t.Helper()
	l := &looking{t: t, dir: t.TempDir(), changes: make(chan string, 1000), trouble: make(chan string, 1000)}
	l.write("src/app.js", "1")
	w := watching{cwd: l.dir, paths: []string{l.dir}, ignore: defaultIgnore, delay: 20 * time.Millisecond}
	if change != nil {
		change(&w)
	}
	l.lookout = newLookout(w)
	l.changed = func(file string) { l.changes <- filepath.ToSlash(file) }
	l.problem = func(text string) { l.trouble <- text }
	if shape != nil {
		shape(l.lookout)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { l.run(ctx); close(ended) }()
	t.Cleanup(func() { cancel(); within(t, "the lookout ends", ended) })
	return l
}

func (l *looking) write(name, text string) {
	l.t.Helper()
	name = filepath.Join(l.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
		l.t.Fatal(err)
	}
}

// does makes a change until it is told, as the one of these files: it may
// begin before the lookout does.
func (l *looking) does(want string, change func()) {
	l.t.Helper()
	change()
	again := time.NewTicker(300 * time.Millisecond)
	defer again.Stop()
	for end := time.After(patience); ; {
		select {
		case got := <-l.changes:
			if strings.Contains(" "+want+" ", " "+got+" ") {
				return
			}
		case <-again.C:
			change()
		case <-end:
			l.t.Fatalf("no change of %s is told", want)
		}
	}
}

// begin waits until the lookout hears, and leaves nothing to hear.
func (l *looking) begin() {
	n := 0
	l.does("src/begin", func() { n++; l.write("src/begin", fmt.Sprint(n)) })
	for quiet := time.NewTimer(patience); ; {
		quiet.Reset(l.delay + 100*time.Millisecond)
		select {
		case <-l.changes:
		case <-quiet.C:
			return
		}
	}
}

func (l *looking) path(name string) string { return filepath.Join(l.dir, name) }

func (l *looking) must(errs ...error) {
	l.t.Helper()
	if err := errors.Join(errs...); err != nil {
		l.t.Fatal(err)
	}
}

// tells waits for the next change, which is of one of these files.
func (l *looking) tells(want string) {
	l.t.Helper()
	if got := within(l.t, "a change of "+want, l.changes); !strings.Contains(" "+want+" ", " "+got+" ") {
		l.t.Errorf("a change of %s is told, want %s", got, want)
	}
}

func TestChangesBelowAFolderAreTold(t *testing.T) {
	t.Parallel()
	l := lookAt(t, nil, nil)
	outside := t.TempDir()
	l.must(os.Symlink(outside, l.path("link")))
	l.begin()
	l.write("src/app.js", "2")
	l.tells("src/app.js")
	l.must(os.Remove(l.path("src/app.js")))
	l.tells("src/app.js")
	l.write("src/new/deep/er/a.js", "x") // folders that are new, with what is in them
	l.tells("src/new src/new/deep/er/a.js src/new/deep src/new/deep/er")
	l.begin()
	l.write("src/new/deep/er/b.js", "x")
	l.tells("src/new/deep/er/b.js")
	l.must(os.WriteFile(l.path("tmp~"), nil, 0o644), os.Rename(l.path("tmp~"), l.path("src/saved.js"))) // as editors save
	l.tells("src/saved.js")
	l.begin()
	l.must(os.Rename(l.path("src/new"), l.path("moved")))
	l.tells("moved")
	l.begin()
	l.write("moved/deep/er/b.js", "y")
	l.tells("moved/deep/er/b.js")
	now := time.Now()
	l.must(os.Chtimes(l.path("src/saved.js"), now, now)) // touch
	l.tells("src/saved.js")

	// none of these counts, the last change does
	l.must(os.WriteFile(filepath.Join(outside, "x"), nil, 0o644))
	l.write(".git/HEAD", "x")
	l.write("node_modules/x/index.js", "x")
	l.write("src/.app.js.swp", "x")
	l.must(os.Mkdir(l.path("empty"), 0o755))
	l.must(os.Chmod(l.path("moved/deep/er/b.js"), 0o600))
	<-time.After(100 * time.Millisecond)
	l.write("tmp~", "x") // gone before it is told
	l.must(os.Remove(l.path("tmp~")))
	<-time.After(100 * time.Millisecond)
	l.write("last.js", "x")
	l.tells("last.js moved/deep/er/b.js") // of which the mode was changed right after it was written
}

func TestManyChangesAreOne(t *testing.T) {
	t.Parallel()
	l := lookAt(t, func(w *watching) { w.delay = 300 * time.Millisecond }, nil)
	l.begin()
	for i := range 50 {
		l.write(fmt.Sprintf("src/%d.js", i), "x")
	}
	l.tells("src/0.js")
	select {
	case file := <-l.changes:
		t.Errorf("a second change, of %s, is told", file)
	case <-time.After(600 * time.Millisecond):
	}
}

func TestALookoutThatEndsLooksNoFurther(t *testing.T) {
	dir := t.TempDir()
	for n := range 50 {
		if err := os.Mkdir(filepath.Join(dir, fmt.Sprint(n)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	l := newLookout(watching{cwd: dir, paths: []string{dir}})
	l.problem = func(text string) { t.Error(text) }
	l.add = func(string) error { cancel(); return nil }
	l.run(ctx)
	if len(l.folders) != 1 {
		t.Errorf("it has looked at %d folders after its end", len(l.folders)-1)
	}
}

func TestChangesThatNeverPauseAreToldAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := ""
		l := newLookout(watching{cwd: "/", delay: 100 * time.Millisecond})
		l.changed = func(file string) { told = file }
		begun := time.Now()
		for n := 0; told == ""; n++ {
			l.note(fmt.Sprint("/", n), false)
			select {
			case <-l.still.C:
				l.tell()
			case <-time.After(10 * time.Millisecond):
			}
		}
		if took := time.Since(begun); took != time.Second || told != "0" {
			t.Errorf("%s told after %v, want the first after ten delays", told, took)
		}
	})
}

func TestSingleFilesAndPatternsAreWatched(t *testing.T) {
	t.Parallel()
	l := lookAt(t, func(w *watching) {
		w.paths = []string{filepath.Join(w.cwd, ".env"), filepath.Join(w.cwd, "lib", "**", "*.js"), filepath.Join(w.cwd, "src", "begin")}
	}, nil)
	if got := within(t, "a problem", l.trouble); !strings.Contains(got, "does not exist") {
		t.Errorf("problem = %q", got)
	}
	l.write(".env", "A=1")
	l.write("lib/deep/a.txt", "")
	l.write("lib/deep/a.js", "")
	l.begin()
	l.write("other", "x")
	l.write("lib/deep/a.txt", "x")
	l.write(".env", "A=2")
	l.tells(".env")
	l.write("lib/deep/a.js", "2")
	l.tells("lib/deep/a.js")
	l.must(os.WriteFile(l.path(".env~"), nil, 0o644), os.Rename(l.path(".env~"), l.path(".env")))
	l.tells(".env")
	l.must(os.Remove(l.path(".env")))
	l.tells(".env")
	l.write(".env", "A=3")
	l.tells(".env")
}

func TestAFolderThatIsDeletedAndMadeAgainIsWatchedAgain(t *testing.T) {
	t.Parallel()
	l := lookAt(t, func(w *watching) { w.paths = []string{filepath.Join(w.cwd, "src")} }, nil)
	l.begin()
	l.must(os.RemoveAll(l.path("src")))
	l.tells("src src/app.js src/begin")
	eventually(t, "the folder is missed", func() bool { return len(l.trouble) > 0 })
	if got := within(t, "a problem", l.trouble); !strings.HasPrefix(got, "src does not exist") {
		t.Errorf("problem = %q", got)
	}
	l.write("src/app.js", "3")
	l.begin()
	if got := within(t, "the end of the problem", l.trouble); got != "" {
		t.Errorf("problem = %q", got)
	}
	l.write("src/app.js", "4")
	l.tells("src/app.js")
}

func TestAFolderBehindASymbolicLinkIsWatchedWhereItLeads(t *testing.T) {
	t.Parallel()
	l := lookAt(t, func(w *watching) {
		for _, release := range []string{"1", "2"} {
			if err := os.MkdirAll(filepath.Join(w.cwd, "releases", release, "src"), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Symlink("releases/1", filepath.Join(w.cwd, "current")); err != nil {
			t.Fatal(err)
		}
		w.paths = []string{filepath.Join(w.cwd, "current")}
		w.cwd = filepath.Join(w.cwd, "current")
	}, nil)
	n := 0
	l.does("src/a.js", func() { n++; l.write("releases/1/src/a.js", fmt.Sprint(n)) })
	l.must(os.Symlink("releases/2", l.path("next")), os.Rename(l.path("next"), l.path("current")))
	l.does("src/b.js", func() { n++; l.write("releases/2/src/b.js", fmt.Sprint(n)) })
}

func TestAFolderThatCannotBeReadIsTold(t *testing.T) {
	t.Parallel()
	l := lookAt(t, nil, func(l *lookout) {
		l.add = func(folder string) error { // root may read anything
			if filepath.Base(folder) == "secret" {
				return &fs.PathError{Op: "watch", Path: folder, Err: syscall.EACCES}
			}
			return l.system.Add(folder)
		}
		if err := os.MkdirAll(filepath.Join(l.cwd, "src", "secret"), 0o700); err != nil {
			t.Fatal(err)
		}
	})
	if got := within(t, "a problem", l.trouble); !strings.HasPrefix(filepath.ToSlash(got), "src/secret cannot be watched") {
		t.Errorf("problem = %q", got)
	}
	l.begin()
}

func TestWithoutEnoughWatchesTheFilesAreLookedAt(t *testing.T) {
	t.Parallel()
	l := lookAt(t, nil, func(l *lookout) {
		l.add = func(string) error { return syscall.ENOSPC }
	})
	if got := within(t, "a problem", l.trouble); !strings.Contains(got, "fs.inotify.max_user_watches") {
		t.Errorf("problem = %q", got)
	}
	l.write("src/b.js", "")
	l.begin()
	l.write("src/app.js", "23")
	l.tells("src/app.js")
	l.must(os.RemoveAll(l.path("src/b.js")))
	l.tells("src/b.js")
	l.write("node_modules/x", "")
	l.write(".git/x", "")
	l.write("z.js", "")
	l.tells("z.js")
}

// BenchmarkLookingAt10000Files shows what a large tree costs at first and,
// with too few watches, each second.
func BenchmarkLookingAt10000Files(b *testing.B) {
	dir := b.TempDir()
	for i := range 10_000 {
		name := filepath.Join(dir, fmt.Sprintf("%d/%d/%d.js", i/1000, i/100, i))
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, nil, 0o644)); err != nil {
			b.Fatal(err)
		}
	}
	w := watching{cwd: dir, paths: []string{dir}, ignore: defaultIgnore}
	b.Run("begin", func(b *testing.B) {
		for b.Loop() {
			ctx, cancel := context.WithCancel(context.Background())
			l := newLookout(w)
			l.problem = func(string) {}
			l.add = func(folder string) error {
				if len(l.folders) == 110 { // the last
					cancel()
				}
				return l.system.Add(folder)
			}
			l.run(ctx)
			if len(l.folders) != 111 {
				b.Fatal(len(l.folders), " folders")
			}
		}
		b.ReportMetric(111, "watches")
	})
	b.Run("poll", func(b *testing.B) {
		l := newLookout(w)
		for b.Loop() {
			if all, _ := l.snapshot(); len(all) != 10_000 {
				b.Fatal(len(all), " files")
			}
		}
	})
}
