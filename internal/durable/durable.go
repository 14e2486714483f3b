// Package durable writes files that survive a crash of the program or of the
// machine: after WriteFile returns, either the new content is on disk or the
// old one is, never a mixture.
package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// fsync is the one way that files and folders are synced; a test looks on.
var fsync = (*os.File).Sync

// WriteFile replaces the file at path by data with the permissions perm: it
// writes a temporary file beside it, syncs it, renames it over path and syncs
// the folder. On error the old file is as it was.
func WriteFile(path string, data []byte, perm os.FileMode) (err error) {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
			err = fmt.Errorf("cannot write %s: %w", path, err)
		}
	}()
	if err = tmp.Chmod(perm); err != nil {
		return err
	}
	if _, err = tmp.Write(data); err != nil {
		return err
	}
	if err = fsync(tmp); err != nil {
		return err
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	if err = os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// MkdirAll makes dir and those above it that are missing, with the permissions
// perm, and syncs the folder that each is made in.
func MkdirAll(dir string, perm os.FileMode) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	above := filepath.Dir(dir)
	if above != dir {
		if err := MkdirAll(above, perm); err != nil {
			return err
		}
	}
	switch err := os.Mkdir(dir, perm); {
	case err == nil:
		return syncDir(above)
	case errors.Is(err, fs.ErrExist):
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return nil // somebody else was faster
		}
		fallthrough
	default:
		return fmt.Errorf("cannot make the folder %s: %w", dir, err)
	}
}

var temporary = regexp.MustCompile(`^\..+-[0-9]+$`)

// Temporary reports whether a file of this name is one that WriteFile has not
// renamed yet, or never will, for the program was killed.
func Temporary(name string) bool { return temporary.MatchString(filepath.Base(name)) }

// Sweep removes the files below dir that are Temporary and were last written
// before a time: no WriteFile takes long.
func Sweep(dir string, before time.Time) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || !Temporary(path) {
			return ignoreMissing(err)
		}
		if info, err := d.Info(); err != nil || !info.ModTime().Before(before) {
			return ignoreMissing(err)
		}
		return ignoreMissing(os.Remove(path))
	})
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
