package apps

import (
	"context"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
)

const (
	defaultWatchDelay = 200 * time.Millisecond
	// mostDelays is for how many watch_delays changes that never pause are waited for.
	mostDelays = 10
)

// defaultIgnore is what is not watched where ignore_watch says nothing, as in PM2.
var defaultIgnore = []string{".*", "node_modules"}

// watching says which files matter: plain data.
type watching struct {
	cwd    string
	paths  []string // files, folders and patterns, absolute
	ignore []string
	own    []string // files that the app's output goes to
	ours   []string // folders that the program writes to
	delay  time.Duration
}

// watchingOf is what w wants watched; nil when that is nothing, as nothing is to run.
func (a *App) watchingOf(w *Wanted) *watching {
	if len(w.Watch) == 0 || !slices.ContainsFunc(w.Slots, func(s Slot) bool { return !s.Stopped }) {
		return nil
	}
	at := &watching{cwd: w.Cwd, ignore: w.IgnoreWatch, delay: w.WatchDelay.Or(defaultWatchDelay)}
	if at.ignore == nil {
		at.ignore = defaultIgnore
	}
	for _, p := range w.Watch {
		at.paths = append(at.paths, seenFrom(at.cwd, p))
	}
	ids := make([]int, len(w.Slots))
	var files []string
	for n, s := range w.Slots {
		ids[n] = s.ID
		if pid := pidPath(w, n, a.o.PM2Home); pid != "" {
			files = append(files, pid)
		}
	}
	for _, p := range a.logLayout().places(w, ids) {
		files = append(files, p.path)
	}
	for _, file := range files {
		at.own = append(at.own, file, filepath.Join(resolved(filepath.Dir(file)), filepath.Base(file)))
	}
	for _, folder := range []string{a.logLayout().dir, a.o.RunDir, a.o.PM2Home} {
		if folder != "" {
			at.ours = append(at.ours, folder, resolved(folder))
		}
	}
	return at
}

// seenFrom is a path as it is seen from a folder.
func seenFrom(folder, name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(folder, name)
}

// resolved is a path without symbolic links, as far as it exists.
func resolved(name string) string {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		return real
	}
	return filepath.Clean(name)
}

// ignores reports whether a file or folder below root does not count. A
// pattern without a slash is the name of something at any depth, one with a
// slash is a path seen from cwd; what lies below either does not count as well.
func (w *watching) ignores(root, name string) bool {
	below, err := filepath.Rel(root, name)
	if err != nil || below == "." {
		return false
	}
	names := strings.Split(filepath.ToSlash(below), "/")
	for _, pattern := range w.ignore {
		pattern = strings.TrimSuffix(filepath.ToSlash(pattern), "/")
		if !strings.Contains(pattern, "/") {
			if slices.ContainsFunc(names, func(name string) bool { return matches(pattern, name) }) {
				return true
			}
			continue
		}
		at := name
		if !path.IsAbs(pattern) && !filepath.IsAbs(pattern) {
			pattern = path.Clean(pattern)
			if at, err = filepath.Rel(w.cwd, name); err != nil {
				continue
			}
		}
		for at = filepath.ToSlash(at); at != "." && at != "/"; at = path.Dir(at) {
			if matches(pattern, at) {
				return true
			}
			if path.Dir(at) == at {
				break
			}
		}
	}
	return false
}

func matches(pattern, name string) bool {
	ok, err := doublestar.Match(pattern, name)
	return ok && err == nil
}

// isOurs reports whether a file below root is one of the program's own folders.
func (w *watching) isOurs(root, name string) bool {
	return slices.ContainsFunc(w.ours, func(folder string) bool {
		return folder != "" && isBelow(name, folder) && !isBelow(root, folder)
	})
}

// isOwn reports whether the app's output goes to the file, or did before it rotated.
func (w *watching) isOwn(name string) bool {
	for _, file := range w.own {
		if name == file {
			return true
		}
		if strings.HasPrefix(name, filepath.Join(filepath.Dir(file), pidTemp)) {
			return true
		}
		ext := filepath.Ext(file)
		rest, ok := strings.CutPrefix(name, strings.TrimSuffix(file, ext)+"-")
		rest = strings.TrimSuffix(rest, ".gz")
		if ok && rest != "" && rest[0] >= '0' && rest[0] <= '9' && strings.HasSuffix(rest, ext) && !strings.ContainsRune(rest, filepath.Separator) {
			return true // rotated
		}
	}
	return false
}

// isBelow reports whether name is folder or lies in it.
func isBelow(name, folder string) bool {
	rest, ok := strings.CutPrefix(name, strings.TrimSuffix(folder, string(filepath.Separator)))
	return ok && (rest == "" || rest[0] == filepath.Separator)
}

// shown is how messages call a file.
func (w *watching) shown(name string) string {
	if rel, err := filepath.Rel(w.cwd, name); err == nil && !strings.HasPrefix(rel, "..") {
		return rel
	}
	return name
}

// setWatch begins, changes or ends watching, for what is newly wanted.
func (a *App) setWatch() {
	want := a.watchingOf(&a.wanted)
	if reflect.DeepEqual(a.watching, want) {
		return
	}
	if a.unwatch != nil {
		a.unwatch()
	}
	a.watching, a.unwatch, a.watchProblem = want, nil, ""
	if want == nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	a.unwatch = cancel
	// what comes from a lookout that was replaced meanwhile does not count
	post := func(f func()) {
		a.post(func() {
			if a.watching == want {
				f()
			}
		})
	}
	l := newLookout(*want)
	l.changed = func(file string) {
		post(func() {
			a.log.Info("files have changed", "file", file)
			a.refresh("watch: " + file + " changed")
		})
	}
	l.problem = func(text string) {
		post(func() {
			if text != "" {
				a.log.Warn("cannot watch as wanted", "problem", text)
			}
			if a.watchProblem = text; text != "" {
				a.watchProblem = "watch: " + text
			}
		})
	}
	a.watchers.Go(func() { l.run(ctx) })
}
