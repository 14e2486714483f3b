package apps

import (
	"fmt"
	"os"
	"path/filepath"
)

// socketDir is where an instance's sockets are.
type socketDir struct {
	path string
	own  bool // made for this instance alone
}

// maxSocketPath is the longest path of a Unix socket, in bytes, on any system
// (macOS: 104 with the zero; Linux: 108).
const maxSocketPath = 103

// openSocketDir returns runDir, if sockets there have short enough paths and
// who can reach them, else a new folder that is removed by close.
func openSocketDir(runDir string, who *account) (socketDir, error) {
	d := socketDir{path: runDir}
	if abs, err := filepath.Abs(runDir); err == nil {
		d.path = abs
	}
	if who != nil {
		// what is in it is guarded by its own permissions, and by names that cannot be listed
		if err := os.Chmod(d.path, 0o711); err != nil {
			return d, fmt.Errorf("cannot open the folder of sockets: %w", err)
		}
	}
	if len(d.file(laneExt)) <= maxSocketPath && (who == nil || openToAll(d.path)) {
		return d, nil
	}
	path, err := os.MkdirTemp("", "roost-")
	if err != nil {
		return d, fmt.Errorf("cannot make a folder for sockets: %w", err)
	}
	d = socketDir{path, true}
	if who != nil {
		if err := os.Chmod(path, 0o711); err != nil {
			d.close()
			return d, fmt.Errorf("cannot open the folder of sockets: %w", err)
		}
	}
	return d, nil
}

// The extensions of instances' sockets.
const (
	laneExt = "s" // where requests reach it
	noteExt = "n" // for sd_notify(3)
)

// file is a new name in d.
func (d socketDir) file(ext string) string { return filepath.Join(d.path, "i"+randomName()+"."+ext) }

func (d socketDir) close() {
	if d.own {
		os.RemoveAll(d.path)
	}
}

// openToAll reports whether every user may pass through dir and the folders above.
func openToAll(dir string) bool {
	for {
		info, err := os.Stat(dir)
		if err != nil || info.Mode()&1 == 0 {
			return false
		}
		up := filepath.Dir(dir)
		if up == dir {
			return true
		}
		dir = up
	}
}
