package service

import (
	"os"
	"strings"
)

// Environ is the environment of this process, as apps get it: without what is
// meant for this program.
func Environ() map[string]string {
	env := map[string]string{}
	for _, pair := range os.Environ() {
		name, value, ok := strings.Cut(pair, "=")
		if ok && name != "" && !strings.HasPrefix(name, "ROOST_") { // Windows has names such as "=C:"
			env[name] = value
		}
	}
	return env
}
