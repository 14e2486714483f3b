package install

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"roost/internal/durable"
)

// Example is the config file of a service that has nothing to serve yet: valid,
// and all comments.
//
//go:embed roost.toml
var Example string

// writeExample writes Example to file where there is none. The config may hold
// secrets in env, so only root reads it.
func writeExample(file string) (written bool, err error) {
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return false, fmt.Errorf("cannot make the config folder: %w", err)
	}
	return true, durable.WriteFile(file, []byte(Example), 0o600)
}
