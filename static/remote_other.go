//go:build !linux

package static

// remote is not asked here: fsnotify reports what the system reports.
func remote(string) bool { return false }
