//go:build !windows

package apps

import (
	"io/fs"
	"os"
)

// executable reports whether path is a file that may be run.
func executable(path string) bool {
	_, err := findExecutable(path)
	return err == nil
}

// findExecutable returns path when it is a file that may be run.
func findExecutable(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", err
	case info.IsDir():
		return "", fs.ErrNotExist
	case info.Mode()&0o111 == 0:
		return "", fs.ErrPermission
	}
	return path, nil
}
