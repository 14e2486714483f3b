package monit

import (
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// plain is text of an app, which may hold anything, as one line of visible characters.
func plain(s string) string {
	s = strings.ReplaceAll(ansi.Strip(s), "\t", "    ")
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
}

// fit cuts or fills s to width cells.
func fit(s string, width int) string {
	if width <= 0 {
		return ""
	}
	s = ansi.Truncate(s, width, "…")
	return s + strings.Repeat(" ", max(width-ansi.StringWidth(s), 0))
}

// right puts s at the right end of width cells.
func right(s string, width int) string {
	s = ansi.Truncate(s, max(width-1, 0), "…")
	return strings.Repeat(" ", max(width-ansi.StringWidth(s), 0)) + s
}
