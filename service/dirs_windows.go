package service

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// privileged reports whether this process uses the system's folders: the
// service and elevated administrators do.
func privileged() bool { return windows.GetCurrentProcessToken().IsElevated() }

func systemDirs() Dirs {
	base := os.Getenv("ProgramData")
	if base == "" {
		base = `C:\ProgramData`
	}
	return dirsBelow(filepath.Join(base, "Roost"))
}

func temporary() string { return os.TempDir() }

// trusted has nothing to ask here: the temporary folder is the user's own.
func trusted(string, string) error { return nil }
