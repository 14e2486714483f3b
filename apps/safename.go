package apps

import (
	"fmt"
	"hash/fnv"
	"strings"
)

// pm2Name is the name of an app in PM2's file names.
func pm2Name(name string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && strings.ContainsRune(nameRunes, r) && r != '_' {
			return r
		}
		return '-'
	}, name)
}

// SafeName turns an app's name into a part of a file name: a name that Validate
// accepts stays as it is; anything else loses what no file system takes and
// gets a hash, so that two names never share files.
func SafeName(name string) string {
	safe := strings.Map(func(r rune) rune {
		if r < 0x80 && strings.ContainsRune(nameRunes, r) {
			return r
		}
		return '_'
	}, name)
	safe = strings.TrimLeft(safe, ".")
	base, _, _ := strings.Cut(strings.ToLower(safe), ".")
	if safe == name && name != "" && len(name) <= maxName && !windowsDevice(base) {
		return name
	}
	if windowsDevice(base) {
		safe = "_" + safe
	}
	h := fnv.New64a()
	h.Write([]byte(name))
	return fmt.Sprintf("%s_%016x", safe[:min(len(safe), maxName-17)], h.Sum64())
}

const (
	nameRunes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
	// maxName is the longest name of an app, in bytes; files add a stream and a time to it.
	maxName = 100
)

// windowsDevice reports whether Windows takes a file of that name, with
// whatever extension, for a device.
func windowsDevice(base string) bool {
	switch base {
	case "con", "prn", "aux", "nul":
		return true
	}
	return len(base) == 4 && (strings.HasPrefix(base, "com") || strings.HasPrefix(base, "lpt")) && base[3] >= '0' && base[3] <= '9'
}
