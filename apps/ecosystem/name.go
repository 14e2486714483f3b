// Package ecosystem reads the files that PM2's users declare their apps in
// (JSON, YAML, JavaScript) into plain values, and gives the keys of an app,
// theirs and ours, one form.
package ecosystem

import (
	"path/filepath"
	"slices"
	"strings"
)

// Is reports whether a word names a file that this package reads, by its
// ending; "-" is JSON on standard input.
func Is(word string) bool {
	if strings.ContainsAny(word, " \t\n") {
		return false // a command
	}
	switch filepath.Ext(word) {
	case ".json", ".yml", ".yaml":
		return true
	}
	return filepath.Base(word) == "-" || IsScript(word)
}

// IsScript reports whether a word names a file that is to be evaluated.
func IsScript(word string) bool {
	stem, ending, ok := strings.Cut(filepath.Base(word), ".config.")
	return ok && stem != "" && slices.Contains([]string{"js", "cjs", "mjs", "ts", "cts", "mts"}, ending)
}
