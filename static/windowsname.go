package static

import "strings"

// windowsName tells whether Windows takes name for that of a file and of
// nothing else, so that it may be served there. These are not:
//
//	NUL, com1.txt     devices, in every folder and with any extension
//	a.txt::$DATA      streams of a file, and what no name may have
//	a.txt. and "a "   other spellings of a.txt and a
//	GIT~1             short names, made by the system for others such as .git
//
// ("Naming Files, Paths, and Namespaces" in Microsoft's documentation of Win32.)
func windowsName(name string) bool {
	if name == "" || strings.ContainsAny(name, `<>:"/\|?*`) || strings.HasSuffix(name, ".") || strings.HasSuffix(name, " ") {
		return false
	}
	base, _, _ := strings.Cut(name, ".")
	switch base = strings.ToUpper(strings.TrimRight(base, " ")); base {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return false
	}
	if port, ok := strings.CutPrefix(base, "COM"); ok && isPort(port) {
		return false
	}
	if port, ok := strings.CutPrefix(base, "LPT"); ok && isPort(port) {
		return false
	}
	return !shortName(name)
}

// isPort tells whether what follows COM or LPT makes it a port; Windows takes superscripts for digits.
func isPort(s string) bool {
	switch s {
	case "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "¹", "²", "³":
		return true
	}
	return false
}

// shortName tells whether name has the form of those that Windows makes for
// programs of 1985: up to eight letters that end in ~ and a number, and up to three more.
func shortName(name string) bool {
	base, extension, _ := strings.Cut(name, ".")
	start, number, ok := strings.Cut(base, "~")
	return ok && start != "" && number != "" && len(base) <= 8 && len(extension) <= 3 && strings.Trim(number, "0123456789") == ""
}
