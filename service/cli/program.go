package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// program is how the user calls this program: by its name where the shell
// finds this very file under it, else by path.
func program() string {
	self, err := os.Executable()
	if err != nil {
		return "roost"
	}
	if found, err := exec.LookPath("roost"); err == nil && sameFile(found, self) {
		return "roost"
	}
	if cwd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(cwd, self); err == nil && !strings.HasPrefix(rel, "..") {
			return "." + string(filepath.Separator) + shellQuote(rel)
		}
	}
	return shellQuote(self)
}

func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}
