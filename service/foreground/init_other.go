//go:build !linux

package foreground

// Init does nothing here: containers run Linux.
func Init() (code int, was bool, err error) { return 0, false, nil }

// IsInit reports whether Init has started this process.
func IsInit() bool { return false }
