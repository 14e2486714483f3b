package apps

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// find looks for the paths that are wanted and has the system tell of them.
// What was not there before, or elsewhere, has changed, if that is to be told.
func (l *lookout) find(tell bool) error {
	l.missing = ""
	for _, r := range l.roots {
		real, info, err := place(r.path)
		switch {
		case err != nil:
			l.missing = r.path
			continue
		case real == r.real:
			continue
		}
		l.forget(r.real)
		r.real, r.file = real, !info.IsDir()
		if r.file {
			err = l.watch(filepath.Dir(real)) // it may be replaced by another
		} else {
			_, err = l.tree(r, real)
		}
		if err != nil {
			return err
		}
		if tell {
			l.note(r.path, false)
		}
	}
	return nil
}

// place finds where a path leads.
func place(path string) (real string, info os.FileInfo, err error) {
	if real, err = filepath.EvalSymlinks(path); err == nil {
		info, err = os.Stat(real)
	}
	return real, info, err
}

// tree has the system tell of a folder and those in it, and counts the files
// that matter there. Symbolic links are not followed.
func (l *lookout) tree(r *lookRoot, folder string) (files int, err error) {
	err = l.walk(r, folder, func(name string, d fs.DirEntry) error {
		if !d.IsDir() {
			files++
			return nil
		}
		return l.watch(name)
	})
	return files, err
}

// walk calls f for the files below folder that count, and for the folders on the way.
func (l *lookout) walk(r *lookRoot, folder string, f func(name string, d fs.DirEntry) error) error {
	return filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
		if l.ended() {
			return filepath.SkipAll
		}
		as, _ := r.declared(name)
		if err != nil {
			return l.pass(as, err)
		}
		switch skips := l.skips(r, as, name); {
		case d.IsDir() && skips:
			return filepath.SkipDir
		case skips || !d.IsDir() && !r.counts(name):
			return nil
		}
		if err := f(name, d); err != nil {
			return l.pass(as, err)
		}
		return nil
	})
}

// pass goes on past a folder that cannot be read.
func (l *lookout) pass(as string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, fs.ErrPermission):
		l.denied = as
		return filepath.SkipDir
	}
	return err
}

// watch has the system tell of one folder.
func (l *lookout) watch(folder string) error {
	if l.folders[folder] {
		return nil
	}
	err := l.add(folder)
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%w: raise fs.inotify.max_user_watches (sysctl), or put more into ignore_watch", errMany)
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return fmt.Errorf("%w: raise the limit of open files, or put more into ignore_watch", errMany)
	case err == nil:
		l.folders[folder] = true
	}
	return err
}

const (
	leastPoll = time.Second
	// pollShare is which part of the time is spent on looking, at most.
	pollShare = 50
)

// poll looks at the files itself, because of why.
func (l *lookout) poll(ctx context.Context, why error) {
	l.complain(fmt.Sprintf("%v; until then the files are looked at every second or more", why))
	before, took := l.snapshot()
	tick := time.NewTimer(max(leastPoll, pollShare*took))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.still.C:
			l.tell()
		case <-tick.C:
			now, took := l.snapshot()
			if file := difference(before, now); file != "" {
				l.note(file, false)
			}
			before = now
			tick.Reset(max(leastPoll, pollShare*took))
		}
	}
}

// stamp tells two states of a file apart.
type stamp struct {
	size int64
	at   int64
}

// snapshot is the state of all files that count, by their declared names, and
// how long it took.
func (l *lookout) snapshot() (map[string]stamp, time.Duration) {
	begun := time.Now()
	all := map[string]stamp{}
	for _, r := range l.roots {
		real, info, err := place(r.path)
		if err != nil {
			continue
		}
		r.real, r.file = real, !info.IsDir()
		l.walk(r, real, func(name string, d fs.DirEntry) error {
			if info, err := d.Info(); err == nil && !d.IsDir() {
				as, _ := r.declared(name)
				all[as] = stamp{info.Size(), info.ModTime().UnixNano()}
			}
			return nil
		})
	}
	return all, time.Since(begun)
}

// difference is a file that is not the same in both; empty when there is none.
func difference(before, now map[string]stamp) string {
	for file, s := range now {
		if was, known := before[file]; !known || was != s {
			return file
		}
	}
	if len(before) == len(now) {
		return ""
	}
	for file := range before {
		if _, stays := now[file]; !stays {
			return file
		}
	}
	return ""
}

// justWritten reports whether a file's time is that of now.
func justWritten(name string) bool {
	info, err := os.Lstat(name)
	return err == nil && !info.IsDir() && time.Since(info.ModTime()).Abs() < 2*time.Second
}

// isRealFolder reports whether name is a folder, and no symbolic link to one.
func isRealFolder(name string) bool {
	info, err := os.Lstat(name)
	return err == nil && info.IsDir()
}
