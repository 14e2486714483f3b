package install

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"roost/service/control"
)

// pm2Names are the names under which the program behaves as PM2's.
var pm2Names = []string{"pm2", "pm2-runtime", "pm2-dev"}

// pm2Links are the paths of these names beside the program.
func pm2Links(program string) []string {
	ext := ""
	if runtime.GOOS == "windows" {
		ext = ".exe"
	}
	links := make([]string, len(pm2Names))
	for i, name := range pm2Names {
		links[i] = filepath.Join(filepath.Dir(program), name+ext)
	}
	return links
}

// ourLink reports whether path is the program under another name; false also
// when nothing is there.
func ourLink(path, program string) (bool, error) {
	there, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		// a link that leads nowhere is nobody's any more
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("cannot look at %s: %w", path, err)
	}
	us, err := os.Stat(program)
	return err == nil && os.SameFile(there, us), nil
}

// linkable refuses when another program has one of the names already.
func linkable(program string) error {
	for _, path := range pm2Links(program) {
		ours, err := ourLink(path, program)
		if err != nil {
			return err
		}
		if _, err := os.Stat(path); err == nil && !ours {
			return &control.Error{
				Code:    control.CodeConflict,
				Message: path + " is there already, and is not roost; nothing was changed",
				Hint:    "move its apps over with roost import pm2 --take-over, remove it (npm uninstall -g pm2), and install again",
			}
		}
	}
	return nil
}

// link gives the program PM2's names and returns the paths.
func link(program string) ([]string, error) {
	links := pm2Links(program)
	for _, path := range links {
		ours, err := ourLink(path, program)
		if err != nil {
			return nil, err
		}
		if ours {
			continue
		}
		os.Remove(path) // a link that leads nowhere
		if runtime.GOOS == "windows" {
			err = os.Link(program, path) // symbolic ones need a right of their own
		} else {
			err = os.Symlink(filepath.Base(program), path)
		}
		if err != nil {
			return nil, fmt.Errorf("cannot make the link %s: %w", path, err)
		}
	}
	return links, nil
}

// unlink takes the names away from the program; what belongs to others stays.
func unlink(program string) error {
	for _, path := range pm2Links(program) {
		ours, err := ourLink(path, program)
		if err == nil && ours {
			err = os.Remove(path)
		}
		if err != nil {
			return fmt.Errorf("cannot remove the link %s: %w", path, err)
		}
	}
	return nil
}
