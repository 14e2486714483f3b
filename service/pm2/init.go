package pm2

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const simpleFile = `module.exports = {
  apps: [
    {
      name: "app1",
      script: "./app.js",
    },
  ],
};
`

const wholeFile = `// What is declared here is made so by: pm2 start ecosystem.config.js
module.exports = {
  apps: [
    {
      name: "web",
      script: "./server.js",
      instances: "max", // one for each CPU
      env: { NODE_ENV: "development" },
      env_production: { NODE_ENV: "production" }, // with --env production
    },
    {
      name: "worker",
      script: "./worker.js",
      watch: false,
      max_memory_restart: "300M",
    },
  ],
};
`

// ecosystem writes a configuration file to fill in. One that is there stays.
func (s *session) ecosystem() error {
	text := wholeFile
	if len(s.args) > 0 && s.args[0] == "simple" {
		text = simpleFile
	}
	path, err := filepath.Abs("ecosystem.config.js")
	if err != nil {
		return fmt.Errorf("cannot find this folder: %w", err)
	}
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if s.has("force") {
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(path, flags, 0o644)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s exists and is kept; --force overwrites it", path)
	}
	if err != nil {
		return fmt.Errorf("cannot write the file: %w", err)
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("cannot write the file: %w", err)
	}
	s.print("File %s generated", path)
	return nil
}

// write is --write: what was asked for, as a configuration file.
func (s *session) write(a any, name string) error {
	text, err := plainJSON(object{{"apps", []any{a}}})
	if err != nil {
		return fmt.Errorf("cannot write the configuration: %w", err)
	}
	file := strings.Map(func(r rune) rune { // a name may have what no file name has
		if strings.ContainsRune(`/\:*?"<>|`, r) {
			return '-'
		}
		return r
	}, name) + "-pm2.json"
	return os.WriteFile(file, append(text, '\n'), 0o600)
}
