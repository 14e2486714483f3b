package apps

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// executable reports whether path is a file that Windows runs: one with an
// extension of PATHEXT.
func executable(path string) bool {
	found, err := findExecutable(path)
	return err == nil && found == path
}

// findExecutable returns path, or path with the extension of PATHEXT with
// which it is a file that may be run.
func findExecutable(path string) (string, error) {
	if found, err := exec.LookPath(path); err == nil {
		return filepath.Abs(found)
	}
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return "", fs.ErrPermission
	}
	return "", fs.ErrNotExist
}
