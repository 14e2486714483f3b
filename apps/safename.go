package apps

import (
	"crypto/sha256"
	"encoding/base32"
	"runtime"
	"strings"
	"unicode"
	"unicode/utf16"
)

// PM2Name is an app's name in the names of PM2's files: a '-' for each unit of
// UTF-16 that is none of A-Z, a-z, 0-9, '.' and '-'. Several names have the
// same: see Wanted.Twin.
func PM2Name(name string) string {
	units := utf16.Encode([]rune(name))
	safe := make([]byte, len(units))
	for i, u := range units {
		safe[i] = '-'
		if u < 0x80 && u != '_' && strings.IndexByte(nameRunes, byte(u)) >= 0 {
			safe[i] = byte(u)
		}
	}
	return string(safe)
}

// SafeName turns an app's name into a part of a file name. A plain name, of
// letters, digits, '.', '_' and '-', stays as it is; of any other what is not
// plain is replaced, and '+' and a hash follow, so that two names never share
// files.
func SafeName(name string) string {
	base, _, _ := strings.Cut(name, ".")
	if name == "" || name[0] == '.' || len(name) > maxName || windowsDevice(strings.ToLower(base)) || strings.Trim(name, nameRunes) != "" {
		return markedName(name)
	}
	return name
}

// markedName is the name in a file name that is nobody's plain name. It can be
// a part of a cookie's name, too: '+' is a sign of tokens (RFC 9110, section 5.6.2).
func markedName(name string) string {
	safe := strings.Map(func(r rune) rune {
		if r < 0x80 && strings.ContainsRune(nameRunes, r) {
			return r
		}
		return '_'
	}, name)
	safe = strings.TrimLeft(safe, ".")
	if base, _, _ := strings.Cut(strings.ToLower(safe), "."); windowsDevice(base) {
		safe = "_" + safe
	}
	sum := sha256.Sum256([]byte(name))
	hash := strings.ToLower(base32.HexEncoding.EncodeToString(sum[:10]))
	return safe[:min(len(safe), maxName-1-len(hash))] + "+" + hash
}

const nameRunes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

// Twins reports, for each of these names, whether one before it has the same
// file names: PM2's, or ours where the system does not tell Web from web.
func Twins(names []string, pm2 bool) []bool {
	return twins(names, pm2, runtime.GOOS == "windows" || runtime.GOOS == "darwin")
}

func twins(names []string, pm2, fold bool) []bool {
	seen, out := map[string]bool{}, make([]bool, len(names))
	for i, name := range names {
		key := SafeName(name)
		if pm2 {
			key = PM2Name(name)
		}
		if fold {
			key = strings.ToLower(key)
		}
		out[i], seen[key] = seen[key], true
	}
	return out
}

// likeFile reports a name whose file for all output would be one that another
// app, or Roost, has for something else: "web-out" with web-out.log, or "web-3"
// beside the app web.
func likeFile(name string) bool {
	name = strings.ToLower(name)
	if name == "roost" || name == "access" {
		return true
	}
	i := strings.LastIndexByte(name, '-')
	tail := name[i+1:]
	return i >= 0 && (tail == "out" || tail == "error" || tail != "" && unicode.IsDigit(rune(tail[0]))) ||
		strings.Contains(name, "-out-") || strings.Contains(name, "-error-")
}

// windowsDevice reports whether Windows takes a file of that name, with
// whatever extension, for a device.
func windowsDevice(base string) bool {
	switch base {
	case "con", "prn", "aux", "nul":
		return true
	}
	return len(base) == 4 && (strings.HasPrefix(base, "com") || strings.HasPrefix(base, "lpt")) && base[3] >= '0' && base[3] <= '9'
}
