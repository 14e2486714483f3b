package apps

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"roost/apps/ecosystem"
)

// maxName is the longest name of an app or a namespace, in bytes; files add a stream and a time to it.
const maxName = 100

// badName says why nothing can have this name; what is empty when it can.
// A name is any text that can be printed, read and typed, and that means
// nothing else where commands expect a name.
func badName(name string) (what, hint string) {
	_, err := strconv.ParseInt(name, 10, 64)
	switch {
	case name == "all":
		return "is taken: commands mean every app by it", "choose another"
	case err == nil || strings.Trim(name, "0123456789") == "" && name != "":
		return "is a number: commands mean an id by it", "put a letter in front"
	case len(name) > maxName:
		return fmt.Sprintf("has %d bytes: %d at most", len(name), maxName), "choose a shorter one"
	case !utf8.ValidString(name):
		return "is not UTF-8", "save the file as UTF-8"
	case name == "." || name == "..":
		return "is a folder to commands", "choose another"
	case strings.TrimSpace(name) != name:
		return "begins or ends with a blank", "remove the blank"
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "has characters that cannot be seen", "use letters, digits, signs and single blanks, on one line"
	case strings.HasPrefix(name, "-"):
		return `begins with "-": commands take it for a flag`, "put a letter in front"
	case len(name) > 1 && name[0] == '/' && name[len(name)-1] == '/':
		return "is between slashes: commands mean a regular expression by it", "remove one of the slashes"
	}
	return "", ""
}

// ShowName writes a name as it is written on a command line, so that it is seen
// where it begins and ends: 'My App', but api:prod. What no name can have is
// written as in Go.
func ShowName(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }) {
		return strconv.Quote(name)
	}
	return ecosystem.Quote(name)
}

// ShowNames is ShowName of each.
func ShowNames(names []string) []string {
	shown := make([]string, len(names))
	for i, name := range names {
		shown[i] = ShowName(name)
	}
	return shown
}
